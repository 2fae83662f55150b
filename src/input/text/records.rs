//! Cuts a text into records, each with the line on which it begins.

use std::path::Path;

use memchr::memchr;

use super::dialect::Dialect;
use super::object_scan::ObjectScan;
use super::unpacked::Unpacked;
use crate::error::{Error, Result};
use crate::exact::{Held, at_most};
use crate::input::file_kind::Packing;
use crate::input::layout::DayFile;
use crate::input::magic::{LOOKED_AT, Magic};
use crate::message::{Message, message};
use crate::resources::{Cancel, Resources};
use crate::text::Shown;

/// The initial size of the buffer; it grows with the longest record.
const BUFFER_BYTES: usize = 256 << 10;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Byte order marks of other encodings; longer ones first, since one begins with another.
const WIDE_MARKS: [(&[u8], &str); 4] =
    [(b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")];

/// The end of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ends {
    /// The end of its line; or the next JSON object on it, if the line is to be cut or is longer than
    /// [`BUFFER_BYTES`].
    Line,
    /// The end of a line, outside a quoted cell. A quote opens such a cell only at the beginning of the cell; two
    /// quotes within the cell do not close it, and neither does an escaped one. An escaped line end ends nothing.
    LineOutsideQuotes(Dialect),
}

/// A record, without its line end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Record<'a> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// How many bytes of that line come before it.
    pub offset: usize,
    /// Whether the line may still be cut into objects, see [`Records::cut`].
    pub is_uncut: bool,
    /// Its bytes, not yet checked.
    pub bytes: &'a [u8],
}

/// Yields the records of a file in order. Lines end with LF or CRLF, the last one also with the file; a byte order mark
/// at the beginning is skipped.
///
/// Memory: the larger of 256 KiB and twice the longest record, which fails beyond the budget for a line, see
/// [`Resources::line_bytes`]; and the memory of the decompressor.
pub(super) struct Records {
    source: Unpacked,
    ends: Ends,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer, and where the bytes read so far end.
    begin: usize,
    end: usize,
    /// The line number at `begin`, and how many bytes of the line come before `begin`.
    line: u64,
    offset: usize,
    /// Whether the line at `begin` is cut into objects.
    is_cut: bool,
    /// Where the last record began, and its line.
    last: (usize, u64),
    is_at_end: bool,
    bytes_max: usize,
    cancel: Cancel,
}

impl Records {
    /// Opens a file and reads its beginning.
    pub(super) fn open(file: &DayFile, packing: Packing, ends: Ends, resources: &Resources) -> Result<Self> {
        let source = Unpacked::open(file, packing, resources)?;
        let (bytes_max, cancel) = (resources.line_bytes(), resources.cancel().clone());
        let buffer = vec![0; BUFFER_BYTES];
        let mut records = Records {
            source,
            ends,
            buffer,
            begin: 0,
            end: 0,
            line: 1,
            offset: 0,
            is_cut: false,
            last: (0, 1),
            is_at_end: false,
            bytes_max,
            cancel,
        };
        while records.end < LOOKED_AT && !records.is_at_end {
            records.fill()?;
        }
        let beginning = records.rest();
        for (mark, encoding) in WIDE_MARKS {
            if beginning.starts_with(mark) {
                return Err(records.broken(&format!("its text is {encoding}"), "write it in UTF-8"));
            }
        }
        if let Some(magic) = Magic::of(beginning) {
            return Err(records.broken(&format!("its content is {}", magic.name()), "compress the text itself"));
        }
        records.begin = if beginning.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Ok(records)
    }

    /// Ends the records after the last one elsewhere.
    pub(super) fn end_at(&mut self, ends: Ends) {
        self.ends = ends;
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        self.source.path()
    }

    /// Returns the bytes that were read and belong to later records.
    pub(super) fn rest(&self) -> &[u8] {
        at_most(&self.buffer, self.end).split_at(self.begin).1
    }

