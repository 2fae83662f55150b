//! Numbers of a few bits each, packed without gaps: the first in the lowest bits of the first byte. Parquet packs its dictionary indices in
//! the same way (source: the Parquet format's encodings, "RLE / bit-packing hybrid").

/// How many bits the number takes; 0 for 0.
pub fn width_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// How many bytes `count` numbers of `width` bits take; `None` beyond the memory of the machine.
pub fn packed_bytes(count: usize, width: u32) -> Option<usize> {
    Some(count.checked_mul(usize::try_from(width).ok()?)?.div_ceil(8))
}

/// Appends `numbers`, each below `2^width`, packed. `width` is at most 64. The last byte is filled up with zero bits.
pub fn pack(numbers: impl Iterator<Item = u64>, width: u32, bytes: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut waiting, mut filled) = (0_u128, 0_u32);
    numbers.for_each(|number| {
        waiting |= u128::from(number) << filled;
        filled += width;
        if filled >= 64 {
            bytes.extend_from_slice(&low_half(waiting).to_le_bytes());
            waiting >>= 64;
            filled -= 64;
        }
    });
    let rest = low_half(waiting).to_le_bytes();
    bytes.extend(rest.iter().take(usize::try_from(filled.div_ceil(8)).unwrap_or(8)));
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn low_half(number: u128) -> u64 {
    number as u64
}

/// Fills `numbers` with the first numbers of `width` bits each (at most 64) that are packed in `bytes`.
///
/// `bytes` must hold them all; what is missing reads as zero bits.
pub fn unpack<T>(bytes: &[u8], width: u32, numbers: &mut [T], convert: impl Fn(u64) -> T) {
    let mask = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
    let step = usize::try_from(width).unwrap_or(64);
    // Up to 57 bits lie within eight bytes, wherever they begin; so they are read at once while eight bytes are left.
    let windowed = if width <= 57 && bytes.len() >= 8 { ((bytes.len() - 8) * 8 + 7) / step.max(1) + 1 } else { 0 };
    let (near, far) = numbers.split_at_mut(windowed.min(numbers.len()));
    let mut bit = 0;
    for number in near {
        let window = bytes.get(bit / 8..).and_then(<[u8]>::first_chunk::<8>).copied().unwrap_or_default();
        *number = convert(u64::from_le_bytes(window) >> (bit % 8) & mask);
        bit += step;
    }
    if width <= 57 {
        // Behind the last whole window there are fewer than eight bytes, so one window holds all that is left.
        let mut window = [0; 8];
        window.iter_mut().zip(bytes.get(bit / 8..).unwrap_or_default()).for_each(|(to, from)| *to = *from);
        let (window, mut shift) = (u64::from_le_bytes(window), bit % 8);
        for number in far {
            *number = convert(window.checked_shr(u32::try_from(shift).unwrap_or(64)).unwrap_or(0) & mask);
            shift += step;
        }
        return;
    }
    for number in far {
        let mut window = [0; 16];
        let left = bytes.get(bit / 8..).unwrap_or_default();
        window.iter_mut().zip(left).for_each(|(to, from)| *to = *from);
        *number = convert(low_half(u128::from_le_bytes(window) >> (bit % 8)) & mask);
        bit += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_number_lies_lowest() {
        let mut bytes = Vec::new();
        pack([1, 2, 3, 4, 5, 6, 7, 0].into_iter(), 3, &mut bytes);
        // The example of the Parquet format's encodings for 1 to 7 and 0 would be shifted by one; worked out by hand.
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
