//! The values of given names in one JSON object, as the text has them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What an object has under a name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Value<'text> {
    #[default]
    Missing,
    /// The value as the text has it.
    Json(&'text str),
    /// The name is a path, and on its way stands this value, which is no object.
    Blocked(&'text str),
}

impl<'text> Value<'text> {
    /// Returns its text as `text_of` reads JSON other than null; `None` where there is nothing or null. Fails with a
    /// phrase that follows a column's name.
    pub(super) fn text(
        self,
        text_of: impl FnOnce(&'text str) -> Result<Option<Cow<'text, str>>, &'static str>,
    ) -> Result<Option<Cow<'text, str>>, &'static str> {
        match self {
            Value::Missing | Value::Json("null") => Ok(None),
            Value::Json(json) => text_of(json),
            Value::Blocked(_) => Err(NO_FIELD),
        }
    }
}

/// Names of values in an object. A name with dots that the object does not have is a path: up to the first dot it is
/// the name of an object in the object, after it the name of a value there.
#[derive(Debug, Default)]
pub(super) struct Paths {
    names: Vec<String>,
    heads: Vec<Head>,
}

/// An object in the object.
#[derive(Debug)]
struct Head {
    name: String,
    rest: Paths,
    /// The index of each of the rest's names in the names of the whole object.
    places: Vec<usize>,
}

/// The most dots at which a name is cut; after them it is one name.
const DOTS_MAX: usize = 32;

impl Paths {
    /// Returns these names as paths.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(names.into_iter().map(str::to_owned).collect(), DOTS_MAX)
    }

    fn of(names: Vec<String>, dots: usize) -> Self {
        let mut cut: Vec<(String, Vec<usize>, Vec<String>)> = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let Some((head, rest)) = name.split_once('.').filter(|_| dots > 0) else { continue };
            let known = cut.iter().position(|(name, ..)| name == head);
            if let Some((_, places, rests)) = known.and_then(|known| cut.get_mut(known)) {
                places.push(place);
                rests.push(rest.to_owned());
            } else {
                cut.push((head.to_owned(), vec![place], vec![rest.to_owned()]));
            }
        }
        let heads = cut.into_iter();
        let heads = heads.map(|(name, places, rests)| Head { name, rest: Paths::of(rests, dots - 1), places });
        Paths { heads: heads.collect(), names }
    }

    /// Returns a place for the value of each name.
    pub(super) fn no_values<'text>(&self) -> Vec<Value<'text>> {
        vec![Value::Missing; self.names.len()]
    }
}

