//! How an export writes CSV.

use std::collections::BTreeSet;

use super::mapping::put;

/// What differs from one export of CSV to another. The default has commas, cells in `"` and a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CsvDialect {
    /// The ASCII character between cells; `None`: a tab where the name of the file ends in `.tsv`, else a comma.
    pub separator: Option<u8>,
    /// The ASCII character around cells; `None`: no cell is quoted.
    pub quote: Option<u8>,
    /// The ASCII character that makes an ordinary one of the character after it; `None`: only quotes are escaped, by
    /// doubling them.
    pub escape: Option<u8>,
    /// Whether the first line names the columns; otherwise they are called `1`, `2`, ...
    pub has_header: bool,
    /// Texts that mean null, quoted or not, beside the empty cell.
    pub nulls: BTreeSet<String>,
}

impl Default for CsvDialect {
    fn default() -> Self {
        CsvDialect { separator: None, quote: Some(b'"'), escape: None, has_header: true, nulls: BTreeSet::new() }
    }
}

impl CsvDialect {
    /// Appends everything to the bytes of a mapping; nothing for the default, so that the hashes of sources without
    /// these settings never change.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        if *self == Self::default() {
            return;
        }
        let CsvDialect { separator, quote, escape, has_header, nulls } = self;
        put("csv", bytes);
        for character in [separator, quote, escape] {
            put(&character.map(|byte| char::from(byte).to_string()).unwrap_or_default(), bytes);
        }
        bytes.push(u8::from(*has_header));
        bytes.extend_from_slice(&(nulls.len() as u64).to_le_bytes());
        nulls.iter().for_each(|null| put(null, bytes));
    }
}
