//! JSON lines: each line that is not blank is an object, or several one behind the other; their names are the columns.

use serde::de::DeserializeSeed;
use serde_json::Deserializer;

use super::json_elements::JsonElements;
use super::json_object::{Fields, Names, Paths, Value};
use super::json_rows::JsonRows;
use super::records::{Ends, Records};
use crate::error::Result;
use crate::input::file_kind::Packing;
use crate::input::layout::DayFile;
use crate::input::wanted::{Wanted, missing_column};
use crate::resources::Resources;
use crate::sources::in_element;

/// An open file before its rows are read.
pub(super) struct JsonLinesFile {
    file: DayFile,
    packing: Packing,
    records: Records,
    resources: Resources,
    /// The list whose elements are the rows.
    explode: Option<String>,
}

impl JsonLinesFile {
    /// Opens a file. Fails if it is one array of objects instead of one object per line, or if its first object spans
    /// several lines.
    pub(super) fn open(file: &DayFile, packing: Packing, explode: Option<&str>, resources: &Resources) -> Result<Self> {
        let records = Records::open(file, packing, Ends::Line, resources)?;
        if records.rest().trim_ascii_start().starts_with(b"[") {
            let remedy = "write each object on a line of its own";
            return Err(records.broken("it begins with a JSON array, where there should be one object a line", remedy));
        }
        let file = JsonLinesFile {
            file: file.clone(),
            packing,
            records,
            resources: resources.clone(),
            explode: explode.map(str::to_owned),
        };
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
        let mut records = Records::open(&self.file, self.packing, Ends::Line, &self.resources)?;
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

    /// Whether any object, or any element of the exploded list, has this name. Reads the file again from the beginning,
    /// up to that one.
    pub(super) fn has(&self, column: &str) -> Result<bool> {
        Ok(self.look_for(column)? == Sought::Found)
    }

    fn look_for(&self, column: &str) -> Result<Sought> {
        let Some(list) = self.explode.as_deref() else { return self.look_for_value(column) };
        let Some(name) = in_element(Some(list), column) else { return self.look_for_value(column) };
        let (list, paths) = (Paths::new([list]), Paths::new([name]));
        let mut sought = Sought::Nowhere;
        let found = self.first(|json| {
            let mut values = [Value::Missing];
            Fields { paths: &list, values: &mut values }.deserialize(json).ok()?;
            let [Value::Json(json)] = values else { return None };
            let mut elements = JsonElements::of(json)?;
            while let Some(element) = elements.take().ok()? {
                sought = Sought::Lacking;
                let mut value = [Value::Missing];
                let is_read =
                    Fields { paths: &paths, values: &mut value }.deserialize(&mut Deserializer::from_str(element));
                if name.is_empty() || is_read.is_ok() && value != [Value::Missing] {
                    return Some(());
                }
            }
            None
        })?;
        Ok(if found.is_some() { Sought::Found } else { sought })
    }

    fn look_for_value(&self, column: &str) -> Result<Sought> {
        let paths = Paths::new([column]);
        let mut sought = Sought::Nowhere;
        let found = self.first(|json| {
            let mut values = [Value::Missing];
            let read = Fields { paths: &paths, values: &mut values }.deserialize(json);
            read.ok()?;
            sought = Sought::Lacking;
            (values != [Value::Missing]).then_some(())
        })?;
        Ok(if found.is_some() { Sought::Found } else { sought })
    }

    /// Returns the first few names of the first object.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        Ok(self.first(|json| Names.deserialize(json).ok())?.unwrap_or_default())
    }

    /// Returns the result of `look` on the first object for which it has one.
    fn first<T>(
        &self,
        mut look: impl FnMut(&mut Deserializer<serde_json::de::StrRead<'_>>) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut records = Records::open(&self.file, self.packing, Ends::Line, &self.resources)?;
        while let Some(record) = records.take()? {
            let Ok(text) = std::str::from_utf8(record.bytes) else { continue };
            let mut json = Deserializer::from_str(text);
            if let Some(found) = look(&mut json) {
                return Ok(Some(found));
            }
            if record.is_uncut && json.end().is_err() {
                records.cut();
            }
        }
        Ok(None)
    }

    /// Returns the rows, each with its values in these columns. Fails if no object, or no element of the exploded list,
    /// has such a column, unless it may be missing, or if the file has neither.
    pub(super) fn rows(self, wanted: &[Wanted<'_>]) -> Result<JsonRows> {
        let list = self.explode.as_deref().into_iter().map(|list| (list, true));
        let names = wanted.iter().filter(|wanted| !wanted.is_sparse()).map(|wanted| (wanted.name(), false));
        for (name, is_list) in list.chain(names) {
            let sought = if is_list { self.look_for_value(name)? } else { self.look_for(name)? };
            if sought == Sought::Lacking {
                return Err(missing_column(self.file.path.as_path(), name, self.names()?.iter().map(String::as_str)));
            }
        }
        Ok(JsonRows::new(self.records, wanted, self.explode))
    }
}

/// What came of a search for a column.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Sought {
    Found,
    /// There are objects or elements, and none has it.
    Lacking,
    /// There is nothing that could have it.
    Nowhere,
}
