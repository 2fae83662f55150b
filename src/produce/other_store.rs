//! Checks whether an output was made from a store with older batches.

use crate::error::Result;
use crate::model::Day;
use crate::output::partitions;
use crate::progress::Progress;
use crate::storage::Place;
use crate::text::Shown as _;

/// Returns the day of a partition that rests on batches from before the store's `first` batch: the newest other one
/// below `out`, or else that of `dt`. Notes it for the user: most likely this is a different store, created on an empty
/// disk or at a mistyped path, and the rows lack the history of the original one.
///
/// The manifest names the batches; a partition without a usable one counts if its day is before the store's first
/// batch. Memory: one manifest.
pub(crate) fn older_partition(
    first: Option<Day>,
    out: &Place,
    dt: Day,
    progress: &dyn Progress,
) -> Result<Option<Day>> {
    let Some(first) = first else { return Ok(None) };
    if out.folder().is_some_and(|out| !out.is_dir()) {
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
        out.path().shown()
    ).into());
    Ok(Some(older))
}
