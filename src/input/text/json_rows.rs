//! The rows of JSON lines: each object is one, or each element of a list in each object.

use serde::de::DeserializeSeed;
use serde_json::Deserializer;

use super::json_elements::JsonElements;
use super::json_id::id_text;
use super::json_object::{Fields, NO_FIELD, Paths, Value, phrase_of, reason_of, scalar};
use super::records::Records;
use super::written_rows::{Cell, WrittenRows};
use crate::error::Result;
use crate::exact::Held;
use crate::input::cells::NOT_UTF8;
use crate::input::wanted::Wanted;
use crate::sources::in_element;

/// The rows of a file, in order.
///
/// Memory: the values of one object, as [`Records`] has it; if a list is exploded, the object once more.
pub(super) struct JsonRows {
    records: Records,
    columns: JsonColumns,
    explode: Option<String>,
    /// The object whose elements are being read.
    open: Option<OpenObject>,
    empty: u64,
}

/// Where the values of the columns are.
struct JsonColumns {
    /// Of an object; the last one is the exploded list, if there is one.
    paths: Paths,
    /// Of an element.
    of_element: Paths,
    columns: Vec<JsonColumn>,
}

struct JsonColumn {
    source: ValueSource,
    form: ValueForm,
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

impl ValueForm {
    fn of(wanted: Wanted<'_>) -> Self {
        match wanted {
            Wanted::List { .. } => ValueForm::Json,
            wanted if wanted.is_text_id() => ValueForm::TextId,
            _ => ValueForm::Scalar,
        }
    }
}

/// Where the value of a column is.
#[derive(Clone, Copy)]
enum ValueSource {
    /// At an index of the values of the object.
    Object(usize),
    /// At an index of the values of the element.
    Element(usize),
    /// It is the element.
    WholeElement,
}

impl JsonColumns {
    fn new(wanted: &[Wanted<'_>], explode: Option<&str>) -> Self {
        let (mut names, mut of_element, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for wanted in wanted {
            let source = match in_element(explode, wanted.name()) {
                None => {
                    names.push(wanted.name());
                    ValueSource::Object(names.len() - 1)
                }
                Some("") => ValueSource::WholeElement,
                Some(name) => {
                    of_element.push(name);
                    ValueSource::Element(of_element.len() - 1)
                }
            };
            columns.push(JsonColumn { source, form: ValueForm::of(*wanted) });
        }
        names.extend(explode);
        JsonColumns { paths: Paths::new(names), of_element: Paths::new(of_element), columns }
    }
}

impl JsonRows {
    /// Returns the rows of the records.
    pub(super) fn new(records: Records, wanted: &[Wanted<'_>], explode: Option<String>) -> Self {
        let columns = JsonColumns::new(wanted, explode.as_deref());
        JsonRows { records, columns, explode, open: None, empty: 0 }
    }

    /// How many objects read so far have no element in the exploded list.
    pub(super) fn empty(&self) -> u64 {
        self.empty
    }

    /// Puts the next row into `written`; false after the last row. Blank lines are skipped.
    pub(super) fn next_into(&mut self, written: &mut WrittenRows) -> Result<bool> {
        loop {
            if let Some(open) = &mut self.open {
                let list = self.explode.as_deref().unwrap_or_default();
                if open.next_into(&self.columns, list, written)? {
                    return Ok(true);
                }
                self.empty += u64::from(open.number == 0);
                self.open = None;
            }
            let Some(record) = self.records.take()? else { return Ok(false) };
            if record.bytes.trim_ascii().is_empty() {
                continue;
            }
            let Ok(text) = std::str::from_utf8(record.bytes) else {
                written.push_line(record.line, NOT_UTF8.to_owned(), record.bytes);
                return Ok(true);
            };
            let JsonColumns { paths, columns, .. } = &self.columns;
            let mut values = paths.no_values();
            let mut json = Deserializer::from_str(text);
            let read = Fields { paths, values: &mut values }.deserialize(&mut json).and_then(|()| json.end());
            let line = record.line;
            match (read, &self.explode) {
                (Err(error), _) if !record.is_uncut => {
                    let reason = format!("is not a JSON object ({})", reason_of(&error, record.offset));
                    written.push_line(line, reason, record.bytes);
                    return Ok(true);
                }
                // Several objects, perhaps.
                (Err(_), _) => self.records.cut(),
                (Ok(()), None) => {
                    written.push(line, columns.iter().map(|column| column.cell(&values, &[], "")));
                    return Ok(true);
                }
                (Ok(()), Some(list)) => {
                    let elements = match values.last().held("the exploded list has a name")? {
                        Value::Missing | Value::Json("null") => Ok(None),
                        Value::Json(json) => JsonElements::of(json).map(Some).ok_or("is not a list"),
                        Value::Blocked(_) => Err(NO_FIELD),
                    };
                    let cells = columns.iter().map(|column| column.cell(&values, &[], "null"));
                    match elements {
                        Ok(None) => self.empty += 1,
                        Ok(Some(elements)) => {
                            let cells = cells.map(Cell::into_owned).collect();
                            self.open = Some(OpenObject { line, cells, elements, number: 0 });
                        }
                        Err(reason) => {
                            written.push(line, cells);
                            written.fault(list, reason.to_owned());
                            return Ok(true);
                        }
                    }
                }
            }
        }
    }
}

impl JsonColumn {
    /// Its cell in a row, which is an object or an element of a list in it.
    fn cell<'text>(&self, object: &[Value<'text>], of_element: &[Value<'text>], element: &'text str) -> Cell<'text> {
        let value = match self.source {
            ValueSource::Object(place) => object.get(place).copied(),
            ValueSource::Element(place) => of_element.get(place).copied(),
            ValueSource::WholeElement => Some(Value::Json(element)),
        };
        let (json, text) = match value.unwrap_or_default() {
            Value::Missing | Value::Json("null") => return Cell::Null,
            Value::Blocked(json) => (json, Err(NO_FIELD)),
            Value::Json(json) => match self.form {
                ValueForm::Json => return Cell::Text(json.into()),
                ValueForm::Scalar => (json, scalar(json)),
                ValueForm::TextId => (json, id_text(json)),
            },
        };
        match text {
            Ok(text) => text.map_or(Cell::Null, Cell::Text),
            Err(reason) => Cell::Bad(json.into(), reason),
        }
    }
}

/// An object whose elements are the rows.
struct OpenObject {
    line: u64,
    /// The cell of each column; those of an element are null.
    cells: Vec<Cell<'static>>,
    elements: JsonElements,
    /// How many elements were read.
    number: u64,
}

impl OpenObject {
    /// Puts the next element into `written`; false after the last one.
    fn next_into(&mut self, columns: &JsonColumns, list: &str, written: &mut WrittenRows) -> Result<bool> {
        let Some(element) = self.elements.take()? else { return Ok(false) };
        self.number += 1;
        let mut values = columns.of_element.no_values();
        let mut read = Ok(());
        if element.starts_with('{') {
            let fields = Fields { paths: &columns.of_element, values: &mut values };
            read = fields.deserialize(&mut Deserializer::from_str(element));
            if read.is_err() {
                values.fill(Value::Missing);
            }
        } else if element != "null" {
            values.fill(Value::Blocked(element));
        }
        let cells = columns.columns.iter().zip(&self.cells).map(|(column, cell)| match column.source {
            ValueSource::Object(_) => cell.borrowed(),
            ValueSource::Element(_) | ValueSource::WholeElement => column.cell(&[], &values, element),
        });
        written.push_element(self.line, self.number, cells);
        if let Err(error) = read {
            written.fault(list, format!("is not a JSON object ({})", phrase_of(&error)));
        }
        Ok(true)
    }
}
