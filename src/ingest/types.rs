//! The table of types that a store has with the next batch.

use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{TypeConflict, TypeTable};
use crate::sources::Sources;
use crate::store::Store;
use crate::text::Shown;

/// The types that the store binds with those that the sources have. `None` for a store that binds to none yet. Refused
/// where a number or a name means something else to the store: it has been written with.
pub(super) fn joined_types(bound: Option<&TypeTable>, sources: &Sources) -> Result<TypeTable> {
    let Some(bound) = bound else { return Ok(sources.types.clone()) };
    bound.joined(&sources.types).map_err(|conflict| {
        let TypeConflict { held: (held, is), described: (described, number) } = conflict;
        let says = format!("the store has the action type {held} as number {is}");
        match &sources.file {
            Some(file) => Error::refused(
                format!("{says}, and {} has {described} as number {number}", file.shown()),
                message![
                    "write it there as the store has it (see ",
                    [Status],
                    "), and give a new type a new name and number"
                ],
            ),
            None => Error::refused(
                format!("{says}, and without a configuration {described} is number {number}"),
                message![
                    "name the lookback.toml that this store is filled with by ",
                    Config,
                    ", or put it into the input root"
                ],
            ),
        }
    })
}

/// Fails, as taking a batch would, where a number or a name of the sources means something else to the store.
pub fn check_types(store: &Store, sources: &Sources) -> Result<()> {
    joined_types(store.binding_types()?.as_ref(), sources).map(drop)
}
