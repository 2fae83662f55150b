//! The join of each customer's history with the customer's impressions, into row groups.

use super::counters::Counts;
use super::histories::Histories;
use super::prepared_day::PreparedDay;
use crate::error::Result;
use crate::model::Impression;
use crate::output::{EncodedRowGroup, RowGroup};
use crate::store::Store;

/// Impressions whose rows form one row group.
pub(super) type Chunk = Vec<Impression>;

/// A joined and encoded chunk, with its counts.
pub(super) struct Joined {
    pub group: EncodedRowGroup,
    pub counts: Counts,
}

/// Joins chunks one after the other. Each thread has its own.
///
/// Memory: that of [`Histories`], plus one row group.
pub(super) struct Joiner<'store> {
    histories: Histories<'store>,
    group: RowGroup,
}

impl<'store> Joiner<'store> {
    /// Returns a joiner for each thread.
    pub(super) fn of_threads(store: &'store Store, day: &PreparedDay, threads: usize) -> Result<Vec<Self>> {
        let PreparedDay { schema, input, .. } = day;
        let histories = input.histories(store, threads)?.into_iter();
        histories.map(|histories| Ok(Joiner { histories, group: RowGroup::new(schema, &input.settings)? })).collect()
    }

    /// Joins and encodes a chunk.
    pub(super) fn join(&mut self, chunk: &Chunk) -> Result<Joined> {
        let Joiner { histories, group } = self;
        let (mut counts, max_history) = (Counts::default(), histories.max_history());
        for impression in chunk {
            if counts.is_new(impression.customer) {
                let (history, has_late) = histories.read(impression.customer)?;
                group.begin_customer(history.view())?;
                counts.begin(impression.customer, history.len(), has_late, max_history);
            }
            histories.check(impression)?;
            group.add(impression)?;
            counts.add(impression);
        }
        Ok(Joined { group: group.encode()?, counts })
    }
}
