//! Names of objects: what they hold and who wrote them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The content of a file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Content {
    /// Its XXH3-128, as 32 hexadecimal digits.
    pub xxh3_128: String,
    pub bytes: u64,
}

/// The name of an object: its content, and the run that wrote it, as 16 hexadecimal digits.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct ObjectName {
    pub content: Content,
    pub run: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.content.xxh3_128, self.content.bytes, self.run)
    }
}

impl FromStr for ObjectName {
    type Err = ();

    /// Fails for every text that is not written by [`fmt::Display`].
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-');
        let (Some(hash), Some(bytes), Some(run), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let content = Content { xxh3_128: hash.to_owned(), bytes: bytes.parse().map_err(|_| ())? };
        let name = ObjectName { content, run: run.to_owned() };
        let is_one = is_hex(hash, 32) && is_hex(run, 16) && name.to_string() == text;
        if is_one { Ok(name) } else { Err(()) }
    }
}

/// Whether a text is so many lower-case hexadecimal digits.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'))
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'text> Deserialize<'text> for ObjectName {
    fn deserialize<D: Deserializer<'text>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("an object has another name than lookback gives"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_no_other_text_is_one() {
        let hash = "0123456789abcdef0123456789abcdef";
        let text = format!("{hash}-42-00000000deadbeef");
        let name: ObjectName = text.parse().unwrap();
        assert_eq!((name.content.bytes, name.to_string()), (42, text.clone()));
        for other in [
            String::new(),
            hash.to_owned(),
            format!("{hash}-42"),
            format!("{hash}-042-00000000deadbeef"),
            format!("{hash}-+42-00000000deadbeef"),
            format!("{hash}--00000000deadbeef"),
            format!("{hash}-42-00000000deadbee"),
            format!("{hash}-42-00000000DEADBEEF"),
            format!("{text}-"),
            text.to_uppercase(),
        ] {
            assert!(other.parse::<ObjectName>().is_err(), "{other}");
        }
    }
}
