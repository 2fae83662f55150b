//! The columns of a Delta table of rows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::exact::Held;
use crate::message::message;
use crate::model::{CellType, ExtraColumn, RowColumn, RowColumns};

/// The columns of a table, or of rows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Schema {
    r#type: String,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Field {
    name: String,
    r#type: Value,
    nullable: bool,
    #[serde(default)]
    metadata: serde_json::Map<String, Value>,
}

impl Schema {
    /// Returns the columns of rows, with the day as the last one. Fails if Delta has no type for one of them.
    pub(super) fn of(columns: RowColumns) -> Result<Self> {
        if columns.with.has(ExtraColumn::Dt) {
            return Err(Error::usage(
                message!["a Delta table has the column dt already, which ", With, " dt would put into the files too"],
                message!["leave dt out of ", With],
            ));
        }
        let mut fields = Vec::new();
        for column in columns.list() {
            let described = columns.type_of(column);
            let cell = match described.cell {
                CellType::Text => "string",
                CellType::Int64 => "long",
                CellType::Int32 => "integer",
                CellType::TimeUs => "timestamp",
                CellType::Uint8 => {
                    return Err(Error::usage(
                        message!["Delta has no unsigned type for ", TypeType, " uint8"],
                        message!["leave ", TypeType, " out"],
                    ));
                }
            };
            let r#type = if described.is_list { array_of(cell) } else { Value::from(cell) };
            fields.push(Field::new(column.name(), r#type, described.nullable));
        }
        fields.push(Field::new(RowColumn::Dt.name(), Value::from("date"), false));
        Ok(Schema { r#type: "struct".to_owned(), fields })
    }

    /// Reads the text of a table.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Returns the text for a table.
    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).held("text and lists can be written as JSON")
    }

    /// Returns how the columns of a table differ from these, as a phrase; `None` if they are the same. Comments do not
    /// matter; any other metadata of a column means something that this program does not know.
    pub(super) fn difference(&self, table: &Schema) -> Option<String> {
        for (number, own) in self.fields.iter().enumerate() {
            let Some(other) = table.fields.get(number) else { return Some(format!("it has no column {}", own.name)) };
            if other.name != own.name {
                return Some(format!("its column {} stands where {} is expected", other.name, own.name));
            }
            if (&other.r#type, other.nullable) != (&own.r#type, own.nullable) {
                return Some(format!("its column {} is {}, not {}", own.name, other.shown(), own.shown()));
            }
            if let Some(key) = other.metadata.keys().find(|key| *key != "comment") {
                return Some(format!("its column {} has {key}", own.name));
            }
        }
        table.fields.get(self.fields.len()).map(|more| format!("it also has the column {}", more.name))
    }
}

impl Field {
    fn new(name: &str, r#type: Value, nullable: bool) -> Self {
        Field { name: name.to_owned(), r#type, nullable, metadata: serde_json::Map::new() }
    }

    fn shown(&self) -> String {
        let r#type = self.r#type.as_str().map_or_else(|| self.r#type.to_string(), str::to_owned);
        format!("{type}{}", if self.nullable { " or null" } else { "" })
    }
}

fn array_of(element: &str) -> Value {
    let pairs =
        [("type", Value::from("array")), ("elementType", Value::from(element)), ("containsNull", Value::from(false))];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        let own = Schema::of(RowColumns::default()).unwrap();
        let text = own.text().unwrap();
        let difference = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            own.difference(&Schema::parse(&text.replacen(from, to, 1)).unwrap())
        };
        assert_eq!(difference("string", "string"), None);
        let says = |from: &str, to: &str, word: &str| {
            let said = difference(from, to).unwrap();
            assert!(said.contains(word), "{said}");
        };
        says(r#""name":"label""#, r#""name":"mark""#, "its column mark stands where label is expected");
        says(r#""type":"long""#, r#""type":"string""#, "its column customer_id is string, not long");
        says(r#""containsNull":false"#, r#""containsNull":true"#, "its column actions is ");
        says(r#""nullable":true"#, r#""nullable":false"#, "its column ranking_id is string, not string or null");
        says(r#""metadata":{}"#, r#""metadata":{"delta.invariants":"x"}"#, "has delta.invariants");
        says(r#""fields":["#, r#""fields":[{"name":"x","type":"long","nullable":true},"#, "its column x stands where");
        assert_eq!(difference(r#""metadata":{}"#, r#""metadata":{"comment":"x"}"#), None);
    }
}
