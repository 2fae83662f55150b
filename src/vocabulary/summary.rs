//! The counts of a vocabulary.

use serde::Serialize;

use crate::input::SameContent;
use crate::model::{Day, IdKind};

/// The result of a vocabulary.
#[derive(Clone, Debug, Serialize)]
pub struct VocabularySummary {
    /// What the ids are of.
    pub of: IdKind,
    /// The first batch day.
    pub from: Day,
    /// The last batch day.
    pub to: Day,
    /// The fewest actions and impressions together of an id.
    pub min_count: u64,
    /// The days of the range without any file.
    pub days_without_files: Vec<Day>,
    /// Files read.
    pub files: u64,
    /// Total size of the files in bytes.
    pub bytes: u64,
    /// Ids in the vocabulary; the last one has this index.
    pub ids: u64,
    /// Ids left out, since they have fewer actions and impressions than `min_count`.
    pub rare: u64,
    /// Actions of all ids, also of those left out.
    pub actions: u64,
    /// Items shown; for customers, impression lists. Also of ids left out.
    pub impressions: u64,
    /// Rows that the source's description lists as no actions.
    pub ignored: u64,
    /// Rows left out because their customer is null.
    pub without_customer: u64,
    /// Rows left out because an earlier row of their source and day has the same event id.
    pub deduplicated: u64,
    /// Records of actions whose list is null, missing or empty, where its elements are the rows.
    pub empty_lists: u64,
    /// Impression lists that are null or empty; they count for no customer.
    pub empty_impressions: u64,
    /// Rows written to the quarantine.
    pub quarantined: u64,
    /// Files with the same content as another file of their day. The rows of both are counted.
    pub same_content: u64,
    /// The first hundred such files.
    pub same_content_files: Vec<SameContent>,
}