/// Sets the values of names from an object, each at the same index in `values`; other names are skipped, but their
/// values must be JSON. Fails if a name occurs twice.
pub(super) struct Fields<'a, 'text> {
    pub paths: &'a Paths,
    /// As many as there are names.
    pub values: &'a mut [Value<'text>],
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
        let Fields { paths, values } = self;
        values.fill(Value::Missing);
        let mut objects: Vec<Option<&'text str>> = vec![None; paths.heads.len()];
        while let Some((name, head)) = map.next_key_seed(Place(paths))? {
            if name.is_none() && head.is_none() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let json = map.next_value::<&RawValue>()?.get();
            let twice = |name: &String| A::Error::custom(format!("it has {name} twice"));
            if let Some((name, value)) = name.and_then(|place| paths.names.get(place).zip(values.get_mut(place)))
                && std::mem::replace(value, Value::Json(json)) != Value::Missing
            {
                return Err(twice(name));
            }
            if let Some((head, object)) = head.and_then(|place| paths.heads.get(place).zip(objects.get_mut(place)))
                && object.replace(json).is_some()
            {
                return Err(twice(&head.name));
            }
        }
        for (head, json) in paths.heads.iter().zip(objects) {
            let Some(json) = json.filter(|json| *json != "null") else { continue };
            let mut found = head.rest.no_values();
            if json.starts_with('{') {
                let inside = Fields { paths: &head.rest, values: &mut found };
                let read = inside.deserialize(&mut serde_json::Deserializer::from_str(json));
                read.map_err(|error| A::Error::custom(phrase_of(&error)))?;
            } else {
                found.fill(Value::Blocked(json));
            }
            for (place, found) in head.places.iter().zip(found) {
                if let Some(value) = values.get_mut(*place).filter(|value| **value == Value::Missing) {
                    *value = found;
                }
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

/// Finds the index of a key among the names, and among the objects that paths go through.
struct Place<'a>(&'a Paths);

impl<'text> DeserializeSeed<'text> for Place<'_> {
    type Value = (Option<usize>, Option<usize>);

    fn deserialize<D: serde::Deserializer<'text>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = (Option<usize>, Option<usize>);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let Paths { names, heads } = self.0;
        Ok((names.iter().position(|name| *name == key), heads.iter().position(|head| head.name == key)))
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

/// The reason for a value on the way of a path.
pub(super) const NO_FIELD: &str = "is not a field of an object";

/// Returns serde_json's error for a part of a line that begins at `offset`: the phrase and the byte in the line, from
/// 1.
pub(super) fn reason_of(error: &serde_json::Error, offset: usize) -> String {
    format!("{}, at byte {}", phrase_of(error), offset + error.column())
}

/// Returns serde_json's error without its place.
pub(super) fn phrase_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(phrase, _)| phrase).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'text>(text: &'text str, names: &[&str]) -> Result<Vec<Value<'text>>, String> {
        let paths = Paths::new(names.iter().copied());
        let mut values = vec![Value::Json("of another line"); names.len()];
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Fields { paths: &paths, values: &mut values }.deserialize(&mut json).and_then(|()| json.end());
        read.map(|()| values).map_err(|error| reason_of(&error, 0))
    }

    use Value::{Blocked, Json, Missing};

    #[test]
    fn values_as_they_stand() {
        let text = r#" {"b" : 1e3, "x":{"a":[{"b":2}]}, "\u0061":"q\"\n", "c":[ 1, {} ]} "#;
        assert_eq!(
            fields(text, &["a", "b", "c", "d"]),
            Ok(vec![Json(r#""q\"\n""#), Json("1e3"), Json("[ 1, {} ]"), Missing])
        );
        assert_eq!(fields("{}", &["a"]), Ok(vec![Missing]));
        assert_eq!(fields(r#"{"a":1,"a":2}"#, &["a"]), Err("it has a twice, at byte 13".into()));
        assert_eq!(fields(r#"{"a":1,"a":2}"#, &["b"]), Ok(vec![Missing]));
        assert_eq!(fields(r#"{"a":1} {"#, &["a"]), Err("trailing characters, at byte 9".into()));
        assert_eq!(fields(r#"{"a":"#, &["a"]), Err("EOF while parsing a value, at byte 5".into()));
        assert!(fields("[1]", &["a"]).unwrap_err().contains("expected an object"));
        let deep = format!("{{\"x\":{}{},\"a\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(fields(&deep, &["a"]), Ok(vec![Json("1")]), "nesting takes no stack");
    }

    #[test]
    fn paths_go_into_objects() {
        let text = r#"{"a":{"b":1,"c":{"d":[2]},"e.f":3},"g.h":4,"g":{"h":5,"i":6},"j":null,"k":7,"l":{}}"#;
        let names = ["a.b", "a.c.d", "a.e.f", "g.h", "g.i", "j.x", "k.x", "l.x", "m.x", "a.c", "k", "a.b.x"];
        let expected = [
            Json("1"),
            Json("[2]"),
            Json("3"),
            Json("4"),
            Json("6"),
            Missing,
            Blocked("7"),
            Missing,
            Missing,
            Json("{\"d\":[2]}"),
            Json("7"),
            Blocked("1"),
        ];
        assert_eq!(fields(text, &names), Ok(expected.to_vec()));
        assert_eq!(fields(r#"{"g":{"h":5},"g.h":4}"#, &["g.h"]), Ok(vec![Json("4")]), "whichever comes first");
        assert_eq!(fields(r#"{"a":{},"a":{}}"#, &["a.b"]), Err("it has a twice, at byte 15".into()));
        assert!(fields(r#"{"a":{"b":1,"b":1}}"#, &["a.b"]).unwrap_err().starts_with("it has b twice, at byte "));
        let deep = format!("a{}", ".".repeat(1 << 20));
        assert_eq!(fields(r#"{"a":{"":{"":1}}}"#, &[&deep]), Ok(vec![Blocked("1")]), "dots take no stack");
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
