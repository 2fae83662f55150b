//! The columns that a reader asks for by name, and the errors for files that lack them.

use arrow::datatypes::DataType;

use super::subject::Subject;
use crate::error::Error;
use crate::model::{IdForm, Ids};
use crate::sources::WithoutCustomer;

/// How many columns of a file a message names.
const NAMED_COLUMNS: usize = 50;

/// A wanted column: its name in the file, and the type of its cells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted<'a> {
    /// Ids, for [`super::id_cells::IdCells`].
    Id { name: &'a str, form: IdForm },
    /// Ids that JSON lines may lack in all lines, since many writers leave nulls out.
    SparseId { name: &'a str, form: IdForm },
    /// Integers, for [`super::column::IdColumn`].
    Integer(&'a str),
    /// Integers that are null in all rows if the file lacks the column.
    OptionalInteger(&'a str),
    /// Times, for [`super::time_column::TimeColumn`].
    Time(&'a str),
    /// Text.
    Text(&'a str),
    /// Text that is null in all rows if the file lacks the column.
    OptionalText(&'a str),
    /// Lists of structs with these two fields, an id and an optional label.
    List { name: &'a str, item: &'a str, label: &'a str, item_form: IdForm },
}

impl<'a> Wanted<'a> {
    /// A column of customers.
    pub(super) fn customers(name: &'a str, ids: Ids, rule: WithoutCustomer) -> Self {
        match rule {
            WithoutCustomer::Refuse => Wanted::Id { name, form: ids.customer },
            WithoutCustomer::LeaveOut => Wanted::SparseId { name, form: ids.customer },
        }
    }

    /// A column of items.
    pub(super) fn items(name: &'a str, ids: Ids) -> Self {
        Wanted::Id { name, form: ids.item }
    }

    /// The name of the column.
    pub(super) fn name(self) -> &'a str {
        match self {
            Wanted::Id { name, .. }
            | Wanted::SparseId { name, .. }
            | Wanted::Integer(name)
            | Wanted::OptionalInteger(name)
            | Wanted::Time(name)
            | Wanted::Text(name)
            | Wanted::OptionalText(name)
            | Wanted::List { name, .. } => name,
        }
    }

    /// Whether its cells are ids that are text: in JSON, numbers among them become their digits.
    pub(super) fn is_text_id(self) -> bool {
        matches!(self, Wanted::Id { form: IdForm::Text, .. } | Wanted::SparseId { form: IdForm::Text, .. })
    }

    /// Whether an empty text differs from null.
    pub(super) fn is_text(self) -> bool {
        self.is_text_id() || matches!(self, Wanted::Text(_) | Wanted::OptionalText(_))
    }

    /// Whether a file of JSON lines may lack the column.
    pub(super) fn is_sparse(self) -> bool {
        self.is_optional() || matches!(self, Wanted::SparseId { .. })
    }

    /// Whether any file may lack the column.
    pub(super) fn is_optional(self) -> bool {
        matches!(self, Wanted::OptionalText(_) | Wanted::OptionalInteger(_))
    }
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
    let remedy = format!("{} the {} with that column", subject.verb(), subject.noun());
    missing_column_with(subject, column, names, remedy)
}

/// The same with another remedy.
pub(super) fn missing_column_with<'a>(
    subject: Subject<'_>,
    column: &str,
    names: impl Iterator<Item = &'a str>,
    remedy: String,
) -> Error {
    let mut listed = String::new();
    for (place, name) in names.take(NAMED_COLUMNS + 1).enumerate() {
        if place == NAMED_COLUMNS {
            listed.push_str(", …");
            break;
        }
        listed.push_str(if place == 0 { "" } else { ", " });
        listed.extend(name.chars().take(60).flat_map(char::escape_debug));
    }
    Error::input(format!("{subject} has no column {column} (it has: {listed})"), remedy)
}

/// The error that a column has an unusable type. `wanted` completes "needs".
pub(crate) fn wrong_type<'a>(subject: impl Into<Subject<'a>>, column: &str, found: &DataType, wanted: &str) -> Error {
    let subject = subject.into();
    Error::input(
        format!("{subject} has a column {column} of type {found}, but needs {wanted}"),
        format!("{} the column with such a type", subject.verb()),
    )
}
