//! Bad rows: they make the batch fail, or go to the quarantine.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::layout::DayFile;
use super::parquet::error::write_failed;
use super::parquet::metadata::{column_names, metadata};
use crate::error::{Error, Result};
use crate::message::{message, named};
use crate::model::Day;
use crate::storage::{OwnFile, Place, Staged, remove_at};
use crate::text::Shown;

/// How many bad rows an error names.
const NAMED_ROWS: usize = 5;

/// How many bad rows are gathered before they are written to the quarantine, and how many bytes.
const GATHERED_ROWS: usize = 4_096;
const GATHERED_BYTES: usize = 1 << 20;

/// The file type of quarantined bad rows.
pub(crate) const BAD_ROWS: OwnFile = OwnFile {
    name: || "bad rows that lookback has set aside".into(),
    is_kind_of: |file| metadata(file).is_some_and(|found| column_names(&found).eq(COLUMNS)),
};
const COLUMNS: [&str; 5] = ["file", "row", "column", "reason", "cells"];

/// A row group of the quarantine ends after this many bytes.
const ROW_GROUP_BYTES: usize = 8 << 20;

named! {
    /// Which of the two folders below the quarantine; it also names the input in an error.
    pub enum QuarantineFolder {
        /// The actions of one batch.
        Actions = "actions",
        /// The impressions of one day.
        Impressions = "impressions",
    }
}

/// One bad row.
pub struct BadRow<'batch> {
    /// Its file.
    pub day_file: &'batch DayFile,
    /// Its row or line number in the file, see [`DayFile::place`].
    pub place: u64,
    /// The column at fault; empty if it is the whole line of a text.
    pub column: &'batch str,
    /// The reason, as a phrase that follows the column's name, or the row or line.
    pub reason: String,
    /// The cells of the row.
    pub cells: Cells<'batch>,
}

