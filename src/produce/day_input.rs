//! What determines the rows of a day, whatever becomes of them: its settings, its histories, its impressions.

use super::histories::Histories;
use super::inputs::inputs_fingerprint;
use super::options::DayOptions;
use super::read::{Fingerprinted, fingerprinted, read};
use super::refusals::{refuse_gaps, refuse_outdated, refuse_pruned};
use super::summary::ProduceSummary;
use crate::error::{Error, Result};
use crate::input::day_files;
use crate::message::message;
use crate::model::{Day, Impression, TypeTable};
use crate::output::{Compression, FileSizes, RowSettings};
use crate::progress::Progress;
use crate::sort::{SharedSorter, Sorted, Sorter};
use crate::store::{AsOf, Batches, Store};
use crate::text::Shown;

/// A day whose options fit the store, with everything that determines its rows.
///
/// Memory: some 100 bytes for each batch and each impression file.
pub(crate) struct DayInput {
    pub settings: RowSettings,
    pub wanted: AsOf,
    /// The counts so far: those of the impressions, once they are read.
    pub summary: ProduceSummary,
    pub batches: Batches,
    pub known: Option<Day>,
    pub files: Vec<Fingerprinted>,
    pub mapping: Option<String>,
    /// The hash of everything above (see [`inputs_fingerprint`]).
    pub inputs: String,
}

impl DayInput {
    /// Checks the options against the store, and finds the impression files.
    pub fn check(
        store: &Store,
        options: &DayOptions<'_>,
        compression: Compression,
        sizes: FileSizes,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let dt = options.dt;
        let settings = row_settings(store, options, compression, sizes)?;
        let batches = store.batches()?;
        if !options.allow_gaps {
            refuse_gaps(&batches, dt, options.known_as_of)?;
            refuse_outdated(&batches, dt, options.known_as_of)?;
        }
        let first = options.lookback_days.map(|days| dt.minus(days));
        let begin: Vec<Day> = first.into_iter().chain([dt]).collect();
        store.refuse_other_start(store.newer_rules(progress).as_ref(), &begin)?;
        let horizon = store.horizon()?;
        if !options.allow_pruned {
            refuse_pruned(horizon, dt, options.lookback_days)?;
        }
        let settings = RowSettings {
            newest_batch: batches.newest(options.known_as_of),
            action_types: action_types(&store.settings().types, &batches, options.known_as_of),
            ..settings
        };
        let pattern = &options.impressions.pattern;
        let files = fingerprinted(day_files(options.input, pattern, dt)?, options.resources)?;
        if files.is_empty() {
            return Err(Error::input(
                format!("there is no impression file in {}/{}", options.input.shown(), pattern.text_on(dt)),
                message!["check ", Input, " and ", Dt],
            ));
        }
        let mapping = options.impressions.mapping();
        let known = options.known_as_of;
        let inputs = inputs_fingerprint(&settings, &batches, known, horizon, mapping.as_deref(), &files);
        let wanted = AsOf {
            before: dt,
            oldest: first,
            known: batches.limit(known),
            max_history: settings.max_history,
            detail: settings.columns.detail(),
        };
        let summary = empty_summary(&settings);
        Ok(DayInput { settings, wanted, summary, batches, known, files, mapping, inputs })
    }

    /// Reads the impressions, and returns them in the order of customers.
    ///
    /// Memory: that of `sorter`, plus that of [`read`].
    pub fn read(
        &mut self,
        store: &Store,
        options: &DayOptions<'_>,
        sorter: Sorter<Impression>,
        progress: &dyn Progress,
    ) -> Result<Sorted<Impression>> {
        let sorter = SharedSorter::new(sorter);
        let is_read = read(&self.files, options, &store.block_list()?, &sorter, &mut self.summary, progress);
        // A failed sorter is the cause of the reading error, so its error is returned first.
        let sorter = sorter.into_sorter()?;
        is_read?;
        sorter.finish()
    }

    /// Returns for each thread what reads the histories of the rows.
    pub fn histories<'store>(&self, store: &'store Store, threads: usize) -> Result<Vec<Histories<'store>>> {
        // The oldest day on which rows of this day and later can have late actions.
        let late_since = store.late_since(&self.batches, self.settings.dt, self.known)?;
        Ok(Histories::of_threads(store, self.wanted, &self.settings, late_since, threads))
    }
}

/// Returns the settings from store and options, still without the newest batch and the action types.
fn row_settings(
    store: &Store,
    options: &DayOptions<'_>,
    compression: Compression,
    sizes: FileSizes,
) -> Result<RowSettings> {
    let held = store.settings();
    let max_history = held.history_length(options.max_history)?;
    Ok(RowSettings {
        dt: options.dt,
        cut_off: held.zone.display(held.zone.start_of(options.dt)),
        time_zone: held.zone.name().to_owned(),
        zone_rules: held.zone.rules_fingerprint(options.dt),
        max_history,
        lookback_days: options.lookback_days,
        newest_batch: None,
        action_types: None,
        compression,
        sizes,
        columns: options.columns,
        order: options.order,
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
        kept: false,
        impressions: 0,
        empty_impressions: 0,
        without_ranking_id: 0,
        without_label: 0,
        same_content: 0,
        same_content_files: Vec::new(),
        duplicates: 0,
        quarantined: 0,
        forgotten: 0,
        rows: 0,
        ordered: 0,
        rows_without_history: 0,
        rows_with_late_actions: 0,
        filled: 0,
        customers: 0,
        without_history: 0,
        customers_at_cap: 0,
        parts: 0,
        older_partition: None,
    }
}
