//! A history in the form that rows have: columns, and the time of its newest action.

use crate::model::Day;

/// A customer's newest actions as columns, newest first, without the zeros that pad them in a row. Memory: 9 bytes for
/// each action, 17 with times.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct History {
    /// Item ids.
    pub item_ids: Vec<i64>,
    /// Numbers of the action types, one for each item id.
    pub action_types: Vec<u8>,
    /// Time of the newest action, in microseconds since 1970-01-01 UTC; `None` if the history is empty.
    pub newest_us: Option<i64>,
    /// The days of the actions, newest first, each with its number of actions. Filled only if days or times were
    /// requested.
    pub days: Vec<(Day, usize)>,
    /// Times of the actions, in microseconds since 1970-01-01 UTC. Filled only if times were requested.
    pub times_us: Vec<i64>,
}

/// The part of a history that a row has: the actions from some position on, newest first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HistoryView<'history> {
    /// Item ids.
    pub item_ids: &'history [i64],
    /// Numbers of the action types, one for each item id.
    pub action_types: &'history [u8],
    /// Time of the newest action, in microseconds since 1970-01-01 UTC; `None` if the history is empty.
    pub newest_us: Option<i64>,
    /// The days of the actions, as in [`History`].
    pub days: &'history [(Day, usize)],
    /// Times of the actions, as in [`History`].
    pub times_us: &'history [i64],
}

impl History {
    /// Returns a view of the whole history.
    pub fn view(&self) -> HistoryView<'_> {
        let History { item_ids, action_types, newest_us, days, times_us } = self;
        HistoryView { item_ids, action_types, newest_us: *newest_us, days, times_us }
    }

    /// Removes all actions, and keeps the memory allocated.
    pub fn clear(&mut self) {
        self.item_ids.clear();
        self.action_types.clear();
        self.newest_us = None;
        self.days.clear();
        self.times_us.clear();
    }

    /// Records that the next `actions` actions are of `day`. Days come newest first.
    pub fn push_day(&mut self, day: Day, actions: usize) {
        match self.days.last_mut() {
            Some((last, count)) if *last == day => *count += actions,
            _ if actions > 0 => self.days.push((day, actions)),
            _ => {}
        }
    }

    /// Returns the number of actions.
    pub fn len(&self) -> usize {
        self.item_ids.len()
    }

    /// Returns whether the history has no actions.
    pub fn is_empty(&self) -> bool {
        self.item_ids.is_empty()
    }
}
