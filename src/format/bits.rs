//! Bit packing: numbers of a few bits each without gaps, the first in the lowest bits of the first byte. Parquet packs
//! dictionary indices in the same way (source: the Parquet format's encodings, "RLE / bit-packing hybrid").

use crate::exact::usize_of;

/// Returns how many bits the number takes; 0 for 0.
pub(crate) fn width_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Returns how many bytes `count` numbers of `width` bits take; `None` on overflow.
pub(crate) fn packed_bytes(count: usize, width: u32) -> Option<usize> {
    Some(count.checked_mul(usize_of(width))?.div_ceil(8))
}

/// Appends `numbers`, each below `2^width`, packed. `width` is at most 64. The last byte is padded with zero bits.
pub(crate) fn pack(numbers: impl Iterator<Item = u64>, width: u32, bytes: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut waiting, mut filled) = (0_u64, 0_u32);
    numbers.for_each(|number| {
        waiting |= number << filled;
        filled += width;
        if filled >= 64 {
            bytes.extend_from_slice(&waiting.to_le_bytes());
            filled -= 64;
            // The bits of the number that did not fit; none if the number ended exactly here.
            waiting = number.checked_shr(width - filled).unwrap_or(0);
        }
    });
    let rest = waiting.to_le_bytes();
    bytes.extend(rest.iter().take(usize_of(filled.div_ceil(8))));
}

/// Numbers of at most this many bits lie within eight bytes, at any bit offset.
const WINDOW_BITS: u32 = 57;

/// Fills `numbers` with the first numbers in `packed`, which are packed in `width` bits each (at most 64).
///
/// Panics if `packed` is too short.
pub(crate) fn unpack<T>(packed: &[u8], width: u32, numbers: &mut [T], convert: impl Fn(u64) -> T) {
    let needed = packed_bytes(numbers.len(), width);
    assert!(needed.is_some_and(|needed| needed <= packed.len()), "packed numbers are all there");
    let mut padded = [0; 8];
    let bytes = if packed.len() < padded.len() {
        padded.iter_mut().zip(packed).for_each(|(to, from)| *to = *from);
        &padded
    } else {
        packed
    };
    // How many numbers are read from one window; the compiler unrolls a loop over a constant number of them.
    match WINDOW_BITS.checked_div(width) {
        Some(0) => unpack_wide(bytes, width, numbers, convert),
        Some(1) => unpack_windows::<1, T>(bytes, width, numbers, convert),
        Some(2) => unpack_windows::<2, T>(bytes, width, numbers, convert),
        Some(3) => unpack_windows::<3, T>(bytes, width, numbers, convert),
        Some(4..8) => unpack_windows::<4, T>(bytes, width, numbers, convert),
        _ => unpack_windows::<8, T>(bytes, width, numbers, convert),
    }
}

/// Unpacks numbers of which `N` lie in each window.
fn unpack_windows<const N: usize, T>(bytes: &[u8], width: u32, numbers: &mut [T], convert: impl Fn(u64) -> T) {
    let (mask, step) = ((1 << width) - 1, N * usize_of(width));
    let (whole, rest) = numbers.as_chunks_mut::<N>();
    let mut bit = 0;
    for numbers in whole {
        let mut window = window(bytes, bit);
        for number in numbers {
            *number = convert(window & mask);
            window >>= width;
        }
        bit += step;
    }
    if !rest.is_empty() {
        let mut window = window(bytes, bit);
        for number in rest {
            *number = convert(window & mask);
            window >>= width;
        }
    }
}

/// Unpacks numbers that can be longer than a window: the low half first, then the rest from the high half.
fn unpack_wide<T>(bytes: &[u8], width: u32, numbers: &mut [T], convert: impl Fn(u64) -> T) {
    let mask = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
    let mut bit = 0;
    for number in numbers {
        let (low, high) = (window(bytes, bit) & u64::from(u32::MAX), window(bytes, bit + 32) << 32);
        *number = convert((low | high) & mask);
        bit += usize_of(width);
    }
}

/// Returns the bits from `bit` on, the first one lowest: at least [`WINDOW_BITS`], or all up to the end of the bytes.
#[inline]
fn window(bytes: &[u8], bit: usize) -> u64 {
    let from = (bit / 8).min(bytes.len() - 8);
    let mut window = [0; 8];
    window.copy_from_slice(bytes.split_at(from).1.split_at(8).0);
    u64::from_le_bytes(window) >> (bit - from * 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_number_lies_lowest() {
        let mut bytes = Vec::new();
        pack([1, 2, 3, 4, 5, 6, 7, 0].into_iter(), 3, &mut bytes);
        // Worked out by hand; the Parquet format's own example, of the numbers 0 to 7, would be shifted by one.
        assert_eq!(bytes, [0b1101_0001, 0b0101_1000, 0b0001_1111]);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(width in 0..=64_u32, numbers in proptest::collection::vec(any::<u64>(), 0..70)) {
            let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
            let numbers: Vec<u64> = numbers.into_iter().map(|number| number & mask).collect();
            prop_assert!(numbers.iter().all(|number| width_of(*number) <= width));
            let mut bytes = Vec::new();
            pack(numbers.iter().copied(), width, &mut bytes);
            prop_assert_eq!(Some(bytes.len()), packed_bytes(numbers.len(), width));
            let mut again = vec![0; numbers.len()];
            unpack(&bytes, width, &mut again, |number| number);
            prop_assert_eq!(again, numbers);
        }
    }
}
