//! The columns of a training row: the one place that defines their set, order and types.

use crate::message::named;
use serde::{Deserialize, Serialize};

named! {
    /// A column of the output. The variants are in the order of the columns.
    #[derive(Ord, PartialOrd)]
    pub enum RowColumn {
        /// The day; only on request, since it is the partition column, which the folder's name holds.
        Dt = "dt",
        /// The caller's name for the impression.
        RankingId = "ranking_id",
        /// The customer who saw the impression.
        CustomerId = "customer_id",
        /// Position in the list, from 0.
        ImpressionPos = "impression_pos",
        /// The item shown.
        ImpressionItemId = "impression_item_id",
        /// 1 if the item was ordered, else 0.
        Label = "label",
        /// Items of the history, newest first.
        Actions = "actions",
        /// Types of these actions.
        ActionTypes = "action_types",
        /// Number of actions before the padding.
        HistoryLength = "history_length",
        /// The age of each action: days between its day and the row's day.
        ActionAges = "action_ages",
        /// The time of each action.
        ActionTimes = "action_times",
    }
}

/// The type of a cell, or of each element of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CellType {
    /// UTF-8 text.
    Text,
    /// A signed integer of 64 bits.
    Int64,
    /// A signed integer of 32 bits.
    Int32,
    /// An unsigned integer of 8 bits.
    Uint8,
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    TimeUs,
}

/// The type of a column in the output. Only the ranking id may be null.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ColumnType {
    /// The type of a cell, or of each element of a list.
    pub cell: CellType,
    /// Whether each cell is a list of length `max_history`, padded with zeros: item 0, type 0, age 0, the instant
    /// 1970-01-01 00:00:00 UTC.
    pub is_list: bool,
    /// Whether a cell may be null.
    pub nullable: bool,
}

/// A column that rows have only on request. The variants are in the order of the columns.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraColumn {
    /// [`RowColumn::Dt`], which precedes the other columns.
    Dt,
    /// [`RowColumn::HistoryLength`].
    HistoryLength,
    /// [`RowColumn::ActionAges`].
    ActionAges,
    /// [`RowColumn::ActionTimes`].
    ActionTimes,
}

impl ExtraColumn {
    /// All extra columns, in order.
    pub const ALL: [ExtraColumn; 4] =
        [ExtraColumn::Dt, ExtraColumn::HistoryLength, ExtraColumn::ActionAges, ExtraColumn::ActionTimes];

    /// Returns the column of the output.
    pub fn column(self) -> RowColumn {
        match self {
            ExtraColumn::Dt => RowColumn::Dt,
            ExtraColumn::HistoryLength => RowColumn::HistoryLength,
            ExtraColumn::ActionAges => RowColumn::ActionAges,
            ExtraColumn::ActionTimes => RowColumn::ActionTimes,
        }
    }

    /// Returns the name of the column, as in the output and as a person types it.
    pub fn name(self) -> &'static str {
        self.column().name()
    }
}

/// A set of [`ExtraColumn`]s. In JSON, the list of their names, in order, without duplicates.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "Vec<ExtraColumn>", try_from = "Vec<ExtraColumn>")]
pub struct ExtraColumns {
    has: [bool; 4],
}

impl ExtraColumns {
    /// Whether the column is in the set.
    pub fn has(self, column: ExtraColumn) -> bool {
        ExtraColumn::ALL.iter().zip(self.has).any(|(one, has)| has && *one == column)
    }

    /// Iterates over the columns of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = ExtraColumn> {
        ExtraColumn::ALL.into_iter().zip(self.has).filter_map(|(column, has)| has.then_some(column))
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.has == [false; 4]
    }

    /// Returns the names as a person types them, separated by commas.
    pub fn name(self) -> String {
        self.iter().map(ExtraColumn::name).collect::<Vec<_>>().join(",")
    }
}

impl FromIterator<ExtraColumn> for ExtraColumns {
    fn from_iter<I: IntoIterator<Item = ExtraColumn>>(columns: I) -> Self {
        let mut has = [false; 4];
        for column in columns {
            ExtraColumn::ALL.iter().zip(&mut has).for_each(|(one, has)| *has |= *one == column);
        }
        ExtraColumns { has }
    }
}

impl From<ExtraColumns> for Vec<ExtraColumn> {
    fn from(columns: ExtraColumns) -> Self {
        columns.iter().collect()
    }
}

impl TryFrom<Vec<ExtraColumn>> for ExtraColumns {
    type Error = &'static str;

    fn try_from(columns: Vec<ExtraColumn>) -> Result<Self, Self::Error> {
        let ascends = columns.is_sorted_by(|one, next| one < next);
        ascends.then(|| columns.into_iter().collect()).ok_or("columns out of order or named twice")
    }
}

