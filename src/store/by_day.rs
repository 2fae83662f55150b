//! Reads actions with their times and batches, day by day. Slower than the as-of read, since keyframes have neither.

use std::ops::ControlFlow;

use super::cursor::{Cursor, StoredDelta};
use super::query::AsOf;
use crate::error::{Error, Result};
use crate::format::{Delta, Key};
use crate::history::History;
use crate::model::{Action, ActionType, CustomerId, Day, HistoryDetail};

impl Cursor<'_> {
    /// Gives `take` a customer's deltas from before a day, the deltas of each day together, newest day first, until
    /// `take` breaks or the deltas end.
    ///
    /// Memory: the deltas of one day.
    pub fn by_day(
        &mut self,
        customer: CustomerId,
        before: Day,
        mut take: impl FnMut(Day, Vec<StoredDelta>) -> ControlFlow<()>,
    ) -> Result<()> {
        let Some(newest) = before.previous() else { return Ok(()) };
        let mut gathered: Vec<StoredDelta> = Vec::new();
        self.seek(customer, Key::Delta { customer, day: newest, batch: newest }.encode())?;
        while let Some((key, value)) = self.scan.entry()? {
            match Key::decode(key)? {
                Key::Delta { customer: found, day, batch } if found == customer => {
                    if let Some(of_day) = gathered.first().map(|delta| delta.day).filter(|of_day| *of_day != day)
                        && take(of_day, std::mem::take(&mut gathered)).is_break()
                    {
                        return Ok(());
                    }
                    gathered.push(StoredDelta { day, batch, actions: Delta::read(value)?.actions(day)? });
                }
                Key::Keyframe { customer: found, .. } if found == customer => {}
                _ => break,
            }
            self.scan.next();
        }
        if let Some(of_day) = gathered.first().map(|delta| delta.day) {
            let _ = take(of_day, gathered);
        }
        Ok(())
    }

    /// Returns a customer's history with times, newest first: the same actions as [`Cursor::as_of`].
    pub fn actions_as_of(&mut self, customer: CustomerId, wanted: AsOf) -> Result<Vec<Action>> {
        let mut history = History::default();
        self.as_of(customer, AsOf { detail: HistoryDetail::Times, ..wanted }, &mut history)?;
        let History { item_ids, action_types, times_us, .. } = history;
        let actions = times_us.into_iter().zip(item_ids).zip(action_types);
        let actions = actions.map(|((time_us, item_id), number)| {
            ActionType::from_number(number).map(|action_type| Action { time_us, item_id, action_type })
        });
        let actions: Option<Vec<Action>> = actions.collect();
        actions.ok_or_else(|| Error::corrupt(format!("the history of customer {} has an action of type 0", customer.0)))
    }

    /// Returns, with times, all actions that the store keeps of a customer from before a day.
    pub fn actions(&mut self, customer: CustomerId, before: Day) -> Result<Vec<Action>> {
        let max_history = self.store.settings().max_history;
        self.actions_as_of(
            customer,
            AsOf { before, oldest: None, known: None, max_history, detail: HistoryDetail::None },
        )
    }
}
