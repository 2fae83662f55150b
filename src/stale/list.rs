//! Lists the stale partitions of an output folder.

use std::path::Path;

use serde::Serialize;

use super::judge::{Judge, Known};
use crate::error::Result;
use crate::message::Message;
use crate::model::Day;
use crate::output::partitions;
use crate::progress::Progress;
use crate::store::Store;
use crate::text::Shown;

/// A partition that is stale, or cannot be judged.
#[derive(Clone, Debug, Serialize)]
pub struct ListedPartition {
    /// The day of the partition.
    pub dt: Day,
    /// Batches that touched days in the reach of its rows, and that it does not rest on.
    pub added: Vec<Day>,
    /// Batches that it rests on and that are held with other files.
    pub replaced: Vec<Day>,
    /// Batches that it rests on and that are no longer held.
    pub removed: Vec<Day>,
    /// Whether the zone's rules up to its day differ from those that its rows were made by.
    pub zone_rules: bool,
    /// The store's horizon, if its rows reach back beyond it: they cannot be produced again as they were.
    pub beyond_horizon: Option<Day>,
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
    let folders = partitions(out)?;
    let mut judge = Judge::new(store)?;
    let mut summary =
        StaleSummary { out: out.plain(), partitions: folders.len(), stale: 0, without_manifest: 0, listed: Vec::new() };
    progress.begin("comparing", "partitions", Some(folders.len() as u64));
    for folder in folders {
        let mut listed = ListedPartition {
            dt: folder.dt(),
            added: Vec::new(),
            replaced: Vec::new(),
            removed: Vec::new(),
            zone_rules: false,
            beyond_horizon: None,
            unreadable: None,
            text: Message::default(),
        };
        match folder.manifest() {
            Ok(manifest) => {
                let reasons = judge.reasons(&manifest, known)?;
                if reasons.is_stale() {
                    summary.stale += 1;
                    (listed.zone_rules, listed.beyond_horizon) = (reasons.zone_rules, reasons.beyond_horizon);
                    listed.text = reasons.text().into();
                    (listed.added, listed.replaced, listed.removed) =
                        (reasons.added, reasons.replaced, reasons.removed);
                    summary.listed.push(listed);
                }
            }
            Err(error) => {
                summary.without_manifest += 1;
                listed.text = error.message();
                listed.unreadable = Some(error.message());
                summary.listed.push(listed);
            }
        }
        progress.advance(1);
    }
    Ok(summary)
}
