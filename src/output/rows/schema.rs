//! The columns of the output, for Arrow and for Parquet.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::settings::RowSettings;
use crate::error::Error;
use crate::model::{CellType, RowColumn, RowColumns};

/// The values that all row groups of a partition have in common.
pub struct RowSchema {
    columns: Vec<RowColumn>,
    arrow: SchemaRef,
    parquet: SchemaDescriptor,
    properties: WriterPropertiesPtr,
    factory: ArrowRowGroupWriterFactory,
}

impl RowSchema {
    /// The schema of SPEC, "Output", and how columns are written.
    pub fn new(settings: &RowSettings) -> crate::error::Result<Arc<Self>> {
        Self::build(settings).map(Arc::new).map_err(|error| {
            Error::corrupt(format!("the schema of the rows cannot be made ({error})")).caused_by(error)
        })
    }

    fn build(settings: &RowSettings) -> Result<Self> {
        let arrow = arrow_schema(settings.columns);
        let parquet = ArrowSchemaConverter::new().convert(&arrow)?;
        let pairs = settings.key_values().into_iter().map(|(key, value)| KeyValue::new(key, value));
        let mut properties = WriterProperties::builder()
            .set_compression(settings.compression.codec())
            // For each column chunk. Statistics of pages would tell readers nothing more: rows are grouped by customer.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_key_value_metadata(Some(pairs.collect()))
            .build();
        add_encoded_arrow_schema_to_metadata(&arrow, &mut properties);
        let properties = Arc::new(properties);
        // The factory takes its settings from a writer; this writer discards everything.
        let nowhere = SerializedFileWriter::new(std::io::sink(), parquet.root_schema_ptr(), Arc::clone(&properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&nowhere, Arc::clone(&arrow));
        Ok(RowSchema { columns: settings.columns.list(), arrow, parquet, properties, factory })
    }

    pub(in crate::output) fn parquet(&self) -> &SchemaDescriptor {
        &self.parquet
    }

    pub(in crate::output) fn properties(&self) -> WriterPropertiesPtr {
        Arc::clone(&self.properties)
    }

    /// Returns the columns of one row group, in order: for each its kind, its field, its Parquet descriptor, and an
    /// ordinary writer, which a list column ignores.
    pub(super) fn columns(&self) -> Result<impl Iterator<Item = ColumnToWrite<'_>>> {
        let writers = self.factory.create_column_writers(0)?;
        let named = self.columns.iter().zip(self.arrow.fields()).zip(self.parquet.columns());
        Ok(named.zip(writers).map(|(((column, field), parquet), writer)| ColumnToWrite {
            column: *column,
            field,
            parquet,
            writer,
        }))
    }
}

/// One column of a row group.
pub(super) struct ColumnToWrite<'schema> {
    pub column: RowColumn,
    pub field: &'schema Field,
    pub parquet: &'schema Arc<ColumnDescriptor>,
    pub writer: ArrowColumnWriter,
}

/// The columns of the output, for Arrow.
fn arrow_schema(columns: RowColumns) -> SchemaRef {
    let field = |column: RowColumn| {
        let described = columns.type_of(column);
        let cell = match column {
            // In Parquet a string. The hint makes pyarrow's `read_table` and pandas use the type that they give to the
            // `dt=` of the folder's name; with two types for one column they refuse to read the folder above.
            RowColumn::Dt => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            _ => data_type(described.cell),
        };
        let data_type =
            if described.is_list { DataType::List(Arc::new(Field::new("element", cell, false))) } else { cell };
        Field::new(column.name(), data_type, described.nullable)
    };
    Arc::new(Schema::new(columns.list().into_iter().map(field).collect::<Vec<_>>()))
}

/// Returns the Arrow type of a cell.
pub(in crate::output) fn data_type(cell: CellType) -> DataType {
    match cell {
        CellType::Text => DataType::Utf8,
        CellType::Int64 => DataType::Int64,
        CellType::Int32 => DataType::Int32,
        CellType::Uint8 => DataType::UInt8,
        CellType::TimeUs => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}
