//! Reads a table of the file key by key; each failure names the file and the line.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use crate::error::{Error, Result};
use crate::text::Shown;

/// A file that is being read.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub path: &'a Path,
    pub text: &'a str,
}

/// A value and its position.
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

impl Document<'_> {
    /// Returns the error for a problem at a position.
    pub(super) fn error(&self, span: &Range<usize>, what: &str, remedy: &str) -> Error {
        let line = self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1;
        Error::input(format!("{} line {line}: {what}", self.path.shown()), remedy)
    }

    /// Returns the error for an unknown word: `what` describes it, `kind` names the allowed `words`.
    pub(super) fn unknown(&self, span: &Range<usize>, what: &str, typed: &str, kind: &str, words: &[&str]) -> Error {
        let all = words.join(", ");
        let remedy = match nearest(typed, words.iter().copied()) {
            Some(nearest) => format!("the nearest is {nearest} ({kind}: {all})"),
            None => format!("there are no {kind}"),
        };
        self.error(span, what, &remedy)
    }

    /// Returns the text of a value.
    pub(super) fn text_of<'v>(&self, name: &str, value: &'v Value<'_>) -> Result<&'v str> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text),
            other => Err(self.wrong_kind(name, value, other, "a text in quotes")),
        }
    }

    /// Returns the whole number from 0 to 255 of a value; `None` for a whole number outside that range.
    pub(super) fn small_number_of(&self, name: &str, value: &Value<'_>) -> Result<Option<u8>> {
        match value.get_ref() {
            DeValue::Integer(number) => Ok(u8::from_str_radix(number.as_str(), number.radix()).ok()),
            other => Err(self.wrong_kind(name, value, other, "a whole number")),
        }
    }

    /// Returns the whole number of a value. Fails beyond 64 bits.
    pub(super) fn whole_number_of(&self, name: &str, value: &Value<'_>) -> Result<i64> {
        match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).map_err(|error| {
                let what = format!("{name} does not fit a signed 64-bit integer");
                self.error(&value.span(), &what, "give a smaller number").caused_by(error)
            }),
            other => Err(self.wrong_kind(name, value, other, "a whole number")),
        }
    }

    /// Returns the flag of a value.
    pub(super) fn flag_of(&self, name: &str, value: &Value<'_>) -> Result<bool> {
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            other => Err(self.wrong_kind(name, value, other, "true or false")),
        }
    }

    /// Returns the texts of a list, each with its position.
    pub(super) fn texts_of<'v>(&self, name: &str, value: &'v Value<'_>) -> Result<Vec<(&'v str, Range<usize>)>> {
        match value.get_ref() {
            DeValue::Array(values) => {
                values.iter().map(|value| Ok((self.text_of(name, value)?, value.span()))).collect()
            }
            other => Err(self.wrong_kind(name, value, other, "a list of texts, [\"a\", \"b\"]")),
        }
    }

    fn wrong_kind(&self, name: &str, value: &Value<'_>, found: &DeValue<'_>, wanted: &str) -> Error {
        let found = match found {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(&value.span(), &format!("{name} is {found}"), &format!("give {wanted}"))
    }
}

/// A table with a name for messages, such as `[sources.events]`.
pub(super) struct Section<'a> {
    pub document: Document<'a>,
    pub name: String,
    pub span: Range<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// Returns the top-level table.
    pub(super) fn root(document: Document<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        Section { document, name: "the file".to_owned(), span: table.span(), table: table.get_ref() }
    }

    /// Returns the table of a value.
    pub(super) fn of(document: Document<'a>, name: String, value: &'a Value<'a>) -> Result<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(Section { document, name, span: value.span(), table }),
            other => Err(document.wrong_kind(&name, value, other, "a table of keys and values")),
        }
    }

    /// Fails on the first key, in the order of the file, that is not in `keys`.
    pub(super) fn only(&self, keys: &[&str]) -> Result<()> {
        match self.entries().into_iter().find(|(key, ..)| !keys.contains(key)) {
            None => Ok(()),
            Some((key, span, _)) => {
                let what = format!("{} has no key {key:?}", self.name);
                Err(self.document.unknown(&span, &what, key, "its keys are", keys))
            }
        }
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        self.table.get(key)
    }

    /// Returns the table of a key.
    pub(super) fn section(&self, key: &str, name: String) -> Result<Option<Section<'a>>> {
        self.get(key).map(|value| Section::of(self.document, name, value)).transpose()
    }

    /// Returns the text of a key. Fails on an empty text, which names nothing.
    pub(super) fn text(&self, key: &str) -> Result<Option<(&'a str, Range<usize>)>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let text = self.document.text_of(&format!("{key} in {}", self.name), value)?;
        if text.is_empty() {
            let what = format!("{key} in {} is empty", self.name);
            return Err(self.document.error(&value.span(), &what, "give a name, or leave the key out"));
        }
        Ok(Some((text, value.span())))
    }

    /// Returns all keys, with their positions and values, in the order of the file.
    pub(super) fn entries(&self) -> Vec<(&'a str, Range<usize>, &'a Value<'a>)> {
        let entries = self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        entries
    }

    /// Returns the error for a problem with the table as a whole.
    pub(super) fn error(&self, what: &str, remedy: &str) -> Error {
        self.document.error(&self.span, &format!("{} {what}", self.name), remedy)
    }
}
