//! Plain types: one for each meaning, whichever of Arrow's encodings a library has chosen.
//!
//! Text is UTF-8, as are UUIDs, bytes of any length are [`DataType::Binary`], values stand in place of a dictionary,
//! instants carry the zone UTC, and lists of structs are large lists with the wanted fields. Other types stay as they
//! are, and the reader of the column accepts or refuses them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, GenericListArray, LargeListArray, OffsetSizeTrait, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::error::ArrowError;

use crate::input::uuid::{UUID, is_uuid, uuid_texts};
use crate::input::wanted::Wanted;

/// Returns the plain type of a column whose field says nothing else.
fn plain_type(found: &DataType, wanted: Wanted<'_>) -> DataType {
    match found {
        DataType::Dictionary(_, value) => plain_type(value, wanted),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => match (element.data_type(), wanted) {
            (DataType::Struct(fields), Wanted::List { item, label, .. })
                if fields.iter().any(|field| field.name() == item) =>
            {
                let names = [item, label].into_iter();
                let named = names.flat_map(|name| fields.iter().filter(move |field| field.name() == name));
                let fields = named.map(|field| plain_field(field, wanted));
                let element = DataType::Struct(fields.collect());
                DataType::LargeList(Arc::new(Field::new("element", element, true)))
            }
            _ => found.clone(),
        },
        other => other.clone(),
    }
}

/// Returns a field of the plain type, which may be null.
pub(super) fn plain_field(field: &Field, wanted: Wanted<'_>) -> FieldRef {
    let plain = if is_uuid(field) { DataType::Utf8 } else { plain_type(field.data_type(), wanted) };
    Arc::new(Field::new(field.name(), plain, true))
}

/// The same for a list that is exploded, whose elements have the wanted columns as fields.
pub(super) fn plain_exploded(field: &Field, wanted: &[Wanted<'_>]) -> FieldRef {
    let DataType::LargeList(element) = field.data_type() else { return Arc::new(field.clone()) };
    let DataType::Struct(fields) = element.data_type() else { return Arc::new(field.clone()) };
    let fields = fields.iter().map(|field| match wanted.iter().find(|wanted| wanted.name() == field.name()) {
        Some(wanted) => plain_field(field, *wanted),
        None => Arc::clone(field),
    });
    let element = Field::new("element", DataType::Struct(fields.collect()), true);
    Arc::new(Field::new(field.name(), DataType::LargeList(Arc::new(element)), true))
}

/// Returns a column in its plain type `to`.
pub(super) fn plain_column(found: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    match (found.data_type(), to) {
        (from, to) if from == to => Ok(Arc::clone(found)),
        (DataType::Dictionary(_, value), to) => plain_column(&cast(found, value)?, to),
        // A slice of large text may begin beyond what the offsets of plain text can count.
        (DataType::LargeUtf8, DataType::Utf8) => Ok(Arc::new(found.as_string::<i64>().iter().collect::<StringArray>())),
        (DataType::LargeBinary, DataType::Binary) => {
            Ok(Arc::new(found.as_binary::<i64>().iter().collect::<BinaryArray>()))
        }
        (from, DataType::Utf8) if *from == UUID => {
            uuid_texts(found).ok_or_else(|| ArrowError::CastError("a UUID has 16 bytes".to_owned()))
        }
        (DataType::List(_), DataType::LargeList(element)) => plain_lists(found.as_list::<i32>(), element),
        (DataType::LargeList(_), DataType::LargeList(element)) => plain_lists(found.as_list::<i64>(), element),
        (
            DataType::FixedSizeList(inner, _) | DataType::ListView(inner) | DataType::LargeListView(inner),
            DataType::LargeList(element),
        ) => {
            let lists = cast(found, &DataType::LargeList(Arc::clone(inner)))?;
            plain_lists(lists.as_list::<i64>(), element)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => plain_struct(found.as_struct(), fields),
        _ => cast(found, to),
    }
}

/// Only the elements of these rows: of a slice of a column, all elements of the column are at hand.
fn plain_lists<O: OffsetSizeTrait>(lists: &GenericListArray<O>, element: &FieldRef) -> Result<ArrayRef, ArrowError> {
    let offsets = lists.offsets();
    let (first, last) = (offsets.first().as_usize(), offsets.last().as_usize());
    let elements = plain_column(&lists.values().slice(first, last - first), element.data_type())?;
    let offsets = OffsetBuffer::<i64>::from_lengths(offsets.lengths());
    Ok(Arc::new(LargeListArray::try_new(Arc::clone(element), offsets, elements, lists.nulls().cloned())?))
}

fn plain_struct(found: &StructArray, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let columns = fields.iter().map(|field| {
        let lacks = || ArrowError::SchemaError(format!("a batch lacks the field {}", field.name()));
        plain_column(found.column_by_name(field.name()).ok_or_else(lacks)?, field.data_type())
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, found.nulls().cloned())?))
}
