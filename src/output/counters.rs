//! Counts the rows of a part file, reading only the columns needed.

use std::fs;

use parquet::arrow::ProjectionMask;

use super::produced::{Cells, ProducedFile, integers};
use crate::error::{Error, Result};
use crate::input::parquet::guard::guarded;
use crate::manifest::RowTally;
use crate::model::RowColumn;

/// Rows decoded at once: 2 MB with 1,000 actions.
const BATCH_ROWS: usize = 512;

impl ProducedFile {
    /// Returns the size of the file in bytes.
    pub fn bytes(&self) -> Result<u64> {
        let metadata = fs::metadata(self.path()).map_err(|error| Error::io("read", self.path(), error))?;
        Ok(metadata.len())
    }

    /// Counts its rows, and all elements of their histories, with padding. Reads columns `label` and `action_types`.
    /// Memory: 512 rows of these, and a page of each.
    pub fn tally(&self) -> Result<(RowTally, u64)> {
        let leaves = self.parquet_schema().columns().iter().enumerate();
        let wanted = leaves.filter(|(_, leaf)| {
            leaf.path().parts().first().is_some_and(|root| root == "label" || root == "action_types")
        });
        let mask = ProjectionMask::leaves(self.parquet_schema(), wanted.map(|(index, _)| index));
        let mut reader = self.reader(|builder| builder.with_projection(mask).with_batch_size(BATCH_ROWS))?;
        let (mut tally, mut places, mut row) = (RowTally::default(), 0, 1);
        while let Some(batch) = guarded(self.path(), || reader.next().transpose())? {
            self.cancel.check()?;
            let numbers: Vec<u64> = (row..).take(batch.num_rows()).collect();
            row += batch.num_rows() as u64;
            let cells = Cells { batch: &batch, path: self.path(), numbers: &numbers };
            tally.ordered +=
                cells.numbers(RowColumn::Label, self.columns())?.iter().filter(|label| **label == 1).count() as u64;
            let lists = cells.lists(RowColumn::ActionTypes, self.columns())?;
            for list in lists.iter().flatten() {
                let types = integers(&list);
                let filled = types.iter().filter(|kind| **kind != 0).count() as u64;
                places += types.len() as u64;
                tally.filled += filled;
                tally.rows_without_history += u64::from(filled == 0);
            }
        }
        Ok((tally, places))
    }
}
