//! What a diff found.

use serde::Serialize;

use super::settings::SettingDifference;
use crate::model::Day;

/// Which row it is. Rows that share all of it are told apart by their other cells alone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Identity {
    /// Column `dt`.
    pub dt: String,
    /// Column `ranking_id`.
    pub ranking_id: Option<String>,
    /// Column `customer_id`.
    pub customer_id: i64,
    /// Column `impression_pos`.
    pub impression_pos: i32,
}

/// One column in which a row differs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CellDifference {
    /// Its name.
    pub column: &'static str,
    /// The first place of a list where they differ, from 1; `None` for columns that are no list.
    pub place: Option<usize>,
    /// What the first output has there; `None` behind the end of its list.
    pub one: Option<i64>,
    /// What the second has.
    pub other: Option<i64>,
}

/// A row that is not the same in both.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RowDifference {
    /// It is in both, with other cells.
    Differs {
        /// Which row.
        #[serde(flatten)]
        row: Identity,
        /// What differs.
        cells: Vec<CellDifference>,
    },
    /// Only the first output has it.
    OnlyInOne {
        /// Which row.
        #[serde(flatten)]
        row: Identity,
        /// Its item.
        impression_item_id: i64,
    },
    /// Only the second output has it.
    OnlyInOther {
        /// Which row.
        #[serde(flatten)]
        row: Identity,
        /// Its item.
        impression_item_id: i64,
    },
}

/// Rows that differ, by column. A row counts for each of its columns.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ColumnCounts {
    /// Column `impression_item_id`.
    pub impression_item_id: u64,
    /// Column `label`.
    pub label: u64,
    /// Column `actions`.
    pub actions: u64,
    /// Column `action_types`.
    pub action_types: u64,
    /// Column `history_length`, where both outputs have it.
    pub history_length: u64,
    /// Column `action_ages`, likewise.
    pub action_ages: u64,
    /// Column `action_times`, likewise.
    pub action_times: u64,
}

/// The difference between two partitions of a day.
#[derive(Clone, Debug, Serialize)]
pub struct PartitionDiff {
    /// The day.
    pub dt: Day,
    /// What the manifests say differently. This alone is no difference of the rows.
    #[serde(rename = "said")]
    pub settings: Vec<SettingDifference>,
    /// Rows of the first output.
    pub rows_one: u64,
    /// Rows of the second.
    pub rows_other: u64,
    /// Rows that are the same in both.
    pub same: u64,
    /// Rows of one identity with other cells.
    pub different: u64,
    /// Of these, in which columns.
    pub columns: ColumnCounts,
    /// Rows that only the first has.
    pub only_in_one: u64,
    /// Rows that only the second has.
    pub only_in_other: u64,
    /// Whether the rows stand in the same order, if they are all the same.
    pub same_order: bool,
    /// The first differences, by customer, ranking id and place.
    pub differences: Vec<RowDifference>,
    /// How many more there are.
    pub not_listed: u64,
}

impl PartitionDiff {
    /// Whether both have the same rows, in whatever order.
    pub fn is_same(&self) -> bool {
        self.different + self.only_in_one + self.only_in_other == 0
    }
}
