//! Reading the actions of one file.

use arrow::array::RecordBatch;

use super::bad_rows::{BadRow, BadRows};
use super::column::{IdColumn, Reason};
use super::day_reader::{DayReader, Wanted};
use super::layout::DayFile;
use super::parquet_file::{column, wrong_type};
use super::time_column::TimeColumn;
use crate::error::Result;
use crate::format::Source;
use crate::model::{Action, ActionType, CustomerId, Day, PADDING_ITEM_ID, Zone};

/// Rows decoded at once: some 200 kB of columns, which stay in the processor's cache.
const BATCH_ROWS: usize = 8_192;

/// An action as it was read: whose, which, and on what day in the store's zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadAction {
    /// Whose.
    pub customer: CustomerId,
    /// What and when.
    pub action: Action,
    /// The day on which it happened.
    pub day: Day,
}

/// Columns of one source, as the contract names them.
struct Columns {
    item: &'static str,
    time: &'static str,
    /// Stands in for `time` where a file has no such column.
    date: Option<&'static str>,
}

fn columns_of(source: Source) -> Columns {
    match source {
        Source::Clicks => Columns { item: "item_id", time: "click_time", date: None },
        Source::AddToCarts => Columns { item: "config_id", time: "occurred_at", date: None },
        Source::Orders => Columns { item: "config_id", time: "occurred_at", date: Some("order_date") },
    }
}

/// Gives every action of a file to `take`, in the order of its rows, and every row that is none to `bad`.
///
/// Memory: one batch of 8,192 rows. Fails where the file cannot be read or lacks a column.
pub fn read_actions(
    source: Source,
    day_file: &DayFile,
    zone: &Zone,
    bad: &mut BadRows,
    mut take: impl FnMut(ReadAction) -> Result<()>,
) -> Result<()> {
    read_numbered_actions(source, day_file, zone, bad, |_, action| take(action))
}

/// The same, and gives with each action its place in the file, as [`DayFile::place`] has it.
pub fn read_numbered_actions(
    source: Source,
    day_file: &DayFile,
    zone: &Zone,
    bad: &mut BadRows,
    mut take: impl FnMut(u64, ReadAction) -> Result<()>,
) -> Result<()> {
    let file = DayReader::open(day_file)?;
    let Columns { item, time, date } = columns_of(source);
    let time = match date {
        Some(date) if !file.has(time)? && file.has(date)? => date,
        _ => time,
    };
    for batch in file.read(&[Wanted::Id("customer_id"), Wanted::Id(item), Wanted::Time(time)], BATCH_ROWS)? {
        let batch = batch?;
        let columns = TypedColumns::new(&batch.columns, item, time, day_file, zone)?;
        let plain = columns.plain(source);
        for index in 0..batch.rows() {
            let place = batch.place(index);
            if let Some(action) = plain.as_ref().and_then(|plain| plain.action(index)) {
                take(place, action)?;
                continue;
            }
            let found = match batch.fault(index) {
                Some(fault) => Err((fault.column.as_str(), fault.reason.clone())),
                None => columns.action(index, source),
            };
            match found {
                Ok(action) => take(place, action)?,
                Err((column, reason)) => {
                    bad.add(BadRow { day_file, place, column, reason, cells: batch.cells(index) })?;
                }
            }
        }
    }
    Ok(())
}

struct TypedColumns<'zone> {
    customers: IdColumn,
    items: IdColumn,
    times: TimeColumn<'zone>,
    item: &'static str,
    time: &'static str,
}

impl<'zone> TypedColumns<'zone> {
    fn new(
        batch: &RecordBatch,
        item: &'static str,
        time: &'static str,
        day_file: &DayFile,
        zone: &'zone Zone,
    ) -> Result<Self> {
        let path = &day_file.path;
        let ids = |name| -> Result<IdColumn> {
            let source = column(batch, name, path)?;
            IdColumn::new(source).ok_or_else(|| wrong_type(path, name, source.data_type(), "an integer type"))
        };
        let source = column(batch, time, path)?;
        let wrong = |found| wrong_type(path, time, found, "a timestamp, a date, or text in ISO 8601");
        let times = TimeColumn::new(source, zone).ok_or_else(|| wrong(source.data_type()))?;
        Ok(TypedColumns { customers: ids("customer_id")?, items: ids(item)?, times, item, time })
    }

    /// The columns as slices, where they have no null and times are instants in microseconds. Nearly all have.
    fn plain(&self, source: Source) -> Option<PlainColumns<'_>> {
        let (customers, items) = (self.customers.plain()?, self.items.plain()?);
        let (times, zone) = self.times.plain()?;
        Some(PlainColumns { customers, items, times, zone, action_type: source.action_type() })
    }

    /// The action in a row, or the column at fault and what is wrong with it.
    fn action(&self, index: usize, source: Source) -> Result<ReadAction, (&'static str, Reason)> {
        let customer = self.customers.get(index).map_err(|reason| ("customer_id", reason))?;
        let item_id = self.items.get(index).map_err(|reason| (self.item, reason))?;
        if item_id == PADDING_ITEM_ID {
            return Err((self.item, "is 0, which is the padding".to_owned()));
        }
        let (time_us, day) = self.times.get(index).map_err(|reason| (self.time, reason))?;
        let action = Action { time_us, item_id, action_type: source.action_type() };
        Ok(ReadAction { customer: CustomerId(customer), action, day })
    }
}

struct PlainColumns<'batch> {
    customers: &'batch [i64],
    items: &'batch [i64],
    times: &'batch [i64],
    zone: &'batch Zone,
    action_type: ActionType,
}

impl PlainColumns<'_> {
    /// The action in a row; `None` where there is none, for a reason to be found out.
    fn action(&self, index: usize) -> Option<ReadAction> {
        let (customer, item_id) = (CustomerId(*self.customers.get(index)?), *self.items.get(index)?);
        let time_us = *self.times.get(index)?;
        let day = self.zone.day_of(time_us).filter(|_| item_id != PADDING_ITEM_ID)?;
        Some(ReadAction { customer, action: Action { time_us, item_id, action_type: self.action_type }, day })
    }
}
