//! JSON lines: each line that is not blank is an object, whose names are the columns.

use std::path::{Path, PathBuf};

use serde::de::DeserializeSeed;
use serde_json::Deserializer;

use super::json_id::id_text;
use super::json_object::{Fields, Names, reason_of, scalar};
use super::records::{Ends, Records};
use super::written_rows::{Cell, WrittenRows};
use crate::error::Result;
use crate::input::cells::NOT_UTF8;
use crate::input::file_kind::Packing;
use crate::input::wanted::{Wanted, missing_column};
use crate::resources::Resources;

/// An open file before its rows are read.
pub(super) struct JsonLinesFile {
    path: PathBuf,
    packing: Packing,
    records: Records,
    resources: Resources,
}

impl JsonLinesFile {
    /// Opens a file. Fails if it is one array of objects instead of one object per line, or if its first object spans
    /// several lines.
    pub(super) fn open(path: &Path, packing: Packing, resources: &Resources) -> Result<Self> {
        let records = Records::open(path, packing, Ends::Line, resources)?;
        if records.rest().trim_ascii_start().starts_with(b"[") {
            let remedy = "write each object on a line of its own";
            return Err(records.broken("it begins with a JSON array, where there should be one object a line", remedy));
        }
        let file = JsonLinesFile { path: path.to_owned(), packing, records, resources: resources.clone() };
        if file.begins_over_several_lines()? {
            let remedy = "write each object on a line of its own, without breaks in it";
            return Err(file
                .records
                .broken("its first object spans several lines, where there should be one object a line", remedy));
        }
        Ok(file)
    }

    /// Whether the first line that is not blank begins an object and the next line continues it. A truncated line, by
    /// contrast, is followed by another object.
    fn begins_over_several_lines(&self) -> Result<bool> {
        let line_end = |text: &[u8]| memchr::memchr(b'\n', text).and_then(|end| text.get(..end)).map(<[u8]>::to_vec);
        // Usually the first line is already in the buffer, and complete.
        if line_end(self.records.rest()).is_some_and(|line| line.trim_ascii_end().ends_with(b"}")) {
            return Ok(false);
        }
        let mut records = Records::open(&self.path, self.packing, Ends::Line, &self.resources)?;
        let mut is_open = false;
        while let Some(record) = records.take()? {
            let line = record.bytes.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if is_open {
                return Ok(!line.starts_with(b"{"));
            }
            is_open = line.starts_with(b"{")
                && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err_and(|error| error.is_eof());
            if !is_open {
                break;
            }
        }
        Ok(false)
    }

    /// Whether any object has this name. Reads the file again from the beginning, up to that object.
    pub(super) fn has(&self, column: &str) -> Result<bool> {
        let names = [column.to_owned()];
        let found = self.first(|json| {
            let mut values = [None];
            let read = Fields { names: &names, values: &mut values }.deserialize(json);
            read.ok().filter(|()| values != [None])
        });
        Ok(found?.is_some())
    }

    /// Returns the first few names of the first object.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        Ok(self.first(|json| Names.deserialize(json).ok())?.unwrap_or_default())
    }

    /// Returns the result of `look` on the first line for which it has one.
    fn first<T>(
        &self,
        look: impl Fn(&mut Deserializer<serde_json::de::StrRead<'_>>) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut records = Records::open(&self.path, self.packing, Ends::Line, &self.resources)?;
        while let Some(record) = records.take()? {
            let text = std::str::from_utf8(record.bytes).ok();
            if let Some(found) = text.and_then(|text| look(&mut Deserializer::from_str(text))) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Returns the rows, each with its values in these columns. Fails if no object has such a column, unless it may be
    /// missing, or if the file has no object.
    pub(super) fn rows(self, wanted: &[Wanted<'_>]) -> Result<JsonRows> {
        for wanted in wanted.iter().filter(|wanted| !wanted.is_sparse()) {
            if !self.has(wanted.name())?
                && let Some(first) = self.first(|json| Names.deserialize(json).ok())?
            {
                return Err(missing_column(self.path.as_path(), wanted.name(), first.iter().map(String::as_str)));
            }
        }
        let names = wanted.iter().map(|wanted| wanted.name().to_owned()).collect();
        let forms = wanted.iter().map(|wanted| match wanted {
            Wanted::List { .. } => ValueForm::Json,
            wanted if wanted.is_text_id() => ValueForm::TextId,
            _ => ValueForm::Scalar,
        });
        Ok(JsonRows { records: self.records, names, forms: forms.collect() })
    }
}

/// The rows of a file, in order.
pub(super) struct JsonRows {
    records: Records,
    names: Vec<String>,
    /// What becomes of the values of each column.
    forms: Vec<ValueForm>,
}

/// What becomes of a value.
#[derive(Clone, Copy)]
enum ValueForm {
    /// A list stays JSON.
    Json,
    /// A text, number or boolean as the file has it.
    Scalar,
    /// An id that is text.
    TextId,
}

impl JsonRows {
    /// Puts the next row into `written`; false after the last row. Blank lines are skipped.
    pub(super) fn next_into(&mut self, written: &mut WrittenRows) -> Result<bool> {
        loop {
            let Some(record) = self.records.take()? else { return Ok(false) };
            if record.bytes.trim_ascii().is_empty() {
                continue;
            }
            let Ok(text) = std::str::from_utf8(record.bytes) else {
                written.push_line(record.line, NOT_UTF8.to_owned(), record.bytes);
                return Ok(true);
            };
            let mut values = vec![None; self.names.len()];
            let mut json = Deserializer::from_str(text);
            let read = Fields { names: &self.names, values: &mut values }.deserialize(&mut json);
            match read.and_then(|()| json.end()) {
                Ok(()) => {
                    let row = values.iter().zip(&self.forms).map(|(value, form)| cell(*value, *form));
                    written.push(record.line, row);
                }
                Err(error) => {
                    let reason = format!("is not a JSON object ({})", reason_of(&error));
                    written.push_line(record.line, reason, record.bytes);
                }
            }
            return Ok(true);
        }
    }
}

/// Returns a value as the cell of a row.
fn cell(value: Option<&str>, form: ValueForm) -> Cell<'_> {
    let Some(value) = value.filter(|value| *value != "null") else { return Cell::Null };
    let text = match form {
        ValueForm::Json => return Cell::Text(value.into()),
        ValueForm::Scalar => scalar(value),
        ValueForm::TextId => id_text(value),
    };
    match text {
        Ok(text) => text.map_or(Cell::Null, Cell::Text),
        Err(reason) => Cell::Bad(value.into(), reason),
    }
}
