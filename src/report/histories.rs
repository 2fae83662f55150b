//! The lengths of histories.

use serde::Serialize;

use crate::error::Result;
use crate::store::Store;

/// The lengths of all customers' histories, over everything that the store holds.
#[derive(Clone, Debug)]
pub struct HistoryLengths {
    /// The number of customers with each length, from 0 to `max_history`.
    counts: Vec<u64>,
}

/// Customers whose histories have from `from` to `to` actions.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct LengthBucket {
    /// The minimum length.
    pub from: usize,
    /// The maximum length.
    pub to: usize,
    /// The number of customers.
    pub customers: u64,
}

impl HistoryLengths {
    /// Reads the customer index, whose lines give the lengths of histories. Memory: one leaf, and 8 bytes for each
    /// length.
    pub fn of(store: &Store) -> Result<Self> {
        let max_history = store.settings().max_history;
        let mut counts = vec![0; max_history + 1];
        for leaf in store.customer_index() {
            for (_, customer_state) in leaf?.entries {
                if let Some(count) = counts.get_mut(customer_state.length(max_history)) {
                    *count += 1;
                }
            }
        }
        Ok(HistoryLengths { counts })
    }

    /// Returns the maximum number of actions of a history.
    pub fn max_history(&self) -> usize {
        self.counts.len().saturating_sub(1)
    }

    /// Returns the number of customers in the store.
    pub fn customers(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the number of customers whose history has `max_history` actions, so that older actions are hidden.
    pub fn at_cap(&self) -> u64 {
        self.counts.last().copied().unwrap_or(0)
    }

    /// Returns the smallest length that at least half of the customers do not exceed; `None` without customers.
    pub fn median(&self) -> Option<usize> {
        let customers = self.customers();
        let mut so_far = 0;
        let reached = |count: &u64| {
            so_far += count;
            2 * so_far >= customers
        };
        self.counts.iter().position(reached).filter(|_| customers > 0)
    }

    /// Returns customers by length: 1, 2 to 3, 4 to 7 and so on, and `max_history` separately.
    pub fn buckets(&self) -> Vec<LengthBucket> {
        let cap = self.max_history();
        let doubled = std::iter::successors(Some(1_usize), |from| from.checked_mul(2));
        let below = doubled.take_while(|from| *from < cap).map(|from| (from, (from * 2 - 1).min(cap - 1)));
        let bounds = below.chain([(cap, cap)]);
        let customers = |from: usize, to: usize| self.counts.iter().take(to + 1).skip(from).sum();
        bounds.map(|(from, to)| LengthBucket { from, to, customers: customers(from, to) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_doubling_buckets() {
        let lengths = HistoryLengths { counts: vec![0, 5, 1, 1, 0, 2, 0, 0, 0, 0, 3] };
        let buckets: Vec<_> = lengths.buckets().iter().map(|one| (one.from, one.to, one.customers)).collect();
        assert_eq!(buckets, [(1, 1, 5), (2, 3, 2), (4, 7, 2), (8, 9, 0), (10, 10, 3)]);
        assert_eq!((lengths.customers(), lengths.at_cap(), lengths.median()), (12, 3, Some(2)));
        let one = HistoryLengths { counts: vec![0, 0] };
        assert_eq!((one.buckets().len(), one.median()), (1, None));
    }
}
