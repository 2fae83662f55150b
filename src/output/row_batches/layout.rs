//! How histories lie in a batch.

use crate::model::{ExtraColumn, ItemType, RowColumns, TypeType};

/// How the histories of a batch lie in memory (see the table of the module).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// A history for each row, with its padding.
    #[default]
    Padded,
    /// Each history once, with its padding.
    Dedup,
    /// Each history once, without padding.
    Jagged,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Layout; 3] = [Layout::Padded, Layout::Dedup, Layout::Jagged];

    /// Returns the name as a person types it.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Padded => "padded",
            Layout::Dedup => "dedup",
            Layout::Jagged => "jagged",
        }
    }
}

/// What all batches of a day have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BatchShape {
    /// How histories lie.
    pub layout: Layout,
    /// The maximum length of a history, and the length of a padded one.
    pub max_history: usize,
    /// The types of items and action types, and the columns besides those that all batches have.
    pub columns: RowColumns,
}

impl BatchShape {
    /// Returns the bytes of one action, or of its padding, in all columns.
    pub(crate) fn action_bytes(&self) -> usize {
        let RowColumns { with, item_type, type_type } = self.columns;
        let item = if item_type == ItemType::Int64 { 8 } else { 4 };
        let action_type = if type_type == TypeType::Int32 { 4 } else { 1 };
        let age = if with.has(ExtraColumn::ActionAges) { 4 } else { 0 };
        let time = if with.has(ExtraColumn::ActionTimes) { 8 } else { 0 };
        item + action_type + age + time
    }
}