named! {
    /// The type of `impression_item_id` and of the elements of `actions`.
    #[derive(Default, Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ItemType {
        /// Any id fits.
        #[default]
        Int64 = "int64",
        /// Halves a reader's memory; rows with an id that does not fit are refused.
        Int32 = "int32",
    }
    ALL
}

impl ItemType {
    /// Whether an id fits this type.
    pub(crate) fn fits(self, item_id: i64) -> bool {
        match self {
            ItemType::Int64 => true,
            ItemType::Int32 => i32::try_from(item_id).is_ok(),
        }
    }

    fn cell(self) -> CellType {
        match self {
            ItemType::Int64 => CellType::Int64,
            ItemType::Int32 => CellType::Int32,
        }
    }
}

named! {
    /// The type of the elements of `action_types`.
    #[derive(Default, Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum TypeType {
        /// The type that every reader supports.
        #[default]
        Int32 = "int32",
        /// A quarter of a reader's memory.
        Uint8 = "uint8",
    }
    ALL
}

impl TypeType {
    fn cell(self) -> CellType {
        match self {
            TypeType::Int32 => CellType::Int32,
            TypeType::Uint8 => CellType::Uint8,
        }
    }
}

/// The columns of a partition's rows, and their widths. The default is that of the contract.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct RowColumns {
    /// The columns besides those that all rows have.
    pub with: ExtraColumns,
    /// The type of items.
    pub item_type: ItemType,
    /// The type of action types.
    pub type_type: TypeType,
}

/// The columns that all rows have. Source: SPEC, "Output".
const ALWAYS: [RowColumn; 7] = [
    RowColumn::RankingId,
    RowColumn::CustomerId,
    RowColumn::ImpressionPos,
    RowColumn::ImpressionItemId,
    RowColumn::Label,
    RowColumn::Actions,
    RowColumn::ActionTypes,
];

impl RowColumns {
    /// Returns all columns, in order.
    pub fn list(self) -> Vec<RowColumn> {
        let mut columns: Vec<RowColumn> = ALWAYS.into_iter().chain(self.with.iter().map(ExtraColumn::column)).collect();
        columns.sort_unstable();
        columns
    }

    /// Returns the type of a column in these rows.
    pub(crate) fn type_of(self, column: RowColumn) -> ColumnType {
        let one = |cell| ColumnType { cell, is_list: false, nullable: false };
        let list = |cell| ColumnType { is_list: true, ..one(cell) };
        match column {
            RowColumn::Dt => one(CellType::Text),
            RowColumn::RankingId => ColumnType { nullable: true, ..one(CellType::Text) },
            RowColumn::CustomerId => one(CellType::Int64),
            RowColumn::ImpressionItemId => one(self.item_type.cell()),
            RowColumn::ImpressionPos | RowColumn::Label | RowColumn::HistoryLength => one(CellType::Int32),
            RowColumn::Actions => list(self.item_type.cell()),
            RowColumn::ActionTypes => list(self.type_type.cell()),
            RowColumn::ActionAges => list(CellType::Int32),
            RowColumn::ActionTimes => list(CellType::TimeUs),
        }
    }

    /// Returns what these columns need of a history besides items and types.
    pub(crate) fn detail(self) -> HistoryDetail {
        if self.with.has(ExtraColumn::ActionTimes) {
            HistoryDetail::Times
        } else if self.with.has(ExtraColumn::ActionAges) {
            HistoryDetail::Days
        } else {
            HistoryDetail::None
        }
    }
}

/// What is read of a history besides items and types; each variant includes the one before it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum HistoryDetail {
    /// Nothing more.
    #[default]
    None,
    /// The day of each action, which both deltas and keyframes have.
    Days,
    /// The time of each action, which only deltas have.
    Times,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_columns_is_the_list_of_their_names_in_order() {
        let some = [ExtraColumn::ActionTimes, ExtraColumn::Dt, ExtraColumn::HistoryLength];
        let some: ExtraColumns = some.into_iter().collect();
        assert_eq!(some.name(), "dt,history_length,action_times");
        let json = serde_json::to_string(&some).unwrap();
        assert_eq!(json, r#"["dt","history_length","action_times"]"#);
        assert_eq!(serde_json::from_str::<ExtraColumns>(&json).unwrap(), some);
        for json in [r#"["action_times","history_length"]"#, r#"["action_ages","action_ages"]"#, r#"["label"]"#] {
            assert!(serde_json::from_str::<ExtraColumns>(json).is_err(), "{json}");
        }
        assert!(ExtraColumn::ALL.iter().all(|column| some.has(*column) == (*column != ExtraColumn::ActionAges)));
    }

    #[test]
    fn columns_stand_in_order() {
        let all = RowColumns { with: ExtraColumn::ALL.into_iter().collect(), ..RowColumns::default() };
        assert!(all.list().is_sorted() && all.list().len() == 11);
        assert_eq!(RowColumns::default().list(), ALWAYS);
        assert_eq!(all.list().first(), Some(&RowColumn::Dt));
    }
}
