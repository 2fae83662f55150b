//! One row group: turns impressions and histories into encoded columns.

use std::mem::take;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, StringArray, StringBuilder};
use arrow::datatypes::Int32Type;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, compute_leaves};
use parquet::errors::{ParquetError, Result};

use super::error::{broken, own};
use super::list_column::{ListChunk, ListColumn};
use super::page::Workspace;
use super::plain_column::PlainColumn;
use super::schema::{ColumnToWrite, RowSchema};
use super::settings::RowSettings;
use crate::error::{Error, Kind};
use crate::exact::Held;
use crate::history::HistoryView;
use crate::message::message;
use crate::model::{CustomerId, Element, ExtraColumn, Impression, ItemType, RowColumn};

/// Gathers rows and encodes them, one row group after the other. Each thread can have its own; the bytes depend only on
/// the rows.
///
/// Memory: 5 bytes for each action of each history started, 4 more with ages and 8 more with times, the dictionaries,
/// the columns of the impressions, two pages of 1 MiB, and the encoded pages; with 10,000 rows of 1,000 actions
/// typically 20 MB if each history has 14 rows.
pub struct RowGroup {
    schema: Arc<RowSchema>,
    settings: RowSettings,
    ranking_ids: StringBuilder,
    customers: Vec<i64>,
    positions: Vec<i32>,
    items: Vec<i64>,
    labels: Vec<i32>,
    actions: ListColumn<u32>,
    action_types: ListColumn<u8>,
    /// The length of the history started last.
    length: i32,
    lengths: Option<Vec<i32>>,
    ages: Option<ListColumn<u32>>,
    times: Option<PlainColumn>,
    workspace: Workspace,
    rows: usize,
    /// The newest action of the customers so far.
    newest_us: Option<i64>,
}

/// An encoded row group, ready for a file.
pub struct EncodedRowGroup {
    pub(super) rows: usize,
    pub(super) newest_us: Option<i64>,
    /// In the order of the schema.
    pub(super) columns: Vec<EncodedColumn>,
}

/// An encoded column of a row group, ready for a file.
pub(super) enum EncodedColumn {
    Ordinary(ArrowColumnChunk),
    List(ListChunk),
}

impl RowGroup {
    /// An empty row group, for files of this schema.
    pub fn new(schema: &Arc<RowSchema>, settings: &RowSettings) -> crate::error::Result<Self> {
        let workspace = Workspace::new(settings.compression).map_err(|error| {
            own(error, |error| {
                Error::new(
                    Kind::Io,
                    format!("cannot compress with {} ({error})", settings.compression.name()),
                    message!["use another ", Compression],
                )
                .caused_by(error)
            })
        })?;
        let with = settings.columns.with;
        Ok(RowGroup {
            workspace,
            schema: Arc::clone(schema),
            settings: settings.clone(),
            ranking_ids: StringBuilder::new(),
            customers: Vec::new(),
            positions: Vec::new(),
            items: Vec::new(),
            labels: Vec::new(),
            actions: ListColumn::new(settings.max_history),
            action_types: ListColumn::new(settings.max_history),
            length: 0,
            lengths: with.has(ExtraColumn::HistoryLength).then(Vec::new),
            ages: with.has(ExtraColumn::ActionAges).then(|| ListColumn::new(settings.max_history)),
            times: with.has(ExtraColumn::ActionTimes).then(|| PlainColumn::new(settings.max_history)),
            rows: 0,
            newest_us: None,
        })
    }

    /// Starts the history of the rows that follow; it is cut to `max_history` and must have the details that the
    /// columns need. At least one row must follow.
    pub fn begin_customer(&mut self, history: HistoryView<'_>) -> crate::error::Result<()> {
        self.actions.begin(history.item_ids)?;
        self.action_types.begin(history.action_types)?;
        let length = history.item_ids.len().min(self.settings.max_history);
        self.length = i32::try_from(length).held("the length of a history fits its column")?;
        if let Some(ages) = &mut self.ages {
            let dt = self.settings.dt.number();
            ages.begin_runs(history.days.iter().map(|(day, actions)| (i64::from(dt - day.number()), *actions)))?;
        }
        if let Some(times) = &mut self.times {
            times.begin(history.times_us);
        }
        self.newest_us = self.newest_us.max(history.newest_us);
        Ok(())
    }

    /// Returns how many rows it has so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the rows of one impression, one for each element, with the history started last.
    pub fn add(&mut self, impression: &Impression) -> crate::error::Result<()> {
        self.add_elements(impression.customer, impression.ranking_id.as_deref(), 0, &impression.elements)
    }

