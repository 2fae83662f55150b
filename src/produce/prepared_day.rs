//! The first and the last step of producing a day: preparing it from its options, and publishing its written rows.

use std::sync::Arc;

use super::day_input::DayInput;
use super::manifest::manifest;
use super::options::ProduceOptions;
use super::other_store::older_partition;
use super::shuffled::Budget;
use super::summary::ProduceSummary;
use crate::error::Result;
use crate::manifest::PartFile;
use crate::model::Impression;
use crate::output::{Partition, PartitionFolder, RowSchema, check_table};
use crate::progress::Progress;
use crate::resources::Scratch;
use crate::sort::{Sorted, Sorter};
use crate::storage::refuse_overlaps;
use crate::store::Store;

/// A partition whose rows are still to be written.
///
/// Memory: that of [`DayInput`].
pub(super) struct PreparedDay {
    pub input: DayInput,
    pub schema: Arc<RowSchema>,
    pub budget: Budget,
    pub partition: Partition,
}

/// The result of preparing a day.
pub(super) enum Prepare {
    /// The partition already exists, produced from the same inputs, and the options ask to keep it.
    Kept(ProduceSummary),
    /// The day is ready, with its impressions in the order of customers.
    Prepared(Box<PreparedDay>, Sorted<Impression>),
}

impl PreparedDay {
    /// Checks the options against the store, and reads the impressions.
    ///
    /// Memory: that for sorting, plus that of [`DayInput::read`].
    pub(super) fn prepare(store: &Store, options: &ProduceOptions, progress: &dyn Progress) -> Result<Prepare> {
        refuse_overlaps(
            options.input.folder(),
            store.folder().path(),
            Some(&options.out),
            options.quarantine.as_deref(),
        )?;
        let day = options.day();
        let mut input = DayInput::check(store, &day, progress)?;
        let out = options.resources.place(&options.out)?;
        let folder = PartitionFolder::new(&out, options.dt);
        check_table(&out, options.table, input.settings.columns)?;
        if options.is_current(&folder, &input.inputs)? {
            folder.tidy_up()?;
            return Ok(Prepare::Kept(ProduceSummary { kept: true, ..input.summary }));
        }

        input.summary.older_partition = older_partition(input.batches.first(), &out, options.dt, progress)?;
        let partition = Partition::begin(folder, options.table, input.settings.columns)?;
        let (resources, scratch) = (&options.resources, Scratch::new(partition.scratch()));
        let budget = Budget::of(input.settings.order, resources.sort_bytes());
        let impressions = input.read(store, &day, Sorter::new(budget.sort_bytes, scratch, resources), progress)?;
        let schema = RowSchema::new(&input.settings)?;
        Ok(Prepare::Prepared(Box::new(PreparedDay { input, schema, budget, partition }), impressions))
    }

    /// Publishes the partition with these parts, which are complete and fsynced.
    pub(super) fn publish(self, parts: Vec<PartFile>, progress: &dyn Progress) -> Result<ProduceSummary> {
        let PreparedDay { mut input, schema, partition, .. } = self;
        input.summary.rows = parts.iter().map(|part| part.rows).sum();
        input.summary.parts = parts.len();
        input.summary.table_version = partition.publish(&manifest(&input, parts), &schema, progress)?;
        Ok(input.summary)
    }
}
