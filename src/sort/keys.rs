//! Sorting records by a short key of each.

use super::record::Record;
use crate::exact::usize_of;

/// Sorts records by the sort key and the low sort key first, as far as they fit into one integer beside the place of
/// the record: integers sort several times faster than records, and are a quarter of their size. Then records move to
/// where they belong, and those whose keys are alike are sorted among themselves.
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

/// The key of each record: the upper bits of both numbers, less what all have in common, above the place of the record
/// in `place_bits`.
fn keys<R: Record>(records: &[R], place_bits: u32) -> Vec<u64> {
    let (sort_key_least, sort_key_bits) = span(records.iter().map(R::sort_key));
    let (low_sort_key_least, low_sort_key_bits) = span(records.iter().map(R::low_sort_key));
    let cut_off = (sort_key_bits + low_sort_key_bits).saturating_sub(u64::BITS - place_bits);
    let key = |(place, record): (u64, &R)| {
        let sort_key = u128::from(record.sort_key() - sort_key_least) << low_sort_key_bits;
        let numbers = (sort_key | u128::from(record.low_sort_key() - low_sort_key_least)) >> cut_off;
        // Fits, since what does not was cut off.
        (numbers as u64) << place_bits | place
    };
    (0..).zip(records).map(key).collect()
}

/// The least of some numbers, and in how many bits each less that one fits.
fn span(numbers: impl Iterator<Item = u64> + Clone) -> (u64, u32) {
    let least = numbers.clone().min().unwrap_or(0);
    (least, bits(numbers.max().unwrap_or(0) - least))
}

/// In how many bits a number fits.
fn bits(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Puts the record from the place that the first key names at the first place, and so on. The keys are used up.
fn arrange<R>(records: &mut [R], keys: &mut [u64], place_bits: u32) {
    let places = (1 << place_bits) - 1;
    for start in 0..records.len() {
        // Round from one place to the one that its record comes from; a place that has its record names itself.
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

    /// Ordered by two numbers that a key has, and one that it has not.
    #[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
    struct Numbered(u64, u64, u8);

    impl Record for Numbered {
        fn encode(&self, _: &mut Vec<u8>) {}
        fn decode(_: &[u8]) -> Option<Self> {
            None
        }
        fn memory_bytes(&self) -> usize {
            24
        }
        fn sort_key(&self) -> u64 {
            self.0
        }
        fn low_sort_key(&self) -> u64 {
            self.1
        }
    }

    /// Numbers that lie close together, anywhere, or both.
    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![5..9_u64, any::<u64>(), Just(u64::MAX), (0..40_u32).prop_map(|bit| 1 << bit)]
    }

    proptest! {
        #[test]
        fn the_result_is_that_of_a_plain_sort(
            mut records in proptest::collection::vec((number(), number(), any::<u8>()), 0..700),
            leading_alike in any::<bool>(),
        ) {
            if leading_alike {
                records.iter_mut().for_each(|record| record.0 = 7);
            }
            let mut sorted: Vec<Numbered> = records.iter().map(|(one, two, three)| Numbered(*one, *two, *three)).collect();
            let mut expected = sorted.clone();
            expected.sort();
            sort_by_keys(&mut sorted);
            prop_assert_eq!(sorted, expected);
        }
    }
}