    /// Adds the rows of consecutive elements of an impression, from position `first` on, with the history started last.
    pub fn add_elements(
        &mut self,
        customer: CustomerId,
        ranking_id: Option<&str>,
        first: i32,
        elements: &[Element],
    ) -> crate::error::Result<()> {
        let rows = elements.len();
        elements.iter().for_each(|_| self.ranking_ids.append_option(ranking_id));
        self.customers.extend(std::iter::repeat_n(customer.0, rows));
        self.positions.extend((first..).take(rows));
        self.items.extend(elements.iter().map(|element| element.item_id));
        self.labels.extend(elements.iter().map(|element| element.label));
        if let Some(lengths) = &mut self.lengths {
            lengths.extend(std::iter::repeat_n(self.length, rows));
        }
        self.actions.add_rows(rows)?;
        self.action_types.add_rows(rows)?;
        self.ages.iter_mut().try_for_each(|ages| ages.add_rows(rows))?;
        self.times.iter_mut().try_for_each(|times| times.add_rows(rows))?;
        self.rows += rows;
        Ok(())
    }

    /// Encodes and compresses all columns, then clears the rows; their buffers are kept for the next row group.
    pub fn encode(&mut self) -> crate::error::Result<EncodedRowGroup> {
        let dt = self.settings.dt;
        self.encode_columns().map_err(|error| {
            own(error, |error| {
                Error::new(
                    Kind::Io,
                    format!("cannot encode rows of {dt} ({error})"),
                    message!["run the same command again, with fewer ", Threads, " if memory is short"],
                )
                .caused_by(error)
            })
        })
    }

    fn encode_columns(&mut self) -> Result<EncodedRowGroup> {
        let schema = Arc::clone(&self.schema);
        let mut columns = Vec::new();
        for to_write in schema.columns()? {
            columns.push(self.encode_column(to_write)?);
        }
        Ok(EncodedRowGroup { rows: take(&mut self.rows), newest_us: self.newest_us.take(), columns })
    }

    fn encode_column(&mut self, to_write: ColumnToWrite<'_>) -> Result<EncodedColumn> {
        let ColumnToWrite { column, field, parquet, writer: mut ordinary } = to_write;
        let (compression, workspace) = (self.settings.compression, &mut self.workspace);
        let array: ArrayRef = match column {
            RowColumn::Actions => {
                return self.actions.finish(parquet, compression, workspace).map(EncodedColumn::List);
            }
            RowColumn::ActionTypes => {
                return self.action_types.finish(parquet, compression, workspace).map(EncodedColumn::List);
            }
            RowColumn::ActionAges => {
                let ages = self.ages.as_mut().ok_or_else(not_gathered)?;
                return ages.finish(parquet, compression, workspace).map(EncodedColumn::List);
            }
            RowColumn::ActionTimes => {
                let times = self.times.as_mut().ok_or_else(not_gathered)?;
                return times.finish(parquet, compression, workspace).map(EncodedColumn::List);
            }
            RowColumn::Dt => {
                let dt = StringArray::from(vec![self.settings.dt.to_string()]);
                let places = Int32Array::from(vec![0; self.rows]);
                Arc::new(DictionaryArray::<Int32Type>::try_new(places, Arc::new(dt))?)
            }
            RowColumn::RankingId => Arc::new(self.ranking_ids.finish()),
            RowColumn::CustomerId => Arc::new(Int64Array::from(take(&mut self.customers))),
            RowColumn::ImpressionPos => Arc::new(Int32Array::from(take(&mut self.positions))),
            RowColumn::ImpressionItemId => items(take(&mut self.items), self.settings.columns.item_type)?,
            RowColumn::Label => Arc::new(Int32Array::from(take(&mut self.labels))),
            RowColumn::HistoryLength => {
                Arc::new(Int32Array::from(take(self.lengths.as_mut().ok_or_else(not_gathered)?)))
            }
        };
        for leaf in compute_leaves(field, &array)? {
            ordinary.write(&leaf)?;
        }
        ordinary.close().map(EncodedColumn::Ordinary)
    }
}

/// Converts ids to the wanted type; the caller knows that they fit.
fn items(items: Vec<i64>, item_type: ItemType) -> Result<ArrayRef> {
    let narrow = |item: &i64| i32::try_from(*item).held("items fit the type asked for").map_err(broken);
    Ok(match item_type {
        ItemType::Int64 => Arc::new(Int64Array::from(items)),
        ItemType::Int32 => Arc::new(Int32Array::from(items.iter().map(narrow).collect::<Result<Vec<_>>>()?)),
    })
}

fn not_gathered() -> ParquetError {
    broken(Error::internal("this does not hold: the rows have all columns of their schema"))
}
