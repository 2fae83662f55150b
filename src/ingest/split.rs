//! A batch that is read once and loaded into the shards of a sharded store, each with its own customers.

use super::admission::{Admission, LeftOut};
use super::dated_action::DatedAction;
use super::options::IngestOptions;
use super::run::{BatchReader, Ingester, ReadBatch};
use super::summary::IngestSummary;
use super::taken::Taken;
use crate::error::Result;
use crate::exact::{Held, usize_of};
use crate::format::{BatchRecord, LeftOutRows};
use crate::input::SameContents;
use crate::model::{Day, Shard, Shards, TypeCounts};
use crate::progress::Progress;
use crate::resources::{Resources, Spool};
use crate::sort::{Buckets, Record, SharedSorter, Sorter};
use crate::sources::Sources;

/// Bytes of an action in a spool.
const ACTION_BYTES: usize = 29;

/// Actions that are read from a spool at once.
const ACTIONS_AT_ONCE: u64 = 4_096;

/// A batch by shards.
///
/// Memory: that for sorting. What does not fit lies in scratch files.
pub struct SplitBatch {
    dt: Day,
    shards: Shards,
    /// The actions of each shard.
    actions: Vec<Spool>,
    /// What is not of single actions.
    record: BatchRecord,
    left_out: LeftOut,
    same: SameContents,
    sources: Sources,
    resources: Resources,
}

impl BatchReader {
    /// Reads a batch as [`BatchReader::read`] does, for the shards of a sharded store. This is the reader of one of
    /// them: they have the same batches.
    ///
    /// Memory: that for sorting, twice.
    pub fn read_split(&self, options: &IngestOptions, shards: Shards, progress: &dyn Progress) -> Result<SplitBatch> {
        // Each shard has its own forgotten customers, and looks itself.
        let batch = self.admitting(Admission::default()).read(options, progress)?;
        let ReadBatch { dt, actions, record, left_out, same, sources, .. } = batch;
        let resources = options.resources.clone();
        let memory_max = resources.sort_bytes() / usize_of(u64::from(shards.number()));
        let mut spools: Vec<Spool> =
            (0..shards.number()).map(|_| Spool::new(resources.scratch(), memory_max)).collect();
        let mut bytes = Vec::with_capacity(ACTION_BYTES);
        let mut put = |action: DatedAction| {
            bytes.clear();
            action.encode(&mut bytes);
            let spool = spools.get_mut(usize_of(u64::from(shards.of(action.customer))));
            spool.held("each shard has a spool")?.append(&bytes).map(drop)
        };
        match actions {
            Buckets::Apart(buckets) => {
                for bucket in buckets {
                    resources.check()?;
                    bucket.sorted(&resources)?.into_iter().try_for_each(&mut put)?;
                }
            }
            Buckets::Merged(mut sorted) => sorted.try_for_each(|action| put(action?))?,
        }
        let record = BatchRecord { actions: TypeCounts::default(), late: 0, early: 0, ..record };
        Ok(SplitBatch { dt, shards, actions: spools, record, left_out, same, sources, resources })
    }
}

impl SplitBatch {
    /// Returns the part of a shard. What is counted of files and rows, and not of actions, counts in the first.
    fn part(&self, shard: Shard, ingester: &Ingester) -> Result<ReadBatch> {
        assert_eq!(shard.of, self.shards, "the batch was split for these shards");
        let (admission, scratch) = ingester.admission()?;
        let sorter = SharedSorter::new(Sorter::new(self.resources.sort_bytes(), scratch, &self.resources));
        let (mut feed, mut types, mut taken) = (sorter.feed()?, TypeCounts::default(), Taken::default());
        let spool = self.actions.get(usize_of(u64::from(shard.number))).held("each shard has a spool")?;
        let (mut buffer, mut offset) = (Vec::new(), 0);
        while offset < spool.length() {
            self.resources.check()?;
            let length = (spool.length() - offset).min(ACTIONS_AT_ONCE * ACTION_BYTES as u64);
            for bytes in spool.read(offset, usize_of(length), &mut buffer)?.chunks_exact(ACTION_BYTES) {
                let action = DatedAction::decode(bytes).held("an action in a spool is as it was written")?;
                types.add(action.type_number(), 1);
                taken.late += u64::from(action.day < self.dt);
                taken.early += u64::from(action.day > self.dt);
                if admission.admits(action.customer, action.day, &mut taken.left_out) {
                    feed.push(action)?;
                }
            }
            offset += length;
        }
        feed.finish()?;
        let mut record = BatchRecord { actions: types, late: taken.late, early: taken.early, ..self.record.clone() };
        let mut left_out = taken.left_out;
        let mut same = SameContents::default();
        if shard.number == 0 {
            let LeftOut { without_customer, deduplicated, empty_lists, .. } = self.left_out;
            left_out = LeftOut { without_customer, deduplicated, empty_lists, ..left_out };
            same = SameContents { count: self.same.count, listed: self.same.listed.clone() };
        } else {
            (record.ignored, record.quarantined, record.left_out) = (0, 0, LeftOutRows::default());
        }
        let actions = sorter.into_sorter()?.buckets()?;
        let sources = self.sources.clone();
        // What is judged of a whole batch was judged when it was read.
        let (far, with_rows) = Default::default();
        Ok(ReadBatch { dt: self.dt, actions, record, left_out, same, sources, far, with_rows })
    }
}

impl Ingester {
    /// Loads the part of a batch that is of a shard into the shard's store, as [`Ingester::load`] does.
    ///
    /// Memory: that for sorting, beside that of a load.
    pub fn load_part(&mut self, batch: &SplitBatch, shard: Shard, progress: &dyn Progress) -> Result<IngestSummary> {
        self.load(batch.part(shard, self)?, progress)
    }
}
