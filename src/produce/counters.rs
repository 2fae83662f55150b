//! Counts of impressions, customers and rows.

use super::summary::ProduceSummary;
use crate::model::{CustomerId, Impression};

/// Counts over consecutive impressions in the order of customers.
#[derive(Default)]
pub(crate) struct Counts {
    pub impressions: u64,
    ordered: u64,
    customers: u64,
    /// Of the customers, how many have no history.
    without_history: u64,
    /// Of the customers, how many have a history of `max_history` actions.
    at_cap: u64,
    /// Rows without any history.
    rows_without_history: u64,
    /// Rows whose history has late actions.
    rows_with_late: u64,
    /// Array elements of the rows' histories that hold an action.
    filled: u64,
    first: Option<CustomerId>,
    first_without_history: bool,
    first_at_cap: bool,
    last: Option<CustomerId>,
    /// Length of the last customer's history.
    last_length: u64,
    /// Whether the last customer's history has late actions.
    last_has_late: bool,
}

impl Counts {
    /// Whether the customer differs from that of the last impression.
    pub(crate) fn is_new(&self, customer: CustomerId) -> bool {
        self.last != Some(customer)
    }

    /// Begins a customer whose history has `length` actions; `has_late`: some of them are late.
    pub(crate) fn begin(&mut self, customer: CustomerId, length: usize, has_late: bool, max_history: usize) {
        let (is_empty, is_at_cap) = (length == 0, length >= max_history);
        if self.first.is_none() {
            self.first = Some(customer);
            self.first_without_history = is_empty;
            self.first_at_cap = is_at_cap;
        }
        self.last = Some(customer);
        self.customers += 1;
        self.last_length = length as u64;
        self.last_has_late = has_late;
        self.without_history += u64::from(is_empty);
        self.at_cap += u64::from(is_at_cap);
    }

    /// Adds an impression of the current customer.
    pub(crate) fn add(&mut self, impression: &Impression) {
        let rows = impression.elements.len() as u64;
        self.impressions += 1;
        self.rows_without_history += if self.last_length == 0 { rows } else { 0 };
        self.rows_with_late += if self.last_has_late { rows } else { 0 };
        self.filled += rows * self.last_length;
        self.ordered += impression.elements.iter().filter(|element| element.label == 1).count() as u64;
    }
}

/// Adds up counts in the order of customers.
#[derive(Default)]
pub(crate) struct Counters {
    last: Option<CustomerId>,
}

impl Counters {
    /// Adds `counts` to the summary.
    pub(crate) fn add(&mut self, counts: &Counts, summary: &mut ProduceSummary) {
        // A customer with very many impressions continues from the chunk before and is counted once.
        let goes_on = counts.first.is_some() && counts.first == self.last;
        summary.customers += counts.customers - u64::from(goes_on);
        summary.without_history += counts.without_history - u64::from(goes_on && counts.first_without_history);
        summary.customers_at_cap += counts.at_cap - u64::from(goes_on && counts.first_at_cap);
        summary.rows_without_history += counts.rows_without_history;
        summary.rows_with_late_actions += counts.rows_with_late;
        summary.filled += counts.filled;
        summary.ordered += counts.ordered;
        self.last = counts.last.or(self.last);
    }
}
