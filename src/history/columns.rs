//! A history as the rows have it: columns, and how new it is.

use crate::model::Day;

/// A customer's newest actions as columns, newest first, without the zeros that pad them in a row. 9 bytes an action,
/// and 8 more with times.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct History {
    /// Item ids.
    pub item_ids: Vec<i64>,
    /// Numbers of the action types, as many.
    pub action_types: Vec<u8>,
    /// When the newest of them was, in microseconds since 1970-01-01 UTC; `None` where there is none.
    pub newest_us: Option<i64>,
    /// The days of the actions, newest first, and of each how many of them there are. Only where days or times were
    /// asked for.
    pub days: Vec<(Day, usize)>,
    /// When each of them was, likewise in microseconds. Only where times were asked for.
    pub times_us: Vec<i64>,
}

/// A part of a history, newest first, from some action on: what a row has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HistoryView<'history> {
    /// Item ids.
    pub item_ids: &'history [i64],
    /// Numbers of the action types, as many.
    pub action_types: &'history [u8],
    /// When the newest of them was, in microseconds since 1970-01-01 UTC; `None` where there is none.
    pub newest_us: Option<i64>,
    /// The days of the actions, as in [`History`].
    pub days: &'history [(Day, usize)],
    /// When each of them was, as in [`History`].
    pub times_us: &'history [i64],
}

impl History {
    /// All of it.
    pub fn view(&self) -> HistoryView<'_> {
        let History { item_ids, action_types, newest_us, days, times_us } = self;
        HistoryView { item_ids, action_types, newest_us: *newest_us, days, times_us }
    }

    /// Takes all actions out, and keeps the room that they took.
    pub fn clear(&mut self) {
        self.item_ids.clear();
        self.action_types.clear();
        self.newest_us = None;
        self.days.clear();
        self.times_us.clear();
    }

    /// Says of so many actions that they were on `day`. Days come newest first.
    pub fn push_day(&mut self, day: Day, actions: usize) {
        match self.days.last_mut() {
            Some((last, count)) if *last == day => *count += actions,
            _ if actions > 0 => self.days.push((day, actions)),
            _ => {}
        }
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
