//! Reads the impressions of one file.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::bad_rows::{BadRow, BadRows};
use super::cells::Reason;
use super::column::{ID_TYPES, IdColumn};
use super::day_reader::DayReader;
use super::id_cells::{IdCells, IdRule, IdTexts};
use super::label_column::{LABEL_TYPES, LabelColumn};
use super::layout::DayFile;
use super::parquet::file::column;
use super::text_column::TextColumn;
use super::wanted::{Wanted, two_columns, wrong_type};
use crate::error::{Error, Result};
use crate::exact::usize_of;
use crate::model::{CustomerId, Element, Ids, Impression};
use crate::resources::Resources;
use crate::sources::{ImpressionLayout, ImpressionSource, WithoutCustomer};

/// Rows decoded at once; fewer than for actions, since each has a list.
pub(super) const BATCH_ROWS: usize = 1_024;

/// Every row of an impression carries its ranking id, so a longer id would take more space than the history.
const RANKING_ID_BYTES_MAX: usize = 4_096;

/// What a file contains besides the impressions that were taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReadImpressions {
    /// Rows whose list is null or empty; they become no training row.
    pub empty: u64,
    /// Rows left out because their customer is null.
    pub without_customer: u64,
    /// Whether the file has rows but no column of ranking ids, so that all of them are null.
    pub lacks_ranking_id: bool,
    /// Whether the file has elements but no label field, so that all labels are 0.
    pub lacks_label: bool,
}

/// Does what [`read_shown`] does, without positions: for tests and benchmarks.
#[cfg(feature = "internals")]
pub fn read_impressions(
    source: &ImpressionSource,
    day_file: &DayFile,
    resources: &Resources,
    bad: &mut BadRows,
    mut take: impl FnMut(u64, Impression) -> Result<()>,
) -> Result<ReadImpressions> {
    read_shown(source, day_file, resources, bad, |place, impression, _| take(place, impression))
}

/// Passes every impression of a file to `take`, in the order of its rows, each with its row or line in the file (see
/// [`DayFile::place`]); and every bad row to `bad`. In the flat layout each row is an impression of one element, with
/// its position, if it has one: see [`super::FlatLists`].
///
/// Memory: one batch of 1,024 rows. Fails if the file cannot be read or lacks a column.
pub(crate) fn read_shown(
    source: &ImpressionSource,
    day_file: &DayFile,
    resources: &Resources,
    bad: &mut BadRows,
    mut take: impl FnMut(u64, Impression, Option<i64>) -> Result<()>,
) -> Result<ReadImpressions> {
    let take = |place, impression, position, _: IdTexts<'_>| take(place, impression, position);
    read_shown_with_texts(source, day_file, resources, bad, take)
}

