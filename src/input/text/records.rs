//! Cuts a text into records, each with the line on which it begins.

use std::path::Path;

use memchr::{memchr, memchr2};

use super::unpacked::Unpacked;
use crate::error::{Error, Result};
use crate::exact::{Held, at_most};
use crate::input::file_kind::Packing;
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
    /// The end of its line.
    Line,
    /// The end of a line, outside a quoted cell. A quote opens such a cell only at the beginning of the cell; two
    /// quotes within the cell do not close it.
    LineOutsideQuotes,
}

/// A record, without its line end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Record<'a> {
    /// The line on which it begins, from 1.
    pub line: u64,
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
    /// The line number at `begin`.
    line: u64,
    is_at_end: bool,
    bytes_max: usize,
    cancel: Cancel,
}

impl Records {
    /// Opens a file and reads its beginning.
    pub(super) fn open(path: &Path, packing: Packing, ends: Ends, resources: &Resources) -> Result<Self> {
        let source = Unpacked::open(path, packing, resources)?;
        let (bytes_max, cancel) = (resources.line_bytes(), resources.cancel().clone());
        let buffer = vec![0; BUFFER_BYTES];
        let (begin, end, line, is_at_end) = (0, 0, 1, false);
        let mut records = Records { source, ends, buffer, begin, end, line, is_at_end, bytes_max, cancel };
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
        let mut scan = Scan::default();
        let (length, with_end) = loop {
            if let Some(length) = scan.find(self.ends, self.rest(), self.is_at_end) {
                break (length, length + 1);
            }
            let length = self.rest().len();
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
                break (length, length);
            }
            self.fill()?;
        };
        if length > self.bytes_max {
            return Err(self.too_long());
        }
        let (begin, line) = (self.begin, self.line);
        self.begin += with_end;
        self.line += scan.breaks + 1;
        let bytes = self.buffer.get(begin..begin + length).held("a row lies within what was read")?;
        // A NUL byte means another encoding, or the end of a file that was being written when its machine went down.
        if memchr(0, bytes).is_some() {
            let cause = format!("the row on line {line} has a NUL byte, which no UTF-8 text has");
            return Err(self.broken(&cause, "write the file again in UTF-8"));
        }
        Ok(Some(Record { line, bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes) }))
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
        let quotes = if self.ends == Ends::LineOutsideQuotes { " (is a quote in it never closed?)" } else { "" };
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
}

impl Scan {
    /// The length of the record at the beginning of `bytes`, if its end is there. Called again with more bytes, it
    /// continues where it stopped.
    fn find(&mut self, ends: Ends, bytes: &[u8], is_at_end: bool) -> Option<usize> {
        loop {
            let rest = bytes.get(self.position..)?;
            let found = match ends {
                Ends::Line => memchr(b'\n', rest),
                Ends::LineOutsideQuotes => memchr2(b'\n', b'"', rest),
            };
            let Some(place) = found.map(|place| self.position + place) else {
                self.position = bytes.len();
                return None;
            };
            let is_quote = bytes.get(place) == Some(&b'"');
            match (is_quote, self.opened_in) {
                (false, None) => return Some(place),
                (false, Some(_)) => self.breaks += 1,
                (true, None) => {
                    let before = place.checked_sub(1).and_then(|before| bytes.get(before));
                    if before.is_none_or(|before| *before == b',') {
                        self.opened_in = Some(self.breaks);
                    }
                }
                (true, Some(_)) => match bytes.get(place + 1) {
                    Some(b'"') => self.position = place + 1,
                    None if !is_at_end => {
                        self.position = place;
                        return None;
                    }
                    _ => self.opened_in = None,
                },
            }
            self.position = self.position.max(place) + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lengths and breaks of the records, found byte by byte.
    fn stepped(text: &[u8]) -> Vec<(usize, u64)> {
        let (mut records, mut begin, mut breaks, mut is_quoted) = (Vec::new(), 0, 0, false);
        let mut place = 0;
        while place < text.len() {
            match text[place] {
                b'"' if is_quoted && text.get(place + 1) == Some(&b'"') => place += 1,
                b'"' if is_quoted => is_quoted = false,
                b'"' if place == begin || text[place - 1] == b',' => is_quoted = true,
                b'\n' if is_quoted => breaks += 1,
                b'\n' => {
                    records.push((place - begin, breaks));
                    (begin, breaks) = (place + 1, 0);
                }
                _ => {}
            }
            place += 1;
        }
        records
    }

    /// The lengths and breaks found by [`Scan`] when the bytes arrive in parts.
    fn scanned(text: &[u8], pieces: &[usize]) -> Vec<(usize, u64)> {
        let (mut records, mut begin, mut scan) = (Vec::new(), 0, Scan::default());
        let mut end = 0;
        let mut pieces = pieces.iter();
        loop {
            if let Some(length) = scan.find(Ends::LineOutsideQuotes, &text[begin..end], end == text.len()) {
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
            text in "[a,\"\r\n]{0,60}",
            pieces in proptest::collection::vec(0_usize..9, 0..20),
        ) {
            prop_assert_eq!(scanned(text.as_bytes(), &pieces), stepped(text.as_bytes()));
        }
    }
}
