//! Rows that were read back, on their way into files again.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Result;
use crate::files::{ProducedRow, RowGroup, RowSchema, RowSettings, RowWriter};
use crate::history::History;
use crate::manifest::PartFile;
use crate::model::{CustomerId, Element, Impression, RowOrder};

/// Puts rows, which come in the order of a partition, into row groups and parts, cut as `produce` cuts them: by impressions, or by rows where they are shuffled.
///
/// Memory: one row group being gathered and one being written, and one impression.
pub(super) struct Rewriting {
    row_group_rows: usize,
    /// Whether the rows of an impression stand together.
    is_whole: bool,
    writer: RowWriter,
    group: RowGroup,
    group_rows: usize,
    /// The customer whose history the group has begun last.
    begun: Option<CustomerId>,
    /// The impression whose rows are coming, its customer's history, and the place of its first row in its list.
    open: Option<(Impression, History, i32)>,
}

impl Rewriting {
    /// Into `folder`, which must exist and be empty.
    pub fn new(folder: PathBuf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Result<Self> {
        Ok(Rewriting {
            row_group_rows: settings.sizes.row_group_rows,
            is_whole: !matches!(settings.order, RowOrder::Shuffled(_)),
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
            Some((impression, ..)) if self.is_whole && row.impression_pos > 0 => impression.elements.push(element),
            _ => {
                self.close_impression()?;
                let customer = CustomerId(row.customer_id);
                let impression = Impression { customer, ranking_id: row.ranking_id, elements: vec![element] };
                self.open = Some((impression, history, row.impression_pos));
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
        let Some((impression, history, first)) = self.open.take() else { return Ok(()) };
        let rows = impression.elements.len();
        if self.group_rows > 0 && self.group_rows + rows > self.row_group_rows {
            self.close_group()?;
        }
        if self.begun != Some(impression.customer) {
            self.group.begin_customer(&history);
            self.begun = Some(impression.customer);
        }
        self.group.add_elements(impression.customer, impression.ranking_id.as_deref(), first, &impression.elements);
        self.group_rows += rows;
        Ok(())
    }

    fn close_group(&mut self) -> Result<()> {
        (self.group_rows, self.begun) = (0, None);
        self.writer.append(self.group.encode()?)
    }
}
