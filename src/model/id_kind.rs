//! What an id is of.

use serde::Serialize;

use crate::message::named;

named! {
    /// The kinds of ids of an input.
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum IdKind {
        /// The items of actions, and of the elements of impression lists.
        Items = "items",
        /// The customers of actions and impressions.
        Customers = "customers",
    }
    ALL
}

impl IdKind {
    /// Returns the name of a column of such ids.
    pub(crate) fn column(self) -> &'static str {
        match self {
            IdKind::Items => "item_id",
            IdKind::Customers => "customer_id",
        }
    }

    /// Returns the key of `[ids]` in a configuration for such ids.
    pub(crate) fn key(self) -> &'static str {
        match self {
            IdKind::Items => "item",
            IdKind::Customers => "customer",
        }
    }
}
