//! The counts of a produce.

use serde::{Deserialize, Serialize};

use crate::input::SameContent;
use crate::model::Day;
use crate::output::RowSettings;

/// The result of producing a day.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ProduceSummary {
    /// The day.
    pub dt: String,
    /// Every action in the rows is earlier than this instant.
    pub cut_off: String,
    /// Length of the padded arrays.
    pub max_history: usize,
    /// The maximum age of actions in days, if limited.
    pub lookback_days: Option<u32>,
    /// The newest batch used.
    pub newest_batch: Option<String>,
    /// Whether an existing partition from the same inputs was kept; then the counts below are 0.
    pub kept: bool,
    /// Impressions that became rows.
    pub impressions: u64,
    /// Impressions whose list was null or empty.
    pub empty_impressions: u64,
    /// Of the impressions that became rows, those equal to another in customer, ranking id and list, not counting the
    /// first of each group of equal ones. All are kept.
    pub duplicates: u64,
    /// Rows of impressions left out because their customer is null (`without_customer`).
    pub without_customer: u64,
    /// Rows of impressions written to the quarantine.
    pub quarantined: u64,
    /// Files without a ranking id column, so that their ranking ids are null.
    pub without_ranking_id: u64,
    /// Files without labels, so that their labels are 0.
    pub without_label: u64,
    /// Files with the same content as another file of the day. The impressions of both are used.
    pub same_content: u64,
    /// The first hundred such files.
    pub same_content_files: Vec<SameContent>,
    /// Impressions left out because their customers have been forgotten.
    pub forgotten: u64,
    /// Impressions of customers of other shards, of which the store has none.
    #[serde(skip)]
    pub(crate) of_other_shards: u64,
    /// Training rows.
    pub rows: u64,
    /// Rows with label 1.
    pub ordered: u64,
    /// Rows without any history: their arrays are all padding.
    pub rows_without_history: u64,
    /// Rows whose history has an action that was not known on the morning of the day, because a batch of that day or
    /// later brought it.
    pub rows_with_late_actions: u64,
    /// Elements of the rows' `actions` arrays that hold an action. The others, of `rows` times `max_history`, are
    /// padding.
    pub filled: u64,
    /// Customers with a row.
    pub customers: u64,
    /// Of the customers, those without any history.
    pub without_history: u64,
    /// Of the customers, those whose history has `max_history` actions, so that older ones were cut if there are any.
    pub customers_at_cap: u64,
    /// Part files.
    pub parts: usize,
    /// The version of the Delta table that has the rows; `None` if the output is no table, or the partition was kept.
    pub table_version: Option<u64>,
    /// Files of older versions of the table that were removed; 0 in a backfill, which counts them itself.
    pub vacuumed: u64,
    /// The day of a partition of the same output, the newest other one or the previous version of this one, that rests
    /// on batches from before the store's first batch: most likely the output was made from a different store.
    /// Otherwise `None`.
    pub older_partition: Option<Day>,
}

impl ProduceSummary {
    /// Returns a summary with these settings and without any count yet.
    pub(crate) fn of(settings: &RowSettings) -> Self {
        ProduceSummary {
            dt: settings.dt.to_string(),
            cut_off: settings.cut_off.clone(),
            max_history: settings.max_history,
            lookback_days: settings.lookback_days,
            newest_batch: settings.newest_batch.map(|day| day.to_string()),
            ..ProduceSummary::default()
        }
    }

    /// Returns the same settings without any count.
    pub(crate) fn without_counts(&self) -> Self {
        let ProduceSummary { dt, cut_off, max_history, lookback_days, newest_batch, .. } = self.clone();
        ProduceSummary { dt, cut_off, max_history, lookback_days, newest_batch, ..ProduceSummary::default() }
    }

    /// Adds what is counted of customers and their rows in another shard.
    pub(crate) fn add_customers(&mut self, other: &ProduceSummary) {
        self.impressions += other.impressions;
        self.duplicates += other.duplicates;
        self.forgotten += other.forgotten;
        self.rows += other.rows;
        self.ordered += other.ordered;
        self.rows_without_history += other.rows_without_history;
        self.rows_with_late_actions += other.rows_with_late_actions;
        self.filled += other.filled;
        self.customers += other.customers;
        self.without_history += other.without_history;
        self.customers_at_cap += other.customers_at_cap;
        self.parts += other.parts;
    }

    /// Takes what is counted of files, which each shard has read.
    pub(crate) fn take_files(&mut self, other: &ProduceSummary) {
        self.empty_impressions = other.empty_impressions;
        self.without_customer = other.without_customer;
        self.quarantined = other.quarantined;
        self.without_ranking_id = other.without_ranking_id;
        self.without_label = other.without_label;
        self.same_content = other.same_content;
        self.same_content_files.clone_from(&other.same_content_files);
    }

    /// Adds what is counted of the rows that a task has read, and nobody else.
    pub(crate) fn add_rows_read(&mut self, other: &ProduceSummary) {
        self.empty_impressions += other.empty_impressions;
        self.without_customer += other.without_customer;
        self.without_ranking_id = self.without_ranking_id.max(other.without_ranking_id);
        self.without_label = self.without_label.max(other.without_label);
    }
}
