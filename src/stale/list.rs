//! Lists the stale partitions of an output folder.

use std::path::Path;

use serde::Serialize;

use super::judge::{Judge, Known, Reasons};
use crate::error::Result;
use crate::message::Message;
use crate::model::Day;
use crate::output::{PartitionFolder, partitions};
use crate::progress::Progress;
use crate::store::Store;
use crate::text::Shown;

/// A partition that is stale, or cannot be judged.
#[derive(Clone, Debug, Serialize)]
pub struct ListedPartition {
    /// The day of the partition.
    pub dt: Day,
    /// Why it is stale.
    #[serde(flatten)]
    pub reasons: Reasons,
    /// Why its manifest cannot be used; then nothing else is known.
    pub unreadable: Option<Message>,
    /// The reason, for people.
    #[serde(skip)]
    pub text: Message,
}

/// The findings for an output folder.
#[derive(Clone, Debug, Serialize)]
pub struct StaleSummary {
    /// The output folder.
    pub out: String,
    /// Partitions in it.
    pub partitions: usize,
    /// Stale partitions among them.
    pub stale: usize,
    /// Partitions among them without a usable manifest.
    pub without_manifest: usize,
    /// The stale partitions and those without a usable manifest, days ascending.
    pub listed: Vec<ListedPartition>,
}

/// Judges every partition below `out`.
///
/// Memory: that of a [`Judge`], one manifest, and the list.
pub fn list_stale(store: &Store, out: &Path, known: Known, progress: &dyn Progress) -> Result<StaleSummary> {
    let folders = partitions(&store.folder().resources().place(out)?)?;
    list_judged(&mut Judge::new(store)?, folders, out, known, progress)
}

/// Judges these partitions below `out`.
pub(crate) fn list_judged(
    judge: &mut Judge<'_>,
    folders: Vec<PartitionFolder>,
    out: &Path,
    known: Known,
    progress: &dyn Progress,
) -> Result<StaleSummary> {
    let mut summary =
        StaleSummary { out: out.plain(), partitions: folders.len(), stale: 0, without_manifest: 0, listed: Vec::new() };
    progress.begin("comparing", "partitions", Some(folders.len() as u64));
    for folder in folders {
        let dt = folder.dt();
        match folder.manifest() {
            Ok(manifest) => {
                let reasons = judge.reasons(&manifest, known)?;
                if reasons.is_stale() {
                    summary.stale += 1;
                    let text = reasons.text().into();
                    summary.listed.push(ListedPartition { dt, reasons, unreadable: None, text });
                }
            }
            Err(error) => {
                summary.without_manifest += 1;
                let (reasons, text) = (Reasons::default(), error.message());
                summary.listed.push(ListedPartition { dt, reasons, unreadable: Some(text.clone()), text });
            }
        }
        progress.advance(1);
    }
    Ok(summary)
}
