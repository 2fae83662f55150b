//! Counting what becomes rows.

use super::run::ProduceSummary;
use crate::history::History;
use crate::model::{CustomerId, Impression};

/// What was counted of neighbours in the order of customers.
#[derive(Default)]
pub(super) struct Counts {
    pub impressions: u64,
    ordered: u64,
    customers: u64,
    /// Of the customers, how many have no history.
    without_history: u64,
    first: Option<CustomerId>,
    first_without_history: bool,
    last: Option<CustomerId>,
}

impl Counts {
    /// Whether the last impression was another customer's.
    pub fn is_new(&self, customer: CustomerId) -> bool {
        self.last != Some(customer)
    }

    /// Begins a customer with this history.
    pub fn begin(&mut self, customer: CustomerId, history: &History) {
        if self.first.is_none() {
            self.first = Some(customer);
            self.first_without_history = history.is_empty();
        }
        self.last = Some(customer);
        self.customers += 1;
        self.without_history += u64::from(history.is_empty());
    }

    /// Adds an impression of the customer begun last.
    pub fn add(&mut self, impression: &Impression) {
        self.impressions += 1;
        self.ordered += impression.elements.iter().filter(|element| element.label == 1).count() as u64;
    }
}

/// Sums counts up, in the order of customers.
#[derive(Default)]
pub(super) struct Tally {
    last: Option<CustomerId>,
}

impl Tally {
    /// Adds them to the summary.
    pub fn add(&mut self, counts: &Counts, summary: &mut ProduceSummary) {
        // A customer with very many impressions goes on from the share before.
        let goes_on = counts.first.is_some() && counts.first == self.last;
        summary.customers += counts.customers - u64::from(goes_on);
        summary.without_history += counts.without_history - u64::from(goes_on && counts.first_without_history);
        summary.ordered += counts.ordered;
        self.last = counts.last.or(self.last);
    }
}
