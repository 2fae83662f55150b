//! The folder of a Delta log, which says whether an output is a Delta table (see [`super::delta`]).

use crate::error::Result;
use crate::storage::{EntryKind, Place};

/// The folder of the log below a table.
pub(super) const LOG: &str = "_delta_log";

/// Whether `out` is a Delta table: once there is a log, or a folder for it.
pub(super) fn is_delta(out: &Place) -> Result<bool> {
    let log = out.path().join(LOG);
    Ok(out.kind(&log)? == Some(EntryKind::Folder))
}
