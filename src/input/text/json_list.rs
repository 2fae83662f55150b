//! Lists of impressions in JSON: an array of objects, each with an item and a flag.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringArray, StringBuilder, StructArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields as StructFields};
use arrow::error::ArrowError;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::json_id::id_text;
use super::json_object::{Fields, Paths, Value, reason_of, scalar};
use crate::input::cells::Reason;
use crate::model::IdForm;

/// Builds a column of lists, row by row.
///
/// Memory: of each element, which takes at least three bytes of text, the texts of its values and nine bytes.
pub(super) struct JsonLists {
    /// The names of the item and of the flag.
    names: [String; 2],
    paths: Paths,
    item_form: IdForm,
    items: StringBuilder,
    labels: StringBuilder,
    /// Whether any element has the flag's field.
    has_label: bool,
    /// Which elements are objects (the others are null).
    objects: Vec<bool>,
    lengths: Vec<usize>,
    nulls: Vec<bool>,
}

/// A fault of a list: the field at fault, `None` for the list as a whole, and a phrase that follows its name.
type Wrong<'a> = (Option<&'a str>, Reason);

impl JsonLists {
    /// An empty column whose elements have these fields.
    pub(super) fn new([item, label]: [&str; 2], item_form: IdForm) -> Self {
        JsonLists {
            names: [item.to_owned(), label.to_owned()],
            paths: Paths::new([item, label]),
            item_form,
            items: StringBuilder::new(),
            labels: StringBuilder::new(),
            has_label: false,
            objects: Vec::new(),
            lengths: Vec::new(),
            nulls: Vec::new(),
        }
    }

    /// Adds the list of a row. Fails with the fault of the list; the elements before the fault stay.
    pub(super) fn push(&mut self, text: Option<&str>) -> Result<(), Wrong<'_>> {
        let before = self.objects.len();
        let text = text.map(|text| text.trim_matches([' ', '\t'])).filter(|text| !text.is_empty());
        let mut wrong = None;
        let read = text.map_or(Ok(()), |text| {
            let mut json = serde_json::Deserializer::from_str(text);
            Elements { lists: self, wrong: &mut wrong }.deserialize(&mut json).and_then(|()| json.end())
        });
        self.lengths.push(self.objects.len() - before);
        self.nulls.push(text.is_some());
        match (read, wrong) {
            (Err(error), _) => Err((None, format!("is not a JSON array of objects ({})", reason_of(&error, 0)))),
            (Ok(()), Some((field, reason))) => Err((self.names.get(field).map(String::as_str), reason)),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Returns the lists; if no element has a flag, without that field, like a Parquet file of the same rows.
    pub(super) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let [item, label] = self.names;
        let mut fields = vec![Field::new(item, DataType::Utf8, true)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.items.finish())];
        if self.has_label {
            fields.push(Field::new(label, DataType::Utf8, true));
            columns.push(Arc::new(self.labels.finish()));
        }
        let fields = StructFields::from(fields);
        let element = Arc::new(Field::new("element", DataType::Struct(fields.clone()), true));
        let objects = NullBuffer::new(BooleanBuffer::from(self.objects));
        let values = StructArray::try_new(fields, columns, Some(objects))?;
        let (offsets, nulls) = (OffsetBuffer::from_lengths(self.lengths), NullBuffer::from(self.nulls));
        Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), Some(nulls))?))
    }

    /// Adds an element by its values. Fails with the number of the field at fault, and the reason.
    fn element(&mut self, [item, label]: [Value<'_>; 2]) -> Result<(), (usize, Reason)> {
        self.has_label |= label != Value::Missing;
        let item = match self.item_form {
            IdForm::Integer => item.text(scalar),
            IdForm::Text => item.text(id_text),
        };
        let label = label.text(scalar);
        self.objects.push(true);
        self.items.append_option(item.as_ref().ok().and_then(Option::as_deref));
        self.labels.append_option(label.as_ref().ok().and_then(Option::as_deref));
        item.map_err(|reason| (0, reason.to_owned())).and(label.map_err(|reason| (1, reason.to_owned()))).map(|_| ())
    }
}

/// Parses an array of elements, or null.
struct Elements<'a> {
    lists: &'a mut JsonLists,
    /// The first fault: the number of the field, and the reason.
    wrong: &'a mut Option<(usize, Reason)>,
}

impl<'text> DeserializeSeed<'text> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'text>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'text> Visitor<'text> for Elements<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'text>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Element { lists: self.lists, wrong: self.wrong })?.is_some() {}
        Ok(())
    }
}

/// Parses one object, or null.
struct Element<'a> {
    lists: &'a mut JsonLists,
    wrong: &'a mut Option<(usize, Reason)>,
}

impl<'text> DeserializeSeed<'text> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'text>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'text> Visitor<'text> for Element<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.lists.objects.push(false);
        self.lists.items.append_null();
        self.lists.labels.append_null();
        Ok(())
    }

    fn visit_some<D: Deserializer<'text>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut values = [Value::Missing; 2];
        Fields { paths: &self.lists.paths, values: &mut values }.deserialize(deserializer)?;
        if let Err(wrong) = self.lists.element(values) {
            self.wrong.get_or_insert(wrong);
        }
        Ok(())
    }
}

/// Returns the lists of a column, and the faults in ascending order of rows: the row, the field, and a phrase.
pub(super) fn lists(
    texts: &StringArray,
    names: [&str; 2],
    item_form: IdForm,
    mut wrong: impl FnMut(usize, Option<&str>, Reason),
) -> Result<ArrayRef, ArrowError> {
    let mut lists = JsonLists::new(names, item_form);
    for (row, text) in texts.iter().enumerate() {
        if let Err((field, reason)) = lists.push(text) {
            wrong(row, field, reason);
        }
    }
    lists.finish()
}
