//! Floor 1, the things that lookback speaks of: customers, days, zones, actions, impressions. Plain values; no I/O.

mod action;
mod day;
mod impression;
mod zone;

pub use action::{Action, ActionType, CustomerId, PADDING_ITEM_ID, PastAction};
pub use day::{Day, name_days};
pub use impression::{Element, Impression};
pub use zone::{Zone, display_utc, parse_utc};