/// Like [`read_shown`], with the texts of ids.
pub(crate) fn read_shown_with_texts(
    source: &ImpressionSource,
    day_file: &DayFile,
    resources: &Resources,
    bad: &mut BadRows,
    take: impl FnMut(u64, Impression, Option<i64>, IdTexts<'_>) -> Result<()>,
) -> Result<ReadImpressions> {
    read_first_impressions(source, day_file, resources, usize::MAX, bad, take)
}

/// Like [`read_shown_with_texts`], for at most the first `rows` rows.
pub(super) fn read_first_impressions(
    source: &ImpressionSource,
    day_file: &DayFile,
    resources: &Resources,
    rows: usize,
    bad: &mut BadRows,
    mut take: impl FnMut(u64, Impression, Option<i64>, IdTexts<'_>) -> Result<()>,
) -> Result<ReadImpressions> {
    let file = DayReader::open(day_file, source.into(), resources)?;
    let names = Names::of(source);
    if !names.is_flat && !file.has(&source.impressions)? && file.has(&source.item_id)? {
        return Err(flat_rows(source, day_file));
    }
    if let Some(typed) = file.typed(&names.wanted())? {
        TypedColumns::new(&typed, &names, day_file)?;
    }
    let (mut read, mut left) = (ReadImpressions::default(), rows);
    let lacks_ranking_id = !file.has(&source.ranking_id)?;
    // A batch of text has all columns that are wanted, also those that the file lacks.
    let mut has_label = names.is_flat && file.has(&source.is_order)?;
    let mut batches = file.read(&names.wanted(), BATCH_ROWS.min(rows))?;
    while let Some(batch) = batches.next().filter(|_| left > 0).transpose()? {
        let columns = TypedColumns::new(&batch.columns, &names, day_file)?;
        read.lacks_ranking_id |= lacks_ranking_id && batch.rows() > 0;
        read.lacks_label |= !columns.elements.is_empty();
        has_label |= !names.is_flat && columns.labels.is_some();
        for index in 0..batch.rows().min(left) {
            let fault = batch.fault(index);
            if names.without_customer == WithoutCustomer::LeaveOut
                && columns.customers.is_null(index)
                && fault.is_none_or(|fault| fault.is_beside(&source.customer_id))
            {
                read.without_customer += 1;
                continue;
            }
            let place = batch.place(index)?;
            let found = match fault {
                Some(fault) => Err((fault.column.as_str(), fault.reason.clone())),
                None => columns.shown(index).map_err(|(at, reason)| (names.of_place(at), reason)),
            };
            match found {
                Ok((impression, _)) if impression.elements.is_empty() => read.empty += 1,
                Ok((impression, position)) => take(place, impression, position, columns.texts(index))?,
                Err((column, reason)) => {
                    bad.add(BadRow { day_file, place, column, reason, cells: batch.cells(index) })?;
                }
            }
        }
        left = left.saturating_sub(batch.rows());
    }
    read.lacks_label &= !has_label;
    Ok(read)
}

/// The error that a file seems to have the other layout.
fn flat_rows(ImpressionSource { impressions, item_id, .. }: &ImpressionSource, day_file: &DayFile) -> Error {
    let subject = day_file.subject();
    Error::input(
        format!("{subject} has no column {impressions} of lists, but a column {item_id}, as if each row were one item"),
        format!(
            "set layout = \"flat\" in [impressions] of lookback.toml, or {} the {} with that column",
            subject.verb(),
            subject.noun()
        ),
    )
}

/// Returns the columns of the impressions, each with the type of its cells.
pub(super) fn wanted(source: &ImpressionSource) -> Vec<Wanted<'_>> {
    Names::of(source).wanted()
}

/// The names of the columns of a file.
struct Names<'a> {
    /// Ranking id, customer, list.
    top: [&'a str; 3],
    item: &'a str,
    label: &'a str,
    position: &'a str,
    /// Item and label as in messages: in a list, each after the name of the list.
    nested: [String; 2],
    is_flat: bool,
    without_customer: WithoutCustomer,
    ids: Ids,
}

/// The column at fault.
#[derive(Clone, Copy)]
enum Place {
    RankingId,
    Customer,
    Item,
    Label,
    Position,
}

impl<'a> Names<'a> {
    fn of(source: &'a ImpressionSource) -> Self {
        let ImpressionSource { ranking_id, customer_id, impressions, item_id, is_order, position, .. } = source;
        let is_flat = source.layout == ImpressionLayout::Flat;
        let nested = [item_id, is_order];
        Names {
            top: [ranking_id, customer_id, impressions],
            item: item_id,
            label: is_order,
            position,
            nested: nested.map(|field| if is_flat { field.clone() } else { format!("{impressions}.{field}") }),
            is_flat,
            without_customer: source.without_customer,
            ids: source.ids,
        }
    }

    /// Returns the columns, each with the type of its cells.
    fn wanted(&self) -> Vec<Wanted<'a>> {
        let [ranking_id, customer, list] = self.top;
        let customer = Wanted::customers(customer, self.ids, self.without_customer);
        let mut wanted = vec![Wanted::OptionalText(ranking_id), customer];
        if self.is_flat {
            let (item, label) = (Wanted::items(self.item, self.ids), Wanted::OptionalText(self.label));
            wanted.extend([item, label, Wanted::OptionalInteger(self.position)]);
        } else {
            let item_form = self.ids.item;
            wanted.push(Wanted::List { name: list, item: self.item, label: self.label, item_form });
        }
        wanted
    }

    fn of_place(&self, place: Place) -> &str {
        let ([ranking_id, customer, _], [item, label]) = (&self.top, &self.nested);
        match place {
            Place::RankingId => ranking_id,
            Place::Customer => customer,
            Place::Item => item,
            Place::Label => label,
            Place::Position => self.position,
        }
    }
}

