//! Floor 1, the domain's values: customers, days, zones, actions and their types, impressions, and the columns and
//! order of rows. Plain values; no I/O.

mod action;
mod anomalies;
mod day;
mod impression;
mod row_columns;
mod row_order;
mod type_counts;
mod type_table;
mod zone;
mod zone_rules;

pub use action::{Action, ActionType, CustomerId, PADDING_ITEM_ID, PastAction};
pub use anomalies::{Anomaly, DAYS_BEFORE, RULE, anomaly};
pub use day::{Day, name_days};
pub use impression::{Element, Impression};
pub use row_columns::{
    CellType, ColumnType, ExtraColumn, ExtraColumns, HistoryDetail, ItemType, RowColumn, RowColumns, TypeType,
};
pub use row_order::{OrderKey, OrderKind, Places, RowOrder};
pub use type_counts::{NamedCounts, TypeCounts};
pub use type_table::{TYPE_NAME_CHARS_MAX, TypeConflict, TypeTable, is_type_name};
pub use zone::{Zone, display_utc, parse_utc};
pub use zone_rules::{OffsetChange, RULES_BEGIN_S, RULES_END_S, ZoneRules, is_tzdata_version, is_zone_name};
