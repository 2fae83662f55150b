//! A batch of training rows.

use super::layout::Layout;
use super::writer::HistoryColumns;
use crate::error::Result;
use crate::exact::Held;
use crate::model::Day;

/// A batch of training rows of one day: a column each, in the order of the rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowBatch {
    /// The day of the rows.
    pub dt: Day,
    /// The items shown.
    pub impressions: Vec<i64>,
    /// 1 where the item was ordered, else 0.
    pub labels: Vec<i32>,
    /// The customers.
    pub customer_ids: Vec<i64>,
    /// The position of each item in its list, from 0.
    pub positions: Vec<i32>,
    /// The callers' names for the impressions, if asked for.
    pub ranking_ids: Option<Vec<Option<String>>>,
    /// The histories, one for each row or each one once.
    pub histories: HistoryColumns,
    /// The place of each row's history among the histories; empty in layout `padded`, where row n has history n.
    pub inverse: Vec<i64>,
    /// How many of the last rows do not count: they are repeated so that all ranks have the same number of rows.
    pub filled: usize,
    /// The epoch.
    pub epoch: u64,
    /// The first row of the epoch behind the global batch that this batch is a part of: where to resume.
    pub next_row: u64,
}

impl RowBatch {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.impressions.len()
    }

    /// Returns the same rows in layout `padded`. Memory: that of such a batch, beside this one.
    pub fn to_padded(&self) -> Result<RowBatch> {
        let histories = match self.histories.shape().layout {
            Layout::Padded => return Ok(self.clone()),
            Layout::Dedup | Layout::Jagged => {
                let place = |place: &i64| usize::try_from(*place).held("a row's history is one of the batch");
                let places: Result<Vec<usize>> = self.inverse.iter().map(place).collect();
                self.histories.padded(places?.into_iter())?
            }
        };
        Ok(RowBatch {
            histories,
            impressions: self.impressions.clone(),
            labels: self.labels.clone(),
            customer_ids: self.customer_ids.clone(),
            positions: self.positions.clone(),
            ranking_ids: self.ranking_ids.clone(),
            inverse: Vec::new(),
            ..*self
        })
    }
}