struct TypedColumns {
    ranking_ids: TextColumn,
    customers: IdCells,
    bounds: Vec<Bounds>,
    elements: ArrayRef,
    item_ids: IdCells,
    /// `None` if there is no label column or field: then all labels are 0.
    labels: Option<LabelColumn>,
    /// Of flat rows, if there is such a column.
    positions: Option<IdColumn>,
}

impl TypedColumns {
    /// The columns of a batch. Fails if one is missing or has an unusable type.
    fn new(batch: &RecordBatch, names: &Names<'_>, day_file: &DayFile) -> Result<Self> {
        let (path, subject) = (&day_file.path, day_file.subject());
        let [ranking_id, customer, list] = names.top;
        let ranking_ids = match batch.column_by_name(ranking_id) {
            Some(source) => TextColumn::with_integers(source)
                .ok_or_else(|| wrong_type(subject, ranking_id, source.data_type(), "text, integers or UUIDs"))?,
            None => TextColumn::nulls(batch.num_rows()),
        };
        let source = column(batch, customer, path)?;
        let rule = IdRule::customers(names.ids);
        let customers = IdCells::new(source, rule)
            .ok_or_else(|| wrong_type(subject, customer, source.data_type(), rule.types()))?;
        let [item, label] = &names.nested;
        let (bounds, elements) = if names.is_flat {
            single_items(batch.num_rows())
        } else {
            let source = column(batch, list, path)?;
            let wanted = format!("a list of structs with the field {}", names.item);
            let has_item = |elements: &ArrayRef| elements.as_struct_opt()?.column_by_name(names.item).map(drop);
            let lists = lists(source).filter(|(_, elements)| has_item(elements).is_some());
            lists.ok_or_else(|| wrong_type(subject, list, source.data_type(), &wanted))?
        };
        // Flat rows have the fields as columns.
        let fields = elements.as_struct_opt().filter(|_| !names.is_flat);
        for (name, nested) in [(names.item, item), (names.label, label)] {
            if fields.is_some_and(|fields| fields.column_names().iter().filter(|field| **field == name).count() > 1) {
                return Err(two_columns(subject, nested));
            }
        }
        let named = |name| match fields {
            Some(fields) => fields.column_by_name(name),
            None => batch.column_by_name(name),
        };
        let item_ids = match named(names.item) {
            Some(item_ids) => item_ids,
            None => column(batch, names.item, path)?,
        };
        let rule = IdRule::items(names.ids);
        let item_ids = IdCells::new(item_ids, rule)
            .ok_or_else(|| wrong_type(subject, item, item_ids.data_type(), rule.types()))?;
        let labels = named(names.label).map(|labels| {
            LabelColumn::new(labels).ok_or_else(|| wrong_type(subject, label, labels.data_type(), LABEL_TYPES))
        });
        let labels = labels.transpose()?;
        let positions = names.is_flat.then(|| batch.column_by_name(names.position)).flatten();
        let position = |cells: &ArrayRef| {
            let wrong = || wrong_type(subject, names.position, cells.data_type(), ID_TYPES);
            IdColumn::new(cells, None).ok_or_else(wrong)
        };
        let positions = positions.map(position).transpose()?;
        Ok(TypedColumns { ranking_ids, customers, bounds, elements, item_ids, labels, positions })
    }

