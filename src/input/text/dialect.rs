//! The characters of CSV that have a meaning.

use memchr::{memchr, memchr2, memchr3};

use crate::sources::CsvDialect;

/// The beginning of a first line that names the separator, in capital or small letters.
const NAMES_SEPARATOR: &[u8] = b"sep=";

/// The separator, quote and escape of a file; all different.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Dialect {
    pub separator: u8,
    pub quote: Option<u8>,
    pub escape: Option<u8>,
}

impl Dialect {
    /// The characters of a file of this name, whatever the end of the name says of its compression.
    pub(super) fn of(csv: &CsvDialect, name: &str) -> Self {
        let name = name.to_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        let default = if name.ends_with(".tsv") { b'\t' } else { b',' };
        Dialect { separator: csv.separator.unwrap_or(default), quote: csv.quote, escape: csv.escape }
    }

    /// The separator that the first line of a file names, if it is such a line as Excel reads and writes: `sep=;`.
    pub(super) fn named_separator(beginning: &[u8]) -> Option<u8> {
        let (key, named) = beginning.split_at_checked(NAMES_SEPARATOR.len())?;
        let (separator, rest) = named.split_first()?;
        let is_line = matches!(rest, [] | [b'\n', ..] | [b'\r', b'\n', ..]);
        let is_named =
            key.eq_ignore_ascii_case(NAMES_SEPARATOR) && separator.is_ascii() && !b"\r\n\0".contains(separator);
        (is_line && is_named).then_some(*separator)
    }

    /// The index of the first line end, quote or escape.
    pub(super) fn find(self, bytes: &[u8]) -> Option<usize> {
        match (self.quote, self.escape) {
            (Some(quote), None) => memchr2(b'\n', quote, bytes),
            (Some(quote), Some(escape)) => memchr3(b'\n', quote, escape, bytes),
            (None, Some(escape)) => memchr2(b'\n', escape, bytes),
            (None, None) => memchr(b'\n', bytes),
        }
    }

    /// The index of the separator that ends an unquoted cell, or the length of `bytes`.
    pub(super) fn separator_in(self, bytes: &[u8]) -> usize {
        let Some(escape) = self.escape else { return memchr(self.separator, bytes).unwrap_or(bytes.len()) };
        self.first_unescaped(bytes, self.separator, escape)
    }

    /// The index of the quote that closes a cell, or the length of `bytes`, which begin after the opening quote.
    pub(super) fn closing_quote(self, bytes: &[u8], quote: u8) -> usize {
        let mut from = 0;
        while let Some(rest) = bytes.get(from..) {
            let found = match self.escape {
                Some(escape) => self.first_unescaped(rest, quote, escape),
                None => memchr(quote, rest).unwrap_or(rest.len()),
            };
            let place = from + found;
            if bytes.get(place + 1) != Some(&quote) {
                return place.min(bytes.len());
            }
            from = place + 2;
        }
        bytes.len()
    }

    /// The index of the first `wanted` that does not stand after an escape, or the length of `bytes`.
    fn first_unescaped(self, bytes: &[u8], wanted: u8, escape: u8) -> usize {
        let mut from = 0;
        while let Some(place) =
            bytes.get(from..).and_then(|rest| memchr2(wanted, escape, rest)).map(|place| from + place)
        {
            if bytes.get(place) == Some(&wanted) {
                return place;
            }
            from = place + 2;
        }
        bytes.len()
    }

    /// Whether an escape before this byte takes a meaning from it: in a quoted cell the separator and a line end have
    /// none.
    pub(super) fn escapes(self, byte: u8, is_quoted: bool) -> bool {
        Some(byte) == self.quote
            || Some(byte) == self.escape
            || (!is_quoted && (byte == self.separator || byte == b'\n'))
    }
}