/// The cells of a bad row as the file has them.
#[derive(Clone, Copy)]
pub enum Cells<'batch> {
    /// The record batch of the row, and its index there.
    Row(&'batch RecordBatch, usize),
    /// A line of text without cells.
    Line(&'batch str),
}

/// Gathers the bad rows of one batch of actions or one day of impressions.
///
/// Memory: five bad rows; with a quarantine, 4,096 bad rows, or a mebibyte of them and one more, and a row group of 8
/// MiB of the quarantine file.
pub struct BadRows {
    folder: QuarantineFolder,
    day: Day,
    count: u64,
    named: Vec<String>,
    /// What the named rows are in: files or data.
    noun: &'static str,
    quarantine: Option<Quarantine>,
}

impl BadRows {
    /// No rows yet. With `quarantine`, they go to `<quarantine>/<actions or impressions>/dt=<day>/bad-rows.parquet`.
    pub fn new(folder: QuarantineFolder, day: Day, quarantine: Option<Place>) -> Self {
        let quarantine = quarantine.map(|place| {
            let path = place.path().join(folder.name()).join(format!("dt={day}")).join("bad-rows.parquet");
            Quarantine { place, path, gathered: Vec::new(), gathered_bytes: 0, writer: None }
        });
        BadRows { folder, day, count: 0, named: Vec::new(), noun: "file", quarantine }
    }

    /// How many bad rows were added so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a bad row.
    pub fn add(&mut self, bad: BadRow<'_>) -> Result<()> {
        self.count += 1;
        if let Some(quarantine) = &mut self.quarantine {
            return quarantine.add(&bad);
        }
        if self.named.len() < NAMED_ROWS {
            let column = if bad.column.is_empty() { String::new() } else { format!(" column {}", bad.column) };
            self.named.push(format!("{}{column} {}", bad.day_file.row(bad.place), bad.reason));
            self.noun = bad.day_file.subject().noun();
        }
        Ok(())
    }

    /// Fails if a text file has bad rows and `good` is 0: it is probably a different file than intended, and none of
    /// its rows goes to a quarantine. Call it with the bad rows of that file alone.
    pub fn refuse_whole(&self, day_file: &DayFile, good: u64) -> Result<()> {
        let Some(first) = self.named.first().filter(|_| good == 0 && day_file.is_text()) else { return Ok(()) };
        Err(Error::input(
            format!("the file {} has no readable row: {first}", day_file.path.shown()),
            "correct the file, or begin its name with _ if it is not data; a quarantine takes rows, not whole files",
        ))
    }

    /// Without a quarantine: fails if there are bad rows, and names the first few. With one: publishes its file, or
    /// removes the file of an earlier run if there are no bad rows. Returns the number of rows set aside.
    pub fn finish(self) -> Result<u64> {
        match self.quarantine {
            Some(quarantine) => quarantine.finish()?,
            None if self.count == 0 => {}
            None => {
                let rows = if self.count == 1 { "1 bad row".to_owned() } else { format!("{} bad rows", self.count) };
                let what = if self.noun == "file" { "files" } else { "data" };
                let more = if self.count > self.named.len() as u64 { " and more" } else { "" };
                return Err(Error::input(
                    format!("the {} of {} have {rows}: {}{more}", self.folder.name(), self.day, self.named.join(", ")),
                    message![
                        "correct the {what}, or set the rows aside with ",
                        Quarantine,
                        " DIR; nothing was changed"
                    ],
                ));
            }
        }
        Ok(self.count)
    }
}

/// The quarantine file, written aside until it is complete.
struct Quarantine {
    place: Place,
    path: PathBuf,
    gathered: Vec<[String; 5]>,
    gathered_bytes: usize,
    writer: Option<(Staged, ArrowWriter<File>)>,
}

impl Quarantine {
    fn add(&mut self, bad: &BadRow<'_>) -> Result<()> {
        let row = [
            bad.day_file.path.plain(),
            bad.place.to_string(),
            bad.column.to_owned(),
            bad.reason.clone(),
            bad.cells.to_json(),
        ];
        self.gathered_bytes += row.iter().map(String::len).sum::<usize>();
        self.gathered.push(row);
        let is_full = self.gathered.len() >= GATHERED_ROWS || self.gathered_bytes >= GATHERED_BYTES;
        if is_full { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let text = |place: usize| -> ArrayRef {
            Arc::new(self.gathered.iter().map(|row| row.get(place)).collect::<StringArray>())
        };
        let rows = self.gathered.iter().map(|row| row.get(1).and_then(|row| row.parse().ok()));
        let columns = vec![text(0), Arc::new(rows.collect::<UInt64Array>()), text(2), text(3), text(4)];
        let text_field = |name: &str| Field::new(name, DataType::Utf8, false);
        let schema = Arc::new(Schema::new(vec![
            text_field("file"),
            Field::new("row", DataType::UInt64, false),
            text_field("column"),
            text_field("reason"),
            text_field("cells"),
        ]));
        if self.writer.is_none() {
            let staged = Staged::create(&self.place, &self.path, BAD_ROWS)?;
            let writer = ArrowWriter::try_new(staged.file()?, Arc::clone(&schema), Some(properties()));
            self.writer = Some((staged, writer.map_err(|error| write_failed(&self.path, error))?));
        }
        if let Some((_, writer)) = &mut self.writer {
            let written = RecordBatch::try_new(schema, columns)
                .map_err(ParquetError::from)
                .and_then(|batch| writer.write(&batch))
                .and_then(|()| if writer.in_progress_size() > ROW_GROUP_BYTES { writer.flush() } else { Ok(()) });
            written.map_err(|error| write_failed(&self.path, error))?;
        }
        self.gathered.clear();
        self.gathered_bytes = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        if !self.gathered.is_empty() {
            self.write()?;
        }
        match self.writer.take() {
            Some((staged, writer)) => {
                let closed = writer.close();
                closed.map_err(|error| write_failed(&self.path, error))?;
                staged.publish()
            }
            None => remove_at(&self.place, &self.path, BAD_ROWS),
        }
    }
}

/// Cells can be long and rarely repeat: a dictionary and bounds would each hold another copy of them in memory.
fn properties() -> WriterProperties {
    let cells = || ColumnPath::from("cells");
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_column_dictionary_enabled(cells(), false)
        .set_column_statistics_enabled(cells(), EnabledStatistics::None)
        .build()
}

impl Cells<'_> {
    /// Returns one JSON object: from column name to text or null, or from `line` to the line.
    fn to_json(self) -> String {
        let cells = match self {
            Cells::Row(batch, index) => cells(batch, index),
            Cells::Line(line) => [("line".to_owned(), serde_json::Value::from(line))].into_iter().collect(),
        };
        serde_json::Value::Object(cells).to_string()
    }
}

fn cells(batch: &RecordBatch, index: usize) -> serde_json::Map<String, serde_json::Value> {
    let schema = batch.schema();
    let cells = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let text = ArrayFormatter::try_new(column, &FormatOptions::default())
            .ok()
            .filter(|_| column.is_valid(index))
            .and_then(|formatter| formatter.value(index).try_to_string().ok());
        (field.name().clone(), text.map_or(serde_json::Value::Null, serde_json::Value::String))
    });
    cells.collect()
}
