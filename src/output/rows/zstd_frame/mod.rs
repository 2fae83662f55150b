//! Zstandard frames of pages whose rows repeat.
//!
//! The rows of a customer are the same bytes several times over. A compressor must find the repetitions; here they are
//! known. So the whole page is never assembled: each customer's row goes once into the literals, which are
//! Huffman-coded, and its repetitions are one match. The result is an ordinary frame for every Zstandard decoder, some
//! 5 % larger than the library's at level 1 on real pages, in a fraction of its time.
//!
//! Source of the format: RFC 8878. The tests decode with the library.

mod bit_writer;
mod fse;
mod huffman;
mod sequences;

#[cfg(any(test, feature = "internals"))]
#[path = "../../../../fuzz/entries/zstd_frame.rs"]
pub(super) mod fuzz;
#[cfg(test)]
mod tests;

use huffman::Codes;
use sequences::{Encoder, Sequence};

use crate::error::Result;
use crate::exact::{Held, at_most, of_byte_mut};

/// The most decoded bytes of a block. The format's limit is 2^17 for both forms of a block; this is less, to leave
/// space for headers when literals are incompressible.
const BLOCK_BYTES: usize = (1 << 17) - (1 << 10);

/// Repetitions of fewer bytes go into the literals: a match could take more bytes.
const MATCH_BYTES_MIN: usize = 16;

/// Fewer literals are stored uncompressed.
const CODED_LITERALS_MIN: usize = 64;

/// The library compresses smaller pages.
const FRAME_BYTES_MIN: usize = 1 << 12;

/// A page to be compressed, given as bytes and their number of repetitions.
///
/// Memory: the bytes once, and 24 bytes for each repetition.
pub(super) struct RepeatingPage {
    literals: Vec<u8>,
    /// The full blocks; the block being filled is separate.
    blocks: Vec<Block>,
    open: Block,
    /// Number of bytes of the page so far.
    length: usize,
    encoder: Encoder,
}

#[derive(Default)]
struct Block {
    sequences: Vec<Sequence>,
    /// Number of all literals, and of those after the last match.
    literals: usize,
    loose: usize,
    /// Number of its decoded bytes.
    length: usize,
}

impl RepeatingPage {
    /// An empty page.
    pub(super) fn new() -> Result<Self> {
        Ok(RepeatingPage {
            literals: Vec::new(),
            blocks: Vec::new(),
            open: Block::default(),
            length: 0,
            encoder: Encoder::new().held("Zstandard's own distributions have tables")?,
        })
    }

    /// Returns the number of bytes so far.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Appends `bytes`, `times` times.
    pub(super) fn push(&mut self, bytes: &[u8], times: usize) {
        self.push_padded(bytes, 0, times);
    }

    /// Like [`RepeatingPage::push`], for bytes that end with `zeros` zeros: many zeros are encoded as a repeated one.
    pub(super) fn push_padded(&mut self, bytes: &[u8], zeros: usize, times: usize) {
        if times == 0 || bytes.is_empty() {
            return;
        }
        match bytes.len().checked_sub(zeros).filter(|_| zeros > MATCH_BYTES_MIN) {
            Some(before) => {
                self.push_literals(at_most(bytes, before + 1));
                self.push_match(&[0], zeros - 1);
            }
            None => self.push_literals(bytes),
        }
        let repeated = bytes.len() * (times - 1);
        if repeated < MATCH_BYTES_MIN {
            (1..times).for_each(|_| self.push_literals(bytes));
        } else {
            self.push_match(bytes, repeated);
        }
    }

