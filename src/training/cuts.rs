//! Where an epoch is cut into global batches, and which rows of them a rank has.

use std::ops::Range;
use std::sync::Arc;

use super::day_rows::DayRows;
use super::options::BatchOptions;
use super::order::Order;
use crate::error::Result;
use crate::exact::usize_of;

/// Rows of an epoch whose places are read at once to count their actions.
const ROWS_AT_ONCE: u64 = 4_096;

/// The rows of all ranks together in one step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct GlobalBatch {
    /// Rows of the epoch; not empty.
    pub rows: Range<u64>,
}

impl GlobalBatch {
    /// Returns the rows of a rank as ranges of the epoch, and how many of the last ones only fill up. All ranks have
    /// the same number of rows.
    pub(super) fn of_rank(&self, rank: usize, world_size: usize) -> (Vec<Range<u64>>, usize) {
        let all = self.rows.end - self.rows.start;
        let each = all.div_ceil(world_size as u64);
        let (mut at, end) = (rank as u64 * each, (rank as u64 + 1) * each);
        let filled = usize_of(end.saturating_sub(at.max(all)));
        let mut ranges = Vec::new();
        while at < end {
            let first = at % all;
            let length = (end - at).min(all - first);
            ranges.push(self.rows.start + first..self.rows.start + first + length);
            at += length;
        }
        (ranges, filled)
    }
}

/// Cuts an epoch from some row on.
///
/// Memory: the places of 4,096 rows.
pub(super) struct Cuts {
    day: Arc<DayRows>,
    order: Arc<Order>,
    /// The rows that are left.
    left: Range<u64>,
    batch_rows: u64,
    actions_max: Option<u64>,
    drop_last: bool,
    buffer: Vec<u8>,
    heads: Vec<u8>,
}

impl Cuts {
    pub(super) fn new(day: &Arc<DayRows>, order: &Arc<Order>, options: &BatchOptions) -> Self {
        let world_size = options.world_size as u64;
        Cuts {
            day: Arc::clone(day),
            order: Arc::clone(order),
            left: options.first_row..order.rows(),
            batch_rows: (options.batch_size as u64).saturating_mul(world_size),
            actions_max: options.batch_actions_max.map(|actions| (actions as u64).saturating_mul(world_size)),
            drop_last: options.drop_last,
            buffer: Vec::new(),
            heads: Vec::new(),
        }
    }

    /// Returns the next global batch; `None` at the end.
    pub(super) fn next_batch(&mut self) -> Result<Option<GlobalBatch>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let from = self.left.start;
        let most = from.saturating_add(self.batch_rows).min(self.left.end);
        let end = match self.actions_max {
            None => most,
            Some(actions_max) => self.end_by_actions(from..most, actions_max)?,
        };
        self.left.start = end;
        let is_short = self.left.is_empty() && end - from < self.batch_rows;
        Ok((!(is_short && self.drop_last)).then_some(GlobalBatch { rows: from..end }))
    }

    /// Returns the row before which a batch has all the actions that it may have, or the end of `rows`.
    fn end_by_actions(&mut self, rows: Range<u64>, actions_max: u64) -> Result<u64> {
        let (mut actions, mut impression, mut customer) = (0, None, None);
        let (mut row, mut places) = (rows.start, Vec::new());
        while row < rows.end {
            places.clear();
            let count = usize_of((rows.end - row).min(ROWS_AT_ONCE));
            self.order.read(row, count, &mut self.buffer, &mut places)?;
            for place in &places {
                if impression != Some(place.impression) {
                    impression = Some(place.impression);
                    let head = self.day.impressions.head(place.impression, &mut self.heads)?;
                    if customer != Some(head.customer) {
                        customer = Some(head.customer);
                        actions += u64::from(head.history.actions);
                        if actions > actions_max && row > rows.start {
                            return Ok(row);
                        }
                    }
                }
                row += 1;
            }
        }
        Ok(rows.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_have_equally_many_rows_and_each_row_counts_once() {
        for (all, world_size) in [(8, 1), (8, 2), (7, 2), (7, 3), (1, 3), (2, 5), (10, 4), (3, 2)] {
            let batch = GlobalBatch { rows: 100..100 + all };
            let parts: Vec<_> = (0..world_size).map(|rank| batch.of_rank(rank, world_size)).collect();
            let mut counted = Vec::new();
            for (ranges, filled) in parts {
                let rows: Vec<u64> = ranges.into_iter().flatten().collect();
                assert_eq!(rows.len() as u64, all.div_ceil(world_size as u64), "{all} rows of {world_size} ranks");
                counted.extend_from_slice(&rows[..rows.len() - filled]);
                assert!(rows.iter().all(|row| batch.rows.contains(row)));
            }
            assert_eq!(counted, batch.rows.clone().collect::<Vec<_>>(), "{all} rows of {world_size} ranks");
        }
    }
}
