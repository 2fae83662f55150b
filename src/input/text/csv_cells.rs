//! The cells of one record of CSV.

use std::borrow::Cow;

use memchr::memchr;

/// A cell as the file has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct CsvCell<'a> {
    /// Its bytes; for a quoted cell the bytes between the quotes, where two quotes stand for one.
    raw: &'a [u8],
    is_quoted: bool,
    /// Whether no byte stands between the closing quote and the comma.
    pub is_whole: bool,
}

impl<'a> CsvCell<'a> {
    /// Whether the cell is empty; as text, empty quotes are an empty text and not null.
    pub(super) fn is_null(&self, is_text: bool) -> bool {
        self.raw.is_empty() && !(self.is_quoted && is_text)
    }

    /// Returns its content.
    pub(super) fn content(&self) -> Cow<'a, [u8]> {
        if !self.is_quoted || memchr(b'"', self.raw).is_none() {
            return Cow::Borrowed(self.raw);
        }
        let mut content = Vec::with_capacity(self.raw.len());
        let mut is_second = false;
        for byte in self.raw {
            is_second = *byte == b'"' && !is_second;
            if !is_second {
                content.push(*byte);
            }
        }
        Cow::Owned(content)
    }
}

/// Yields the cells of a record from left to right; there is at least one.
pub(super) struct CsvCells<'a> {
    /// The bytes not yet read, `None` after the last cell.
    rest: Option<&'a [u8]>,
}

impl<'a> CsvCells<'a> {
    /// The cells of a record whose quotes are closed.
    pub(super) fn new(record: &'a [u8]) -> Self {
        CsvCells { rest: Some(record) }
    }

    /// Returns the bytes not yet read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest.unwrap_or_default()
    }
}

impl<'a> Iterator for CsvCells<'a> {
    type Item = CsvCell<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let (raw, after, is_quoted) = match rest.strip_prefix(b"\"") {
            None => (None, rest, false),
            Some(inside) => {
                let (raw, after) = inside.split_at(closing_quote(inside));
                (Some(raw), after.strip_prefix(b"\"").unwrap_or(after), true)
            }
        };
        let (tail, rest) = after.split_at(memchr(b',', after).unwrap_or(after.len()));
        self.rest = rest.strip_prefix(b",");
        Some(CsvCell { raw: raw.unwrap_or(tail), is_quoted, is_whole: !is_quoted || tail.is_empty() })
    }
}

/// The index of the quote that closes a cell; `inside` begins after the opening quote.
fn closing_quote(inside: &[u8]) -> usize {
    let mut from = 0;
    while let Some(place) = inside.get(from..).and_then(|rest| memchr(b'"', rest)).map(|place| from + place) {
        if inside.get(place + 1) != Some(&b'"') {
            return place;
        }
        from = place + 2;
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(record: &str) -> Vec<(String, bool, bool)> {
        let text = |cell: CsvCell<'_>| String::from_utf8(cell.content().into_owned()).unwrap();
        CsvCells::new(record.as_bytes()).map(|cell| (text(cell), cell.is_quoted, cell.is_whole)).collect()
    }

    #[test]
    fn cells_of_all_kinds() {
        let plain = |text: &str| (text.to_owned(), false, true);
        let quoted = |text: &str| (text.to_owned(), true, true);
        assert_eq!(cells(""), [plain("")]);
        assert_eq!(cells("a"), [plain("a")]);
        assert_eq!(cells("a,b,"), [plain("a"), plain("b"), plain("")]);
        assert_eq!(cells(",,"), [plain(""), plain(""), plain("")]);
        assert_eq!(cells("\"a\",\"\",b"), [quoted("a"), quoted(""), plain("b")]);
        assert_eq!(cells("\"a,b\n\"\"c\"\"\",d"), [quoted("a,b\n\"c\""), plain("d")]);
        assert_eq!(cells("\"\"\"\"\"\",\"\"\"\""), [quoted("\"\""), quoted("\"")]);
        assert_eq!(cells("5\" pipe, \"x\""), [plain("5\" pipe"), plain(" \"x\"")]);
        assert_eq!(cells("\"a\"b,\"c\" ,d"), [("a".into(), true, false), ("c".into(), true, false), plain("d")]);
    }
}
