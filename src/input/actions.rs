//! Reads the actions of one file.

use arrow::array::RecordBatch;

use super::bad_rows::{BadRow, BadRows};
use super::cells::Reason;
use super::column::{ID_TYPES, IdColumn};
use super::day_reader::DayReader;
use super::event_ids::{EVENT_ID_TYPES, EventIds};
use super::id_cells::{IdCells, IdRule, IdTexts};
use super::layout::DayFile;
use super::order_column::OrderColumn;
use super::parquet::file::column;
use super::time_column::{OUTSIDE, TimeColumn};
use super::type_column::{TypeColumn, Typed};
use super::wanted::{Wanted, wrong_type};
use crate::error::Result;
use crate::model::{Action, CustomerId, Day, Ids, PADDING_ITEM_ID, Zone};
use crate::resources::Resources;
use crate::sources::{ActionSource, TypeRule, WithoutCustomer};

/// Rows decoded at once: some 200 kB of columns, which stay in the processor's cache.
pub(super) const BATCH_ROWS: usize = 8_192;

/// An action read from a file: its customer, the action itself, and its day in the store's zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadAction {
    /// The customer.
    pub customer: CustomerId,
    /// Item, time and type.
    pub action: Action,
    /// The day on which it happened.
    pub day: Day,
}

/// What a file contains besides the actions that were taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReadActions {
    /// Rows that the source config says to ignore.
    pub ignored: u64,
    /// Rows left out because their customer is null.
    pub without_customer: u64,
    /// Records whose list is null, missing or empty, where its elements are the rows.
    pub empty: u64,
    /// Bad rows whose times lie outside the supported years.
    pub outside: u64,
    /// Whether any action has a wall time or a date, so that its instant depends on the rules of the zone.
    pub has_wall_times: bool,
}

/// Passes every action of a file to `take`, in the order of its rows, each with its row or line in the file (see
/// [`DayFile::place`]); and every bad row to `bad`.
///
/// Memory: one batch of 8,192 rows. Fails if the file cannot be read or lacks a column.
pub fn read_actions(
    source: &ActionSource,
    day_file: &DayFile,
    zone: &Zone,
    resources: &Resources,
    bad: &mut BadRows,
    mut take: impl FnMut(u64, ReadAction) -> Result<()>,
) -> Result<ReadActions> {
    read_actions_with_event_ids(source, day_file, zone, resources, bad, |place, action, _| take(place, action))
}

/// Like [`read_actions`], with the event id of each action: `None` where it is null, and for a source without such ids.
pub(crate) fn read_actions_with_event_ids(
    source: &ActionSource,
    day_file: &DayFile,
    zone: &Zone,
    resources: &Resources,
    bad: &mut BadRows,
    mut take: impl FnMut(u64, ReadAction, Option<&str>) -> Result<()>,
) -> Result<ReadActions> {
    let take = |place, action, id: Option<&str>, _: IdTexts<'_>| take(place, action, id);
    read_actions_with_texts(source, day_file, zone, resources, bad, take)
}

