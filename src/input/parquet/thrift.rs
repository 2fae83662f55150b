//! Thrift's compact protocol, the part needed to read single fields of a Parquet file's metadata before allocating
//! memory for any. Source: the protocol's specification in Apache Thrift. Every method returns `None` for bytes that
//! violate the protocol.

use std::io::{BufRead, Read};

/// A nesting depth far above that of any Parquet metadata.
const DEPTH_MAX: usize = 16;

/// Reads one struct after the other. Memory: none; skipped values are discarded.
pub(super) struct Compact<'reader, R> {
    reader: &'reader mut R,
    /// Bytes read so far.
    pub read: u64,
}

impl<'reader, R: BufRead> Compact<'reader, R> {
    /// A reader that stands at the beginning of a struct.
    pub(super) fn new(reader: &'reader mut R) -> Self {
        Compact { reader, read: 0 }
    }

    /// Returns the type of the next field and sets `field` to its number; `Some(None)` at the end of a struct.
    pub(super) fn field(&mut self, field: &mut i64) -> Option<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *field = match head >> 4 {
            0 => self.integer()?,
            step => field.checked_add(i64::from(step))?,
        };
        Some(Some(head & 0xf))
    }

    /// Skips a value of this type, `depth` structs or lists below the start of reading.
    pub(super) fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            TRUE | FALSE => {}
            BYTE => drop(self.byte()?),
            INT16 | INT32 | INT64 => drop(self.varint()?),
            DOUBLE => self.bytes(8)?,
            BINARY => {
                let length = self.varint()?;
                self.bytes(length)?;
            }
            LIST | SET => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    // In a list, a boolean takes one byte.
                    self.skip(if matches!(kind, TRUE | FALSE) { BYTE } else { kind }, depth + 1)?;
                }
            }
            STRUCT => {
                let mut field = 0;
                while let Some(kind) = self.field(&mut field)? {
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Returns the number and the type of a list's elements.
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Some((count, head & 0xf))
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.reader.read_exact(&mut byte).ok()?;
        self.read += 1;
        let [byte] = byte;
        Some(byte)
    }

    fn bytes(&mut self, count: u64) -> Option<()> {
        let copied = std::io::copy(&mut self.reader.by_ref().take(count), &mut std::io::sink()).ok()?;
        self.read += copied;
        (copied == count).then_some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// Reads a signed integer of any width.
    pub(super) fn integer(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

// Types of the compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const INT16: u8 = 4;
pub(super) const INT32: u8 = 5;
const INT64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
pub(super) const STRUCT: u8 = 12;
