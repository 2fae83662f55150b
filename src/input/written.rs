//! What an id is written as beside its number, where a sort must keep it.

use crate::error::Result;
use crate::exact::Held;
use crate::sort::{Fields, put_text};

/// Nothing for an integer, or a text.
pub(crate) trait Written: Ord + Clone + Send + Sync {
    /// Returns what an id with this text is written as.
    fn of(text: Option<&str>) -> Result<Self>;
    /// Returns the number of an id: `id`, or where it is text, what `text_id` gives.
    fn number(&self, id: i64, text_id: fn(&str) -> i64) -> i64;
    /// Appends its bytes.
    fn put(&self, bytes: &mut Vec<u8>);
    /// Returns what [`Self::put`] has put.
    fn take(fields: &mut Fields<'_>) -> Option<Self>;
    /// Returns the text.
    fn text(self) -> Option<Box<str>>;
    /// Returns the bytes of the text.
    fn len(&self) -> usize;
}

impl Written for () {
    fn of(_: Option<&str>) -> Result<Self> {
        Ok(())
    }

    fn number(&self, id: i64, _: fn(&str) -> i64) -> i64 {
        id
    }

    fn put(&self, _: &mut Vec<u8>) {}

    fn take(_: &mut Fields<'_>) -> Option<Self> {
        Some(())
    }

    fn text(self) -> Option<Box<str>> {
        None
    }

    fn len(&self) -> usize {
        0
    }
}

impl Written for Box<str> {
    fn of(text: Option<&str>) -> Result<Self> {
        Ok(text.held("an id that is text has one")?.into())
    }

    fn number(&self, _: i64, text_id: fn(&str) -> i64) -> i64 {
        text_id(self)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put_text(Some(self), bytes);
    }

    fn take(fields: &mut Fields<'_>) -> Option<Self> {
        fields.text()?.map(Into::into)
    }

    fn text(self) -> Option<Box<str>> {
        Some(self)
    }

    fn len(&self) -> usize {
        str::len(self)
    }
}
