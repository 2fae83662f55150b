//! Whether an output was made from a store that went further back.

use std::path::Path;

use crate::error::Result;
use crate::model::Day;
use crate::output::partitions;
use crate::progress::Progress;
use crate::store::Batches;
use crate::text::Shown as _;

/// The newest partition below `out`, or that of `dt` itself, where it rests on batches from before the first one of the
/// store; which is noted then. Most likely the store is another one, begun on an empty disk or a mistyped path, and the
/// rows lack all that the other one knew.
///
/// What a partition rests on says its manifest; without one that can be used, a partition of a day before the store's
/// first batch is taken for one. Memory: one manifest.
pub(super) fn older_partition(batches: &Batches, out: &Path, dt: Day, progress: &dyn Progress) -> Result<Option<Day>> {
    let Some(first) = batches.first() else { return Ok(None) };
    if !out.is_dir() {
        return Ok(None);
    }
    let folders = partitions(out)?;
    let newest = folders.iter().rfind(|folder| folder.dt() != dt);
    let own = folders.iter().find(|folder| folder.dt() == dt);
    let older = newest.into_iter().chain(own).find(|folder| match folder.manifest() {
        Ok(manifest) => manifest.batches.first().is_some_and(|oldest| oldest.day < first),
        Err(_) => folder.dt() < first,
    });
    let Some(older) = older.map(|folder| folder.dt()) else { return Ok(None) };
    progress.note(&format!(
        "the store begins with the batch of {first}, and {}/dt={older} rests on older ones: is this the right store, and is its disk mounted? Its rows lack that history",
        out.shown()
    ).into());
    Ok(Some(older))
}
