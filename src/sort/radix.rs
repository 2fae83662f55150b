//! Sorting many small records by a number first: one pass puts them into buckets by that number, and the buckets are sorted each by itself.
//!
//! A bucket fits the processor's cache, where comparing is cheap; sorted as a whole, the records would pass through memory a dozen times.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

/// Fewer records are sorted as they are.
const RECORDS_MIN: usize = 1 << 13;

/// Records of a bucket on average, if the numbers are spread evenly. They need not be: it costs time, nothing else.
const BUCKET_RECORDS: usize = 256;

/// More buckets than this are slower to fill than they are worth.
const BUCKETS_MAX: usize = 1 << 12;

/// Sorts `records` by their order. `leading` must agree with it: of two records, the smaller has no larger number.
///
/// Memory: a copy of the records.
pub fn sort_by_leading<R: Copy + Ord + Send>(records: &mut Vec<R>, leading: impl Fn(&R) -> u64) {
    let bounds = records.iter().map(&leading).fold(None, |bounds: Option<(u64, u64)>, number| {
        bounds.map_or(Some((number, number)), |(low, high)| Some((low.min(number), high.max(number))))
    });
    let Some((low, high)) = bounds.filter(|_| records.len() >= RECORDS_MIN) else {
        records.par_sort_unstable();
        return;
    };
    let buckets = (records.len() / BUCKET_RECORDS).next_power_of_two().min(BUCKETS_MAX);
    let span_bits = u64::BITS - (high - low).leading_zeros();
    let shift = span_bits.saturating_sub(buckets.trailing_zeros());
    let bucket_of = |record: &R| usize::try_from((leading(record) - low) >> shift).unwrap_or(0);

    let mut counts = vec![0_usize; buckets];
    for record in records.iter() {
        counts.get_mut(bucket_of(record)).into_iter().for_each(|count| *count += 1);
    }
    let mut places: Vec<usize> =
        counts.iter().scan(0, |end, count| Some(std::mem::replace(end, *end + count))).collect();
    let mut sorted = records.clone();
    for record in records.iter() {
        if let Some(place) = places.get_mut(bucket_of(record)) {
            sorted.get_mut(*place).into_iter().for_each(|to| *to = *record);
            *place += 1;
        }
    }
    let mut slices = Vec::with_capacity(buckets);
    let mut rest = sorted.as_mut_slice();
    for count in counts {
        let (slice, behind) = rest.split_at_mut(count);
        slices.push(slice);
        rest = behind;
    }
    let large = records.len() / 8;
    slices
        .into_par_iter()
        .for_each(|slice| if slice.len() > large { slice.par_sort_unstable() } else { slice.sort_unstable() });
    *records = sorted;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_result_is_that_of_a_plain_sort(
            few in proptest::collection::vec((any::<u64>(), any::<u8>()), 1..40),
            spread in 1..u64::MAX,
            count in RECORDS_MIN..3 * RECORDS_MIN,
        ) {
            // Many records from few draws: clumps, ties, and numbers over the whole range or a part of it.
            let mut records: Vec<(u64, u8)> =
                few.iter().cycle().take(count).zip(0_u64..).map(|((number, tie), place)| (number.wrapping_mul(place + 1) % spread, *tie)).collect();
            let mut expected = records.clone();
            expected.sort_unstable();
            sort_by_leading(&mut records, |record| record.0);
            prop_assert_eq!(records, expected);
        }
    }
}
