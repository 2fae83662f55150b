//! Rewrites partitions without the rows of forgotten customers.

use std::collections::BTreeSet;

use serde::Serialize;

use super::rewriting::Rewriting;
use crate::error::Result;
use crate::exact::Held;
use crate::history::History;
use crate::manifest::{MANIFEST_VERSION, Manifest, PartFile, RowTally};
use crate::message::message;
use crate::model::{CustomerId, Day, HistoryDetail, PADDING_ITEM_ID, parse_utc};
use crate::output::{
    Partition, PartitionFolder, ProducedFile, ProducedRow, RowSchema, RowSettings, check_content, remove_remains,
    table_of,
};
use crate::progress::Progress;
use crate::store::{AsOf, Batches, BlockList, Cursor, Store};
use crate::text::Shown;

/// A partition that was rewritten.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ScrubbedPartition {
    /// Its folder.
    pub path: String,
    /// Rows before.
    pub rows_before: u64,
    /// Rows after.
    pub rows_after: u64,
}

/// Rewrites partitions from their own rows, in their own settings: the impression files are not needed, and the
/// histories stay the same, whatever the store has ingested since.
///
/// For an up-to-date partition written by the same version of the program, the result is byte for byte what `produce`
/// would write. (In a shuffled order, the compression may differ where a customer has a thousand rows or more.)
///
/// Memory: 512 decoded rows, two row groups (see [`crate::output::RowGroup`]) of the size they had when produced, and 8
/// bytes for each forgotten customer of a partition.
pub(super) struct Scrubber<'store> {
    store: &'store Store,
    forgotten: BlockList,
    batches: Batches,
}

impl<'store> Scrubber<'store> {
    /// Returns a scrubber that leaves out the store's forgotten customers.
    pub(super) fn new(store: &'store Store) -> Result<Self> {
        Ok(Scrubber { store, forgotten: store.block_list()?, batches: store.batches()? })
    }

    /// Rewrites one partition; the result replaces it in one step. Fails, and leaves the partition unchanged, if its
    /// manifest is unusable or a part file differs from the one the manifest names. In a Delta table, the files of the
    /// day that only older versions have are removed, since they have the rows too.
    pub(super) fn scrub(&self, folder: PartitionFolder, progress: &dyn Progress) -> Result<ScrubbedPartition> {
        let (path, cancel) = (folder.path(), self.store.folder().resources().cancel());
        let mut manifest = folder.manifest()?;
        let settings = RowSettings::of(&manifest)?;
        let files = check_content(&folder, &manifest, cancel, progress)?;

        progress.begin("scrubbing", "rows", Some(manifest.rows));
        let partition = Partition::begin(folder.clone(), table_of(folder.out())?, settings.columns)?;
        let schema = RowSchema::new(&settings)?;
        let mut rewriting = Rewriting::new(partition.parts(), &settings, &schema)?;
        let mut histories = Histories::new(self, &manifest);
        let (mut impressions, mut customers, mut tally) = (0, BTreeSet::new(), RowTally::default());
        for (part, (file, _)) in manifest.parts.iter().zip(&files) {
            histories.begin_part(part);
            let mut rows = ProducedFile::open(file, cancel)?.read(None)?;
            while let Some(row) = rows.take()? {
                progress.advance(1);
                if self.forgotten.holds(CustomerId(row.customer_id)) {
                    impressions += u64::from(row.impression_pos == 0);
                    customers.insert(row.customer_id);
                } else {
                    let history = histories.of(&row)?;
                    tally.ordered += u64::from(row.label == 1);
                    tally.rows_without_history += u64::from(history.is_empty());
                    tally.filled += history.len() as u64;
                    rewriting.push(row, history)?;
                }
            }
        }
        let rows_before = manifest.rows;
        manifest.parts = rewriting.finish()?;
        manifest.rows = manifest.parts.iter().map(|part| part.rows).sum();
        let less = |count: u64, scrubbed: u64| count.checked_sub(scrubbed).held(AS_COUNTED);
        manifest.impressions = less(manifest.impressions, impressions)?;
        manifest.customers = less(manifest.customers, customers.len() as u64)?;
        manifest.tally = Some(tally);
        manifest.manifest_version = MANIFEST_VERSION;
        env!("CARGO_PKG_VERSION").clone_into(&mut manifest.tool_version);
        partition.publish(&manifest, &schema, progress)?;
        if let Some((_, version)) = remove_remains(&folder)?.filter(|(files, _)| *files > 0) {
            progress.note(&message![
                (
                    "the files that older versions of the Delta table had of {} are removed: the first version that can be read whole is {version}",
                    path.shown()
                )
            ]);
        }
        Ok(ScrubbedPartition { path: path.plain(), rows_before, rows_after: manifest.rows })
    }
}

