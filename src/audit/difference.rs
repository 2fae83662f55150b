//! Describes a cell, row or file that differs from the raw files, in one sentence.

use std::path::Path;

use super::raw::{Place, RawAction};
use super::sources::Sources;
use crate::error::{Error, Kind};
use crate::exact::usize_of;
use crate::input::DayFile;
use crate::message::message;
use crate::model::{TypeTable, Zone};
use crate::text::Shown;

/// Returns the error for a difference: `where_` fits before "is", `more` follows the sentence.
pub(super) fn differs(place: &str, found: &str, expected: &str) -> Error {
    Error::new(
        Kind::Corrupt,
        format!("{place} is {found}, and the raw files say {expected}"),
        message!["keep these files to find out what changed them, and produce the day again with ", [Produce]],
    )
}

/// Names a cell of a row, as a place for [`differs`].
pub(super) fn cell(path: &Path, row: u64, column: &str) -> String {
    format!("{} row {row} column {column}", path.shown())
}

/// Names the position of a raw impression.
pub(super) fn impression_source(sources: &Sources<'_>, place: Place) -> String {
    let file = sources.impressions.get(usize_of(place.file));
    placed(file, place.number)
}

/// Describes a raw action and its position.
pub(super) fn action_source(sources: &Sources<'_>, types: &TypeTable, action: &RawAction, zone: &Zone) -> String {
    let file = sources.action_file(action.place.file);
    let kind = types.name(action.kind);
    format!("the {kind} of {} in {}", zone.display(action.time_us), placed(file.as_ref(), action.place.number))
}

fn placed(file: Option<&DayFile>, number: u64) -> String {
    file.map_or_else(|| "?".to_owned(), |file| format!("{} {}", file.path.shown(), file.place(number)))
}
