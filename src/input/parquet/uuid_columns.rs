//! The columns of a Parquet file that are annotated as UUIDs, read as their text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericListArray, OffsetSizeTrait, RecordBatch, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use parquet::basic::LogicalType;
use parquet::schema::types::SchemaDescriptor;

use crate::input::uuid::uuid_texts;

/// Such columns: the top-level column, and the name of the field with the UUIDs, which is the same if there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct UuidColumns(Vec<(String, String)>);

impl UuidColumns {
    /// Finds the annotations.
    pub(super) fn of(descriptor: &SchemaDescriptor) -> Self {
        let uuids = descriptor.columns().iter().filter(|leaf| leaf.logical_type_ref() == Some(&LogicalType::Uuid));
        let parts = uuids.filter_map(|leaf| match leaf.path().parts() {
            [column] => Some((column.clone(), column.clone())),
            [column, .., field] => Some((column.clone(), field.clone())),
            [] => None,
        });
        UuidColumns(parts.collect())
    }

    /// Returns a batch with texts in place of UUIDs.
    pub(super) fn as_text(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.0.is_empty() {
            return Ok(batch);
        }
        let schema = batch.schema();
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let of_column = self.0.iter().filter(|(name, _)| name == field.name());
            let names: Vec<&str> = of_column.map(|(_, field)| field.as_str()).collect();
            let text = if names.is_empty() { Arc::clone(column) } else { texts(column, field.name(), &names)? };
            fields.push(Field::new(field.name(), text.data_type().clone(), field.is_nullable()));
            columns.push(text);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

/// Returns a column, or the field `name` of one, with texts in place of the UUIDs in the fields `uuids`.
fn texts(column: &ArrayRef, name: &str, uuids: &[&str]) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::List(_) => list(column.as_list::<i32>(), uuids),
        DataType::LargeList(_) => list(column.as_list::<i64>(), uuids),
        DataType::FixedSizeList(element, _) | DataType::ListView(element) | DataType::LargeListView(element) => {
            list(cast(column, &DataType::LargeList(Arc::clone(element)))?.as_list::<i64>(), uuids)
        }
        DataType::Struct(fields) => {
            let structs = column.as_struct();
            let columns =
                structs.columns().iter().zip(fields).map(|(column, field)| texts(column, field.name(), uuids));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let fields = fields.iter().zip(&columns);
            let fields = fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
            let fields: Fields = fields.collect();
            Ok(Arc::new(StructArray::try_new(fields, columns, structs.nulls().cloned())?))
        }
        _ => Ok(uuid_texts(column).filter(|_| uuids.contains(&name)).unwrap_or_else(|| Arc::clone(column))),
    }
}

fn list<O: OffsetSizeTrait>(lists: &GenericListArray<O>, uuids: &[&str]) -> Result<ArrayRef, ArrowError> {
    let name = match lists.data_type() {
        DataType::List(element) | DataType::LargeList(element) => element.name().as_str(),
        _ => "",
    };
    let values = texts(lists.values(), name, uuids)?;
    let element = Arc::new(Field::new("element", values.data_type().clone(), true));
    let list = GenericListArray::<O>::try_new(element, lists.offsets().clone(), values, lists.nulls().cloned())?;
    Ok(Arc::new(list))
}
