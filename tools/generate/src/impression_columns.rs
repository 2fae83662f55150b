//! Impression rows as the columns of their table.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Int64Array, ListArray, RecordBatch, StringBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::impression::Impression;
use crate::table::Columns;

/// Collects impression rows as columns.
#[derive(Debug)]
pub struct ImpressionColumns {
    schema: SchemaRef,
    element: Arc<Field>,
    element_fields: Fields,
    ranking_ids: StringBuilder,
    customers: Vec<i64>,
    lengths: Vec<usize>,
    present: Vec<bool>,
    items: Vec<i64>,
    ordered: BooleanBuilder,
}

impl ImpressionColumns {
    /// Columns of the impressions table, every one nullable; the list's field has the name that Parquet prescribes.
    pub fn new() -> Self {
        let element_fields = Fields::from(vec![
            Field::new("item_id", DataType::Int64, true),
            Field::new("is_order", DataType::Boolean, true),
        ]);
        let element = Arc::new(Field::new("element", DataType::Struct(element_fields.clone()), true));
        let schema = Arc::new(Schema::new(vec![
            Field::new("ranking_id", DataType::Utf8, true),
            Field::new("customer_id", DataType::Int64, true),
            Field::new("impressions", DataType::List(Arc::clone(&element)), true),
        ]));
        Self {
            schema,
            element,
            element_fields,
            ranking_ids: StringBuilder::new(),
            customers: Vec::new(),
            lengths: Vec::new(),
            present: Vec::new(),
            items: Vec::new(),
            ordered: BooleanBuilder::new(),
        }
    }
}

impl Columns for ImpressionColumns {
    type Row = Impression;

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn push(&mut self, row: &Impression) {
        self.ranking_ids.append_option(row.ranking_id.as_deref());
        self.customers.push(row.customer);
        self.lengths.push(row.items.len());
        self.present.push(!row.is_null);
        self.items.extend_from_slice(&row.items);
        self.ordered.extend(row.ordered.iter().copied());
    }

    fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let elements = StructArray::try_new(
            self.element_fields.clone(),
            vec![
                Arc::new(Int64Array::from(std::mem::take(&mut self.items))) as ArrayRef,
                Arc::new(self.ordered.finish()),
            ],
            None,
        )?;
        let lists = ListArray::try_new(
            Arc::clone(&self.element),
            OffsetBuffer::from_lengths(self.lengths.drain(..)),
            Arc::new(elements),
            Some(NullBuffer::from(std::mem::take(&mut self.present))),
        )?;
        RecordBatch::try_new(
            self.schema(),
            vec![
                Arc::new(self.ranking_ids.finish()),
                Arc::new(Int64Array::from(std::mem::take(&mut self.customers))),
                Arc::new(lists),
            ],
        )
    }
}
