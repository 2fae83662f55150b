//! Writes rows of an existing partition into new files.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Result;
use crate::history::History;
use crate::manifest::PartFile;
use crate::model::{CustomerId, Element, Impression, RowOrder};
use crate::output::{GroupedWriter, ProducedRow, RowSchema, RowSettings};

/// Writes rows, given in the order of a partition, into row groups and parts, cut as `produce` cuts them: by
/// impressions, or by rows in a shuffled order.
///
/// Memory: that of a [`GroupedWriter`], and one impression.
pub(super) struct Rewriting {
    /// Whether the rows of an impression stand together.
    is_whole: bool,
    writer: GroupedWriter,
    /// The current impression, its customer's history, and the position of its first row in its list.
    open: Option<(Impression, History, i32)>,
}

impl Rewriting {
    /// Returns a writer into `folder`, which must exist and be empty.
    pub(super) fn new(folder: PathBuf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Result<Self> {
        Ok(Rewriting {
            is_whole: !matches!(settings.order, RowOrder::Shuffled(_)),
            writer: GroupedWriter::new(folder, settings, schema)?,
            open: None,
        })
    }

    /// Adds the next row, with its history.
    pub(super) fn push(&mut self, row: ProducedRow, history: History) -> Result<()> {
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

    /// Writes the remaining rows, and returns the manifest's entries of the parts.
    pub(super) fn finish(mut self) -> Result<Vec<PartFile>> {
        self.close_impression()?;
        self.writer.finish()
    }

    fn close_impression(&mut self) -> Result<()> {
        let Some((impression, history, first)) = self.open.take() else { return Ok(()) };
        self.writer.add(&impression, first, history.view())
    }
}
