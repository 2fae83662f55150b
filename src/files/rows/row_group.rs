//! The rows of one row group, on their way from impressions and histories to encoded columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int32Builder, Int64Builder, StringArray, StringBuilder};
use arrow::datatypes::Int32Type;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, compute_leaves};
use parquet::errors::Result;

use super::list_column::{ListChunk, ListColumn};
use super::page::Workspace;
use super::schema::RowSchema;
use super::settings::RowSettings;
use crate::error::{Error, Kind};
use crate::history::History;
use crate::model::Impression;

/// Gathers rows and encodes them, one row group after the other. Any thread can do that with one of its own; the bytes depend on the rows alone.
///
/// Memory: 16 bytes for each action of each customer, the columns of the impressions, two pages of 1 MiB, and the encoded pages; with 10,000 rows of
/// 1,000 actions typically 20 MB.
pub struct RowGroup {
    schema: Arc<RowSchema>,
    settings: RowSettings,
    ranking_ids: StringBuilder,
    customers: Int64Builder,
    positions: Int32Builder,
    items: Int64Builder,
    labels: Int32Builder,
    actions: ListColumn,
    action_types: ListColumn,
    workspace: Workspace,
    rows: usize,
    /// The newest action of the customers begun.
    newest_us: Option<i64>,
}

/// A row group as it goes into a file.
pub struct EncodedRowGroup {
    pub(super) rows: usize,
    pub(super) newest_us: Option<i64>,
    pub(super) columns: Vec<ArrowColumnChunk>,
    pub(super) lists: [ListChunk; 2],
}

impl RowGroup {
    /// One without rows, for files of this schema.
    pub fn new(schema: &Arc<RowSchema>, settings: &RowSettings) -> crate::error::Result<Self> {
        let workspace = Workspace::new(settings.compression).map_err(|error| {
            Error::new(
                Kind::Io,
                format!("cannot compress with {} ({error})", settings.compression.name()),
                "use another --compression",
            )
        })?;
        Ok(RowGroup {
            workspace,
            schema: Arc::clone(schema),
            settings: settings.clone(),
            ranking_ids: StringBuilder::new(),
            customers: Int64Builder::new(),
            positions: Int32Builder::new(),
            items: Int64Builder::new(),
            labels: Int32Builder::new(),
            actions: ListColumn::new(settings.max_history),
            action_types: ListColumn::new(settings.max_history),
            rows: 0,
            newest_us: None,
        })
    }

    /// Gives the impressions that follow their history, of which the newest `max_history` actions count. At least one impression must follow.
    pub fn begin_customer(&mut self, history: &History) {
        self.actions.begin(&history.item_ids);
        self.action_types.begin_small(&history.action_types);
        self.newest_us = self.newest_us.max(history.newest_us);
    }

    /// Adds the rows of one impression, one for each element, with the history begun last.
    pub fn add(&mut self, impression: &Impression) {
        for (position, element) in (0..).zip(&impression.elements) {
            self.ranking_ids.append_option(impression.ranking_id.as_deref());
            self.customers.append_value(impression.customer.0);
            self.positions.append_value(position);
            self.items.append_value(element.item_id);
            self.labels.append_value(element.label);
        }
        self.actions.add_rows(impression.elements.len());
        self.action_types.add_rows(impression.elements.len());
        self.rows += impression.elements.len();
    }

    /// Encodes and compresses all columns; then there are no rows again, and the room that they took is kept for the next.
    pub fn encode(&mut self) -> crate::error::Result<EncodedRowGroup> {
        let dt = self.settings.dt;
        self.encode_columns().map_err(|error| {
            Error::new(
                Kind::Io,
                format!("cannot encode rows of {dt} ({error})"),
                "run the same command again, with fewer --threads if memory is short",
            )
        })
    }

    fn encode_columns(&mut self) -> Result<EncodedRowGroup> {
        let dt = StringArray::from(vec![self.settings.dt.to_string()]);
        let dt = DictionaryArray::<Int32Type>::try_new(Int32Array::from(vec![0; self.rows]), Arc::new(dt))?;
        let arrays: [ArrayRef; 6] = [
            Arc::new(dt),
            Arc::new(self.ranking_ids.finish()),
            Arc::new(self.customers.finish()),
            Arc::new(self.positions.finish()),
            Arc::new(self.items.finish()),
            Arc::new(self.labels.finish()),
        ];
        let mut columns = Vec::with_capacity(arrays.len());
        let writers = self.schema.column_writers()?;
        for ((array, field), mut writer) in arrays.iter().zip(self.schema.arrow().fields()).zip(writers) {
            for leaf in compute_leaves(field, array)? {
                writer.write(&leaf)?;
            }
            columns.push(writer.close()?);
        }
        let compression = self.settings.compression;
        let [actions, action_types] = self.schema.list_columns()?;
        let lists = [
            self.actions.finish(actions, compression, &mut self.workspace)?,
            self.action_types.finish(action_types, compression, &mut self.workspace)?,
        ];
        Ok(EncodedRowGroup { rows: std::mem::take(&mut self.rows), newest_us: self.newest_us.take(), columns, lists })
    }
}
