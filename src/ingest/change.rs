//! The changes that a batch makes, customer by customer: its new actions, and the days of its earlier version.

use super::dated_action::DatedAction;
use crate::exact::at_most;
use crate::format::TouchedDay;
use crate::model::{CustomerId, Day};

/// The change of one customer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'unit> {
    pub customer: CustomerId,
    held: &'unit [(CustomerId, TouchedDay)],
    brought: &'unit [DatedAction],
    max_history: usize,
}

impl<'unit> Change<'unit> {
    /// Returns the days that the earlier version of the batch touched, newest first.
    pub(super) fn held(&self) -> impl Iterator<Item = Day> + Clone + use<'unit> {
        self.held.iter().map(|(_, TouchedDay(day))| *day)
    }

    /// Returns the days that the batch touches now, newest first, each with its newest `max_history` actions, newest
    /// first.
    pub(super) fn brought(&self) -> impl DoubleEndedIterator<Item = (Day, &'unit [DatedAction])> + Clone + use<'unit> {
        let max_history = self.max_history;
        let days = self.brought.chunk_by(|one, next| one.day == next.day);
        days.filter_map(move |actions| Some((actions.first()?.day, at_most(actions, max_history))))
    }
}

/// Joins the new actions and the days held, both in the order of customers, into [`Change`]s in that order.
pub(super) struct Changes<'unit> {
    brought: &'unit [DatedAction],
    held: &'unit [(CustomerId, TouchedDay)],
    max_history: usize,
}

impl<'unit> Changes<'unit> {
    pub(super) fn new(
        brought: &'unit [DatedAction],
        held: &'unit [(CustomerId, TouchedDay)],
        max_history: usize,
    ) -> Self {
        Changes { brought, held, max_history }
    }
}

impl<'unit> Iterator for Changes<'unit> {
    type Item = Change<'unit>;

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

/// Splits off the leading elements for which `belongs` holds.
fn split_off<'unit, T>(from: &mut &'unit [T], belongs: impl Fn(&T) -> bool) -> &'unit [T] {
    let count = from.iter().take_while(|one| belongs(one)).count();
    let (taken, left) = from.split_at(count);
    *from = left;
    taken
}
