//! Preparing a day: reading its rows once, for all epochs.

use super::gathered::Gathered;
use super::options::TrainingOptions;
use super::training_day::TrainingDay;
use crate::error::Result;
use crate::produce::{DayInput, HistoryPlace, HistorySpool, Numbered, Spooling};
use crate::progress::Progress;
use crate::resources::Spool;
use crate::sort::Sorter;
use crate::storage::refuse_overlaps;
use crate::store::Store;

impl TrainingDay {
    /// Reads the rows of a day from the store and the impressions. Fails as `produce` does: if batches or actions are
    /// missing that the rows depend on, or at bad rows.
    ///
    /// Memory: that for sorting, that of the open store, two times the histories of 1,000 rows for each thread, and
    /// that of the day. The store may be closed afterwards.
    pub fn prepare(store: &Store, options: &TrainingOptions, progress: &dyn Progress) -> Result<Self> {
        let (day, max_rows_per_customer) = (options.day(), options.max_rows_per_customer);
        let resources = &options.resources;
        refuse_overlaps(day.input.folder(), store.folder().path(), None, day.quarantine)?;
        let mut input = DayInput::check(store, &day, progress)?;
        let sorter = Sorter::new(resources.sort_bytes(), resources.scratch(), resources);
        let sorted = input.read(store, &day, sorter, progress)?;
        let mut histories = HistorySpool::new(Spool::new(resources.scratch(), resources.spool_bytes()));
        let mut gathered = Gathered::new(max_rows_per_customer, resources);
        let take = |mut block: Vec<(Numbered, HistoryPlace)>, begin| {
            block.iter_mut().for_each(|(_, history)| history.offset += begin);
            gathered.append(&block)
        };
        let make = |numbered, history, made: &mut Vec<_>| {
            made.push((numbered, history));
            Ok(())
        };
        let threads = input.histories(store, resources.threads())?;
        let mut summary = input.summary;
        Spooling { settings: &input.settings, resources, progress }.run(
            sorted,
            threads,
            &mut histories,
            &mut summary,
            make,
            take,
        )?;
        Ok(gathered.finish(input.settings, histories, summary, &input.inputs))
    }
}
