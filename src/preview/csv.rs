//! The dialect of CSV files as it is described.

use serde::Serialize;

use crate::sources::CsvDialect;

/// How CSV files are written.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewedCsv {
    /// The character between cells; `None`: a tab where the name of the file ends in `.tsv`, else a comma.
    pub separator: Option<char>,
    /// The character around cells; `None`: no cell is quoted.
    pub quote: Option<char>,
    /// The character that makes an ordinary one of the character after it.
    pub escape: Option<char>,
    /// Whether the first line names the columns.
    pub header: bool,
    /// The texts that mean null beside the empty cell.
    pub null: Vec<String>,
}

impl PreviewedCsv {
    /// Describes a dialect; `None` for the default.
    pub(super) fn of(csv: &CsvDialect) -> Option<Self> {
        let CsvDialect { separator, quote, escape, has_header, nulls } = csv;
        (*csv != CsvDialect::default()).then(|| PreviewedCsv {
            separator: separator.map(char::from),
            quote: quote.map(char::from),
            escape: escape.map(char::from),
            header: *has_header,
            null: nulls.iter().cloned().collect(),
        })
    }
}
