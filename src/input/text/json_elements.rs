//! The elements of one JSON array, one after the other.

use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::error::Result;
use crate::exact::Held;

/// The invariant that the array is JSON.
const CHECKED: &str = "a list that was parsed is JSON";

/// Yields the elements of an array as the text has them. Memory: the text.
pub(super) struct JsonElements {
    text: String,
    /// How many bytes were read.
    position: usize,
}

impl JsonElements {
    /// The elements of `value`, which is JSON; `None` if it is no array.
    pub(super) fn of(value: &str) -> Option<Self> {
        value.starts_with('[').then(|| JsonElements { text: value.to_owned(), position: 1 })
    }

    /// Returns the next element.
    pub(super) fn take(&mut self) -> Result<Option<&str>> {
        let rest = self.text.get(self.position..).held(CHECKED)?;
        let begun = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        if begun.starts_with(']') {
            return Ok(None);
        }
        let mut values = Deserializer::from_str(begun).into_iter::<&RawValue>();
        let element = values.next().and_then(Result::ok).held(CHECKED)?.get();
        self.position += rest.len() - begun.len() + values.byte_offset();
        Ok(Some(element))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_as_they_stand() {
        let elements = |text: &str| {
            let mut elements = JsonElements::of(text)?;
            let mut all = Vec::new();
            while let Some(element) = elements.take().unwrap() {
                all.push(element.to_owned());
            }
            Some(all)
        };
        let all = [r#"{"a":[1,2]}"#, "1", "-2.5e3", "null", r#""],[""#, "[[],{}]", "true"].map(str::to_owned);
        assert_eq!(elements(&format!("[{}]", all.join(","))), Some(all.to_vec()));
        assert_eq!(elements(&format!("[ {} ]", all.join(" ,\t"))), Some(all.to_vec()));
        assert_eq!(elements("[]"), Some(Vec::new()));
        assert_eq!(elements("[ ]"), Some(Vec::new()));
        assert_eq!((elements("{}"), elements("null"), elements("\"[]\"")), (None, None, None));
    }
}
