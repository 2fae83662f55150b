//! Delta tables: the log beside the partitions of an output, by which every Delta reader sees a partition replaced in
//! one step.
//!
//! An output is a Delta table from its first partition on, and never changes its kind: the folder `_delta_log` says
//! which it is. In it a partition is published in this order:
//!
//! 1. The parts are written under names that follow from their content, beside those of older versions, which stay.
//! 2. The commit: the file of the next version in `_delta_log`, created only if no other run has created it. It removes
//!    all files of the day from the table, whoever wrote them, and adds the parts. Delta readers see it from here on.
//! 3. `_manifest.parquet` replaces the one that was there, and `_SUCCESS` is written if it is missing. Whoever takes
//!    the names from the manifest sees the new rows from here on, and the old ones until then.
//!
//! A run that was stopped between 2 and 3 is completed by the next run of the day. A run that loses a version to a run
//! of another day takes the next version; one that loses it to a run of the same day says so, and changes nothing.
//! Files that the newest version does not name stay until [`vacuum`], or until a customer in them is forgotten.
//!
//! The log is read and written here, rather than by the crate `delta_kernel` (0.30 goes with arrow 60): its engine
//! makes requests of its own, without the limits, the retries and the resolution of lost answers that all requests of
//! this program have, reads the clock, and draws random names, while what is needed of Delta is one kind of commit.
//! Tables with any feature beyond reader version 1 and writer version 2 are refused (see [`protocol`]).
//!
//! Source: the protocol specification of Delta Lake, `PROTOCOL.md` in the repository delta-io/delta.

mod action;
mod checkpoint;
mod commit;
mod log;
mod partition;
mod percent;
mod protocol;
mod remains;
mod schema;
mod snapshot;
mod statistics;
mod table_files;
mod vacuum;

pub(super) use partition::DeltaPartition;
pub(crate) use remains::remove_remains;
pub(super) use statistics::statistics_of;
pub use table_files::TableFiles;
pub(crate) use vacuum::vacuum;

use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{RowColumns, TableFormat};
use crate::output::log_folder::is_delta;
use crate::output::partition_folder::partitions;
use crate::storage::Place;
use crate::text::Shown as _;

/// Returns the kind of table that an output is.
pub(crate) fn table_of(out: &Place) -> Result<Option<TableFormat>> {
    Ok(is_delta(out)?.then_some(TableFormat::Delta))
}

/// Fails if an output is of another kind than wanted, or if rows with these columns cannot be in a table of this kind.
/// An output without any partition may become of either kind.
pub(crate) fn check_table(out: &Place, table: Option<TableFormat>, columns: RowColumns) -> Result<()> {
    if table == Some(TableFormat::Delta) {
        protocol::check_columns(columns)?;
    }
    let path = out.path().shown();
    match (table, is_delta(out)?) {
        (None, true) => Err(Error::refused(
            format!("{path} is a Delta table"),
            message!["give ", Table, " delta, or name another folder with ", Out],
        )),
        (Some(TableFormat::Delta), false) if has_partitions(out)? => Err(Error::refused(
            format!("{path} has partitions, and is not a Delta table"),
            message!["leave ", Table, " out, or name a new folder with ", Out],
        )),
        _ => Ok(()),
    }
}

/// Whether a partition has been published below `out`.
fn has_partitions(out: &Place) -> Result<bool> {
    if out.folder().is_some_and(|out| !out.is_dir()) {
        return Ok(false);
    }
    for folder in partitions(out)? {
        if folder.has_manifest()? {
            return Ok(true);
        }
    }
    Ok(false)
}
