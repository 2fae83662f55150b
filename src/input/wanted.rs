//! The columns that a reader asks for by name, and the errors for files that lack them.

use std::path::Path;

use crate::error::Error;
use crate::text::Shown as _;

/// How many columns of a file a message names.
const NAMED_COLUMNS: usize = 50;

/// A wanted column: its name in the file, and the type of its cells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted<'a> {
    /// Integers.
    Id(&'a str),
    /// Times, for [`super::time_column::TimeColumn`]; text files deliver them as text.
    Time(&'a str),
    /// Text.
    Text(&'a str),
    /// Text that is null in all rows if the file lacks the column.
    OptionalText(&'a str),
    /// Lists of structs with these two fields, an integer and an optional flag.
    List { name: &'a str, item: &'a str, label: &'a str },
}

impl<'a> Wanted<'a> {
    /// The name of the column.
    pub(super) fn name(self) -> &'a str {
        match self {
            Wanted::Id(name)
            | Wanted::Time(name)
            | Wanted::Text(name)
            | Wanted::OptionalText(name)
            | Wanted::List { name, .. } => name,
        }
    }

    /// Whether a file may lack the column.
    pub(super) fn is_optional(self) -> bool {
        matches!(self, Wanted::OptionalText(_))
    }
}

/// The error that a column occurs twice: neither of them can be preferred.
pub(super) fn two_columns(path: &Path, column: &str) -> Error {
    Error::input(format!("the file {} has two columns {column}", path.shown()), "write the file with one of them")
}

/// The error that a file lacks a column; `names` are the columns that it has.
pub(super) fn missing_column<'a>(path: &Path, column: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let mut listed = String::new();
    for (place, name) in names.take(NAMED_COLUMNS + 1).enumerate() {
        if place == NAMED_COLUMNS {
            listed.push_str(", …");
            break;
        }
        listed.push_str(if place == 0 { "" } else { ", " });
        listed.extend(name.chars().take(60).flat_map(char::escape_debug));
    }
    Error::input(
        format!("the file {} has no column {column} (it has: {listed})", path.shown()),
        "write the file with that column",
    )
}
