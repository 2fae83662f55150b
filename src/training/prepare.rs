//! Preparing a day: reading its rows once, for all epochs.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::batches::RowBatches;
use super::cuts::Cuts;
use super::day_rows::DayRows;
use super::impressions::Impressions;
use super::options::{BatchOptions, TrainingOptions};
use super::order::Order;
use crate::error::Result;
use crate::format::Hasher;
use crate::model::CustomerId;
use crate::produce::{DayInput, HistoryPlace, HistorySpool, Numbered, ProduceSummary, Spooling};
use crate::progress::Progress;
use crate::resources::Spool;
use crate::sort::Sorter;
use crate::storage::refuse_overlaps;
use crate::store::Store;

/// The rows of a day, put aside. Clones are cheap, and are the same rows.
///
/// Memory: an eighth of the limit each for impressions and histories, which go to scratch files beyond it; 24 bytes for
/// each thousand rows. The files are gone with the last clone, epoch and batches of the day.
#[derive(Clone)]
pub struct TrainingDay {
    rows: Arc<DayRows>,
    summary: Arc<ProduceSummary>,
    fingerprint: Arc<str>,
}

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
        let spool = || Spool::new(resources.scratch(), resources.spool_bytes());
        let (mut impressions, mut histories) = (Impressions::new(spool()), HistorySpool::new(spool()));
        let mut counter = RowCounter { max: max_rows_per_customer, customer: None, of_customer: 0, rows: 0 };
        let mut longest = 0;
        let take = |mut block: Vec<(Numbered, HistoryPlace)>, begin| {
            for (Numbered { impression, .. }, history) in &mut block {
                history.offset += begin;
                longest = longest.max(history.actions);
                counter.add(impression.customer, impression.elements.len() as u64);
            }
            impressions.append(&block)
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
        summary.rows = counter.rows;
        // The inputs leave out who has been forgotten, and the most rows of a customer.
        let mut hasher = Hasher::new();
        hasher.add(input.inputs.as_bytes());
        let max = max_rows_per_customer.map_or(0, NonZeroUsize::get) as u64;
        [max, summary.rows, summary.forgotten].iter().for_each(|number| hasher.add(&number.to_le_bytes()));
        let rows = DayRows {
            settings: input.settings,
            max_rows_per_customer,
            impressions,
            histories,
            customers: summary.customers,
            longest,
            resources: resources.clone(),
        };
        Ok(TrainingDay { rows: Arc::new(rows), summary: Arc::new(summary), fingerprint: hasher.hex().into() })
    }

    /// Returns the number of rows of each epoch.
    pub fn rows(&self) -> u64 {
        self.summary.rows
    }

    /// Returns the counts that a produce of the day would report; `rows` without those beyond `max_rows_per_customer`.
    pub fn summary(&self) -> &ProduceSummary {
        &self.summary
    }

    /// Returns a hash of everything that determines the rows and their order: settings, program version, batches,
    /// impression files and forgotten customers. Two days with equal hashes have the same rows in the same order in
    /// each epoch.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Sorts the rows of an epoch; epoch 0 has the order of a partition. The store is not read.
    ///
    /// Memory: that for sorting while it works, then an eighth of the limit, or a scratch file beyond it.
    pub fn epoch(&self, epoch: u64) -> Result<Epoch> {
        let order = Arc::new(Order::of_epoch(&self.rows, epoch)?);
        Ok(Epoch { rows: Arc::clone(&self.rows), order, epoch })
    }
}

/// The rows of a day in the order of an epoch. Clones are cheap.
#[derive(Clone)]
pub struct Epoch {
    rows: Arc<DayRows>,
    order: Arc<Order>,
    epoch: u64,
}

impl Epoch {
    /// Returns the number of rows.
    pub fn rows(&self) -> u64 {
        self.order.rows()
    }

    /// Returns the epoch's number.
    pub fn number(&self) -> u64 {
        self.epoch
    }

    /// Returns the number of batches of all workers from `first_row` on. With `batch_actions_max` it reads the order
    /// and the lengths of the histories, since these decide.
    pub fn count(&self, options: &BatchOptions) -> Result<u64> {
        let all = options.workers(1).worker(0);
        if let Some(count) = all.count(self.rows()) {
            return Ok(count);
        }
        let mut cuts = Cuts::new(&self.rows, &self.order, &all);
        let mut count = 0;
        while cuts.next_batch()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// Begins to make batches, in the background. Fails if the options contradict each other, or if a batch may take
    /// more memory than there is for batches: see [`RowBatches`].
    pub fn batches(&self, options: &BatchOptions) -> Result<RowBatches> {
        RowBatches::begin(&self.rows, &self.order, self.epoch, options)
    }
}

/// Counts the rows that a limit for each customer leaves.
struct RowCounter {
    max: Option<NonZeroUsize>,
    customer: Option<CustomerId>,
    of_customer: u64,
    rows: u64,
}

impl RowCounter {
    fn add(&mut self, customer: CustomerId, rows: u64) {
        if self.customer != Some(customer) {
            (self.customer, self.of_customer) = (Some(customer), 0);
        }
        let limited = |rows: u64| self.max.map_or(rows, |max| rows.min(max.get() as u64));
        let before = limited(self.of_customer);
        self.of_customer += rows;
        self.rows += limited(self.of_customer) - before;
    }
}