    /// Returns the next record; `None` after the last. Fails if it exceeds the budget for a line, if a quote is not
    /// closed, and at a NUL byte.
    pub(super) fn take(&mut self) -> Result<Option<Record<'_>>> {
        let (mut scan, mut objects) = (Scan::default(), ObjectScan::default());
        let (length, ends_line) = loop {
            let found = if self.is_cut {
                objects.find(self.rest())
            } else {
                scan.find(self.ends, self.rest(), self.is_at_end).map(|length| (length, true))
            };
            if let Some(found) = found {
                break found;
            }
            let length = self.rest().len();
            if self.ends == Ends::Line && length > BUFFER_BYTES {
                self.is_cut = true;
            }
            if length > self.bytes_max {
                return Err(self.too_long());
            }
            if self.is_at_end {
                if let Some(opened) = scan.opened_in {
                    return Err(self.not_closed(self.line + opened));
                }
                if length == 0 {
                    return Ok(None);
                }
                break (length, true);
            }
            self.fill()?;
        };
        if length > self.bytes_max {
            return Err(self.too_long());
        }
        let (begin, line, offset, is_uncut) = (self.begin, self.line, self.offset, !self.is_cut);
        self.last = (begin, line);
        self.begin += length;
        self.offset += length;
        if ends_line {
            // After the last line there may be no line end.
            self.begin = self.end.min(self.begin + 1);
            self.line += scan.breaks + 1;
            (self.offset, self.is_cut) = (0, false);
        }
        let bytes = self.buffer.get(begin..begin + length).held("a row lies within what was read")?;
        // A NUL byte means another encoding, or the end of a file that was being written when its machine went down.
        if memchr(0, bytes).is_some() {
            let cause = format!("the row on line {line} has a NUL byte, which no UTF-8 text has");
            return Err(self.broken(&cause, "write the file again in UTF-8"));
        }
        Ok(Some(Record { line, offset, is_uncut, bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes) }))
    }

    /// Cuts the last record, an uncut line, into its JSON objects, one behind the other: they are the next records.
    /// What is wrong with an object stays with it; after something that is no object nothing is cut.
    pub(super) fn cut(&mut self) {
        (self.begin, self.line) = self.last;
        self.is_cut = true;
    }

    /// Reads more bytes into the buffer. Fails after a request to stop.
    fn fill(&mut self) -> Result<()> {
        self.cancel.check()?;
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let free = self.buffer.get_mut(self.end..).held("the bytes read end within the buffer")?;
        let read = self.source.read(free, self.line)?;
        self.end += read;
        self.is_at_end = read == 0;
        Ok(())
    }

    /// The error that the file as a whole is unusable.
    pub(super) fn broken(&self, cause: &str, remedy: impl Into<Message>) -> Error {
        Error::input(format!("the file {} cannot be read: {cause}", self.path().shown()), remedy)
    }

    fn too_long(&self) -> Error {
        let quotes = if matches!(self.ends, Ends::LineOutsideQuotes(Dialect { quote: Some(_), .. })) {
            " (is a quote in it never closed?)"
        } else {
            ""
        };
        self.broken(
            &format!(
                "the row that begins on line {} has more bytes than the memory limit allows ({}){quotes}",
                self.line, self.bytes_max
            ),
            message!["correct that line, or give a larger ", MemoryLimit, " (a row may take a 64th of it)"],
        )
    }

    fn not_closed(&self, line: u64) -> Error {
        self.broken(&format!("the quote that opens a cell on line {line} is never closed"), "correct that line")
    }
}

/// How far a record has been scanned.
#[derive(Default)]
struct Scan {
    position: usize,
    /// Within a quoted cell: how many breaks of the record precede its opening quote.
    opened_in: Option<u64>,
    /// Line ends within the record.
    breaks: u64,
    /// The last byte after an escape.
    escaped: Option<usize>,
}

