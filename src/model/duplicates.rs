//! What becomes of equal actions.

use serde::{Serialize, Serializer};

use crate::message::named;

named! {
    /// What becomes of actions that are equal in customer, item, time and type. Fixed for the life of a store.
    #[derive(Default)]
    pub enum Duplicates {
        /// Histories hold all of them.
        #[default]
        Keep = "keep",
        /// Histories hold one of them, whichever batches brought them.
        Drop = "drop",
    }
    ALL
}

impl Serialize for Duplicates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
