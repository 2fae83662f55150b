//! The counts of an ingest.

use serde::{Deserialize, Serialize};

use super::outlines::Unlike;
use crate::input::SameContent;
use crate::model::NamedCounts;

/// The result of an ingest.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct IngestSummary {
    /// The batch.
    pub dt: String,
    /// Files read.
    pub files: usize,
    /// Total size of the files in bytes.
    pub bytes: u64,
    /// Actions in the files, of all types, without quarantined rows.
    pub actions: u64,
    /// Of them, those of the type `click`, if the store has it; `types` has this count too, with those of all other
    /// types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicks: Option<u64>,
    /// Of the actions, those of the type `add_to_cart`, if the store has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_to_carts: Option<u64>,
    /// Of the actions, those of the type `order`, if the store has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<u64>,
    /// Actions of each type.
    #[serde(skip_deserializing)]
    pub types: NamedCounts,
    /// Rows that the source's description lists as no actions.
    pub ignored: u64,
    /// Records whose list is null, missing or empty, where its elements are the rows.
    pub empty_lists: u64,
    /// Of the actions, those whose day is before the batch day.
    pub late: u64,
    /// Of the actions, those whose day is after the batch day.
    pub early: u64,
    /// Of the actions ingested, those equal to another of the batch in customer, item, time and type, not counting the
    /// first of each group of equal ones. Other batches are not compared.
    pub duplicates: u64,
    /// Rows left out because their customer is null (`without_customer` of their source).
    pub without_customer: u64,
    /// Rows left out because an earlier row of their source has the same event id (`distinct_by`).
    pub deduplicated: u64,
    /// Of the duplicates, those dropped: all in a store that drops them, else none.
    pub duplicates_dropped: u64,
    /// Rows written to the quarantine.
    pub quarantined: u64,
    /// Files with the same content as another file of the batch. The rows of both are used.
    pub same_content: u64,
    /// The first hundred such files.
    pub same_content_files: Vec<SameContent>,
    /// Of the actions, those left out because their customers have been forgotten.
    pub forgotten: u64,
    /// Of the actions, those left out because their day is before the store's horizon.
    pub pruned: u64,
    /// Customers with at least one action ingested.
    pub customers: u64,
    /// Of them, those that are new to the store.
    pub new_customers: u64,
    /// Of these customers, those with at least `max_history` actions in the store now, so that older actions are no
    /// longer in their histories.
    pub customers_at_cap: u64,
    /// Keyframes written or removed.
    pub keyframes: u64,
    /// Figures of the batch that are far from those of the seven batches before.
    #[serde(skip_deserializing)]
    pub unlike: Vec<Unlike>,
    /// Whether the batch replaced an earlier version.
    pub replaced: bool,
    /// Whether this batch created the store.
    pub created: bool,
}

impl IngestSummary {
    /// Adds the counts of the same batch in another shard, which has other customers.
    pub(crate) fn add_shard(&mut self, other: &IngestSummary) {
        let plus = |one: &mut Option<u64>, other: Option<u64>| *one = one.zip(other).map(|(one, other)| one + other);
        self.actions += other.actions;
        plus(&mut self.clicks, other.clicks);
        plus(&mut self.add_to_carts, other.add_to_carts);
        plus(&mut self.orders, other.orders);
        self.types.add_all(&other.types);
        self.ignored += other.ignored;
        self.empty_lists += other.empty_lists;
        self.late += other.late;
        self.early += other.early;
        self.duplicates += other.duplicates;
        self.without_customer += other.without_customer;
        self.deduplicated += other.deduplicated;
        self.duplicates_dropped += other.duplicates_dropped;
        self.quarantined += other.quarantined;
        self.forgotten += other.forgotten;
        self.pruned += other.pruned;
        self.customers += other.customers;
        self.new_customers += other.new_customers;
        self.customers_at_cap += other.customers_at_cap;
        self.keyframes += other.keyframes;
        self.replaced |= other.replaced;
    }
}
