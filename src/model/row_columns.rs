//! The columns of a training row: the one place that says which there are, in which order, and of which type.

use serde::{Deserialize, Serialize};

/// A column of the output. The order of the variants is that of the columns.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RowColumn {
    /// The day: only where it was asked for, since it is the partition column, which stands in the folder's name.
    Dt,
    /// The caller's name for the impression.
    RankingId,
    /// To whom it was shown.
    CustomerId,
    /// Place in the list, from 0.
    ImpressionPos,
    /// What was shown.
    ImpressionItemId,
    /// 1 where it was ordered.
    Label,
    /// Items of the history, newest first.
    Actions,
    /// Types of these actions.
    ActionTypes,
    /// How many actions there are in front of the padding.
    HistoryLength,
    /// How many days before the day each of them was.
    ActionAges,
    /// When each of them was.
    ActionTimes,
}

/// What a cell of a column holds, or each element of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CellType {
    /// UTF-8.
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

/// How a column stands in the output. Only the ranking id may be null.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ColumnType {
    /// What a cell holds, or an element of it.
    pub cell: CellType,
    /// Whether each cell is a list, `max_history` long, filled up with zeros: item 0, type 0, age 0, the instant
    /// 1970-01-01 00:00:00 UTC.
    pub is_list: bool,
    /// Whether a cell may be null.
    pub nullable: bool,
}

/// A column that rows have only where it was asked for. The order is that of the columns.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraColumn {
    /// [`RowColumn::Dt`], which stands in front of the others.
    Dt,
    /// [`RowColumn::HistoryLength`].
    HistoryLength,
    /// [`RowColumn::ActionAges`].
    ActionAges,
    /// [`RowColumn::ActionTimes`].
    ActionTimes,
}

impl ExtraColumn {
    /// All of them, in order.
    pub const ALL: [ExtraColumn; 4] =
        [ExtraColumn::Dt, ExtraColumn::HistoryLength, ExtraColumn::ActionAges, ExtraColumn::ActionTimes];

    /// As a column of the output.
    pub fn column(self) -> RowColumn {
        match self {
            ExtraColumn::Dt => RowColumn::Dt,
            ExtraColumn::HistoryLength => RowColumn::HistoryLength,
            ExtraColumn::ActionAges => RowColumn::ActionAges,
            ExtraColumn::ActionTimes => RowColumn::ActionTimes,
        }
    }

    /// The name of the column, which is also what is typed.
    pub fn name(self) -> &'static str {
        self.column().name()
    }
}

/// A set of [`ExtraColumn`]s. In JSON the list of their names, in order, each once.
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

    /// The columns of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = ExtraColumn> {
        ExtraColumn::ALL.into_iter().zip(self.has).filter_map(|(column, has)| has.then_some(column))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.has == [false; 4]
    }

    /// As it is typed: the names, with commas between.
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

/// The type of `impression_item_id` and of the elements of `actions`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemType {
    /// Any id fits.
    #[default]
    Int64,
    /// Half the memory of a reader; rows with an id that does not fit are refused.
    Int32,
}

impl ItemType {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            ItemType::Int64 => "int64",
            ItemType::Int32 => "int32",
        }
    }

    /// Whether it has room for an id.
    pub fn fits(self, item_id: i64) -> bool {
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

/// The type of the elements of `action_types`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeType {
    /// What every reader knows.
    #[default]
    Int32,
    /// A quarter of the memory of a reader.
    Uint8,
}

impl TypeType {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            TypeType::Int32 => "int32",
            TypeType::Uint8 => "uint8",
        }
    }

    fn cell(self) -> CellType {
        match self {
            TypeType::Int32 => CellType::Int32,
            TypeType::Uint8 => CellType::Uint8,
        }
    }
}

/// Which columns the rows of a partition have, and how wide they are. The default is what the contract says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RowColumns {
    /// Columns besides those that all rows have.
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

impl RowColumn {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            RowColumn::Dt => "dt",
            RowColumn::RankingId => "ranking_id",
            RowColumn::CustomerId => "customer_id",
            RowColumn::ImpressionPos => "impression_pos",
            RowColumn::ImpressionItemId => "impression_item_id",
            RowColumn::Label => "label",
            RowColumn::Actions => "actions",
            RowColumn::ActionTypes => "action_types",
            RowColumn::HistoryLength => "history_length",
            RowColumn::ActionAges => "action_ages",
            RowColumn::ActionTimes => "action_times",
        }
    }
}

impl RowColumns {
    /// All columns, in order.
    pub fn list(self) -> Vec<RowColumn> {
        let mut columns: Vec<RowColumn> = ALWAYS.into_iter().chain(self.with.iter().map(ExtraColumn::column)).collect();
        columns.sort_unstable();
        columns
    }

    /// How a column stands in these rows.
    pub fn type_of(self, column: RowColumn) -> ColumnType {
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

    /// What of a history, besides items and types, these columns are made from.
    pub fn detail(self) -> HistoryDetail {
        if self.with.has(ExtraColumn::ActionTimes) {
            HistoryDetail::Times
        } else if self.with.has(ExtraColumn::ActionAges) {
            HistoryDetail::Days
        } else {
            HistoryDetail::None
        }
    }
}

/// What is read of a history besides items and types; each kind has what the one before it has.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum HistoryDetail {
    /// Nothing.
    #[default]
    None,
    /// The day of each action, which deltas and keyframes both have.
    Days,
    /// The time of each action, which deltas alone have.
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