/// Like [`read_actions_with_event_ids`], and with the texts of the other ids.
pub(crate) fn read_actions_with_texts(
    source: &ActionSource,
    day_file: &DayFile,
    zone: &Zone,
    resources: &Resources,
    bad: &mut BadRows,
    take: impl FnMut(u64, ReadAction, Option<&str>, IdTexts<'_>) -> Result<()>,
) -> Result<ReadActions> {
    read_first_actions(source, day_file, zone, resources, usize::MAX, bad, take)
}

/// Like [`read_actions_with_texts`], for at most the first `rows` rows.
pub(super) fn read_first_actions(
    source: &ActionSource,
    day_file: &DayFile,
    zone: &Zone,
    resources: &Resources,
    rows: usize,
    bad: &mut BadRows,
    mut take: impl FnMut(u64, ReadAction, Option<&str>, IdTexts<'_>) -> Result<()>,
) -> Result<ReadActions> {
    let file = DayReader::open(day_file, source.into(), resources)?;
    let names = Names::of(source, |column| file.has(column))?;
    if let Some(typed) = file.typed(&names.wanted())? {
        TypedColumns::new(&typed, source, names, day_file, zone)?;
    }
    let (mut read, mut left) = (ReadActions::default(), rows);
    let mut batches = file.read(&names.wanted(), BATCH_ROWS.min(rows))?;
    while let Some(batch) = batches.next().filter(|_| left > 0).transpose()? {
        let columns = TypedColumns::new(&batch.columns, source, names, day_file, zone)?;
        let plain = columns.plain();
        for index in 0..batch.rows().min(left) {
            let fault = batch.fault(index);
            if names.without_customer == WithoutCustomer::LeaveOut
                && columns.customers.is_null(index)
                && fault.is_none_or(|fault| fault.is_beside(names.customer))
            {
                read.without_customer += 1;
                continue;
            }
            let place = batch.place(index)?;
            let found = match (plain.as_ref().and_then(|plain| plain.action(index)), fault) {
                (_, Some(fault)) => Err((fault.column.as_str(), fault.reason.clone())),
                (Some(action), None) => Ok(Some(action)),
                (None, None) => columns.action(index),
            };
            let found = match found {
                Ok(Some(action)) => columns.event_id(index).map(|id| Some((action, id))),
                Ok(None) => Ok(None),
                Err(fault) => Err(fault),
            };
            match found {
                Ok(Some((action, id))) => take(place, action, id, columns.texts(index))?,
                Ok(None) => read.ignored += 1,
                Err((column, reason)) => {
                    read.outside += u64::from(reason == OUTSIDE);
                    let reason = batch.reason(index, reason);
                    bad.add(BadRow { day_file, place, column, reason, cells: batch.cells(index) })?;
                }
            }
        }
        left = left.saturating_sub(batch.rows());
        read.has_wall_times |= columns.times.has_met_wall_times();
    }
    read.empty = batches.empty();
    Ok(read)
}

/// Returns the columns of a source, each with the type of its cells; `has` says whether there is a column of a name.
pub(super) fn wanted(source: &ActionSource, has: impl Fn(&str) -> Result<bool>) -> Result<Vec<Wanted<'_>>> {
    Ok(Names::of(source, has)?.wanted())
}

/// The names of the columns of a file.
#[derive(Clone, Copy)]
struct Names<'a> {
    customer: &'a str,
    without_customer: WithoutCustomer,
    item: &'a str,
    time: &'a str,
    /// `None` if all rows of the source have one type.
    action_type: Option<&'a str>,
    /// The columns of event ids and of numbers that order the rows of one time, if the source has them.
    id: Option<&'a str>,
    order: Option<&'a str>,
    ids: Ids,
}

impl<'a> Names<'a> {
    /// The names for a file of a source.
    fn of(source: &'a ActionSource, has: impl Fn(&str) -> Result<bool>) -> Result<Self> {
        let time = match &source.date {
            Some(date) if !has(&source.time)? && has(date)? => date,
            _ => &source.time,
        };
        let action_type = match &source.types {
            TypeRule::Constant(_) => None,
            TypeRule::Column { column, .. } => Some(column.as_str()),
        };
        Ok(Names {
            customer: &source.customer_id,
            without_customer: source.without_customer,
            item: &source.item_id,
            time,
            action_type,
            id: source.distinct_by.as_deref(),
            order: source.order_column.as_deref(),
            ids: source.ids,
        })
    }

    /// Returns all columns, each with the type of its cells.
    fn wanted(&self) -> Vec<Wanted<'a>> {
        let Names { customer, without_customer, item, time, action_type, id, order, ids } = *self;
        let customer = Wanted::customers(customer, ids, without_customer);
        let always = [customer, Wanted::items(item, ids), Wanted::Time(time)];
        let texts = action_type.into_iter().chain(id).map(Wanted::Text);
        always.into_iter().chain(texts).chain(order.map(Wanted::Integer)).collect()
    }
}

struct TypedColumns<'a> {
    customers: IdCells,
    items: IdCells,
    times: TimeColumn<'a>,
    types: TypeColumn<'a>,
    ids: Option<EventIds>,
    order: Option<OrderColumn<'a>>,
    zone: &'a Zone,
    names: Names<'a>,
}

