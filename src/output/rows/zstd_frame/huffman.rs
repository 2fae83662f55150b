//! Huffman codes of bytes. Source: RFC 8878, section 4.2.

use super::bit_writer::BitWriter;
use super::fse;
use crate::exact::{of_byte, usize_of};

/// The longest code that Zstandard allows.
const BITS_MAX: u32 = 11;

/// The accuracy of the distribution that weights are encoded with: the largest allowed.
const WEIGHTS_LOG: u32 = 6;

/// A code for each byte that occurs.
pub(super) struct Codes {
    /// For each byte, its code and the length of it; 0 for bytes that do not occur.
    codes: [(u16, u8); 256],
    /// The tree description for the decoder.
    description: Vec<u8>,
    /// The bits of all counted bytes with these codes.
    bits: u64,
}

impl Codes {
    /// Codes for bytes with these counts; `None` if fewer than two distinct bytes occur, or if the codes cannot be
    /// described.
    pub(super) fn new(counts: &[u32; 256]) -> Option<Self> {
        let lengths = lengths(counts)?;
        let longest = lengths.iter().copied().max()?;
        let mut first = [0_u16; BITS_MAX as usize + 2];
        // Codes of one length are consecutive, and the longest begin with zero.
        let mut code = 0;
        for length in (1..=longest).rev() {
            *first.get_mut(usize::from(length))? = code;
            let with_length = lengths.iter().filter(|other| **other == length).count();
            code = (code + u16::try_from(with_length).ok()?) >> 1;
        }
        let mut codes = [(0, 0); 256];
        for (code, length) in codes.iter_mut().zip(lengths).filter(|(_, length)| *length > 0) {
            let next = first.get_mut(usize::from(length))?;
            *code = (*next, length);
            *next += 1;
        }
        let bits = lengths.iter().zip(counts).map(|(length, count)| u64::from(*length) * u64::from(*count)).sum();
        Some(Codes { codes, description: describe(&lengths, longest)?, bits })
    }

    /// Returns the tree description.
    pub(super) fn description(&self) -> &[u8] {
        &self.description
    }

    /// Returns the size of the counted bytes with these codes, in bytes.
    pub(super) fn encoded_bytes(&self) -> usize {
        usize_of(self.bits / 8)
    }

    /// Appends one stream; `None` if it has a byte that was not counted.
    pub(super) fn encode(&self, bytes: &[u8], to: &mut Vec<u8>) -> Option<()> {
        let (mut writer, mut shortest) = (BitWriter::default(), u8::MAX);
        for byte in bytes.iter().rev() {
            let (code, length) = *of_byte(&self.codes, *byte);
            shortest = shortest.min(length);
            writer.put(code.into(), length.into(), to);
        }
        writer.finish(to);
        (shortest > 0).then_some(())
    }
}

/// Code lengths of at most 11 bits that leave no code unused. Nearly optimal: longer codes are cut, and as many others
/// lengthened as needed.
fn lengths(counts: &[u32; 256]) -> Option<[u8; 256]> {
    let mut leaves: Vec<(u64, usize)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(byte, count)| (u64::from(*count), byte))
        .collect();
    if leaves.len() < 2 {
        return None;
    }
    leaves.sort_unstable();
    let depths = depths(&leaves.iter().map(|(count, _)| *count).collect::<Vec<_>>())?;
    let mut cut: Vec<u32> = depths.into_iter().map(|depth| depth.min(BITS_MAX)).collect();
    // The number of longest codes that these lengths use up.
    let taken = |cut: &[u32]| cut.iter().map(|length| 1_u32 << (BITS_MAX - length)).sum::<u32>();
    let all = 1 << BITS_MAX;
    let mut over = taken(&cut);
    while over > all {
        // Lengthens the longest code that can still grow, which frees least; among equals the rarest.
        let longest = cut.iter().copied().filter(|length| *length < BITS_MAX).max()?;
        let length = cut.iter_mut().find(|length| **length == longest)?;
        over -= 1 << (BITS_MAX - *length - 1);
        *length += 1;
    }
    while over < all {
        // Shortens the shortest code for which enough codes are free; among equals the most common.
        let free = all - over;
        let shortest = cut.iter().copied().filter(|length| 1 << (BITS_MAX - length) <= free).min()?;
        let length = cut.iter_mut().rfind(|length| **length == shortest)?;
        over += 1 << (BITS_MAX - *length);
        *length -= 1;
    }
    let mut lengths = [0; 256];
    for ((_, byte), length) in leaves.iter().zip(cut) {
        *lengths.get_mut(*byte)? = u8::try_from(length).ok()?;
    }
    Some(lengths)
}

/// The depths of the leaves of a Huffman tree over `counts`, which ascend: two queues, of leaves and of inner nodes.
fn depths(counts: &[u64]) -> Option<Vec<u32>> {
    let leaves = counts.len();
    let mut weights = counts.to_vec();
    let mut parents = vec![0_usize; 2 * leaves - 1];
    let (mut next_leaf, mut next_node) = (0, leaves);
    for node in leaves..2 * leaves - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            let leaf = weights.get(next_leaf).filter(|_| next_leaf < leaves);
            let inner = weights.get(next_node);
            let taken = match (leaf, inner) {
                (Some(leaf), Some(inner)) if inner < leaf => &mut next_node,
                (Some(_), _) => &mut next_leaf,
                (None, _) => &mut next_node,
            };
            sum += weights.get(*taken)?;
            *parents.get_mut(*taken)? = node;
            *taken += 1;
        }
        weights.push(sum);
    }
    let mut depths = vec![0_u32; 2 * leaves - 1];
    for node in (0..2 * leaves - 2).rev() {
        let above = *depths.get(*parents.get(node)?)?;
        *depths.get_mut(node)? = above + 1;
    }
    depths.truncate(leaves);
    Some(depths)
}

/// The weights of all bytes except the last that occurs, whose weight follows from the others, encoded with their own
/// distribution. `None` if all are equal, or if they take too many bytes.
fn describe(lengths: &[u8; 256], longest: u8) -> Option<Vec<u8>> {
    let last = lengths.iter().rposition(|length| *length > 0)?;
    let weight = |length: &u8| if *length == 0 { 0 } else { longest + 1 - *length };
    let weights: Vec<u8> = lengths.iter().take(last).map(weight).collect();
    let mut counts = vec![0_u32; usize::from(weights.iter().copied().max()?) + 1];
    for weight in &weights {
        *counts.get_mut(usize::from(*weight))? += 1;
    }
    let shares = fse::normalized(&counts, WEIGHTS_LOG)?;
    let table = fse::Table::new(&shares, WEIGHTS_LOG)?;
    let mut description = vec![0];
    fse::describe(&shares, WEIGHTS_LOG, &mut description);
    // Two states alternate, the first with the first weight. Written from the last weight to the first.
    let mut states = [None, None];
    let mut writer = BitWriter::default();
    for (place, weight) in weights.iter().enumerate().rev() {
        let state = states.get_mut(place % 2)?;
        match state {
            None => *state = Some(table.begin(*weight)?),
            Some(state) => table.encode(state, *weight, &mut writer, &mut description)?,
        }
    }
    let [first, second] = states;
    table.finish(second?, &mut writer, &mut description);
    table.finish(first?, &mut writer, &mut description);
    writer.finish(&mut description);
    let size = u8::try_from(description.len() - 1).ok().filter(|size| *size < 128)?;
    *description.first_mut()? = size;
    Some(description)
}
