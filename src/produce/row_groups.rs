//! The join: each customer's history beside the customer's impressions, in row groups.

use std::sync::Arc;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::histories::Histories;
use super::tally::Counts;
use crate::error::Result;
use crate::files::{EncodedRowGroup, RowGroup, RowSchema, RowSettings};
use crate::model::Impression;
use crate::store::{AsOf, Store};

/// Impressions whose rows are one row group.
pub(super) type Share = Vec<Impression>;

/// One share, joined and encoded, with what was counted on the way.
pub(super) struct Joined {
    pub group: EncodedRowGroup,
    pub counts: Counts,
}

/// Joins shares on all cores. One cursor per thread.
///
/// Memory: for each thread, one row group.
pub(super) struct Joiner<'store> {
    threads: Vec<(Histories<'store>, RowGroup)>,
}

impl<'store> Joiner<'store> {
    pub fn new(store: &'store Store, wanted: AsOf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Result<Self> {
        let threads = Histories::of_threads(store, wanted, settings).into_iter();
        let threads = threads.map(|histories| Ok((histories, RowGroup::new(schema, settings)?)));
        Ok(Joiner { threads: threads.collect::<Result<_>>()? })
    }

    /// How many shares are joined at once.
    pub fn width(&self) -> usize {
        self.threads.len()
    }

    /// Joins as many shares as [`Joiner::width`] at most; in the same order. Of several errors, gives the first in this order.
    pub fn join(&mut self, shares: Vec<Share>) -> Result<Vec<Joined>> {
        let joined = self.threads.par_iter_mut().zip(shares.into_par_iter());
        let joined: Vec<Result<Joined>> =
            joined.map(|((histories, group), share)| join_share(histories, &share, group)).collect();
        joined.into_iter().collect()
    }
}

fn join_share(histories: &mut Histories<'_>, share: &Share, group: &mut RowGroup) -> Result<Joined> {
    let (mut counts, max_history) = (Counts::default(), histories.max_history());
    for impression in share {
        if counts.is_new(impression.customer) {
            let history = histories.read(impression.customer)?;
            group.begin_customer(history);
            counts.begin(impression.customer, history, max_history);
        }
        histories.check(impression)?;
        group.add(impression);
        counts.add(impression);
    }
    Ok(Joined { group: group.encode()?, counts })
}
