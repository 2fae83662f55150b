//! Bit packing: numbers of a few bits each without gaps, the first in the lowest bits of the first byte. Parquet packs
//! dictionary indices in the same way (source: the Parquet format's encodings, "RLE / bit-packing hybrid").

use crate::exact::usize_of;

/// Returns how many bits the number takes; 0 for 0.
pub fn width_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Returns how many bytes `count` numbers of `width` bits take; `None` on overflow.
pub fn packed_bytes(count: usize, width: u32) -> Option<usize> {
    Some(count.checked_mul(usize_of(width))?.div_ceil(8))
}

/// Appends `numbers`, each below `2^width`, packed. `width` is at most 64. The last byte is padded with zero bits.
pub fn pack(numbers: impl Iterator<Item = u64>, width: u32, bytes: &mut Vec<u8>) {
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

/// Fills `numbers` with the first numbers in `bytes`, which are packed in `width` bits each (at most 64).
///
/// Panics if `bytes` is too short.
pub fn unpack<T>(bytes: &[u8], width: u32, numbers: &mut [T], convert: impl Fn(u64) -> T) {
    let needed = packed_bytes(numbers.len(), width);
    assert!(needed.is_some_and(|needed| needed <= bytes.len()), "packed numbers are all there");
    let mask = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
    let step = usize_of(width);
    // How many numbers are read from one window.
    let of_window = usize_of(WINDOW_BITS.checked_div(width).unwrap_or(WINDOW_BITS));
    let mut bit = 0;
    if of_window == 1 {
        for number in numbers {
            *number = convert(window(bytes, bit) & mask);
            bit += step;
        }
    } else if of_window > 1 {
        for numbers in numbers.chunks_mut(of_window) {
            let mut window = window(bytes, bit);
            for number in numbers {
                *number = convert(window & mask);
                window >>= width;
            }
            bit += of_window * step;
        }
    } else {
        for number in numbers {
            // The low half first, then the rest from the high half.
            let (low, after) = (window(bytes, bit), bit + 32);
            *number = convert((low & u64::from(u32::MAX) | window(bytes, after) << 32) & mask);
            bit += step;
        }
    }
}

/// Returns at least [`WINDOW_BITS`] bits from `bit` on, the first one lowest.
#[inline]
fn window(bytes: &[u8], bit: usize) -> u64 {
    let from = bit / 8;
    let (_, rest) = bytes.split_at(from);
    let whole = match rest.first_chunk() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => last_window(rest),
    };
    whole >> (bit % 8)
}

/// Reads fewer than eight bytes as a number, as if zero bytes followed.
#[cold]
fn last_window(bytes: &[u8]) -> u64 {
    let mut window = [0; 8];
    window.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(window)
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
