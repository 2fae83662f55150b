//! The join: each customer's history beside the customer's impressions, in row groups.

use std::sync::Arc;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use crate::error::{Error, Result};
use crate::files::{EncodedRowGroup, RowGroup, RowSchema, RowSettings};
use crate::history::History;
use crate::model::{CustomerId, Day, Impression};
use crate::store::{AsOf, Cursor, Store};

/// Impressions whose rows are one row group.
pub(super) type Share = Vec<Impression>;

/// Cuts a sorted stream of impressions into shares of at most `row_group_rows` rows. By the rows alone, so that the same rows are always cut the same.
///
/// Memory: the impressions of one share.
pub(super) struct Shares<I> {
    impressions: I,
    row_group_rows: usize,
    /// The first impression of the next share.
    next: Option<Impression>,
    duplicates: u64,
}

impl<I: Iterator<Item = Result<Impression>>> Shares<I> {
    pub fn new(impressions: I, row_group_rows: usize) -> Self {
        Shares { impressions, row_group_rows, next: None, duplicates: 0 }
    }

    /// How many impressions so far were equal to the one before.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// The next share; empty at the end.
    pub fn share(&mut self) -> Result<Share> {
        let mut share: Share = self.next.take().into_iter().collect();
        let mut rows: usize = share.iter().map(|impression| impression.elements.len()).sum();
        while let Some(impression) = self.impressions.next().transpose()? {
            rows += impression.elements.len();
            self.duplicates += u64::from(share.last() == Some(&impression));
            if rows > self.row_group_rows && !share.is_empty() {
                self.next = Some(impression);
                break;
            }
            share.push(impression);
        }
        Ok(share)
    }
}

/// One share, joined and encoded, with what was counted on the way.
pub(super) struct Joined {
    pub group: EncodedRowGroup,
    pub impressions: u64,
    pub customers: Vec<CustomerId>,
    pub counts: Counts,
    /// The counts of the first customer alone.
    pub first: Counts,
}

/// What is counted of customers and their rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Customers without any history.
    pub without_history: u64,
    /// Customers whose history is as long as it can be.
    pub at_cap: u64,
    /// Rows with label 1.
    pub ordered: u64,
    /// Rows without any history.
    pub rows_without_history: u64,
    /// Places in the rows' histories that hold an action.
    pub filled: u64,
}

/// Joins shares on all cores. One cursor per thread.
///
/// Memory: for each thread, one row group.
pub(super) struct Joiner<'store> {
    threads: Vec<(Cursor<'store>, RowGroup)>,
    wanted: AsOf,
    cut_off_us: i64,
}

impl<'store> Joiner<'store> {
    pub fn new(store: &'store Store, wanted: AsOf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Result<Self> {
        let threads = 0..rayon::current_num_threads().max(1);
        let threads = threads.map(|_| Ok((store.cursor(), RowGroup::new(schema, settings)?)));
        let cut_off_us = store.settings().zone.start_of(wanted.before);
        Ok(Joiner { threads: threads.collect::<Result<_>>()?, wanted, cut_off_us })
    }

    /// How many shares are joined at once.
    pub fn width(&self) -> usize {
        self.threads.len()
    }

    /// Joins as many shares as [`Joiner::width`] at most; in the same order.
    pub fn join(&mut self, shares: Vec<Share>) -> Result<Vec<Joined>> {
        let (wanted, cut_off_us) = (self.wanted, self.cut_off_us);
        let joined = self.threads.par_iter_mut().zip(shares.into_par_iter());
        joined.map(|((cursor, group), share)| join_share(cursor, &share, wanted, cut_off_us, group)).collect()
    }
}

fn join_share(
    cursor: &mut Cursor<'_>,
    share: &Share,
    wanted: AsOf,
    cut_off_us: i64,
    group: &mut RowGroup,
) -> Result<Joined> {
    let mut history = History::default();
    let (mut customers, mut counts, mut first) = (Vec::new(), Counts::default(), Counts::default());
    for impression in share {
        if customers.last() != Some(&impression.customer) {
            cursor.as_of(impression.customer, wanted, &mut history)?;
            // The key of a portion says its day, and its times say it again. Where they contradict each other, no row is written.
            if history.newest_us.is_some_and(|newest_us| newest_us >= cut_off_us) {
                return Err(late(impression.customer, wanted.before));
            }
            group.begin_customer(&history);
            counts.without_history += u64::from(history.is_empty());
            counts.at_cap += u64::from(history.len() >= wanted.max_history);
            customers.push(impression.customer);
        }
        group.add(impression);
        let rows = impression.elements.len() as u64;
        counts.ordered += impression.elements.iter().filter(|element| element.label == 1).count() as u64;
        counts.rows_without_history += if history.is_empty() { rows } else { 0 };
        counts.filled += rows * history.len() as u64;
        if customers.len() == 1 {
            first = counts;
        }
    }
    let impressions = share.len() as u64;
    Ok(Joined { group: group.encode()?, impressions, customers, counts, first })
}

fn late(customer: CustomerId, dt: Day) -> Error {
    Error::corrupt(format!(
        "the store has an action of customer {} among those before {dt} that was not before it",
        customer.0
    ))
}
