//! Sequences: a number of literals, then a match of earlier bytes. Source: RFC 8878, section 3.1.1.3.2.

use super::bit_writer::BitWriter;
use super::fse::{State, Table};

/// The distributions predefined for every decoder (RFC 8878, section 3.1.1.3.2.2): literal lengths, match lengths,
/// offsets.
const LITERALS: [i16; 36] =
    [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1];
const MATCHES: [i16; 53] = [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
];
const OFFSETS: [i16; 29] = [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1];

/// The shortest match of the format.
const MATCH_MIN: u32 = 3;

/// One sequence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Sequence {
    /// Number of literals before the match; below 2^17.
    pub literals: usize,
    /// How many bytes back the match begins; at least 1.
    pub offset: usize,
    /// Its length, 3 to 2^17.
    pub length: usize,
}

/// A code, and the extra bits that tell a number from others with that code.
#[derive(Clone, Copy)]
struct Coded {
    code: u8,
    bits: u32,
    number: u32,
}

/// Encodes sequences with the predefined distributions.
pub(super) struct Encoder {
    literals: Table,
    matches: Table,
    offsets: Table,
}

impl Encoder {
    /// An encoder; always `Some`.
    pub(super) fn new() -> Option<Self> {
        Some(Encoder {
            literals: Table::new(&LITERALS, 6)?,
            matches: Table::new(&MATCHES, 6)?,
            offsets: Table::new(&OFFSETS, 5)?,
        })
    }

    /// Appends a sequences section of fewer than 32,512 sequences; a block of 128 kB has fewer, since a match has at
    /// least 16 bytes. `None` if a sequence has numbers without a code.
    pub(super) fn encode(&self, sequences: &[Sequence], to: &mut Vec<u8>) -> Option<()> {
        match sequences.len() {
            few @ 0..128 => to.push(few.to_le_bytes()[0]),
            many => {
                let [low, high, ..] = many.to_le_bytes();
                to.extend_from_slice(&[high + 128, low]);
            }
        }
        if sequences.is_empty() {
            return Some(());
        }
        // All three distributions are the predefined ones.
        to.push(0);
        let mut writer = BitWriter::default();
        let mut states: Option<[State; 3]> = None;
        for sequence in sequences.iter().rev() {
            let [literal, length, offset] = sequence.coded()?;
            match &mut states {
                None => {
                    let begin = |table: &Table, coded: Coded| table.begin(coded.code);
                    let matches = begin(&self.matches, length)?;
                    let offsets = begin(&self.offsets, offset)?;
                    states = Some([matches, offsets, begin(&self.literals, literal)?]);
                }
                Some([matches, offsets, literals]) => {
                    self.offsets.encode(offsets, offset.code, &mut writer, to)?;
                    self.matches.encode(matches, length.code, &mut writer, to)?;
                    self.literals.encode(literals, literal.code, &mut writer, to)?;
                }
            }
            for coded in [literal, length, offset] {
                writer.put(coded.number, coded.bits, to);
            }
        }
        if let Some([matches, offsets, literals]) = states {
            self.matches.finish(matches, &mut writer, to);
            self.offsets.finish(offsets, &mut writer, to);
            self.literals.finish(literals, &mut writer, to);
        }
        writer.finish(to);
        Some(())
    }
}

impl Sequence {
    fn coded(self) -> Option<[Coded; 3]> {
        // Offsets are moved up by three, since the first three numbers mean the offsets of earlier sequences.
        let offset = u32::try_from(self.offset).ok()?.checked_add(3)?;
        let bits = offset.ilog2();
        let offset = Coded { code: bits.to_le_bytes()[0], bits, number: offset };
        let literals = literal_code(u32::try_from(self.literals).ok()?);
        Some([literals, match_code(u32::try_from(self.length).ok()?.checked_sub(MATCH_MIN)?), offset])
    }
}

/// A code covers as many numbers as its bits distinguish, beginning at a multiple of that count: so the low bits of the
/// number are written.
fn coded(number: u32, code: u32, bits: u32) -> Coded {
    Coded { code: code.to_le_bytes()[0], bits, number }
}

fn literal_code(length: u32) -> Coded {
    match length {
        0..16 => coded(length, length, 0),
        16..24 => coded(length, 16 + (length - 16) / 2, 1),
        24..32 => coded(length, 20 + (length - 24) / 4, 2),
        32..48 => coded(length, 22 + (length - 32) / 8, 3),
        48..64 => coded(length, 24, 4),
        _ => coded(length, 19 + length.ilog2(), length.ilog2()),
    }
}

/// The code of a match length less 3.
fn match_code(length: u32) -> Coded {
    match length {
        0..32 => coded(length, length, 0),
        32..40 => coded(length, 32 + (length - 32) / 2, 1),
        40..48 => coded(length, 36 + (length - 40) / 4, 2),
        48..64 => coded(length, 38 + (length - 48) / 8, 3),
        64..96 => coded(length, 40 + (length - 64) / 16, 4),
        96..128 => coded(length, 42, 5),
        _ => coded(length, 36 + length.ilog2(), length.ilog2()),
    }
}
