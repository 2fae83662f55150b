//! Reading histories: the as-of read, and the walk over deltas for writing keyframes.

use std::sync::atomic::Ordering;

use super::as_of::{AsOfRead, WaitingDay};
use super::engine::options::by_customer;
use super::handle::Store;
use super::late::LateDeltas;
use super::query::{AsOf, Begin};
use super::scan::Scan;
use super::sst::{Shown, TableCursor};
use crate::error::Result;
use crate::format::{Delta, Key, KeyBytes, Keyframe};
use crate::history::History;
use crate::model::{Action, CustomerId, Day, PastAction};

/// The actions of one customer on one day that one batch brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredDelta {
    /// The day of the actions.
    pub day: Day,
    /// The batch that brought them.
    pub batch: Day,
    /// Newest first, at most `max_history`.
    pub actions: Vec<Action>,
}

/// The newest part of a customer's history in the store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tail {
    /// Deltas, newest day first.
    pub deltas: Vec<StoredDelta>,
    /// The days of the keyframes among the deltas, newest first, without `base`.
    pub keyframes: Vec<Day>,
    /// The keyframe at which the walk ended, with its actions; its day is the oldest day of the deltas. `None`: the
    /// deltas include the customer's first delta.
    pub base: Option<(Day, Vec<PastAction>)>,
}

impl Tail {
    /// Returns the number of actions in the deltas.
    pub fn actions(&self) -> u64 {
        self.deltas.iter().map(|delta| delta.actions.len() as u64).sum()
    }
}

/// Reads histories of one store, fastest for customers in ascending order. One per thread.
///
/// Memory: one block of each sorted run of the store (three in a cursor over many customers), the deltas of one day,
/// and the result.
pub struct Cursor<'store> {
    pub(super) store: &'store Store,
    pub(super) scan: Scan<'store>,
    /// Reads table files directly: all histories in a cursor over many customers, otherwise only to check that RocksDB
    /// can read the blocks. `None` if direct reading is impossible.
    tables: Option<TableCursor<'store>>,
    /// Whether histories are read from the table files alone, where possible.
    is_over_many: bool,
    waiting: WaitingDay,
    late: LateDeltas,
    begins: Vec<Begin>,
}

impl Store {
    /// Returns a new cursor, which sees the current state of the store.
    #[doc(hidden)]
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor {
            store: self,
            scan: Scan::new(self.db.raw_iterator_opt(by_customer()), &self.folder),
            tables: self.tables().map(TableCursor::new),
            is_over_many: false,
            waiting: WaitingDay::new(self.settings().duplicates),
            late: LateDeltas::default(),
            begins: Vec::new(),
        }
    }

    /// Returns a cursor for the histories of many customers in mostly ascending order: it reads table files directly
    /// where possible (see [`super::sst`]).
    #[doc(hidden)]
    pub fn cursor_over_many(&self) -> Cursor<'_> {
        Cursor { is_over_many: true, ..self.cursor() }
    }

    /// Returns how many histories cursors over many customers have read through RocksDB so far, since only RocksDB can
    /// read some data in the table files. The number depends on the files, which the store's batches do not determine.
    pub fn read_through_rocksdb(&self) -> u64 {
        self.through_rocksdb.load(Ordering::Relaxed)
    }
}

impl Cursor<'_> {
    /// Sets whether reads report histories with late actions (see [`super::late`]). No day before `since` has late
    /// actions; `None` ends the reports.
    pub fn find_late(&mut self, since: Option<Day>) {
        self.late.since = since;
    }

    /// Reads a customer's history into `history`, and replaces its content.
    ///
    /// One seek, then steps over neighbouring keys from the newest day back, until there are enough actions or a
    /// keyframe has the rest. Keyframes are skipped with `known`, since they may hold actions of later batches, and
    /// with times, which keyframes lack.
    ///
    /// If times are not requested, only the time of the newest action is read. The walk always meets a delta before any
    /// keyframe, since a keyframe is stored after the deltas of its own day and exists only on a day with a delta.
    pub fn as_of(&mut self, customer: CustomerId, wanted: AsOf, history: &mut History) -> Result<()> {
        let mut begins = std::mem::take(&mut self.begins);
        let read = self.as_of_each(customer, wanted, &[], history, &mut begins);
        self.begins = begins;
        read
    }

    /// Reads the histories as of several days in one walk: as of `wanted`, and as of the days `earlier`, which descend
    /// from there. Puts all actions into `history`, and the start of each history into `begins`, `wanted` first; a
    /// history has at most as many actions from its start as `wanted` allows.
    ///
    /// The limit `oldest` applies to all histories; a limit of days back for each history is impossible.
    pub fn as_of_each(
        &mut self,
        customer: CustomerId,
        wanted: AsOf,
        earlier: &[Day],
        history: &mut History,
        begins: &mut Vec<Begin>,
    ) -> Result<()> {
        let mut walk = AsOfRead::new(wanted, earlier, &mut self.waiting, &mut self.late, history, begins);
        let Some(newest) = wanted.before.previous() else { return walk.end(customer) };
        if self.is_over_many {
            if let Some(tables) = self.tables.as_mut().filter(|tables| tables.are_whole) {
                match tables.walk(customer, newest, |key, value| walk.step(customer, key, value))? {
                    Shown::Whole => return walk.end(customer),
                    Shown::Unsupported => walk.begin_again(),
                }
            }
            self.store.through_rocksdb.fetch_add(1, Ordering::Relaxed);
        }
        self.tables.as_mut().map_or(Ok(()), |tables| tables.check(customer))?;
        self.scan.seek(Key::Delta { customer, day: newest, batch: newest }.encode());
        while let Some((key, value)) = self.scan.entry()? {
            if !walk.step(customer, Key::decode(key)?, value)? {
                break;
            }
            self.scan.next();
        }
        walk.end(customer)
    }

    /// Returns a customer's deltas and keyframes from the newest day back to the first keyframe of a day before
    /// `earliest`, including that day. Skips the deltas of the batch `without` unread, so that a batch can be replaced
    /// even if it is damaged.
    ///
    /// Memory: up to `max_history` actions for each delta. Between two keyframes lie about twice `max_history` actions,
    /// or more if a single day has as many.
    pub fn tail(&mut self, customer: CustomerId, earliest: Day, without: Option<Day>) -> Result<Tail> {
        let mut tail = Tail::default();
        self.seek(customer, crate::format::history_prefix(customer))?;
        while let Some((key, value)) = self.scan.entry()? {
            match Key::decode(key)? {
                Key::Delta { customer: found, batch, .. } if found == customer && Some(batch) == without => {}
                Key::Delta { customer: found, day, batch } if found == customer => {
                    let actions = Delta::read(value)?.actions(day)?;
                    tail.deltas.push(StoredDelta { day, batch, actions });
                }
                Key::Keyframe { customer: found, day } if found == customer => {
                    if day < earliest {
                        tail.base = Some((day, Keyframe::read(day, value)?.past()));
                        break;
                    }
                    tail.keyframes.push(day);
                }
                _ => break,
            }
            self.scan.next();
        }
        Ok(tail)
    }

    /// Seeks a key of a customer's history, after checking its blocks as far as the table files allow.
    pub(super) fn seek(&mut self, customer: CustomerId, key: KeyBytes) -> Result<()> {
        self.tables.as_mut().map_or(Ok(()), |tables| tables.check(customer))?;
        self.scan.seek(key);
        Ok(())
    }
}
