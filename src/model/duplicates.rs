//! What becomes of equal actions.

use serde::{Deserialize, Serialize};

use crate::message::named;

named! {
    /// What becomes of actions that are equal in customer, item, time and type. Fixed for the life of a store.
    #[derive(Default, Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Duplicates {
        /// Histories hold all of them.
        #[default]
        Keep = "keep",
        /// Histories hold one of them, whichever batches brought them.
        Drop = "drop",
    }
    ALL
}
