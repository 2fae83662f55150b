//! Existing partitions that still have rows of forgotten customers.

use std::path::Path;

use crate::error::Result;
use crate::model::CustomerId;
use crate::output::{PartitionFolder, ProducedFile, partitions};
use crate::progress::Progress;
use crate::resources::Resources;

/// Returns the partitions below `out` that have a row of any of `customers`, which ascend; days ascending. Searches all
/// files, whether or not a manifest lists them. Memory: 65,536 customers of a file.
pub(super) fn holding(
    out: &Path,
    customers: &[CustomerId],
    resources: &Resources,
    progress: &dyn Progress,
) -> Result<Vec<PartitionFolder>> {
    let folders = partitions(&resources.place(out)?)?;
    progress.begin("searching", "partitions", Some(folders.len() as u64));
    let mut holding = Vec::new();
    for folder in folders {
        let mut holds = false;
        for file in folder.all_files()? {
            ProducedFile::open(&file, resources.cancel())?.customers(|_, customer| {
                holds |= customers.binary_search(&CustomerId(customer)).is_ok();
            })?;
        }
        if holds {
            holding.push(folder);
        }
        progress.advance(1);
    }
    Ok(holding)
}