    fn push_literals(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let block = self.block();
            let (head, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - block.length));
            block.literals += head.len();
            block.loose += head.len();
            block.length += head.len();
            self.literals.extend_from_slice(head);
            self.length += head.len();
            bytes = rest;
        }
    }

    /// Appends `length` bytes that repeat `bytes`, the bytes right before.
    fn push_match(&mut self, bytes: &[u8], mut length: usize) {
        let mut done = 0;
        while length > 0 {
            let block = self.block();
            let free = BLOCK_BYTES - block.length;
            // At the end of a block, the rest may be too short for a match.
            let part = length.min(free);
            if part < MATCH_BYTES_MIN {
                let piece: Vec<u8> = bytes.iter().cycle().skip(done % bytes.len()).take(part).copied().collect();
                self.push_literals(&piece);
            } else {
                block.sequences.push(Sequence { literals: block.loose, offset: bytes.len(), length: part });
                block.loose = 0;
                block.length += part;
                self.length += part;
            }
            done += part;
            length -= part;
        }
    }

    /// Returns the block for the next bytes, which is not full.
    fn block(&mut self) -> &mut Block {
        if self.open.length >= BLOCK_BYTES {
            self.blocks.push(std::mem::take(&mut self.open));
        }
        &mut self.open
    }

    /// Returns all blocks that are not empty.
    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().chain([&self.open]).filter(|block| block.length > 0)
    }

    /// Appends the frame to `frame` and clears the page. Returns `false` and does neither if the library does better,
    /// for a small page or few repetitions; the caller then gets the bytes from [`RepeatingPage::expand`].
    pub(super) fn encode(&mut self, frame: &mut Vec<u8>) -> Result<bool> {
        let begin = frame.len();
        let is_worth_it = self.length >= FRAME_BYTES_MIN
            && self.encode_frame(frame).held("all of a page has codes")?
            && frame.len() - begin <= self.length;
        if is_worth_it {
            self.clear();
        } else {
            frame.truncate(begin);
        }
        Ok(is_worth_it)
    }

    /// Appends the page itself.
    pub(super) fn expand(&self, page: &mut Vec<u8>) {
        let mut literals = self.literals.as_slice();
        let mut take = |count: usize, page: &mut Vec<u8>| {
            let (head, rest) = literals.split_at(count.min(literals.len()));
            page.extend_from_slice(head);
            literals = rest;
        };
        for block in self.blocks() {
            for sequence in &block.sequences {
                take(sequence.literals, page);
                let (from, mut left) = (page.len().saturating_sub(sequence.offset), sequence.length);
                while left > 0 {
                    // Copied bytes can be copied again, so each step is twice as long.
                    let part = left.min(page.len() - from);
                    page.extend_from_within(from..from + part);
                    left -= part;
                }
            }
            take(block.loose, page);
        }
    }

    /// Clears the page.
    pub(super) fn clear(&mut self) {
        self.literals.clear();
        self.blocks.clear();
        self.open = Block::default();
        self.length = 0;
    }

    /// Returns `false` if a block would not become smaller; `None` if a value has no code.
    fn encode_frame(&self, frame: &mut Vec<u8>) -> Option<bool> {
        let Ok(length) = u32::try_from(self.length) else { return Some(false) };
        frame.extend_from_slice(&0xfd2f_b528_u32.to_le_bytes());
        // One segment, whose size takes four bytes; no checksum, no dictionary.
        frame.push(0b1010_0000);
        frame.extend_from_slice(&length.to_le_bytes());
        let mut counts = [0_u32; 256];
        for byte in &self.literals {
            *of_byte_mut(&mut counts, *byte) += 1;
        }
        let codes = Codes::new(&counts);
        // A code that saves less than one byte of fifty is not worth decoding.
        let codes = codes.filter(|codes| codes.encoded_bytes() < self.literals.len() / 50 * 49);
        let mut is_described = false;
        let mut literals = self.literals.as_slice();
        let count = self.blocks().count();
        for (number, block) in (1..).zip(self.blocks()) {
            let (of_block, rest) = literals.split_at(block.literals.min(literals.len()));
            literals = rest;
            let header = frame.len();
            frame.extend_from_slice(&[0; 3]);
            match codes.as_ref().filter(|_| of_block.len() >= CODED_LITERALS_MIN) {
                Some(codes) => {
                    put_coded_literals(of_block, codes, is_described, frame)?;
                    is_described = true;
                }
                None => put_raw_literals(of_block, frame)?,
            }
            self.encoder.encode(&block.sequences, frame)?;
            let size = frame.len() - header - 3;
            if size >= block.length {
                return Some(false);
            }
            let is_last = u32::from(number == count);
            // Type 2: compressed.
            let [a, b, c, _] = (u32::try_from(size).ok()? << 3 | 2 << 1 | is_last).to_le_bytes();
            frame.iter_mut().skip(header).zip([a, b, c]).for_each(|(to, from)| *to = from);
        }
        Some(true)
    }
}

/// Appends a literals section of uncompressed bytes: type 0, with a size of 20 bits.
fn put_raw_literals(literals: &[u8], frame: &mut Vec<u8>) -> Option<()> {
    let [a, b, c, _] = (u32::try_from(literals.len()).ok()? << 4 | 3 << 2).to_le_bytes();
    frame.extend_from_slice(&[a, b, c]);
    frame.extend_from_slice(literals);
    Some(())
}

/// Appends a literals section of four coded streams: type 2 with the tree's description, or 3 with the tree of the
/// previous block; sizes of 18 bits.
fn put_coded_literals(literals: &[u8], codes: &Codes, is_described: bool, frame: &mut Vec<u8>) -> Option<()> {
    let header = frame.len();
    frame.extend_from_slice(&[0; 5]);
    if !is_described {
        frame.extend_from_slice(codes.description());
    }
    let jumps = frame.len();
    frame.extend_from_slice(&[0; 6]);
    let share = literals.len().div_ceil(4);
    for (number, stream) in literals.chunks(share).enumerate() {
        let begin = frame.len();
        codes.encode(stream, frame)?;
        // The sizes of the first three streams.
        let [low, high, ..] = (frame.len() - begin).to_le_bytes();
        let place = frame.iter_mut().take(begin.min(jumps + 6)).skip(jumps + 2 * number).take(2);
        place.zip([low, high]).for_each(|(to, from)| *to = from);
    }
    let kind: u64 = if is_described { 3 } else { 2 };
    let sizes = [literals.len() as u64, (frame.len() - header - 5) as u64];
    let [regenerated, compressed] = sizes;
    let bytes = (compressed << 22 | regenerated << 4 | 3 << 2 | kind).to_le_bytes();
    frame.iter_mut().skip(header).take(5).zip(bytes).for_each(|(to, from)| *to = from);
    Some(())
}
