//! The values of given names in one JSON object, as the text has them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Sets the values of `names` from an object, each at the same index in `values`; other names are skipped, but their
/// values must be JSON. Fails if a name occurs twice.
pub(super) struct Fields<'a, 'text> {
    pub names: &'a [String],
    /// As many as there are names; `None` if the object lacks the name.
    pub values: &'a mut [Option<&'text str>],
}

impl<'text> DeserializeSeed<'text> for Fields<'_, 'text> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'text>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'text> Visitor<'text> for Fields<'_, 'text> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'text>>(self, mut map: A) -> Result<(), A::Error> {
        self.values.fill(None);
        while let Some(place) = map.next_key_seed(Place(self.names))? {
            let field = place.and_then(|place| self.names.get(place).zip(self.values.get_mut(place)));
            let Some((name, value)) = field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if value.replace(map.next_value::<&RawValue>()?.get()).is_some() {
                return Err(A::Error::custom(format!("it has {name} twice")));
            }
        }
        Ok(())
    }
}

/// Reads the first few names of an object.
pub(super) struct Names;

/// How many names are read.
const NAMES_MAX: usize = 100;

impl<'text> DeserializeSeed<'text> for Names {
    type Value = Vec<String>;

    fn deserialize<D: serde::Deserializer<'text>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'text> Visitor<'text> for Names {
    type Value = Vec<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'text>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            if names.len() < NAMES_MAX {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// Finds the index of a key in a list of names, if it is in the list.
struct Place<'a>(&'a [String]);

impl<'text> DeserializeSeed<'text> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'text>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// Returns the text of a value: the content of a string, a number or boolean as the file has it; `None` for null.
/// Fails, with a phrase that follows a column's name, for an object, an array, or a string that is not valid text.
pub(super) fn scalar(value: &str) -> Result<Option<Cow<'_, str>>, &'static str> {
    match value.as_bytes().first() {
        Some(b'"') => match value.get(1..value.len() - 1) {
            Some(inside) if memchr::memchr(b'\\', inside.as_bytes()).is_none() => Ok(Some(Cow::Borrowed(inside))),
            _ => match serde_json::from_str::<String>(value) {
                Ok(text) => Ok(Some(Cow::Owned(text))),
                Err(_) => Err("is half of a surrogate pair"),
            },
        },
        Some(b'{') => Err("is an object"),
        Some(b'[') => Err("is an array"),
        Some(b'n') => Ok(None),
        _ => Ok(Some(Cow::Borrowed(value))),
    }
}

/// Returns serde_json's error for a text of one line: the phrase and the byte, from 1.
pub(super) fn reason_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let phrase = text.rsplit_once(" at line ").map_or(text.as_str(), |(phrase, _)| phrase);
    format!("{phrase}, at byte {}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'text>(text: &'text str, names: &[&str]) -> Result<Vec<Option<&'text str>>, String> {
        let names: &[String] = &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut values = vec![Some("of another line"); names.len()];
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Fields { names, values: &mut values }.deserialize(&mut json).and_then(|()| json.end());
        read.map(|()| values).map_err(|error| reason_of(&error))
    }

    #[test]
    fn values_as_they_stand() {
        let text = r#" {"b" : 1e3, "x":{"a":[{"b":2}]}, "\u0061":"q\"\n", "c":[ 1, {} ]} "#;
        assert_eq!(
            fields(text, &["a", "b", "c", "d"]),
            Ok(vec![Some(r#""q\"\n""#), Some("1e3"), Some("[ 1, {} ]"), None])
        );
        assert_eq!(fields("{}", &["a"]), Ok(vec![None]));
        assert_eq!(fields(r#"{"a":1,"a":2}"#, &["a"]), Err("it has a twice, at byte 13".into()));
        assert_eq!(fields(r#"{"a":1,"a":2}"#, &["b"]), Ok(vec![None]));
        assert_eq!(fields(r#"{"a":1} {"#, &["a"]), Err("trailing characters, at byte 9".into()));
        assert_eq!(fields(r#"{"a":"#, &["a"]), Err("EOF while parsing a value, at byte 5".into()));
        assert!(fields("[1]", &["a"]).unwrap_err().contains("expected an object"));
        let deep = format!("{{\"x\":{}{},\"a\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(fields(&deep, &["a"]), Ok(vec![Some("1")]), "nesting takes no stack");
    }

    #[test]
    fn texts_of_values() {
        assert_eq!(scalar("12"), Ok(Some("12".into())));
        assert_eq!(scalar("true"), Ok(Some("true".into())));
        assert_eq!(scalar("null"), Ok(None));
        assert_eq!(scalar("\"\""), Ok(Some("".into())));
        assert_eq!(scalar(r#""é\u00e9\ud83d\ude00""#), Ok(Some("éé😀".into())));
        assert_eq!(scalar(r#""\ud83d""#), Err("is half of a surrogate pair"));
        assert_eq!((scalar("{}"), scalar("[]")), (Err("is an object"), Err("is an array")));
    }
}
