//! Makes a rank's part of a global batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cuts::GlobalBatch;
use super::day_rows::DayRows;
use super::options::BatchOptions;
use super::order::Order;
use super::used_batches::UsedBatches;
use crate::error::Result;
use crate::exact::{Held, usize_of};
use crate::output::{BatchShape, HistoryColumns, Layout, RowBatch};
use crate::produce::HistoryPlace;

/// Makes batches one after the other. Each thread has its own.
///
/// Memory: a packed history and 40 bytes for each row, beside the batch.
pub(super) struct Assembler {
    day: Arc<DayRows>,
    order: Arc<Order>,
    epoch: u64,
    shape: BatchShape,
    options: BatchOptions,
    used: UsedBatches,
    bytes: Vec<u8>,
}

impl Assembler {
    pub(super) fn new(
        day: &Arc<DayRows>,
        order: &Arc<Order>,
        epoch: u64,
        shape: BatchShape,
        options: &BatchOptions,
        used: &UsedBatches,
    ) -> Self {
        let (day, order, options, used) = (Arc::clone(day), Arc::clone(order), *options, used.clone());
        Assembler { day, order, epoch, shape, options, used, bytes: Vec::new() }
    }

    /// Makes this rank's part of a global batch.
    ///
    /// 1. The rows are read, and the histories that the layout needs are listed. So the size of each column is known.
    /// 2. The histories are read into the columns.
    pub(super) fn assemble(&mut self, global: GlobalBatch) -> Result<RowBatch> {
        let BatchOptions { rank, world_size, ranking_ids, .. } = self.options;
        let (ranges, filled) = global.of_rank(rank, world_size);
        let mut places = Vec::new();
        for range in ranges {
            let count = usize_of(range.end - range.start);
            self.order.read(range.start, count, &mut self.bytes, &mut places)?;
        }
        let rows = places.len();
        let mut batch = RowBatch {
            dt: self.day.settings.dt,
            impressions: Vec::with_capacity(rows),
            labels: Vec::with_capacity(rows),
            customer_ids: Vec::with_capacity(rows),
            positions: Vec::with_capacity(rows),
            ranking_ids: ranking_ids.then(|| Vec::with_capacity(rows)),
            histories: HistoryColumns::new(self.shape, 0, 0, None, None),
            inverse: Vec::new(),
            filled,
            epoch: self.epoch,
            next_row: global.rows.end,
        };
        let (mut listed, mut last) = (Listed::new(self.shape.layout), None);
        let impressions = &self.day.impressions;
        for place in places {
            let head = match last {
                Some((offset, head)) if offset == place.impression => head,
                _ => impressions.head(place.impression, &mut self.bytes)?,
            };
            last = Some((place.impression, head));
            let element = impressions.element(place, &mut self.bytes)?;
            batch.impressions.push(element.item_id);
            batch.labels.push(element.label);
            batch.customer_ids.push(head.customer);
            batch.positions.push(i32::try_from(place.position).held("the positions of a list fit their column")?);
            if let Some(ranking_ids) = &mut batch.ranking_ids {
                ranking_ids.push(impressions.ranking_id(place.impression, &head, &mut self.bytes)?);
            }
            listed.add(head.customer, head.history);
        }
        batch.histories = self.histories(&listed.places)?;
        batch.inverse = listed.inverse;
        Ok(batch)
    }

    fn histories(&mut self, places: &[HistoryPlace]) -> Result<HistoryColumns> {
        let actions = places.iter().map(|place| usize_of(place.actions)).sum();
        let (used, lender) = (self.used.take(), self.used.lender());
        let mut columns = HistoryColumns::new(self.shape, places.len(), actions, used, lender);
        let (dt, mut last) = (self.day.settings.dt, None);
        for place in places {
            if last == Some(place) {
                columns.repeat()?;
                continue;
            }
            columns.put(dt, &self.day.histories.read(*place, &mut self.bytes)?)?;
            last = Some(place);
        }
        Ok(columns.finish())
    }
}

/// The histories of a batch: one for each row, or each one once, in the order of the rows that have it first.
struct Listed {
    layout: Layout,
    places: Vec<HistoryPlace>,
    inverse: Vec<i64>,
    /// The number of each customer's history.
    numbers: BTreeMap<i64, i64>,
    last: Option<(i64, i64)>,
}

impl Listed {
    fn new(layout: Layout) -> Self {
        Listed { layout, places: Vec::new(), inverse: Vec::new(), numbers: BTreeMap::new(), last: None }
    }

    fn add(&mut self, customer: i64, place: HistoryPlace) {
        if self.layout == Layout::Padded {
            self.places.push(place);
            return;
        }
        let number = match self.last {
            Some((last, number)) if last == customer => number,
            _ => *self.numbers.entry(customer).or_insert_with(|| {
                self.places.push(place);
                self.places.len() as i64 - 1
            }),
        };
        self.last = Some((customer, number));
        self.inverse.push(number);
    }
}
