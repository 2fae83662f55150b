//! The fields of a spilled record.

/// Reads the fields of a record one after the other, as [`super::Record::encode`] has put them; `None` where there are
/// too few bytes.
pub(crate) struct Fields<'bytes>(pub &'bytes [u8]);

impl<'bytes> Fields<'bytes> {
    /// Returns the next bytes, for `from_le_bytes`.
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    /// Returns a flag.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        self.take().map(|[flag]| flag == 1)
    }

    /// Returns what [`put_text`] has put.
    pub(crate) fn text(&mut self) -> Option<Option<String>> {
        let is_there = self.flag()?;
        let length = usize::try_from(u64::from_le_bytes(self.take()?)).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let text = String::from_utf8(text.to_vec()).ok()?;
        Some(is_there.then_some(text))
    }

    /// Returns the record if all bytes have been read.
    pub(crate) fn end<R>(&self, record: R) -> Option<R> {
        self.0.is_empty().then_some(record)
    }
}

/// Appends a text, and whether it is there.
pub(crate) fn put_text(text: Option<&str>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(text.is_some()));
    let text = text.unwrap_or_default();
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}
