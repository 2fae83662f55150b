//! Writes rows that arrive impression by impression, on one thread.

use std::path::PathBuf;
use std::sync::Arc;

use super::row_group::RowGroup;
use super::schema::RowSchema;
use super::settings::RowSettings;
use super::writer::RowWriter;
use crate::error::Result;
use crate::history::HistoryView;
use crate::manifest::PartFile;
use crate::model::{CustomerId, Impression};

/// Puts the rows of impressions, in the order of a partition, into row groups and parts. Only the rows decide where to
/// cut: an impression goes whole into the open row group, or into the next one if it does not fit.
///
/// Memory: one row group being gathered and one being written.
pub(crate) struct GroupedWriter {
    row_group_rows: usize,
    writer: RowWriter,
    group: RowGroup,
    /// The customer whose history was added last to the open row group.
    current: Option<CustomerId>,
}

impl GroupedWriter {
    /// A writer into `folder`, which must exist and be empty.
    pub(crate) fn new(folder: PathBuf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Result<Self> {
        Ok(GroupedWriter {
            row_group_rows: settings.sizes.row_group_rows,
            writer: RowWriter::new(folder, settings, schema),
            group: RowGroup::new(schema, settings)?,
            current: None,
        })
    }

    /// Adds an impression with its customer's history, which is used only where the customer's rows begin in a row
    /// group. `first` is the position of its first element in its list.
    pub(crate) fn add(&mut self, impression: &Impression, first: i32, history: HistoryView<'_>) -> Result<()> {
        let Impression { customer, ranking_id, elements } = impression;
        if self.group.rows() > 0 && self.group.rows() + elements.len() > self.row_group_rows {
            self.close_group()?;
        }
        if self.current != Some(*customer) {
            self.group.begin_customer(history)?;
            self.current = Some(*customer);
        }
        self.group.add_elements(*customer, ranking_id.as_deref(), first, elements)
    }

    /// Writes the rest, and returns the parts for the manifest.
    pub(crate) fn finish(mut self) -> Result<Vec<PartFile>> {
        if self.group.rows() > 0 {
            self.close_group()?;
        }
        self.writer.finish()
    }

    fn close_group(&mut self) -> Result<()> {
        self.current = None;
        self.writer.append(self.group.encode()?)
    }
}
