//! Rules about the rows of a source: what a row is, which rows count, and what orders rows of one time. The same rows
//! in files of any kind, in any order, and from memory give the same.

mod customers;
mod distinct;
mod every_key;
mod flat;
mod labels;
mod ordered;
mod text_ids;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray};
use lookback::config;
use lookback::ingest::{IngestOptions, IngestSummary, Ingester};
use lookback::input::{Input, MemoryInput};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::sources::Sources;
use lookback::store::{Folder, Store};

use crate::support::input::write_parquet;
use crate::support::output::dump;
use crate::support::program::{Bench, write_file};
use crate::support::random::Random;
use crate::support::text::{Cell, Cells, write_rows};

/// How the names of files end that a table is spread over.
const ENDINGS: [&str; 5] = ["parquet", "csv", "jsonl", "csv.gz", "json.zst"];

fn configure(bench: &Bench, text: &str) {
    write_file(&bench.input().join("lookback.toml"), text.as_bytes());
}

/// The configuration of a bench, for the library.
fn sources(bench: &Bench) -> Sources {
    config::sources(Some(&bench.input()), None, &Resources::default()).unwrap()
}

fn number(value: impl Into<Option<i64>>) -> Option<Cell> {
    value.into().map(Cell::Number)
}

fn text(value: Option<&str>) -> Option<Cell> {
    value.map(|value| Cell::Text(value.to_owned()))
}

/// The columns of rows that have the same names. A column without any value has none of its cells.
fn columns(rows: &[Cells]) -> Vec<(&'static str, ArrayRef)> {
    let column = |place: usize| -> ArrayRef {
        let cells = || rows.iter().map(|row| row[place].1.as_ref());
        if cells().flatten().any(|cell| matches!(cell, Cell::Text(_))) {
            return Arc::new(cells().map(|cell| cell.map(text_of)).collect::<StringArray>());
        }
        let number = |cell: &Cell| match cell {
            Cell::Number(number) => *number,
            other => panic!("{other:?}"),
        };
        Arc::new(cells().map(|cell| cell.map(number)).collect::<Int64Array>())
    };
    rows[0].iter().enumerate().map(|(place, (name, _))| (*name, column(place))).collect()
}

fn text_of(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::List(list) => panic!("{list:?}"),
    }
}

/// Writes a file of rows of any kind, by the end of its name.
fn write_table(path: &Path, rows: &[Cells]) {
    if path.to_str().unwrap().ends_with(".parquet") {
        return write_parquet(path, &columns(rows));
    }
    write_rows(path, rows);
}

/// Spreads rows over files of all kinds.
fn write_spread(folder: &Path, rows: &[Cells], random: &mut Random) {
    let _ = std::fs::remove_dir_all(folder);
    let mut rows = rows.to_vec();
    random.shuffle(&mut rows);
    for (place, part) in rows.chunks(rows.len().div_ceil(ENDINGS.len())).enumerate() {
        write_table(&folder.join(format!("{place}.{}", ENDINGS[place])), part);
    }
}

fn batch(rows: &[Cells]) -> RecordBatch {
    let columns = columns(rows);
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

/// The same rows in memory, as `source`; `impressions` for those.
fn in_memory(sources: &Sources, source: &str, rows: &[Cells]) -> Input {
    let batch = batch(rows);
    let schema = batch.schema();
    let reader = Box::new(RecordBatchIterator::new([Ok(batch)], schema));
    let mut input = MemoryInput::new(sources, &Resources::default().with_threads(2));
    match source {
        "impressions" => input.add_impressions(reader).unwrap(),
        source => input.add(source, reader).unwrap(),
    }
    input.into()
}

/// Ingests with the library, into a store of its own.
fn ingest(store: &Path, options: &IngestOptions) -> IngestSummary {
    Ingester::open_or_create(&Folder::new(store), &Silent).unwrap().ingest(options, &Silent).unwrap()
}

fn open(store: &Path) -> Store {
    Store::open_reader(&Folder::new(store)).unwrap()
}

/// What the store holds but for the records of its batches, which tell of files.
fn content(store: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    dump(store).into_iter().filter(|(key, _)| key[0] != 0x14).collect()
}