    /// The impression in a row, and in the flat layout its position; or the column at fault and the reason.
    fn shown(&self, index: usize) -> Result<(Impression, Option<i64>), (Place, Reason)> {
        let impression = self.impression(index)?;
        let position = match self.positions.as_ref().filter(|positions| !positions.is_null(index)) {
            Some(positions) => Some(positions.get(index).map_err(|reason| (Place::Position, reason))?),
            None => None,
        };
        Ok((impression, position))
    }

    /// The texts in a row whose list is not empty.
    fn texts(&self, index: usize) -> IdTexts<'_> {
        let first_item = match self.bounds.get(index) {
            Some(Some((begin, _))) => *begin,
            _ => 0,
        };
        IdTexts { customers: &self.customers, row: index, items: &self.item_ids, first_item }
    }

    /// The impression in a row, or the column at fault and the reason.
    fn impression(&self, index: usize) -> Result<Impression, (Place, Reason)> {
        let customer = self.customers.get(index).map_err(|reason| (Place::Customer, reason))?;
        let ranking_id = self.ranking_ids.get(index).map_err(|reason| (Place::RankingId, reason))?;
        if ranking_id.is_some_and(|text| text.len() > RANKING_ID_BYTES_MAX) {
            return Err((Place::RankingId, format!("is longer than {RANKING_ID_BYTES_MAX} bytes")));
        }
        let ranking_id = ranking_id.map(str::to_owned);
        // A null list has no elements.
        let bounds = self.bounds.get(index).ok_or_else(|| (Place::Item, "has no list in this row".to_owned()))?;
        let (begin, end) = bounds.unwrap_or((0, 0));
        let mut elements = Vec::with_capacity(end.saturating_sub(begin));
        for place in begin..end {
            elements.push(self.element(place)?);
        }
        Ok(Impression { customer: CustomerId(customer), ranking_id, elements })
    }

    fn element(&self, place: usize) -> Result<Element, (Place, Reason)> {
        if self.elements.is_null(place) {
            return Err((Place::Item, "is null".to_owned()));
        }
        let item_id = self.item_ids.item(place).map_err(|reason| (Place::Item, reason))?;
        let label = self.labels.as_ref().map_or(Ok(0), |labels| labels.get(place));
        let label = label.map_err(|reason| (Place::Label, reason))?;
        Ok(Element { item_id, label })
    }
}

/// The begin and end of a row's list in the element columns; `None` for a null list.
type Bounds = Option<(usize, usize)>;

/// Returns the bounds and elements of flat rows: each is a list of one element, and no element is null.
fn single_items(rows: usize) -> (Vec<Bounds>, ArrayRef) {
    let bounds = (0..rows).map(|row| Some((row, row + 1)));
    (bounds.collect(), Arc::new(StructArray::new_empty_fields(rows, None)))
}

/// Returns the bounds of each row's list, and the column of all elements; `None` if the column has no list type.
fn lists(source: &ArrayRef) -> Option<(Vec<Bounds>, ArrayRef)> {
    let element = match source.data_type() {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => Arc::clone(element),
        _ => return None,
    };
    let lists = cast(source, &DataType::LargeList(element)).ok()?;
    let lists = lists.as_list_opt::<i64>()?;
    // Arrow makes sure that no offset is negative.
    let offsets = lists.offsets().iter().map(|offset| usize_of(offset.cast_unsigned()));
    let bounds = offsets.clone().zip(offsets.skip(1)).enumerate();
    let bounds = bounds.map(|(row, bounds)| lists.is_valid(row).then_some(bounds));
    Some((bounds.collect(), Arc::clone(lists.values())))
}
