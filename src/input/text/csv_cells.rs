//! The cells of one record of CSV.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::dialect::Dialect;

/// A cell as the file has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct CsvCell<'a> {
    dialect: Dialect,
    /// Its bytes; for a quoted cell the bytes between the quotes, where two quotes stand for one.
    raw: &'a [u8],
    is_quoted: bool,
    /// Whether no byte stands between the closing quote and the separator.
    pub is_whole: bool,
}

impl<'a> CsvCell<'a> {
    /// Whether the cell is empty, or one of the texts that mean null, as the file has them. As text, empty quotes are
    /// an empty text and not null.
    pub(super) fn is_null(&self, is_text: bool, nulls: &[Vec<u8>]) -> bool {
        self.raw.is_empty() && !(self.is_quoted && is_text) || nulls.iter().any(|null| null == self.raw)
    }

    /// Returns its content.
    pub(super) fn content(&self) -> Cow<'a, [u8]> {
        let Dialect { escape, quote, .. } = self.dialect;
        let quote = quote.filter(|_| self.is_quoted);
        let changes = match (quote, escape) {
            (None, None) => None,
            (Some(byte), None) | (None, Some(byte)) => memchr(byte, self.raw),
            (Some(quote), Some(escape)) => memchr2(quote, escape, self.raw),
        };
        if changes.is_none() {
            return Cow::Borrowed(self.raw);
        }
        let mut content = Vec::with_capacity(self.raw.len());
        let mut bytes = self.raw.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            let stands_for_next = |next: &u8| {
                let is_doubled = Some(byte) == quote && *next == byte;
                is_doubled || Some(byte) == escape && self.dialect.escapes(*next, self.is_quoted)
            };
            content.push(bytes.next_if(stands_for_next).unwrap_or(byte));
        }
        Cow::Owned(content)
    }
}

/// Yields the cells of a record from left to right; there is at least one.
pub(super) struct CsvCells<'a> {
    dialect: Dialect,
    /// The bytes not yet read, `None` after the last cell.
    rest: Option<&'a [u8]>,
}

impl<'a> CsvCells<'a> {
    /// The cells of a record whose quotes are closed.
    pub(super) fn new(dialect: Dialect, record: &'a [u8]) -> Self {
        CsvCells { dialect, rest: Some(record) }
    }

    /// Returns the bytes not yet read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest.unwrap_or_default()
    }
}

impl<'a> Iterator for CsvCells<'a> {
    type Item = CsvCell<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (dialect, rest) = (self.dialect, self.rest?);
        let opened = dialect.quote.and_then(|quote| Some((quote, rest.strip_prefix(&[quote])?)));
        let (raw, after) = match opened {
            None => (None, rest),
            Some((quote, inside)) => {
                let (raw, after) = inside.split_at(dialect.closing_quote(inside, quote));
                (Some(raw), after.strip_prefix(&[quote]).unwrap_or(after))
            }
        };
        let (tail, rest) = after.split_at(dialect.separator_in(after));
        self.rest = rest.strip_prefix(&[dialect.separator]);
        let is_quoted = raw.is_some();
        Some(CsvCell { dialect, raw: raw.unwrap_or(tail), is_quoted, is_whole: !is_quoted || tail.is_empty() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAS: Dialect = Dialect { separator: b',', quote: Some(b'"'), escape: None };

    fn cells_of(dialect: Dialect, record: &str) -> Vec<(String, bool, bool)> {
        let text = |cell: CsvCell<'_>| String::from_utf8(cell.content().into_owned()).unwrap();
        CsvCells::new(dialect, record.as_bytes()).map(|cell| (text(cell), cell.is_quoted, cell.is_whole)).collect()
    }

    fn cells(record: &str) -> Vec<(String, bool, bool)> {
        cells_of(COMMAS, record)
    }

    fn contents(dialect: Dialect, record: &str) -> Vec<String> {
        cells_of(dialect, record).into_iter().map(|(text, ..)| text).collect()
    }

    #[test]
    fn cells_of_other_dialects() {
        let semicolons = Dialect { separator: b';', quote: Some(b'\''), escape: None };
        assert_eq!(contents(semicolons, "a,b;'c;''d''';\"e\""), ["a,b", "c;'d'", "\"e\""]);
        let unquoted = Dialect { separator: b'\t', quote: None, escape: None };
        assert_eq!(contents(unquoted, "\"a\t\"\"\t\\N"), ["\"a", "\"\"", "\\N"]);
        // As Spark writes: quotes and escapes within quotes are escaped, other backslashes stand as they are.
        let spark = Dialect { escape: Some(b'\\'), ..COMMAS };
        let row = r#""a \"b\", c",C:\d,"e,\\","f\,g","h""i",\N"#;
        assert_eq!(contents(spark, row), ["a \"b\", c", "C:\\d", "e,\\", "f\\,g", "h\"i", "\\N"]);
        assert_eq!(contents(spark, r#"\"a\",b"#), ["\"a\"", "b"]);
        // As Hive and MySQL write without quotes: separators, escapes and line ends are escaped.
        let hive = Dialect { separator: b'\t', quote: None, escape: Some(b'\\') };
        assert_eq!(contents(hive, "a\\\tb\tc\\\\\td\\\ne\t\\"), ["a\tb", "c\\", "d\ne", "\\"]);
    }

    #[test]
    fn nulls_are_told_by_what_the_file_has() {
        let nulls = [b"NULL".to_vec(), b"\\N".to_vec()];
        let dialect = Dialect { escape: Some(b'\\'), ..COMMAS };
        let is_null = |record: &str, is_text| -> Vec<bool> {
            CsvCells::new(dialect, record.as_bytes()).map(|cell| cell.is_null(is_text, &nulls)).collect()
        };
        let record = r#"NULL,"NULL",\N,"\N",\\N,null, NULL,,"",x"#;
        let told = [true, true, true, true, false, false, false, true];
        assert_eq!(is_null(record, false), [told.as_slice(), &[true, false]].concat());
        assert_eq!(is_null(record, true), [told.as_slice(), &[false, false]].concat());
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
