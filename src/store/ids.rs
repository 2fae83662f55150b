//! Refuses input whose ids are others than those of the store.

use std::path::Path;

use super::handle::Store;
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::Ids;
use crate::text::Shown;

/// The error that a store at `path` has other ids than an input.
pub(crate) fn other_ids(path: &Path, held: Ids, described: Ids) -> Error {
    let path = path.shown();
    Error::refused(
        format!("the store at {path} has {held}, and the input is described with {described}"),
        message!["describe [ids] in lookback.toml as the store has them, and name that file with ", Config],
    )
}

impl Store {
    /// Returns what ids the next batch must have; `None` if the store has neither a batch nor a description of its own.
    pub(crate) fn binding_ids(&self) -> Result<Option<Ids>> {
        let ids = self.settings().ids;
        let is_open = ids == Ids::default() && !self.holds_any_batch()?;
        Ok((!is_open).then_some(ids))
    }

    /// Fails if the store has other ids than an input: no id would mean the same.
    pub(crate) fn check_ids(&self, described: Ids) -> Result<()> {
        match self.binding_ids()? {
            Some(held) if held != described => Err(other_ids(self.folder().path(), held, described)),
            _ => Ok(()),
        }
    }
}
