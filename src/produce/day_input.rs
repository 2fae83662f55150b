//! What determines the rows of a day, whatever becomes of them: its settings, its histories, its impressions.

use super::day_options::DayOptions;
use super::histories::Histories;
use super::inputs::inputs_fingerprint;
use super::read::{Fingerprinted, fingerprinted, read};
use super::summary::ProduceSummary;
use crate::error::{Error, Result};
use crate::input::Input;
use crate::message::message;
use crate::model::{Day, Impression, TypeTable};
use crate::output::RowSettings;
use crate::progress::Progress;
use crate::sort::{SharedSorter, Sorted, Sorter};
use crate::sources::ImpressionLayout;
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
    pub(crate) fn check(store: &Store, options: &DayOptions<'_>, progress: &dyn Progress) -> Result<Self> {
        DayInput::check_with(store, options, None, progress)
    }

    /// Does the same with impression files that have been found already.
    pub(super) fn check_with(
        store: &Store,
        options: &DayOptions<'_>,
        files: Option<Vec<Fingerprinted>>,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let DayOptions { dt, rows, known_as_of: known, allowed, .. } = *options;
        let settings = row_settings(store, options)?;
        store.check_ids(options.impressions.ids)?;
        let batches = store.batches()?;
        store.refuse_incomplete(&batches, dt, (rows.lookback_days, known), allowed, progress)?;
        let horizon = store.horizon()?;
        let settings = RowSettings {
            newest_batch: batches.newest(known),
            action_types: action_types(&store.settings().types, &batches, known),
            ..settings
        };
        let files = match files {
            Some(files) => files,
            None => shown_files(options)?,
        };
        if files.is_empty() {
            return Err(no_impressions(options));
        }
        let mapping = options.impressions.mapping();
        let of_store = (horizon, store.settings().duplicates);
        let inputs = inputs_fingerprint(&settings, &batches, known, of_store, mapping.as_deref(), &files);
        let wanted = AsOf {
            before: dt,
            oldest: rows.lookback_days.map(|days| dt.minus(days)),
            known: batches.limit(known),
            max_history: settings.max_history,
            detail: settings.columns.detail(),
        };
        let summary = ProduceSummary::of(&settings);
        Ok(DayInput { settings, wanted, summary, batches, known, files, mapping, inputs })
    }

    /// Reads the impressions, and returns them in the order of customers.
    ///
    /// Memory: that of `sorter`, plus that of [`read`].
    pub(crate) fn read(
        &mut self,
        store: &Store,
        options: &DayOptions<'_>,
        mut sorter: Sorter<Impression>,
        progress: &dyn Progress,
    ) -> Result<Sorted<Impression>> {
        let is_flat = options.impressions.layout == ImpressionLayout::Flat;
        let flat = is_flat.then(|| SharedSorter::new(sorter.half()));
        let sorter = SharedSorter::new(sorter);
        let is_read = read(&self.files, options, &store.block_list()?, (&sorter, flat), &mut self.summary, progress);
        // A failed sorter is the cause of the reading error, so its error is returned first.
        let sorter = sorter.into_sorter()?;
        is_read?;
        sorter.finish()
    }

    /// Returns for each thread what reads the histories of the rows.
    pub(crate) fn histories<'store>(&self, store: &'store Store, threads: usize) -> Result<Vec<Histories<'store>>> {
        // The oldest day on which rows of this day and later can have late actions.
        let late_since = store.late_since(&self.batches, self.settings.dt, self.known)?;
        Ok(Histories::of_threads(store, self.wanted, &self.settings, late_since, threads))
    }
}

/// Finds the impression files of a day.
pub(super) fn shown_files(options: &DayOptions<'_>) -> Result<Vec<Fingerprinted>> {
    let DayOptions { input, impressions, dt, resources, .. } = options;
    fingerprinted(input.impressions(impressions, *dt, resources)?, resources)
}

fn no_impressions(DayOptions { input, impressions, dt, .. }: &DayOptions<'_>) -> Error {
    match input {
        Input::Folder(root) => Error::input(
            format!("there is no impression file in {}/{}", root.shown(), impressions.pattern.text_on(*dt)),
            message!["check ", Input, " and ", Dt],
        ),
        Input::Memory(_) => Error::input(
            format!("the input in memory for the rows of {dt} has no impressions"),
            "give it the impressions of the day",
        ),
    }
}

/// Returns the settings from store and options, still without the newest batch and the action types.
fn row_settings(store: &Store, options: &DayOptions<'_>) -> Result<RowSettings> {
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
        duplicates: held.duplicates,
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
