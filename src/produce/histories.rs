//! Histories of many customers, read on all cores.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

use crate::error::Result;
use crate::history::{Padded, since};
use crate::model::{CustomerId, Day};
use crate::store::{Cursor, Store};

/// Which history of a customer is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Everything strictly before this day.
    pub dt: Day,
    /// Nothing before this instant, in microseconds since 1970-01-01 UTC.
    pub from_us: Option<i64>,
    /// Only from batches up to and including this one; `None` where the store holds no later one.
    pub known: Option<Day>,
    /// Length of the padded arrays.
    pub max_history: usize,
}

/// Reads and pads histories. One cursor per thread.
pub(super) struct Histories<'store> {
    cursors: Vec<Cursor<'store>>,
    wanted: Wanted,
}

impl<'store> Histories<'store> {
    pub fn new(store: &'store Store, wanted: Wanted) -> Self {
        let threads = rayon::current_num_threads().max(1);
        Histories { cursors: (0..threads).map(|_| store.cursor()).collect(), wanted }
    }

    /// The padded histories of `customers`, which are in ascending order, each once; in the same order. With each comes whether it is empty.
    ///
    /// Memory: 12 bytes for each entry of each padded history.
    pub fn read(&mut self, customers: &[CustomerId]) -> Result<Vec<(Padded, bool)>> {
        let wanted = self.wanted;
        let share = customers.len().div_ceil(self.cursors.len()).max(1);
        let shares: Vec<Result<Vec<(Padded, bool)>>> = self
            .cursors
            .par_iter_mut()
            .zip(customers.par_chunks(share))
            .map(|(cursor, share)| share.iter().map(|customer| read_one(cursor, *customer, wanted)).collect())
            .collect();
        let mut histories = Vec::with_capacity(customers.len());
        for share in shares {
            histories.extend(share?);
        }
        Ok(histories)
    }
}

fn read_one(cursor: &mut Cursor<'_>, customer: CustomerId, wanted: Wanted) -> Result<(Padded, bool)> {
    let history = match wanted.known {
        Some(known) => cursor.known_as_of(customer, wanted.dt, known)?,
        None => cursor.as_of(customer, wanted.dt)?,
    };
    let history = wanted.from_us.map_or(history.as_slice(), |from_us| since(&history, from_us));
    Ok((Padded::new(history, wanted.max_history), history.is_empty()))
}