/// The histories of the rows, with the time of the newest action, which a part file's metadata has but rows without
/// `action_times` lack.
///
/// The time is the store's, if the store has the row's history, or the newer or older end of it. Otherwise it is the
/// time that the part gives for all its rows, which is no earlier and also before the cut-off.
struct Histories<'store> {
    cursor: Cursor<'store>,
    dt: Day,
    wanted: AsOf,
    /// The newest time according to the part being read.
    part_newest_us: Option<i64>,
    /// The customer asked for last, and the store's history.
    held: Option<(CustomerId, History)>,
}

/// States that a manifest counts what its rows are of.
const AS_COUNTED: &str = "a partition has no more impressions and customers than its manifest counts";

/// States that the rows of a part file, whose hash matches its manifest, are as written.
const AS_WRITTEN: &str = "types are of one byte, and no action is of a day after its row";

impl<'store> Histories<'store> {
    fn new(scrubber: &Scrubber<'store>, manifest: &Manifest) -> Self {
        let Manifest { dt, settings, newest_batch, .. } = manifest;
        let wanted = AsOf {
            before: *dt,
            oldest: settings.lookback_days.map(|days| dt.minus(days)),
            known: scrubber.batches.limit(*newest_batch),
            max_history: settings.max_history.min(scrubber.store.settings().max_history),
            detail: HistoryDetail::None,
        };
        Histories { cursor: scrubber.store.cursor(), dt: *dt, wanted, part_newest_us: None, held: None }
    }

    fn begin_part(&mut self, part: &PartFile) {
        self.part_newest_us = part.newest_action.as_deref().and_then(parse_utc);
    }

    fn of(&mut self, row: &ProducedRow) -> Result<History> {
        let length = row.actions.iter().position(|item| *item == PADDING_ITEM_ID).unwrap_or(row.actions.len());
        let types = row.action_types.iter().take(length);
        let times = row.action_times.iter().flatten().take(length);
        let mut history = History {
            item_ids: row.actions.iter().take(length).copied().collect(),
            action_types: types.map(|number| u8::try_from(*number).held(AS_WRITTEN)).collect::<Result<_>>()?,
            newest_us: row.action_times.as_ref().and_then(|times| times.first()).copied().filter(|_| length > 0),
            days: Vec::new(),
            times_us: times.copied().collect(),
        };
        for age in row.action_ages.iter().flatten().take(length) {
            history.push_day(self.dt.minus(u32::try_from(*age).held(AS_WRITTEN)?), 1);
        }
        if !history.is_empty() && history.newest_us.is_none() {
            let part_newest_us = self.part_newest_us;
            let held = self.held(CustomerId(row.customer_id))?;
            history.newest_us = if agree(held, &history) { held.newest_us } else { part_newest_us };
        }
        Ok(history)
    }

    fn held(&mut self, customer: CustomerId) -> Result<&History> {
        let mut held = match self.held.take() {
            Some(held) if held.0 == customer => return Ok(&self.held.insert(held).1),
            held => held.unwrap_or((customer, History::default())),
        };
        held.0 = customer;
        self.cursor.as_of(customer, self.wanted, &mut held.1)?;
        Ok(&self.held.insert(held).1)
    }
}

/// Whether two histories have the same newest actions, as far back as both reach.
fn agree(one: &History, other: &History) -> bool {
    let both = one.len().min(other.len());
    both > 0
        && one.item_ids.iter().take(both).eq(other.item_ids.iter().take(both))
        && one.action_types.iter().take(both).eq(other.action_types.iter().take(both))
}
