//! What a batch changes, customer by customer: its new actions beside what an earlier batch of the same day had brought.

use super::dated_action::DatedAction;
use crate::exact::at_most;
use crate::format::TouchedDay;
use crate::model::{CustomerId, Day};

/// The change of one customer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'share> {
    pub customer: CustomerId,
    held: &'share [(CustomerId, TouchedDay)],
    brought: &'share [DatedAction],
    max_history: usize,
}

impl<'share> Change<'share> {
    /// The days that the batch held so far touched, newest first.
    pub fn held(&self) -> impl Iterator<Item = Day> + Clone + use<'share> {
        self.held.iter().map(|(_, TouchedDay(day))| *day)
    }

    /// What the batch brings now: newest day first, each with its newest `max_history` actions, newest first.
    pub fn brought(&self) -> impl DoubleEndedIterator<Item = (Day, &'share [DatedAction])> + Clone + use<'share> {
        let max_history = self.max_history;
        let days = self.brought.chunk_by(|one, next| one.day == next.day);
        days.filter_map(move |actions| Some((actions.first()?.day, at_most(actions, max_history))))
    }
}

/// Joins actions and the days held, both in the order of customers, into [`Change`]s in that order.
pub(super) struct Changes<'share> {
    brought: &'share [DatedAction],
    held: &'share [(CustomerId, TouchedDay)],
    max_history: usize,
}

impl<'share> Changes<'share> {
    pub fn new(brought: &'share [DatedAction], held: &'share [(CustomerId, TouchedDay)], max_history: usize) -> Self {
        Changes { brought, held, max_history }
    }
}

impl<'share> Iterator for Changes<'share> {
    type Item = Change<'share>;

    fn next(&mut self) -> Option<Self::Item> {
        let brought = self.brought.first().map(|action| action.customer);
        let held = self.held.first().map(|(customer, _)| *customer);
        let customer = brought.into_iter().chain(held).min()?;
        Some(Change {
            customer,
            held: split_off(&mut self.held, |(found, _)| *found == customer),
            brought: split_off(&mut self.brought, |action| action.customer == customer),
            max_history: self.max_history,
        })
    }
}

/// Takes from the front what `belongs`.
fn split_off<'share, T>(from: &mut &'share [T], belongs: impl Fn(&T) -> bool) -> &'share [T] {
    let count = from.iter().take_while(|one| belongs(one)).count();
    let (taken, left) = from.split_at(count);
    *from = left;
    taken
}
