//! The same value in every format, in Parquet and in memory of each type that has it, in CSV and in JSON lines: the
//! same store and the same rows, and each refusal in the same words.

mod formed_times;
mod ids;
mod shown;
mod times;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeBinaryArray, RecordBatch, RecordBatchIterator, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use lookback::ingest::{IngestOptions, Ingester};
use lookback::input::{Input, MemoryInput};
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::sources::Sources;
use lookback::store::{Folder, Settings, Store};

use crate::support::input::write_parquet;
use crate::support::output::dump;
use crate::support::program::write_file;

/// One column of rows, as a form of input has it.
#[derive(Clone)]
enum Cells {
    /// In a Parquet file, and in memory.
    Typed(ArrayRef),
    /// In CSV, as the cells stand there.
    Csv(Vec<&'static str>),
    /// In JSON lines, as the values stand there.
    Json(Vec<&'static str>),
}

impl Cells {
    fn name(&self) -> String {
        match self {
            Cells::Typed(array) => array.data_type().to_string(),
            Cells::Csv(cells) => format!("CSV {cells:?}"),
            Cells::Json(values) => format!("JSON {values:?}"),
        }
    }
}

fn typed(array: impl Array + 'static) -> Cells {
    Cells::Typed(Arc::new(array))
}

/// Texts in every type of text and bytes.
fn texts(texts: &[&str]) -> Vec<Cells> {
    let plain: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let types = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, DataType::Binary, DataType::LargeBinary];
    let types = types.into_iter().chain([DataType::BinaryView, dictionary]);
    let mut columns: Vec<Cells> = types.map(|to| Cells::Typed(cast(&plain, &to).unwrap())).collect();
    if texts.iter().all(|text| text.len() == texts[0].len()) && !texts[0].is_empty() {
        columns.push(typed(FixedSizeBinaryArray::try_from_iter(texts.iter()).unwrap()));
    }
    columns
}

/// Integers in each of these types.
fn integers(values: &ArrayRef, types: &[DataType]) -> Vec<Cells> {
    types.iter().map(|to| Cells::Typed(cast(values, to).unwrap())).collect()
}

/// The rows of clicks, of which one column is of `cells` and the others are plain: written below a root or in memory.
/// `in_memory` concerns typed cells alone.
fn input(column: &str, cells: &Cells, in_memory: bool, sources: &Sources, root: &Path) -> Input {
    let folder = root.join("clicks/dt=2026-01-02");
    let others = |quote: &'static str| {
        [("customer_id", "5"), ("item_id", "6"), ("click_time", quote)]
            .into_iter()
            .filter(move |(name, _)| *name != column)
    };
    match cells {
        Cells::Typed(array) => {
            let plain = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; array.len()])) };
            let mut columns: Vec<(&str, ArrayRef)> =
                others("2026-01-02T03:04:05Z").map(|(name, text)| (name, plain(text))).collect();
            columns.push((column, Arc::clone(array)));
            if in_memory {
                return memory("clicks", sources, columns);
            }
            write_parquet(&folder.join("x.parquet"), &columns);
        }
        Cells::Csv(cells) => {
            let mut text = format!("{column},{}\n", others("").map(|(name, _)| name).collect::<Vec<_>>().join(","));
            for cell in cells {
                let others: Vec<&str> = others("2026-01-02T03:04:05Z").map(|(_, text)| text).collect();
                text += &format!("{cell},{}\n", others.join(","));
            }
            write_file(&folder.join("x.csv"), text.as_bytes());
        }
        Cells::Json(values) => {
            let row = |value: &&str| {
                let others = others("\"2026-01-02T03:04:05Z\"").map(|(name, text)| format!(",\"{name}\":{text}"));
                format!("{{\"{column}\":{value}{}}}\n", others.collect::<String>())
            };
            write_file(&folder.join("x.jsonl"), values.iter().map(row).collect::<String>().as_bytes());
        }
    }
    root.into()
}

/// The rows of one source in memory.
fn memory(source: &str, sources: &Sources, columns: Vec<(&str, ArrayRef)>) -> Input {
    let rows = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)));
    let rows = rows.unwrap();
    let reader = Box::new(RecordBatchIterator::new([Ok(rows.clone())], rows.schema()));
    let mut input = MemoryInput::new(sources, &resources());
    match source {
        "impressions" => input.add_impressions(reader).unwrap(),
        source => input.add(source, reader).unwrap(),
    }
    input.into()
}

fn resources() -> Resources {
    Resources::default().with_memory(256 << 20).with_threads(2)
}

/// What a store holds apart from the record of its batch, which names the files.
type Content = Vec<(Vec<u8>, Vec<u8>)>;

/// The content of a store after this input, or why it was refused: what stands behind "column".
fn outcome(column: &str, cells: &Cells, in_memory: bool, sources: &Sources) -> Result<Content, String> {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let zone = lookback::internals::zoneinfo::bundled_zone("America/New_York").unwrap();
    Store::create(&Folder::new(&store), Settings { zone, max_history: 9, ..Settings::default() }).unwrap();
    let input = input(column, cells, in_memory, sources, &place.path().join("input"));
    let options = IngestOptions::new(input, "2026-01-02".parse::<Day>().unwrap()).sources(sources.clone());
    let options = options.resources(resources()).allow_far_day(true);
    let done = Ingester::open_or_create(&Folder::new(&store), &Silent).unwrap().ingest(&options, &Silent);
    let refused = done.map_err(|error| {
        let sentence = error.to_string();
        let (_, reason) = sentence.split_once(" column ").unwrap_or_else(|| panic!("{}: {sentence}", cells.name()));
        reason.split_once("; ").unwrap().0.to_owned()
    });
    refused.map(|_| {
        let mut content = dump(&store);
        content.retain(|(key, _)| key[0] != 0x14);
        content
    })
}

/// Checks that all these forms of a column have the same outcome, and returns it.
fn same(column: &str, forms: &[Cells], sources: &Sources) -> Result<Content, String> {
    let expected = outcome(column, &forms[0], false, sources);
    for form in forms {
        let of_memory = matches!(form, Cells::Typed(_)).then_some(true);
        for in_memory in [Some(false), of_memory].into_iter().flatten() {
            let found = outcome(column, form, in_memory, sources);
            match (&found, &expected) {
                (Ok(found), Ok(expected)) => {
                    assert!(found == expected, "{column} {} {in_memory}: the stores differ", form.name());
                }
                _ => assert_eq!(
                    found.as_ref().map(drop),
                    expected.as_ref().map(drop),
                    "{column} {} {in_memory}",
                    form.name()
                ),
            }
        }
    }
    expected
}
