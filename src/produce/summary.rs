//! What a produce did, counted.

use serde::Serialize;

use crate::input::SameContent;
use crate::model::Day;

/// What a produce did.
#[derive(Clone, Debug, Serialize)]
pub struct ProduceSummary {
    /// The day.
    pub dt: String,
    /// Every action in the rows is earlier than this instant.
    pub cut_off: String,
    /// Length of the padded arrays.
    pub max_history: usize,
    /// How many days back actions may lie, if that is limited.
    pub lookback_days: Option<u32>,
    /// The newest batch used.
    pub newest_batch: Option<String>,
    /// Whether the partition was there already, produced from the same inputs, and was left; then the counts below are
    /// 0.
    pub kept: bool,
    /// Impressions that became rows.
    pub impressions: u64,
    /// Impressions whose list was null or empty.
    pub empty_impressions: u64,
    /// Of the impressions that became rows, those equal to another in customer, ranking id and list: of n equal ones, n
    /// - 1. They stay.
    pub duplicates: u64,
    /// Impressions set aside in the quarantine.
    pub quarantined: u64,
    /// Files without a column of ranking ids, so that all of these are null.
    pub without_ranking_id: u64,
    /// Files whose lists have no labels, so that all of these are 0.
    pub without_label: u64,
    /// Files with the content of another one of the day. The impressions of both are taken.
    pub same_content: u64,
    /// The first hundred of them.
    pub same_content_files: Vec<SameContent>,
    /// Impressions left out since their customers have been forgotten.
    pub forgotten: u64,
    /// Training rows.
    pub rows: u64,
    /// Rows with label 1.
    pub ordered: u64,
    /// Rows of customers without any history: all padding.
    pub rows_without_history: u64,
    /// Rows whose history holds an action that was not known on the morning of the day, since a batch of the day or
    /// later brought it.
    pub rows_with_late_actions: u64,
    /// Places in the rows' `actions` that hold an action. The others, of `rows` times `max_history`, are padding.
    pub filled: u64,
    /// Customers with a row.
    pub customers: u64,
    /// Of them, those without any history.
    pub without_history: u64,
    /// Of them, those whose history has `max_history` actions, so that older ones were cut if there are any.
    pub customers_at_cap: u64,
    /// Part files.
    pub parts: usize,
    /// A partition of the same output, the newest other one or this one as it was before, that rests on batches from
    /// before the store's first one: most likely this is not the store that the output was made from. `None` where
    /// there is no such sign.
    pub older_partition: Option<Day>,
}
