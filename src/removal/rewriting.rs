//! Rows that were read back, on their way into files again.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Result;
use crate::files::{ProducedRow, RowGroup, RowSchema, RowSettings, RowWriter};
use crate::history::History;
use crate::manifest::PartFile;
use crate::model::{CustomerId, Element, Impression};

/// Puts rows, which come in the order of a partition, into row groups and parts, cut as `produce` cuts them: by impressions.
///
/// Memory: one row group being gathered and one being written, and one impression.
pub(super) struct Rewriting {
    row_group_rows: usize,
    writer: RowWriter,
    group: RowGroup,
    group_rows: usize,
    /// The customer whose history the group has begun last.
    begun: Option<CustomerId>,
    /// The impression whose rows are coming, and its customer's history.
    open: Option<(Impression, History)>,
}

impl Rewriting {
    /// Into `folder`, which must exist and be empty.
    pub fn new(folder: PathBuf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Result<Self> {
        Ok(Rewriting {
            row_group_rows: settings.sizes.row_group_rows,
            writer: RowWriter::new(folder, settings, schema),
            group: RowGroup::new(schema, settings)?,
            group_rows: 0,
            begun: None,
            open: None,
        })
    }

    /// Takes the next row, with the history that it has.
    pub fn push(&mut self, row: ProducedRow, history: History) -> Result<()> {
        let element = Element { item_id: row.impression_item_id, label: row.label };
        match &mut self.open {
            Some((impression, _)) if row.impression_pos > 0 => impression.elements.push(element),
            _ => {
                self.close_impression()?;
                let customer = CustomerId(row.customer_id);
                let impression = Impression { customer, ranking_id: row.ranking_id, elements: vec![element] };
                self.open = Some((impression, history));
            }
        }
        Ok(())
    }

    /// Writes what is left, and gives what the manifest says of the parts.
    pub fn finish(mut self) -> Result<Vec<PartFile>> {
        self.close_impression()?;
        if self.group_rows > 0 {
            self.close_group()?;
        }
        self.writer.finish()
    }

    /// Puts the open impression into the group; into the next one, if it has no room in this.
    fn close_impression(&mut self) -> Result<()> {
        let Some((impression, history)) = self.open.take() else { return Ok(()) };
        let rows = impression.elements.len();
        if self.group_rows > 0 && self.group_rows + rows > self.row_group_rows {
            self.close_group()?;
        }
        if self.begun != Some(impression.customer) {
            self.group.begin_customer(&history);
            self.begun = Some(impression.customer);
        }
        self.group.add(&impression);
        self.group_rows += rows;
        Ok(())
    }

    fn close_group(&mut self) -> Result<()> {
        (self.group_rows, self.begun) = (0, None);
        self.writer.append(self.group.encode()?)
    }
}
