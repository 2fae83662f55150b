//! The findings of a diff.

use serde::Serialize;

use super::settings::SettingDifference;
use crate::model::Day;

/// The identity of a row. Rows with equal identities differ in their other cells only.
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
    /// The name of the column.
    pub column: &'static str,
    /// The first position where the lists differ, from 1; `None` for columns that are no list.
    pub place: Option<usize>,
    /// The value in the first output; `None` after the end of its list.
    pub one: Option<i64>,
    /// The value in the second output.
    pub other: Option<i64>,
}

/// A row that differs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RowDifference {
    /// The row is in both outputs, with different cells.
    Differs {
        /// The identity.
        #[serde(flatten)]
        row: Identity,
        /// The cells that differ.
        cells: Vec<CellDifference>,
    },
    /// Only the first output has it.
    OnlyInOne {
        /// The identity.
        #[serde(flatten)]
        row: Identity,
        /// Its item.
        impression_item_id: i64,
    },
    /// Only the second output has it.
    OnlyInOther {
        /// The identity.
        #[serde(flatten)]
        row: Identity,
        /// Its item.
        impression_item_id: i64,
    },
}

/// Rows that differ, by column. A row counts for each of its differing columns.
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
    /// Column `history_length`, if both outputs have it.
    pub history_length: u64,
    /// Column `action_ages`, if both outputs have it.
    pub action_ages: u64,
    /// Column `action_times`, if both outputs have it.
    pub action_times: u64,
}

/// The difference between two partitions of a day.
#[derive(Clone, Debug, Serialize)]
pub struct PartitionDiff {
    /// The day.
    pub dt: Day,
    /// Where the manifests differ. This alone is no difference of the rows.
    #[serde(rename = "said")]
    pub settings: Vec<SettingDifference>,
    /// Rows of the first output.
    pub rows_one: u64,
    /// Rows of the second.
    pub rows_other: u64,
    /// Rows that are the same in both.
    pub same: u64,
    /// Rows of one identity with different cells.
    pub different: u64,
    /// The columns in which these rows differ.
    pub columns: ColumnCounts,
    /// Rows that only the first has.
    pub only_in_one: u64,
    /// Rows that only the second has.
    pub only_in_other: u64,
    /// Whether all rows are equal and in the same order.
    pub same_order: bool,
    /// The first differences, by customer, ranking id and position.
    pub differences: Vec<RowDifference>,
    /// The number of differences not listed.
    pub not_listed: u64,
}

impl PartitionDiff {
    /// Whether both have the same rows, in any order.
    pub fn is_same(&self) -> bool {
        self.different + self.only_in_one + self.only_in_other == 0
    }
}
