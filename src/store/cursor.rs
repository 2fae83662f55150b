//! Reading histories: the as-of read, and the walk over deltas that writes keyframes.

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

/// What one batch brought of one customer on one day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredDelta {
    /// The day of the actions.
    pub day: Day,
    /// The batch that brought them.
    pub batch: Day,
    /// Newest first, at most `max_history`.
    pub actions: Vec<Action>,
}

/// The newest part of what the store holds of a customer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tail {
    /// Deltas, newest day first.
    pub deltas: Vec<StoredDelta>,
    /// The days of the keyframes among them, newest first, but for `base`.
    pub keyframes: Vec<Day>,
    /// The keyframe at which the walk ended: its day, which is the oldest of the deltas, and what it holds. `None`: the
    /// customer's first delta is among them.
    pub base: Option<(Day, Vec<PastAction>)>,
}

impl Tail {
    /// Actions in the deltas.
    pub fn actions(&self) -> u64 {
        self.deltas.iter().map(|delta| delta.actions.len() as u64).sum()
    }
}

/// Reads histories of one store, fastest when asked for customers in ascending order. One per thread.
///
/// Memory: one block of each sorted run of the store, three where it is over many customers, the deltas of one day, and
/// what is returned.
pub struct Cursor<'store> {
    pub(super) store: &'store Store,
    pub(super) scan: Scan<'store>,
    /// What is read of table files themselves: of all histories where they are many, and else only to see whether
    /// RocksDB can read them. `None` where that cannot be done.
    tables: Option<TableCursor<'store>>,
    /// Whether histories are read from them alone, where that can be done.
    is_over_many: bool,
    waiting: WaitingDay,
    late: LateDeltas,
    begins: Vec<Begin>,
}

impl Store {
    /// A new cursor, which sees the store as it is now.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor {
            store: self,
            scan: Scan::new(self.db.raw_iterator_opt(by_customer()), &self.folder),
            tables: self.tables().map(TableCursor::new),
            is_over_many: false,
            waiting: WaitingDay::default(),
            late: LateDeltas::default(),
            begins: Vec::new(),
        }
    }

    /// The same for the histories of many customers, which come in ascending order but for some: it reads table files
    /// itself where that can be done (see [`super::sst`]).
    pub fn cursor_over_many(&self) -> Cursor<'_> {
        Cursor { is_over_many: true, ..self.cursor() }
    }

    /// How many histories cursors over many customers have read through RocksDB so far, since table files hold
    /// something that only RocksDB can tell. It follows from the files, which the batches that a store holds do not
    /// determine.
    pub fn read_through_rocksdb(&self) -> u64 {
        self.through_rocksdb.load(Ordering::Relaxed)
    }
}

impl Cursor<'_> {
    /// From now on tells of each history whether it has late actions (see [`super::late`]), of which no day before
    /// `since` has any; `None`: no more.
    pub fn find_late(&mut self, since: Option<Day>) {
        self.late.since = since;
    }

    /// Puts a customer's history into `history`, in place of what was there.
    ///
    /// One seek, then steps over neighbours from the newest day back, until there is enough, or a keyframe has the
    /// rest. What batches after `known` brought may be in keyframes, so with `known` these are passed over; and with
    /// times, which keyframes do not have.
    ///
    /// Unless times are asked for, the newest action's is read on the way, and no other: the walk always meets a delta
    /// before any keyframe, since a keyframe stands behind the deltas of its own day, and there is one only on a day
    /// with a delta.
    pub fn as_of(&mut self, customer: CustomerId, wanted: AsOf, history: &mut History) -> Result<()> {
        let mut begins = std::mem::take(&mut self.begins);
        let read = self.as_of_each(customer, wanted, &[], history, &mut begins);
        self.begins = begins;
        read
    }

    /// The histories as of several days in one walk: that of `wanted`, and those of the days `earlier`, which descend
    /// from it. Puts all of their actions into `history`, and where each history begins into `begins`, that of `wanted`
    /// first; each is as many as `wanted` asks for of those from there on.
    ///
    /// A limit of days back holds for all of them alike; so there is none of its own for each.
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

    /// What the store holds of a customer from the newest day back to the first keyframe of a day before `earliest`,
    /// that day included; but for what the batch `without` brought, which is passed over unread. So a batch can be
    /// replaced whatever has become of it.
    ///
    /// Memory: up to `max_history` actions for each delta. Between two keyframes lie about twice `max_history` actions,
    /// or more where a day alone has as many.
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

    /// Goes to a key of a customer's history, whose blocks must be sound as far as they can be judged.
    pub(super) fn seek(&mut self, customer: CustomerId, key: KeyBytes) -> Result<()> {
        self.tables.as_mut().map_or(Ok(()), |tables| tables.check(customer))?;
        self.scan.seek(key);
        Ok(())
    }
}
