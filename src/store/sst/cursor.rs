//! A cursor over all runs of a store, one customer after another.

use super::run::RunCursor;
use super::table::{Tables, damaged};
use super::{FastPath, Unsupported};
use crate::error::Result;
use crate::format::{Key, history_number};
use crate::model::{CustomerId, Day};

/// Reads the histories of customers, fastest in ascending order. One per thread.
///
/// Memory: two blocks of each sorted run.
pub(in crate::store) struct TableCursor<'tables> {
    runs: Vec<RunCursor<'tables>>,
    /// Whether histories can be read from the tables alone.
    pub are_whole: bool,
}

/// Whether the entries shown are valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Shown {
    /// All requested entries were shown.
    Whole,
    /// Only RocksDB can read some of the data; the entries shown are invalid.
    Unsupported,
}

impl<'tables> TableCursor<'tables> {
    /// Returns a cursor over these tables.
    pub(crate) fn new(tables: &'tables Tables) -> Self {
        let runs = tables.runs.iter().map(|run| RunCursor::new(run)).collect();
        TableCursor { runs, are_whole: tables.are_whole }
    }

    /// Shows the keys of a customer's history from the day `from` back, in order, each with its value, until `show`
    /// returns `false` or fails.
    pub(crate) fn walk(
        &mut self,
        customer: CustomerId,
        from: Day,
        mut show: impl FnMut(Key, &[u8]) -> Result<bool>,
    ) -> Result<Shown> {
        match self.seek(customer, from).and_then(|()| self.show_all(customer, &mut show)) {
            Ok(shown) => shown.map(|()| Shown::Whole),
            Err(unsupported) => self.give_up(&unsupported).map(|()| Shown::Unsupported),
        }
    }

    /// Reads all blocks that may hold a key of a customer's history, before RocksDB does. Fails if a block contradicts
    /// itself although its checksum is correct: keys out of order lead RocksDB past other keys. Data that only RocksDB
    /// can read is left to it.
    pub(crate) fn check(&mut self, customer: CustomerId) -> Result<()> {
        let first = u128::from((customer.0 ^ i64::MIN).cast_unsigned()) << 64;
        let walk = |run: &mut RunCursor<'_>| {
            run.seek(first)?;
            while run.number.is_some_and(|number| number >> 64 <= first >> 64) {
                run.next()?;
            }
            Ok(())
        };
        let damaged = self.runs.iter_mut().find_map(|run| match walk(run) {
            Err(unsupported @ Unsupported::Damaged(_)) => Some(unsupported),
            Err(Unsupported::Unknown) => {
                run.forget();
                None
            }
            Ok(()) => None,
        });
        damaged.map_or(Ok(()), |unsupported| self.give_up(&unsupported))
    }

    /// Resets all runs, whose positions are now meaningless. Fails if a file is damaged.
    fn give_up(&mut self, unsupported: &Unsupported) -> Result<()> {
        self.runs.iter_mut().for_each(RunCursor::forget);
        match unsupported {
            Unsupported::Unknown => Ok(()),
            Unsupported::Damaged(what) => {
                let met = self.runs.iter().find(|run| run.is_damaged).map_or("", RunCursor::file);
                Err(damaged(met, what))
            }
        }
    }

    fn show_all(
        &mut self,
        customer: CustomerId,
        show: &mut impl FnMut(Key, &[u8]) -> Result<bool>,
    ) -> FastPath<Result<()>> {
        while let Some((place, end)) = self.next_of(customer)? {
            let run = self.runs.get_mut(place).ok_or(Unsupported::Unknown)?;
            while run.number.is_some_and(|number| number < end) {
                let (key, value) = run.entry()?;
                match Key::decode(&key).and_then(|key| show(key, value)) {
                    Ok(true) => run.next()?,
                    Ok(false) => return Ok(Ok(())),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(()))
    }

    fn seek(&mut self, customer: CustomerId, from: Day) -> FastPath<()> {
        let first = Key::Delta { customer, day: from, batch: from }.encode();
        let target = history_number(&first).ok_or(Unsupported::Unknown)?;
        self.runs.iter_mut().try_for_each(|run| run.seek(target))
    }

    /// Returns the run at the lowest key if that key is the customer's, and the number at which the customer's keys in
    /// that run end, or the keys of another run go on. Unsupported if two runs have the lowest key.
    fn next_of(&self, customer: CustomerId) -> FastPath<Option<(usize, u128)>> {
        let (mut least, mut second, mut found) = (u128::MAX, u128::MAX, None);
        for (place, run) in self.runs.iter().enumerate() {
            let Some(number) = run.number else { continue };
            if number < least {
                (least, second, found) = (number, least, Some(place));
            } else {
                second = second.min(number);
            }
        }
        let prefix = (customer.0 ^ i64::MIN).cast_unsigned();
        let behind = prefix.checked_add(1).map_or(u128::MAX, |next| u128::from(next) << 64);
        match found.filter(|_| (least >> 64) as u64 == prefix) {
            Some(_) if least == second => Err(Unsupported::Unknown),
            found => Ok(found.map(|place| (place, second.min(behind)))),
        }
    }
}