impl Scan {
    /// The length of the record at the beginning of `bytes`, if its end is there. Called again with more bytes, it
    /// continues where it stopped.
    fn find(&mut self, ends: Ends, bytes: &[u8], is_at_end: bool) -> Option<usize> {
        loop {
            let rest = bytes.get(self.position..)?;
            let found = match ends {
                Ends::Line => memchr(b'\n', rest),
                Ends::LineOutsideQuotes(dialect) => dialect.find(rest),
            };
            let Some(place) = found.map(|place| self.position + place) else {
                self.position = bytes.len();
                return None;
            };
            let (byte, next) = (bytes.get(place).copied(), bytes.get(place + 1).copied());
            let dialect = match ends {
                Ends::LineOutsideQuotes(dialect) if byte != Some(b'\n') => dialect,
                _ if self.opened_in.is_none() => return Some(place),
                _ => {
                    self.breaks += 1;
                    self.position = place + 1;
                    continue;
                }
            };
            if next.is_none() && !is_at_end {
                self.position = place;
                return None;
            }
            let mut after = place + 1;
            match self.opened_in {
                _ if byte == dialect.escape => {
                    self.breaks += u64::from(next == Some(b'\n'));
                    self.escaped = Some(after);
                    after += 1;
                }
                None => {
                    let before = place.checked_sub(1).and_then(|before| bytes.get(before));
                    let begins = before.is_none_or(|before| *before == dialect.separator);
                    if begins && (place == 0 || self.escaped != Some(place - 1)) {
                        self.opened_in = Some(self.breaks);
                    }
                }
                Some(_) if next == byte => after += 1,
                Some(_) => self.opened_in = None,
            }
            self.position = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMMAS: Dialect = Dialect { separator: b',', quote: Some(b'"'), escape: None };

    /// The lengths and breaks of the records, found byte by byte.
    fn stepped(text: &[u8], dialect: Dialect) -> Vec<(usize, u64)> {
        let (mut records, mut begin, mut breaks, mut is_quoted) = (Vec::new(), 0, 0, false);
        let (mut place, mut at_cell) = (0, true);
        while place < text.len() {
            let (byte, next) = (text[place], text.get(place + 1));
            let was_at_cell = std::mem::take(&mut at_cell);
            if Some(byte) == dialect.escape {
                breaks += u64::from(next == Some(&b'\n'));
                place += 1;
            } else if Some(byte) == dialect.quote && is_quoted {
                if next == Some(&byte) {
                    place += 1;
                } else {
                    is_quoted = false;
                }
            } else if Some(byte) == dialect.quote && was_at_cell {
                is_quoted = true;
            } else if byte == b'\n' && is_quoted {
                breaks += 1;
            } else if byte == b'\n' {
                records.push((place - begin, breaks));
                (begin, breaks, at_cell) = (place + 1, 0, true);
            } else {
                at_cell = byte == dialect.separator && !is_quoted;
            }
            place += 1;
        }
        records
    }

    /// The lengths and breaks found by [`Scan`] when the bytes arrive in parts.
    fn scanned(text: &[u8], dialect: Dialect, pieces: &[usize]) -> Vec<(usize, u64)> {
        let (mut records, mut begin, mut scan) = (Vec::new(), 0, Scan::default());
        let mut end = 0;
        let mut pieces = pieces.iter();
        loop {
            let ends = Ends::LineOutsideQuotes(dialect);
            if let Some(length) = scan.find(ends, &text[begin..end], end == text.len()) {
                records.push((length, scan.breaks));
                begin += length + 1;
                scan = Scan::default();
            } else if end == text.len() {
                return records;
            } else {
                end = pieces.next().map_or(text.len(), |piece| (end + piece).min(text.len()));
            }
        }
    }

    proptest! {
        #[test]
        fn records_end_where_they_do_whatever_the_pieces(
            text in "[a,;\"\\\\\r\n]{0,60}",
            pieces in proptest::collection::vec(0_usize..9, 0..20),
            separator in prop_oneof![Just(b','), Just(b';')],
            (is_quoted, is_escaped) in any::<(bool, bool)>(),
        ) {
            let (quote, escape) = (is_quoted.then_some(b'"'), is_escaped.then_some(b'\\'));
            for dialect in [COMMAS, Dialect { separator, quote, escape }] {
                prop_assert_eq!(scanned(text.as_bytes(), dialect, &pieces), stepped(text.as_bytes(), dialect));
            }
        }
    }
}
