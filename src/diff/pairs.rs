//! Merges two sorted sequences of rows.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::row_digest::RowDigest;
use crate::error::Result;

/// The maximum number of rows of one identity that wait for their counterparts: beyond it, the first counts as having
/// none. So many rows have one identity only if many impressions of a customer have no ranking id.
const WAITING_MAX: usize = 4_096;

/// The result for a row, or for two rows of one identity.
#[derive(Debug)]
pub(super) enum Found {
    /// The row is in both.
    Same,
    /// The row is in both, with different cells.
    Differs(RowDigest, RowDigest),
    OnlyInOne(RowDigest),
    OnlyInOther(RowDigest),
}

/// Merges both sequences and passes each row to `take` once. Within one identity, equal rows cancel out, and the others
/// are paired in order.
///
/// Memory: 4,096 rows at most.
pub(super) fn walk(
    mut one: impl Iterator<Item = Result<RowDigest>>,
    mut other: impl Iterator<Item = Result<RowDigest>>,
    mut take: impl FnMut(Found),
) -> Result<()> {
    let mut waiting = Waiting { row_digests: VecDeque::new(), are_of_one: true };
    let (mut next_one, mut next_other) = (one.next().transpose()?, other.next().transpose()?);
    loop {
        let order = match (&next_one, &next_other) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => (one.identity(), one.cells()).cmp(&(other.identity(), other.cells())),
        };
        match order {
            Ordering::Equal => {
                take(Found::Same);
                next_one = one.next().transpose()?;
                next_other = other.next().transpose()?;
            }
            Ordering::Less => {
                waiting.put(next_one, true, &mut take);
                next_one = one.next().transpose()?;
            }
            Ordering::Greater => {
                waiting.put(next_other, false, &mut take);
                next_other = other.next().transpose()?;
            }
        }
    }
    waiting.give_up(&mut take);
    Ok(())
}

/// Rows of one identity and one side that have no counterpart yet.
struct Waiting {
    row_digests: VecDeque<RowDigest>,
    are_of_one: bool,
}

impl Waiting {
    fn put(&mut self, row_digest: Option<RowDigest>, is_of_one: bool, take: &mut impl FnMut(Found)) {
        let Some(row_digest) = row_digest else { return };
        if self.row_digests.front().is_some_and(|first| first.identity() != row_digest.identity()) {
            self.give_up(take);
        }
        if self.are_of_one == is_of_one || self.row_digests.is_empty() {
            self.are_of_one = is_of_one;
            self.row_digests.push_back(row_digest);
            if self.row_digests.len() > WAITING_MAX {
                self.give_up_first(take);
            }
        } else if let Some(counterpart) = self.row_digests.pop_front() {
            take(if is_of_one {
                Found::Differs(row_digest, counterpart)
            } else {
                Found::Differs(counterpart, row_digest)
            });
        }
    }

    fn give_up(&mut self, take: &mut impl FnMut(Found)) {
        while !self.row_digests.is_empty() {
            self.give_up_first(take);
        }
    }

    fn give_up_first(&mut self, take: &mut impl FnMut(Found)) {
        if let Some(row_digest) = self.row_digests.pop_front() {
            take(if self.are_of_one { Found::OnlyInOne(row_digest) } else { Found::OnlyInOther(row_digest) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row_digest(identity: i64, item: i64) -> RowDigest {
        RowDigest {
            customer: identity,
            ranking_id: None,
            position: 0,
            other_dt: None,
            item,
            label: 0,
            actions: [0; 16],
            action_types: [0; 16],
            extra: [[0; 16]; 3],
            part: 0,
            row: 1,
        }
    }

    /// Equal rows cancel out as in multisets, and as many of the remaining rows as possible are paired.
    fn expected(one: &[(i64, i64)], other: &[(i64, i64)]) -> (usize, usize, usize, usize) {
        let (mut left_one, mut left_other, mut same) = (one.to_vec(), other.to_vec(), 0);
        for row in one {
            if let Some(place) = left_other.iter().position(|counterpart| counterpart == row) {
                left_other.remove(place);
                left_one.remove(left_one.iter().position(|left| left == row).unwrap());
                same += 1;
            }
        }
        let count = |rows: &[(i64, i64)], identity: i64| rows.iter().filter(|row| row.0 == identity).count();
        let pairs = (0..4).map(|identity| count(&left_one, identity).min(count(&left_other, identity))).sum::<usize>();
        (same, pairs, left_one.len() - pairs, left_other.len() - pairs)
    }

    proptest! {
        #[test]
        fn rows_are_matched_as_multisets(
            mut one in proptest::collection::vec((0..4_i64, 0..5_i64), 0..30),
            mut other in proptest::collection::vec((0..4_i64, 0..5_i64), 0..30),
        ) {
            one.sort_unstable();
            other.sort_unstable();
            let (mut same, mut pairs, mut only_one, mut only_other) = (0, 0, 0, 0);
            let row_digests = |rows: &[(i64, i64)]| -> Vec<RowDigest> { rows.iter().map(|row| row_digest(row.0, row.1)).collect() };
            walk(row_digests(&one).into_iter().map(Ok), row_digests(&other).into_iter().map(Ok), |found| match found {
                Found::Same => same += 1,
                Found::Differs(one, other) => {
                    assert_eq!(one.identity(), other.identity());
                    assert_ne!(one.cells(), other.cells());
                    pairs += 1;
                }
                Found::OnlyInOne(_) => only_one += 1,
                Found::OnlyInOther(_) => only_other += 1,
            }).unwrap();
            prop_assert_eq!((same, pairs, only_one, only_other), expected(&one, &other));
        }
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let many = (0..10_000).map(|item| Ok(row_digest(1, item)));
        let few = [Ok(row_digest(1, 20_000))];
        let (mut pairs, mut alone) = (0, 0);
        walk(many, few.into_iter(), |found| match found {
            Found::Differs(one, _) => {
                assert_eq!(one.item, 10_000 - WAITING_MAX as i64);
                pairs += 1;
            }
            _ => alone += 1,
        })
        .unwrap();
        assert_eq!((pairs, alone), (1, 9_999));
    }
}
