//! The columns that a reader asks for by name, and the errors for files that lack them.

use arrow::datatypes::DataType;

use super::subject::Subject;
use crate::error::{Error, Result};

/// How many columns of a file a message names.
const NAMED_COLUMNS: usize = 50;

/// A wanted column: its name in the file, and the type of its cells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted<'a> {
    /// Ids, for [`super::column::IdColumn`].
    Id(&'a str),
    /// Ids that JSON lines may lack in all lines, since many writers leave nulls out.
    SparseId(&'a str),
    /// Integers that are null in all rows if the file lacks the column.
    OptionalId(&'a str),
    /// Times, for [`super::time_column::TimeColumn`].
    Time(&'a str),
    /// Text.
    Text(&'a str),
    /// Text that is null in all rows if the file lacks the column.
    OptionalText(&'a str),
    /// Lists of structs with these two fields, an id and an optional label.
    List { name: &'a str, item: &'a str, label: &'a str },
}

impl<'a> Wanted<'a> {
    /// The name of the column.
    pub(super) fn name(self) -> &'a str {
        match self {
            Wanted::Id(name)
            | Wanted::SparseId(name)
            | Wanted::OptionalId(name)
            | Wanted::Time(name)
            | Wanted::Text(name)
            | Wanted::OptionalText(name)
            | Wanted::List { name, .. } => name,
        }
    }

    /// Whether a file of JSON lines may lack the column.
    pub(super) fn is_sparse(self) -> bool {
        self.is_optional() || matches!(self, Wanted::SparseId(_))
    }

    /// Whether any file may lack the column.
    pub(super) fn is_optional(self) -> bool {
        matches!(self, Wanted::OptionalText(_) | Wanted::OptionalId(_))
    }
}

/// Fails if a wanted column is missing, unless it is optional, or if it is there twice; `names` are the columns there.
pub(super) fn refuse_missing<'a>(
    subject: Subject<'_>,
    wanted: &[Wanted<'_>],
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<()> {
    for wanted in wanted {
        match names.clone().filter(|name| *name == wanted.name()).count() {
            0 if !wanted.is_optional() => return Err(missing_column(subject, wanted.name(), names)),
            0 | 1 => {}
            _ => return Err(two_columns(subject, wanted.name())),
        }
    }
    Ok(())
}

/// The error that a column occurs twice: neither of them can be preferred.
pub(super) fn two_columns<'a>(subject: impl Into<Subject<'a>>, column: &str) -> Error {
    let subject = subject.into();
    Error::input(
        format!("{subject} has two columns {column}"),
        format!("{} the {} with one of them", subject.verb(), subject.noun()),
    )
}

/// The error that a file lacks a column; `names` are the columns that it has.
pub(super) fn missing_column<'a, 'b>(
    subject: impl Into<Subject<'b>>,
    column: &str,
    names: impl Iterator<Item = &'a str>,
) -> Error {
    let subject = subject.into();
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
        format!("{subject} has no column {column} (it has: {listed})"),
        format!("{} the {} with that column", subject.verb(), subject.noun()),
    )
}

/// The error that a column has an unusable type. `wanted` completes "needs".
pub(crate) fn wrong_type<'a>(subject: impl Into<Subject<'a>>, column: &str, found: &DataType, wanted: &str) -> Error {
    let subject = subject.into();
    Error::input(
        format!("{subject} has a column {column} of type {found}, but needs {wanted}"),
        format!("{} the column with such a type", subject.verb()),
    )
}
