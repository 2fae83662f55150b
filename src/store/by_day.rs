//! Reading actions with their times and batches, day by day: slower than the as-of read, since keyframes have neither.

use std::ops::ControlFlow;

use super::cursor::{Cursor, StoredPortion};
use super::query::AsOf;
use crate::error::Result;
use crate::format::{Key, Portion};
use crate::history;
use crate::model::{Action, CustomerId, Day, HistoryDetail};

impl Cursor<'_> {
    /// Gives `take` what the store holds of a customer from before a day: the portions of each day together, newest day first, until `take` breaks or there
    /// is no more.
    ///
    /// Memory: the portions of one day.
    pub fn by_day(
        &mut self,
        customer: CustomerId,
        before: Day,
        mut take: impl FnMut(Day, Vec<StoredPortion>) -> ControlFlow<()>,
    ) -> Result<()> {
        let Some(newest) = before.previous() else { return Ok(()) };
        let mut gathered: Vec<StoredPortion> = Vec::new();
        self.seek(customer, Key::Portion { customer, day: newest, batch: newest }.encode())?;
        while let Some((key, value)) = self.scan.entry()? {
            match Key::decode(key)? {
                Key::Portion { customer: found, day, batch } if found == customer => {
                    if let Some(of_day) = gathered.first().map(|portion| portion.day).filter(|of_day| *of_day != day)
                        && take(of_day, std::mem::take(&mut gathered)).is_break()
                    {
                        return Ok(());
                    }
                    gathered.push(StoredPortion { day, batch, actions: Portion::read(value)?.actions(day)? });
                }
                Key::Keyframe { customer: found, .. } if found == customer => {}
                _ => break,
            }
            self.scan.next();
        }
        if let Some(of_day) = gathered.first().map(|portion| portion.day) {
            let _ = take(of_day, gathered);
        }
        Ok(())
    }

    /// A customer's history with times; newest first. The same actions as those of [`Cursor::as_of`].
    pub fn actions_as_of(&mut self, customer: CustomerId, wanted: AsOf) -> Result<Vec<Action>> {
        let mut actions: Vec<Action> = Vec::new();
        self.by_day(customer, wanted.before, |day, portions| {
            if actions.len() >= wanted.max_history || wanted.oldest.is_some_and(|oldest| day < oldest) {
                return ControlFlow::Break(());
            }
            let known = portions.into_iter().filter(|portion| wanted.known.is_none_or(|known| portion.batch <= known));
            let parts: Vec<Vec<Action>> = known.map(|portion| portion.actions).collect();
            actions.append(&mut history::merge(&parts, wanted.max_history - actions.len()));
            ControlFlow::Continue(())
        })?;
        Ok(actions)
    }

    /// The same of all that the store keeps of a customer from before a day.
    pub fn actions(&mut self, customer: CustomerId, before: Day) -> Result<Vec<Action>> {
        let max_history = self.store.settings().max_history;
        self.actions_as_of(
            customer,
            AsOf { before, oldest: None, known: None, max_history, detail: HistoryDetail::None },
        )
    }
}
