//! Sorts records by one short integer key per record.

use super::record::Record;
use crate::exact::usize_of;

/// Sorts records by integers made of the upper bits of both sort keys and the record's place. Integers sort several
/// times faster than records and are a quarter of their size. Then the records move to their places, and those with
/// equal keys are sorted among themselves.
///
/// Memory: 8 bytes for each record.
pub(super) fn sort_by_keys<R: Record>(records: &mut [R]) {
    let place_bits = bits(records.len() as u64);
    let mut keys = keys(records, place_bits);
    keys.sort_unstable();

    let alike = |one: &u64, next: &u64| one >> place_bits == next >> place_bits;
    let mut begin = 0;
    let mut ties = Vec::new();
    for run in keys.chunk_by(alike) {
        let end = begin + run.len();
        if run.len() > 1 {
            ties.push(begin..end);
        }
        begin = end;
    }
    arrange(records, &mut keys, place_bits);
    for tie in ties {
        let (_, from) = records.split_at_mut(tie.start);
        let (tied, _) = from.split_at_mut(tie.len());
        tied.sort_unstable();
    }
}

/// Returns the key of each record: the upper bits of both sort keys, relative to their minimum, above the record's
/// place in the lowest `place_bits` bits.
fn keys<R: Record>(records: &[R], place_bits: u32) -> Vec<u64> {
    let (sort_key_least, sort_key_bits) = span(records.iter().map(R::sort_key));
    let (low_sort_key_least, low_sort_key_bits) = span(records.iter().map(R::low_sort_key));
    let cut_off = (sort_key_bits + low_sort_key_bits).saturating_sub(u64::BITS - place_bits);
    let key = |(place, record): (u64, &R)| {
        let sort_key = u128::from(record.sort_key() - sort_key_least) << low_sort_key_bits;
        let numbers = (sort_key | u128::from(record.low_sort_key() - low_sort_key_least)) >> cut_off;
        // Fits, since the excess bits were cut off.
        (numbers as u64) << place_bits | place
    };
    (0..).zip(records).map(key).collect()
}

/// Returns the minimum of the numbers, and the bits that each number less the minimum fits into.
fn span(numbers: impl Iterator<Item = u64> + Clone) -> (u64, u32) {
    let least = numbers.clone().min().unwrap_or(0);
    (least, bits(numbers.max().unwrap_or(0) - least))
}

/// Returns the number of bits that a number takes.
fn bits(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Moves to each place the record from the place that its key names. Overwrites the keys.
fn arrange<R>(records: &mut [R], keys: &mut [u64], place_bits: u32) {
    let places = (1 << place_bits) - 1;
    for start in 0..records.len() {
        // Follows a cycle from each place to the place its record comes from; a finished place names itself.
        let mut at = start;
        while let Some(key) = keys.get_mut(at) {
            let from = usize_of(*key & places);
            *key = at as u64;
            if from == start || from == at {
                break;
            }
            records.swap(at, from);
            at = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers that lie close together, anywhere, or both.
    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![5..9_u64, any::<u64>(), Just(u64::MAX), (0..40_u32).prop_map(|bit| 1 << bit)]
    }

    proptest! {
        #[test]
        fn the_result_is_that_of_a_plain_sort(
            mut sorted in proptest::collection::vec((number(), number(), any::<u8>()), 0..700),
            leading_alike in any::<bool>(),
        ) {
            if leading_alike {
                sorted.iter_mut().for_each(|record| record.0 = 7);
            }
            let mut expected = sorted.clone();
            expected.sort();
            sort_by_keys(&mut sorted);
            prop_assert_eq!(sorted, expected);
        }
    }
}
