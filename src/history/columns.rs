//! A history as the rows have it: two columns, and how new it is.

/// A customer's newest actions as columns, newest first, without the zeros that pad them in a row. 9 bytes an action.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct History {
    /// Item ids.
    pub item_ids: Vec<i64>,
    /// Numbers of the action types, as many.
    pub action_types: Vec<u8>,
    /// When the newest of them was, in microseconds since 1970-01-01 UTC; `None` where there is none.
    pub newest_us: Option<i64>,
}

impl History {
    /// Takes all actions out, and keeps the room that they took.
    pub fn clear(&mut self) {
        self.item_ids.clear();
        self.action_types.clear();
        self.newest_us = None;
    }

    /// How many actions it has.
    pub fn len(&self) -> usize {
        self.item_ids.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.item_ids.is_empty()
    }
}
