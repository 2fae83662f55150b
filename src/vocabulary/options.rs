//! The options of a vocabulary.

use std::path::PathBuf;

use crate::model::{Day, IdKind, text_id};
use crate::options::options;
use crate::resources::Resources;
use crate::sources::Sources;

options! {
    /// The options of a vocabulary: the root folder of the input, the first and the last of its batch days, and what
    /// the ids are of.
    VocabularyOptions(input: PathBuf, from: Day, to: Day, of: IdKind) {
        /// The description of the input. Default: clicks, add_to_carts, orders and impressions.
        sources: Sources = Sources::default(),
        /// The fewest actions and impressions together of an id in the vocabulary. Default: 1, which is every id.
        min_count: u64 = 1,
        /// What makes a number of an id that is text. Default: [`text_id`]; another is for tests of collisions.
        text_id: fn(&str) -> i64 = text_id,
        /// The quarantine, a folder or URL for bad rows. Default: a day with a bad row is refused.
        quarantine: Option<PathBuf> = None,
        /// Memory, threads and disk to use. An id of each 65,536 rows takes 30 bytes of the memory for sorting, or 50
        /// and its text; beyond it, sorted runs spill to scratch files.
        resources: Resources = Resources::default(),
    }
}
