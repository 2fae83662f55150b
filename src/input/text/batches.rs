//! Batches of a text file, with the columns and types that a Parquet file would have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;

use super::csv::{CsvFile, CsvRows};
use super::json_lines::JsonLinesFile;
use super::json_list::lists;
use super::json_rows::JsonRows;
use super::written_rows::{Gathered, WrittenRows};
use crate::error::{Error, Result};
use crate::input::day_batch::{DayBatch, Fault, Places};
use crate::input::file_kind::Packing;
use crate::input::layout::DayFile;
use crate::input::wanted::Wanted;
use crate::model::IdForm;
use crate::resources::Resources;
use crate::sources::CsvDialect;
use crate::text::Shown;

/// An open text file, read only at its beginning.
pub(in crate::input) struct TextFile {
    path: PathBuf,
    file: AnyFile,
}

enum AnyFile {
    Csv(CsvFile),
    JsonLines(JsonLinesFile),
}

impl TextFile {
    /// Opens a CSV file; fails if its beginning shows another type.
    pub(crate) fn open_csv(
        day_file: &DayFile,
        packing: Packing,
        csv: &CsvDialect,
        resources: &Resources,
    ) -> Result<Self> {
        let file = AnyFile::Csv(CsvFile::open(day_file, packing, csv, resources)?);
        Ok(TextFile { path: day_file.path.clone(), file })
    }

    /// Opens a file of JSON lines; fails if its beginning shows another type.
    pub(crate) fn open_json_lines(
        day_file: &DayFile,
        packing: Packing,
        explode: Option<&str>,
        resources: &Resources,
    ) -> Result<Self> {
        let path = day_file.path.clone();
        Ok(TextFile { file: AnyFile::JsonLines(JsonLinesFile::open(day_file, packing, explode, resources)?), path })
    }

    /// Whether there is a column of this name.
    pub(crate) fn has(&self, column: &str) -> Result<bool> {
        match &self.file {
            AnyFile::Csv(file) => Ok(file.place(column)?.is_some()),
            AnyFile::JsonLines(file) => file.has(column),
        }
    }

    /// Returns the names of its columns; for JSON lines, those of the first object.
    pub(crate) fn columns(&self) -> Result<Vec<String>> {
        match &self.file {
            AnyFile::Csv(file) => Ok(file.names().to_vec()),
            AnyFile::JsonLines(file) => file.names(),
        }
    }

    /// Streams the columns in batches of at most `batch_rows` rows.
    ///
    /// Memory: see [`super::records::Records`]; and for a batch, a mebibyte of text and a row, and the values read from
    /// them.
    pub(crate) fn read(self, wanted: &[Wanted<'_>], batch_rows: usize) -> Result<TextBatches> {
        let rows = match self.file {
            AnyFile::Csv(file) => AnyRows::Csv(file.rows(wanted)?),
            AnyFile::JsonLines(file) => AnyRows::JsonLines(file.rows(wanted)?),
        };
        let written = WrittenRows::new(wanted.iter().map(|wanted| wanted.name()));
        let kinds = wanted.iter().map(|wanted| Kind::of(*wanted)).collect();
        Ok(TextBatches { path: self.path, rows, written, kinds, batch_rows, is_at_end: false })
    }
}

enum AnyRows {
    Csv(CsvRows),
    JsonLines(JsonRows),
}

/// The types that the texts of a column are read as.
enum Kind {
    /// Text stays text: the readers of the columns parse it, as they do text in a file of any format.
    Text,
    List {
        item: String,
        label: String,
        item_form: IdForm,
    },
}

impl Kind {
    fn of(wanted: Wanted<'_>) -> Self {
        match wanted {
            Wanted::List { item, label, item_form, .. } => {
                Kind::List { item: item.to_owned(), label: label.to_owned(), item_form }
            }
            _ => Kind::Text,
        }
    }
}

/// The batches of one file, in the order of its lines.
pub(in crate::input) struct TextBatches {
    path: PathBuf,
    rows: AnyRows,
    written: WrittenRows,
    kinds: Vec<Kind>,
    batch_rows: usize,
    /// Also true after an error.
    is_at_end: bool,
}

impl TextBatches {
    /// How many records read so far have no element in the exploded list.
    pub(crate) fn empty(&self) -> u64 {
        match &self.rows {
            AnyRows::Csv(_) => 0,
            AnyRows::JsonLines(rows) => rows.empty(),
        }
    }
}

impl Iterator for TextBatches {
    type Item = Result<DayBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_at_end && !self.written.is_full(self.batch_rows) {
            let more = match &mut self.rows {
                AnyRows::Csv(rows) => rows.next_into(&mut self.written),
                AnyRows::JsonLines(rows) => rows.next_into(&mut self.written),
            };
            match more {
                Ok(more) => self.is_at_end = !more,
                Err(error) => {
                    self.is_at_end = true;
                    self.written = WrittenRows::new(std::iter::empty());
                    return Some(Err(error));
                }
            }
        }
        (self.written.rows() > 0).then(|| {
            let batch = self.written.take().and_then(|gathered| typed(gathered, &self.kinds));
            batch.map_err(|error| unexpected(&self.path, error))
        })
    }
}

/// Returns the batch with each column read as its type.
fn typed(gathered: Gathered, kinds: &[Kind]) -> Result<DayBatch, ArrowError> {
    let Gathered { written, lines, elements, faults } = gathered;
    let mut faults = Faults(faults);
    let schema = written.schema();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(kinds.len());
    for ((kind, field), texts) in kinds.iter().zip(schema.fields()).zip(written.columns()) {
        let name = field.name();
        columns.push(match (kind, texts.as_string_opt::<i32>()) {
            (Kind::List { item, label, item_form }, Some(texts)) => {
                lists(texts, [item, label], *item_form, |row, field, reason| {
                    let column = field.map_or_else(|| name.clone(), |field| format!("{name}.{field}"));
                    faults.add(row, column, reason);
                })?
            }
            _ => Arc::clone(texts),
        });
    }
    let fields = schema.fields().iter().zip(&columns);
    let fields = fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
    let columns = RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?;
    Ok(DayBatch { columns, places: Places::At(lines), elements, written: Some(written), faults: faults.0 })
}

/// The faults of rows, in ascending order of rows; the first fault of each row counts.
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, index: usize, column: String, reason: String) {
        if let Err(place) = self.0.binary_search_by_key(&index, |fault| fault.index) {
            self.0.insert(place, Fault { index, column, reason, line: None });
        }
    }
}

fn unexpected(path: &Path, error: ArrowError) -> Error {
    Error::input(format!("the file {} cannot be read ({error})", path.shown()), "write the file again").caused_by(error)
}
