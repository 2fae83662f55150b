//! The most rows of a customer.

use std::collections::BinaryHeap;
use std::num::NonZeroUsize;

use crate::error::Result;
use crate::model::CustomerId;

/// Keeps, of each customer's rows, those with the smallest keys. Rows come in the order of customers.
///
/// Memory: the rows kept of one customer.
pub(super) struct RowLimit<K, R> {
    /// `None` for no limit.
    max: Option<NonZeroUsize>,
    customer: Option<CustomerId>,
    kept: BinaryHeap<(K, R)>,
}

impl<K: Ord, R: Ord> RowLimit<K, R> {
    /// Returns the limit, without any row yet.
    pub(super) fn new(max: Option<NonZeroUsize>) -> Self {
        RowLimit { max, customer: None, kept: BinaryHeap::new() }
    }

    /// Takes a row with its key, and passes rows that stay to `keep`, in any order.
    pub(super) fn push(
        &mut self,
        customer: CustomerId,
        key: impl FnOnce() -> K,
        row: R,
        mut keep: impl FnMut(R) -> Result<()>,
    ) -> Result<()> {
        let Some(max) = self.max else { return keep(row) };
        if self.customer != Some(customer) {
            self.finish(keep)?;
            self.customer = Some(customer);
        }
        self.kept.push((key(), row));
        if self.kept.len() > max.get() {
            self.kept.pop();
        }
        Ok(())
    }

    /// Passes the last customer's rows to `keep`.
    pub(super) fn finish(&mut self, mut keep: impl FnMut(R) -> Result<()>) -> Result<()> {
        self.kept.drain().try_for_each(|(_, row)| keep(row))
    }
}
