//! How the ids of an input become numbers.

use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::message::named;

named! {
    /// What the ids of customers or items are in the input.
    #[derive(Default, Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum IdForm {
        /// Integers, which stay what they are.
        #[default]
        Integer = "integer",
        /// Texts, each of which becomes the number that [`text_id`] gives.
        Text = "text",
    }
    ALL
}

impl IdForm {
    /// Returns the number of an id that was typed; `None` if it is no id.
    pub fn id_of(self, typed: &str) -> Option<i64> {
        match self {
            IdForm::Integer => typed.parse().ok(),
            IdForm::Text => (!typed.is_empty()).then(|| text_id(typed)),
        }
    }
}

/// How the ids of an input become numbers. A store records it with its first batch.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ids {
    /// What the ids of customers are.
    pub customer: IdForm,
    /// What the ids of items are.
    pub item: IdForm,
    /// Is added to the id of each item; 0 where these are texts.
    pub item_offset: i64,
}

/// A phrase, such as `customers as text, items as integers plus 1`.
impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = |form| match form {
            IdForm::Integer => "integers",
            IdForm::Text => "text",
        };
        let offset = match self.item_offset {
            0 => String::new(),
            offset @ ..0 => format!(" minus {}", offset.unsigned_abs()),
            offset => format!(" plus {offset}"),
        };
        write!(f, "customers as {}, items as {}{offset}", form(self.customer), form(self.item))
    }
}

/// Returns the number of an id that is text: XXH3-64 with seed 0 of its UTF-8 bytes, without the top bit; 1 in place of
/// 0, which is the padding.
pub fn text_id(text: &str) -> i64 {
    (xxh3_64(text.as_bytes()) & i64::MAX.cast_unsigned()).cast_signed().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores hold these numbers, which never change.
    #[test]
    fn golden_ids() {
        for (text, id) in [
            ("N55689", 2_767_284_040_330_994_559),
            ("0042", 8_346_447_177_880_239_328),
            ("42", 1_303_733_993_043_075_473),
        ] {
            assert_eq!(text_id(text), id, "{text}");
        }
    }

    #[test]
    fn ids_are_described_in_words() {
        let ids = Ids { customer: IdForm::Text, item: IdForm::Integer, item_offset: 1 };
        assert_eq!(ids.to_string(), "customers as text, items as integers plus 1");
        let ids = Ids { item_offset: i64::MIN, ..Ids::default() };
        assert_eq!(ids.to_string(), "customers as integers, items as integers minus 9223372036854775808");
    }
}
