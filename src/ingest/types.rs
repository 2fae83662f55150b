//! Joins the action types of the sources with those of the store.

use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{TypeConflict, TypeTable};
use crate::sources::Sources;
use crate::store::Store;
use crate::text::Shown;

/// Returns the store's binding types joined with those of the sources. `bound` is `None` if no types are binding yet.
/// Fails if a number or a name has another meaning in the store, whose data was written with it.
pub(super) fn joined_types(bound: Option<&TypeTable>, sources: &Sources) -> Result<TypeTable> {
    let Some(bound) = bound else { return Ok(sources.types.clone()) };
    bound.joined(&sources.types).map_err(|conflict| {
        let TypeConflict { held: (held, is), described: (described, number) } = conflict;
        let says = format!("the store has the action type {held} as number {is}");
        match &sources.file {
            Some(file) => Error::refused(
                format!("{says}, and {} has {described} as number {number}", file.shown()),
                message![
                    "write this type there as the store has it (see ",
                    [Status],
                    "), and give a new type a new name and number"
                ],
            ),
            None => Error::refused(
                format!("{says}, and without a configuration {described} is number {number}"),
                message!["name the lookback.toml of this store with ", Config, ", or put it into the input root"],
            ),
        }
    })
}

/// Fails, like an ingest, if a number or a name of the sources has another meaning in the store.
pub(crate) fn check_types(store: &Store, sources: &Sources) -> Result<()> {
    joined_types(store.binding_types()?.as_ref(), sources).map(drop)
}
