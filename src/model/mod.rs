//! Floor 1, the domain's values: customers, days, zones, actions and their types, impressions, and the columns and
//! order of rows. Plain values; no I/O.

mod action;
mod anomalies;
mod day;
mod duplicates;
mod id_kind;
mod ids;
mod impression;
mod row_columns;
mod row_order;
mod shards;
mod table_format;
mod type_counts;
mod type_table;
mod written_time;
mod zone;
mod zone_rules;

pub use action::{Action, ActionType, CustomerId, PADDING_ITEM_ID, PastAction};
#[cfg(feature = "report")]
pub(crate) use anomalies::RULE;
pub(crate) use anomalies::{Anomaly, DAYS_BEFORE, anomaly};
pub use day::{Day, name_days};
pub use duplicates::Duplicates;
pub use id_kind::IdKind;
pub use ids::{IdForm, Ids, text_id};
pub use impression::{Element, Impression};
pub(crate) use row_columns::{CellType, ColumnType, RowColumn};
pub use row_columns::{ExtraColumn, ExtraColumns, HistoryDetail, ItemType, RowColumns, TypeType};
pub(crate) use row_order::{OrderKey, Places};
pub use row_order::{OrderKind, RowOrder};
pub use shards::{Shard, Shards};
pub use table_format::TableFormat;
pub use type_counts::{NamedCounts, TypeCounts};
pub use type_table::TypeTable;
pub(crate) use type_table::{TypeConflict, is_type_name};
pub(crate) use written_time::WrittenTime;
pub use zone::Zone;
pub(crate) use zone::{display_utc, parse_utc};
pub use zone_rules::ZoneRules;
pub(crate) use zone_rules::{OffsetChange, RULES_BEGIN_S, RULES_END_S, is_tzdata_version, is_zone_name};
