//! Rows that a program gives in memory: the same rows from files make the same store and the same rows, whatever their
//! order, batches and encoding; and what is wrong with them is said as for files.

mod beside_files;
mod made;
mod memory;
mod refused;
mod same;

use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use lookback::error::Result;
use lookback::ingest::{IngestOptions, IngestSummary, Ingester};
use lookback::input::{Input, MemoryInput};
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::sources::Sources;
use lookback::store::{Folder, Settings, Store};

/// What the reader of a source gives.
type Reader = Box<dyn RecordBatchReader + Send>;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn resources() -> Resources {
    Resources::default().with_memory(256 << 20).with_threads(2)
}

fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let columns = columns.iter().map(|(name, column)| (*name, ArrayRef::clone(column), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn reader(batches: Vec<RecordBatch>) -> Reader {
    let schema = batches[0].schema();
    Box::new(RecordBatchIterator::new(batches.into_iter().map(Ok), schema))
}

/// A reader that makes each batch when it is asked for.
fn lazy(schema: SchemaRef, batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static) -> Reader {
    Box::new(RecordBatchIterator::new(batches, schema))
}

/// An input with one source.
fn given(source: &str, batches: Vec<RecordBatch>) -> Result<MemoryInput> {
    let mut input = MemoryInput::new(&Sources::default(), &resources());
    match source {
        "impressions" => input.add_impressions(reader(batches))?,
        source => input.add(source, reader(batches))?,
    }
    Ok(input)
}

fn create(store: &Path, zone: &str) {
    let zone = lookback::internals::zoneinfo::bundled_zone(zone).unwrap();
    Store::create(&Folder::new(store), Settings { zone, max_history: 40, ..Settings::default() }).unwrap();
}

fn ingest(store: &Path, options: &IngestOptions) -> Result<IngestSummary> {
    Ingester::open_or_create(&Folder::new(store), &Silent)?.ingest(options, &Silent)
}

/// The options of an ingest of 2026-01-02.
fn options(input: impl Into<Input>) -> IngestOptions {
    IngestOptions::new(input, day("2026-01-02")).resources(resources())
}
