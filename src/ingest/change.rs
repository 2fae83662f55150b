//! What a batch changes, customer by customer: its new actions beside what an earlier batch of the same day had brought.

use std::iter::Peekable;

use super::admission::Admission;
use super::dated_action::DatedAction;
use crate::error::Result;
use crate::model::{Action, CustomerId, Day};

/// The change of one customer.
#[derive(Debug)]
pub(super) struct Change {
    pub customer: CustomerId,
    /// The days that the batch held so far touched, newest first.
    pub held: Vec<Day>,
    /// What the batch brings now: newest day first, each with its newest `max_history` actions, newest first.
    pub brought: Vec<(Day, Vec<Action>)>,
}

/// Joins two streams that are both in the order of customers into [`Change`]s in that order. Customers with nothing on either side that the store
/// admits are passed over.
///
/// Memory: one change, so at most `max_history` actions for each day of one customer, however many the batch brings.
pub(super) struct Changes<'a, New: Iterator, Held: Iterator> {
    new: Peekable<New>,
    held: Peekable<Held>,
    admission: &'a Admission,
    max_history: usize,
}

impl<'a, New, Held> Changes<'a, New, Held>
where
    New: Iterator<Item = Result<DatedAction>>,
    Held: Iterator<Item = Result<(CustomerId, Day)>>,
{
    pub fn new(new: New, held: Held, admission: &'a Admission, max_history: usize) -> Self {
        Changes { new: new.peekable(), held: held.peekable(), admission, max_history }
    }

    fn change(&mut self) -> Result<Option<Change>> {
        // An error at the head of either stream comes out here and ends the join.
        let new_customer = match self.new.peek() {
            Some(Ok(head)) => Some(head.0.customer),
            Some(Err(_)) => return self.new.next().transpose().map(|_| None),
            None => None,
        };
        let held_customer = match self.held.peek() {
            Some(Ok((customer, _))) => Some(*customer),
            Some(Err(_)) => return self.held.next().transpose().map(|_| None),
            None => None,
        };
        let Some(customer) = new_customer.into_iter().chain(held_customer).min() else { return Ok(None) };
        let mut change = Change { customer, held: Vec::new(), brought: Vec::new() };
        while let Some(next) = self.held.next_if(|next| matches!(next, Ok((found, _)) if *found == customer)) {
            change.held.push(next?.1);
        }
        let is_forgotten = self.admission.is_forgotten(customer);
        while let Some(next) = self.new.next_if(|next| matches!(next, Ok(next) if next.0.customer == customer)) {
            let next = next?.0;
            if !self.admission.admits(is_forgotten, next.day) {
                continue;
            }
            match change.brought.last_mut() {
                Some((day, actions)) if *day == next.day => {
                    if actions.len() < self.max_history {
                        actions.push(next.action);
                    }
                }
                _ => change.brought.push((next.day, vec![next.action])),
            }
        }
        Ok(Some(change))
    }
}

impl<New, Held> Iterator for Changes<'_, New, Held>
where
    New: Iterator<Item = Result<DatedAction>>,
    Held: Iterator<Item = Result<(CustomerId, Day)>>,
{
    type Item = Result<Change>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.change().transpose()? {
                Ok(change) if change.held.is_empty() && change.brought.is_empty() => {}
                change => return Some(change),
            }
        }
    }
}