impl<'a> TypedColumns<'a> {
    /// The columns of a batch. Fails if one is missing or has an unusable type.
    fn new(
        batch: &RecordBatch,
        source: &'a ActionSource,
        names: Names<'a>,
        day_file: &DayFile,
        zone: &'a Zone,
    ) -> Result<Self> {
        let (path, subject) = (&day_file.path, day_file.subject());
        let ids = |name, rule: IdRule| -> Result<IdCells> {
            let source = column(batch, name, path)?;
            IdCells::new(source, rule).ok_or_else(|| wrong_type(subject, name, source.data_type(), rule.types()))
        };
        let customers = ids(names.customer, IdRule::customers(names.ids))?;
        let items = ids(names.item, IdRule::items(names.ids))?;
        let times = column(batch, names.time, path)?;
        let wanted = match source.time_unit {
            Some(_) => "timestamps, dates, text, or numbers",
            None => "timestamps, dates, or text (or numbers, with a time_unit in lookback.toml)",
        };
        let wrong = || wrong_type(subject, names.time, times.data_type(), wanted);
        let times = TimeColumn::new(times, zone, source).ok_or_else(wrong)?;
        let types = match &source.types {
            TypeRule::Constant(action_type) => TypeColumn::Constant(*action_type),
            TypeRule::Column { column: name, values } => {
                let cells = column(batch, name, path)?;
                let wrong = || wrong_type(subject, name, cells.data_type(), EVENT_ID_TYPES);
                TypeColumn::new(cells, values).ok_or_else(wrong)?
            }
        };
        let event_ids = |name| -> Result<EventIds> {
            let cells = column(batch, name, path)?;
            EventIds::new(cells).ok_or_else(|| wrong_type(subject, name, cells.data_type(), EVENT_ID_TYPES))
        };
        let order = |name| -> Result<OrderColumn<'a>> {
            let cells = column(batch, name, path)?;
            let numbers = IdColumn::new(cells, None);
            let numbers = numbers.ok_or_else(|| wrong_type(subject, name, cells.data_type(), ID_TYPES))?;
            Ok(OrderColumn { name, numbers })
        };
        Ok(TypedColumns {
            customers,
            items,
            times,
            types,
            ids: names.id.map(event_ids).transpose()?,
            order: names.order.map(order).transpose()?,
            zone,
            names,
        })
    }

    /// The event id in a row, if the source has them; or the column at fault and the reason.
    fn event_id(&self, index: usize) -> Result<Option<&str>, (&str, Reason)> {
        match (&self.ids, self.names.id) {
            (Some(ids), Some(name)) => ids.get(index).map_err(|reason| (name, reason)),
            _ => Ok(None),
        }
    }

    /// The columns as slices, if they have no null and times are instants in microseconds that no other column orders,
    /// as in nearly all files.
    fn plain(&self) -> Option<PlainColumns<'_>> {
        if self.order.is_some() {
            return None;
        }
        let (customers, items) = (self.customers.plain()?, self.items.plain()?);
        let (times, zone) = self.times.plain()?;
        Some(PlainColumns { customers, items, times, zone, types: &self.types })
    }

    /// The texts of the ids in a row.
    fn texts(&self, index: usize) -> IdTexts<'_> {
        IdTexts { customers: &self.customers, row: index, items: &self.items, first_item: index }
    }

    /// The action in a row, `None` for an ignored row, or the column at fault and the reason.
    fn action(&self, index: usize) -> Result<Option<ReadAction>, (&'a str, Reason)> {
        let Names { customer, item, time, action_type, .. } = self.names;
        // The type comes first, since the other cells of an ignored row may hold anything.
        let typed = self.types.get(index).map_err(|reason| (action_type.unwrap_or_default(), reason))?;
        let Typed::As(action_type) = typed else { return Ok(None) };
        let customer = self.customers.get(index).map_err(|reason| (customer, reason))?;
        let item_id = self.items.item(index).map_err(|reason| (item, reason))?;
        let (mut time_us, day) = self.times.get(index).map_err(|reason| (time, reason))?;
        if let Some(order) = &self.order {
            let ordered = order.ordered(index, (time_us, day), self.times.was_date(), self.zone);
            time_us = ordered.map_err(|(at, reason)| (at.unwrap_or(time), reason))?;
        }
        Ok(Some(ReadAction { customer: CustomerId(customer), action: Action { time_us, item_id, action_type }, day }))
    }
}

struct PlainColumns<'batch> {
    customers: &'batch [i64],
    items: &'batch [i64],
    times: &'batch [i64],
    zone: &'batch Zone,
    types: &'batch TypeColumn<'batch>,
}

impl PlainColumns<'_> {
    /// The action in a row; `None` if the slower path must find out the reason why there is no action.
    fn action(&self, index: usize) -> Option<ReadAction> {
        let (customer, item_id) = (CustomerId(*self.customers.get(index)?), *self.items.get(index)?);
        let time_us = *self.times.get(index)?;
        let Ok(Typed::As(action_type)) = self.types.get(index) else { return None };
        let day = self.zone.day_of(time_us).filter(|_| item_id != PADDING_ITEM_ID)?;
        Some(ReadAction { customer, action: Action { time_us, item_id, action_type }, day })
    }
}
