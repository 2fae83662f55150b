//! The first and the last step of producing a day: preparing it from its options, and publishing its written rows.

use std::sync::Arc;

use super::inputs::inputs_fingerprint;
use super::manifest::{MadeFrom, manifest};
use super::options::ProduceOptions;
use super::other_store::older_partition;
use super::read::{Fingerprinted, fingerprinted, read};
use super::shuffled::Budget;
use super::summary::ProduceSummary;
use crate::error::{Error, Result};
use crate::input::day_files;
use crate::manifest::PartFile;
use crate::message::message;
use crate::model::{Day, Impression, TypeTable};
use crate::output::{Partition, PartitionFolder, RowSchema, RowSettings};
use crate::progress::Progress;
use crate::resources::Scratch;
use crate::sort::{SharedSorter, Sorted, Sorter};
use crate::storage::refuse_overlaps;
use crate::store::{AsOf, Batches, Store};
use crate::text::Shown;

/// A partition whose rows are still to be written, with everything that determines them.
///
/// Memory: some 100 bytes for each batch and each impression file.
pub(super) struct PreparedDay {
    pub settings: RowSettings,
    pub schema: Arc<RowSchema>,
    pub wanted: AsOf,
    pub budget: Budget,
    pub partition: Partition,
    pub summary: ProduceSummary,
    batches: Batches,
    known: Option<Day>,
    files: Vec<Fingerprinted>,
    mapping: Option<String>,
    inputs: String,
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
    /// Memory: that for sorting, plus that of [`read`].
    pub fn prepare(store: &Store, options: &ProduceOptions, progress: &dyn Progress) -> Result<Prepare> {
        let (dt, rows) = (options.dt, &options.rows);
        refuse_overlaps(&options.input, store.folder().path(), Some(&options.out), options.quarantine.as_deref())?;
        let settings = row_settings(store, options)?;
        let batches = store.batches()?;
        let allowed = (options.allow_gaps, options.allow_pruned);
        store.refuse_incomplete(&batches, dt, (rows.lookback_days, options.known_as_of), allowed, progress)?;
        let horizon = store.horizon()?;
        let settings = RowSettings {
            newest_batch: batches.newest(options.known_as_of),
            action_types: action_types(&store.settings().types, &batches, options.known_as_of),
            ..settings
        };
        let pattern = &options.sources.impressions.pattern;
        let files = fingerprinted(day_files(&options.input, pattern, dt)?, &options.resources)?;
        if files.is_empty() {
            return Err(Error::input(
                format!("there is no impression file in {}/{}", options.input.shown(), pattern.text_on(dt)),
                message!["check ", Input, " and ", Dt],
            ));
        }
        let mapping = options.sources.impressions.mapping();
        let inputs = inputs_fingerprint(&settings, &batches, options.known_as_of, horizon, mapping.as_deref(), &files);
        let folder = PartitionFolder::new(&options.out, dt);
        let mut summary = empty_summary(&settings);
        if options.keep_current && folder.holds(&inputs) {
            folder.tidy_up()?;
            summary.kept = true;
            return Ok(Prepare::Kept(summary));
        }

        summary.older_partition = older_partition(&batches, &options.out, dt, progress)?;
        let partition = Partition::begin(folder)?;
        let (resources, scratch) = (&options.resources, Scratch::new(partition.scratch()));
        let budget = Budget::of(settings.order, resources.sort_bytes());
        let sorter = SharedSorter::new(Sorter::new(budget.sort_bytes, scratch, resources));
        let is_read = read(&files, options, &store.block_list()?, &sorter, &mut summary, progress);
        // A failed sorter is the cause of the reading error, so its error is returned first.
        let sorter = sorter.into_sorter()?;
        is_read?;
        let wanted = AsOf {
            before: dt,
            oldest: rows.lookback_days.map(|days| dt.minus(days)),
            known: batches.limit(options.known_as_of),
            max_history: settings.max_history,
            detail: settings.columns.detail(),
        };
        let schema = RowSchema::new(&settings)?;
        let known = options.known_as_of;
        let prepared = PreparedDay {
            settings,
            schema,
            wanted,
            budget,
            partition,
            summary,
            batches,
            known,
            files,
            mapping,
            inputs,
        };
        Ok(Prepare::Prepared(Box::new(prepared), sorter.finish()?))
    }

    /// Returns the oldest day on which rows of this day and later can have late actions (see [`Store::late_since`]).
    pub fn late_since(&self, store: &Store) -> Result<Option<Day>> {
        store.late_since(&self.batches, self.settings.dt, self.known)
    }

    /// Publishes the partition with these parts, which are complete and fsynced.
    pub fn publish(self, parts: Vec<PartFile>) -> Result<ProduceSummary> {
        let PreparedDay { settings, schema, partition, mut summary, batches, known, files, mapping, inputs, .. } = self;
        summary.rows = parts.iter().map(|part| part.rows).sum();
        summary.parts = parts.len();
        let made_from = MadeFrom { settings: &settings, batches: &batches, known, files: &files, mapping };
        partition.publish(&manifest(&made_from, inputs, &summary, parts), &schema)?;
        Ok(summary)
    }
}

/// Returns the settings from store and options, still without the newest batch and the action types.
fn row_settings(store: &Store, options: &ProduceOptions) -> Result<RowSettings> {
    let (held, rows) = (store.settings(), &options.rows);
    let max_history = held.history_length(rows.max_history)?;
    Ok(RowSettings {
        dt: options.dt,
        cut_off: held.zone.display(held.zone.start_of(options.dt)),
        time_zone: held.zone.name().to_owned(),
        zone_rules: held.zone.rules_fingerprint(options.dt),
        max_history,
        lookback_days: rows.lookback_days,
        newest_batch: None,
        action_types: None,
        compression: rows.page_compression(),
        sizes: rows.file_sizes(),
        columns: rows.row_columns(),
        order: rows.row_order()?,
    })
}

/// Returns the names of the action types in the batches used; `None` if all are as without a configuration. Types that
/// no such batch has are left out: they may have been added later, and no row depends on them.
fn action_types(types: &TypeTable, batches: &Batches, known: Option<Day>) -> Option<String> {
    let used = batches.iter().filter(|(day, _)| known.is_none_or(|known| *day <= known));
    let mut numbers: Vec<u8> = used.flat_map(|(_, batch)| batch.types.iter().copied()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let default = TypeTable::default();
    let is_default =
        numbers.iter().all(|number| default.holds(*number) && default.name(*number) == types.name(*number));
    (!is_default).then(|| types.text(|number| numbers.contains(&number)))
}

fn empty_summary(settings: &RowSettings) -> ProduceSummary {
    ProduceSummary {
        dt: settings.dt.to_string(),
        cut_off: settings.cut_off.clone(),
        max_history: settings.max_history,
        lookback_days: settings.lookback_days,
        newest_batch: settings.newest_batch.map(|day| day.to_string()),
        ..ProduceSummary::default()
    }
}
