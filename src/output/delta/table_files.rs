//! The files of a table, read once for many days.

use std::sync::Arc;

use super::snapshot::Snapshot;
use crate::error::Result;
use crate::manifest::{Manifest, PartFile};
use crate::model::RowColumn;
use crate::output::log_folder::is_delta;
use crate::storage::Place;

/// The files of the newest version of a Delta table, of none if there is no version yet. Memory: that of a
/// [`Snapshot`], whatever the number of clones.
#[derive(Clone, Debug)]
pub struct TableFiles(Arc<Snapshot>);

impl TableFiles {
    /// Reads the table; `None` if the output is none. Fails if its log is damaged, or needs what is not known.
    pub(crate) fn read(out: &Place) -> Result<Option<Self>> {
        if !is_delta(out)? {
            return Ok(None);
        }
        Ok(Some(TableFiles(Arc::new(Snapshot::read(out)?.unwrap_or_default()))))
    }

    /// Whether the table has the parts of the manifest, and no other file of its day.
    pub(in crate::output) fn are_those_of(&self, manifest: &Manifest) -> bool {
        let (there, dt) = (self.0.of_day(manifest.dt), RowColumn::Dt.name());
        let has = |part: &PartFile| {
            let file = there.get(&format!("{dt}={}/{}", manifest.dt, part.name));
            file.is_some_and(|file| u64::try_from(file.bytes) == Ok(part.bytes))
        };
        there.len() == manifest.parts.len() && manifest.parts.iter().all(has)
    }
}
