//! Batch index and customer index, cut anew.

use std::collections::BTreeSet;

use super::counts::Counts;
use super::merged::Merged;
use super::source::{From, ONE_OF_THEM};
use crate::error::Result;
use crate::exact::Held;
use crate::format::{CustomerState, TouchedDay};
use crate::model::{CustomerId, Day};
use crate::store::{BulkLoad, Leaves, ListWriter, NewStore};

/// The lines of a list, leaf after leaf.
fn lines<E: crate::format::Entry>(leaves: Leaves<'_, E>) -> impl Iterator<Item = Result<(CustomerId, E)>> {
    leaves.flat_map(|leaf| {
        let (lines, error) = match leaf {
            Ok(leaf) => (leaf.entries, None),
            Err(error) => (Vec::new(), Some(Err(error))),
        };
        lines.into_iter().map(Ok).chain(error)
    })
}

/// Returns the days of all batches.
pub(super) fn batch_days(from: &[From]) -> Result<BTreeSet<Day>> {
    let mut days = BTreeSet::new();
    for from in from {
        days.extend(from.store.batches()?.iter().map(|(day, _)| day));
    }
    Ok(days)
}

/// Counts the customers of each batch that come to each store.
pub(super) fn count_customers(from: &[From], of: &impl Fn(CustomerId) -> usize, counts: &mut [Counts]) -> Result<()> {
    for batch in batch_days(from)? {
        for from in from {
            let mut last = None;
            for line in lines(from.store.touched_by(batch)) {
                let (customer, _) = line?;
                if last.replace(customer) != Some(customer) {
                    counts.get_mut(of(customer)).held(ONE_OF_THEM)?.add_customer(batch);
                }
            }
        }
    }
    Ok(())
}

/// Deals the index of each batch.
pub(super) fn deal_indexes(
    from: &[From],
    made: &[NewStore],
    loads: &mut [BulkLoad<'_>],
    of: &impl Fn(CustomerId) -> Option<usize>,
) -> Result<()> {
    for batch in batch_days(from)? {
        let streams = from.iter().map(|from| lines(from.store.touched_by(batch))).collect();
        let mut merged = Merged::new(streams, |(customer, _): &(CustomerId, TouchedDay)| *customer)?;
        let mut writers: Vec<ListWriter<'_, TouchedDay>> =
            made.iter().map(|made| made.store().index_writer(batch)).collect();
        while let Some((customer, line)) = merged.next()? {
            let Some(number) = of(customer) else { continue };
            let load = loads.get_mut(number).held(ONE_OF_THEM)?;
            writers.get_mut(number).held(ONE_OF_THEM)?.push(load, (customer, line))?;
        }
        writers.into_iter().zip(&mut *loads).try_for_each(|(writer, load)| writer.finish(load))?;
    }
    Ok(())
}

/// Deals the customer index, and returns the number of customers of each store.
pub(super) fn deal_customer_index(
    from: &[From],
    made: &[NewStore],
    loads: &mut [BulkLoad<'_>],
    of: &impl Fn(CustomerId) -> Option<usize>,
) -> Result<Vec<u64>> {
    let streams = from.iter().map(|from| lines(from.store.customer_index())).collect();
    let mut merged = Merged::new(streams, |(customer, _): &(CustomerId, CustomerState)| *customer)?;
    let mut writers: Vec<ListWriter<'_, CustomerState>> =
        made.iter().map(|made| made.store().customer_index_writer()).collect();
    let mut customers = vec![0; made.len()];
    while let Some((customer, line)) = merged.next()? {
        let Some(number) = of(customer) else { continue };
        let load = loads.get_mut(number).held(ONE_OF_THEM)?;
        writers.get_mut(number).held(ONE_OF_THEM)?.push(load, (customer, line))?;
        *customers.get_mut(number).held(ONE_OF_THEM)? += 1;
    }
    writers.into_iter().zip(loads).try_for_each(|(writer, load)| writer.finish(load))?;
    Ok(customers)
}
