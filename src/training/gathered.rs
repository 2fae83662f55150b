//! The impressions of a day on their way aside, with what is counted of them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::day_rows::DayRows;
use super::impressions::Impressions;
use super::training_day::TrainingDay;
use crate::error::Result;
use crate::format::Hasher;
use crate::model::CustomerId;
use crate::output::RowSettings;
use crate::produce::{HistoryPlace, HistorySpool, Numbered, ProduceSummary};
use crate::resources::{Resources, Spool};

/// Puts the impressions of a day aside, wherever they and their histories come from. Memory: that of [`Impressions`].
pub(super) struct Gathered {
    impressions: Impressions,
    counter: RowCounter,
    /// The most actions of a history, and those of all.
    longest: u32,
    actions: u64,
    resources: Resources,
}

impl Gathered {
    pub(super) fn new(max_rows_per_customer: Option<NonZeroUsize>, resources: &Resources) -> Self {
        let spool = Spool::new(resources.scratch(), resources.spool_bytes());
        let counter = RowCounter { max: max_rows_per_customer, customer: None, of_customer: 0, rows: 0 };
        Gathered { impressions: Impressions::new(spool), counter, longest: 0, actions: 0, resources: resources.clone() }
    }

    /// Appends a block. Impressions come in the order of customers, each with the place of its history.
    pub(super) fn append(&mut self, block: &[(Numbered, HistoryPlace)]) -> Result<()> {
        for (Numbered { impression, .. }, history) in block {
            self.longest = self.longest.max(history.actions);
            if self.counter.customer != Some(impression.customer) {
                self.actions += u64::from(history.actions);
            }
            self.counter.add(impression.customer, impression.elements.len() as u64);
        }
        self.impressions.append(block)
    }

    /// Returns the day. `inputs` is a hash of what determines its rows, but for forgotten customers and the most rows
    /// of a customer.
    pub(super) fn finish(
        self,
        settings: RowSettings,
        histories: HistorySpool,
        summary: ProduceSummary,
        inputs: &str,
    ) -> TrainingDay {
        let Gathered { impressions, counter: RowCounter { max: max_rows_per_customer, rows, .. }, .. } = self;
        let summary = ProduceSummary { rows, ..summary };
        let mut hasher = Hasher::new();
        hasher.add(inputs.as_bytes());
        let max = max_rows_per_customer.map_or(0, NonZeroUsize::get) as u64;
        [max, summary.rows, summary.forgotten].iter().for_each(|number| hasher.add(&number.to_le_bytes()));
        let rows = DayRows {
            settings: settings.into(),
            max_rows_per_customer,
            impressions,
            histories,
            customers: summary.customers,
            longest: self.longest,
            actions: self.actions,
            resources: self.resources,
            used: Arc::default(),
        };
        TrainingDay { rows: Arc::new(rows), summary: Arc::new(summary), fingerprint: hasher.hex().into() }
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
