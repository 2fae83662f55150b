//! The columns of the output, for Arrow and for Parquet.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::settings::RowSettings;
use crate::error::Error;

/// Everything that all row groups of a partition have in common.
pub struct RowSchema {
    arrow: SchemaRef,
    parquet: SchemaDescriptor,
    properties: WriterPropertiesPtr,
    factory: ArrowRowGroupWriterFactory,
}

impl RowSchema {
    /// The schema of SPEC, "Output", and how columns are written.
    pub fn new(settings: &RowSettings) -> crate::error::Result<Arc<Self>> {
        Self::build(settings)
            .map(Arc::new)
            .map_err(|error| Error::corrupt(format!("the schema of the rows cannot be made ({error})")))
    }

    fn build(settings: &RowSettings) -> Result<Self> {
        let arrow = arrow_schema();
        let parquet = ArrowSchemaConverter::new().convert(&arrow)?;
        let pairs = settings.key_values().into_iter().map(|(key, value)| KeyValue::new(key, value));
        let mut properties = WriterProperties::builder()
            .set_compression(settings.compression.codec())
            // Of a whole column chunk. Those of pages would tell readers nothing more: rows stand by customer.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_key_value_metadata(Some(pairs.collect()))
            .build();
        add_encoded_arrow_schema_to_metadata(&arrow, &mut properties);
        let properties = Arc::new(properties);
        // The factory takes its settings from a file; this one is none.
        let nowhere = SerializedFileWriter::new(std::io::sink(), parquet.root_schema_ptr(), Arc::clone(&properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&nowhere, Arc::clone(&arrow));
        Ok(RowSchema { arrow, parquet, properties, factory })
    }

    pub(super) fn arrow(&self) -> &Schema {
        &self.arrow
    }

    pub(in crate::files) fn parquet(&self) -> &SchemaDescriptor {
        &self.parquet
    }

    pub(in crate::files) fn properties(&self) -> WriterPropertiesPtr {
        Arc::clone(&self.properties)
    }

    /// Writers for the columns before the lists, for one row group.
    pub(super) fn column_writers(&self) -> Result<Vec<ArrowColumnWriter>> {
        let mut writers = self.factory.create_column_writers(0)?;
        writers.truncate(self.parquet.num_columns() - 2);
        Ok(writers)
    }

    /// The two list columns, which are the last.
    pub(super) fn list_columns(&self) -> Result<[&Arc<ColumnDescriptor>; 2]> {
        match self.parquet.columns() {
            [.., actions, action_types] => Ok([actions, action_types]),
            _ => Err(ParquetError::General("the schema has no list columns".to_owned())),
        }
    }
}

/// The columns of the output. Source: SPEC, "Output".
fn arrow_schema() -> SchemaRef {
    let list = |item| DataType::List(Arc::new(Field::new("element", item, false)));
    Arc::new(Schema::new(vec![
        // In Parquet a string. The hint makes pyarrow and pandas give it the type that they give to the `dt=` of the folder's name;
        // with two types for one column they refuse to read the folder above.
        Field::new("dt", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), false),
        Field::new("ranking_id", DataType::Utf8, true),
        Field::new("customer_id", DataType::Int64, false),
        Field::new("impression_pos", DataType::Int32, false),
        Field::new("impression_item_id", DataType::Int64, false),
        Field::new("label", DataType::Int32, false),
        Field::new("actions", list(DataType::Int64), false),
        Field::new("action_types", list(DataType::Int32), false),
    ]))
}
