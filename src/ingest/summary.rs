//! What an ingest did, counted.

use serde::Serialize;

use super::outlines::Unlike;
use crate::input::SameContent;
use crate::model::NamedCounts;

/// What an ingest did.
#[derive(Clone, Debug, Serialize)]
pub struct IngestSummary {
    /// The batch.
    pub dt: String,
    /// Files read.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
    /// Actions in the files, of all types, but for rows set aside.
    pub actions: u64,
    /// Of them, those of the type `click`, if the store has one; the same stands in `types`, with those of all other
    /// types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clicks: Option<u64>,
    /// Likewise `add_to_cart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_to_carts: Option<u64>,
    /// Likewise `order`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders: Option<u64>,
    /// How many of each type.
    pub types: NamedCounts,
    /// Rows that are no actions, as their source says.
    pub ignored: u64,
    /// Of the actions, those whose day is before the batch day.
    pub late: u64,
    /// Of the actions, those whose day is after the batch day.
    pub early: u64,
    /// Of the actions taken, those equal to another of the batch in customer, item, time and type: of n equal ones, n -
    /// 1. They stay. What other batches hold is not compared.
    pub duplicates: u64,
    /// Rows set aside in the quarantine.
    pub quarantined: u64,
    /// Files with the content of another one of the batch. The rows of both are taken.
    pub same_content: u64,
    /// The first hundred of them.
    pub same_content_files: Vec<SameContent>,
    /// Of the actions, those left out since their customers have been forgotten.
    pub forgotten: u64,
    /// Of the actions, those left out since their day is before the store's horizon.
    pub pruned: u64,
    /// Customers of whom actions were taken.
    pub customers: u64,
    /// Of them, those that the store did not know before.
    pub new_customers: u64,
    /// Of the customers of whom actions were taken, those of whom the store holds at least `max_history` actions now,
    /// so that older ones no longer show in their histories.
    pub customers_at_cap: u64,
    /// Keyframes written or removed.
    pub keyframes: u64,
    /// What of the batch is far from the seven batches before.
    pub unlike: Vec<Unlike>,
    /// Whether the batch was held before and has been replaced.
    pub replaced: bool,
    /// Whether the store was created.
    pub created: bool,
}
