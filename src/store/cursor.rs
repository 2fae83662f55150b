//! Reading histories: the as-of read and the walk over portions.

use rocksdb::DBRawIterator;

use super::handle::{Store, failure};
use crate::error::Result;
use crate::format::{Key, decode_actions};
use crate::history;
use crate::model::{Action, CustomerId, Day};

/// What one batch brought of one customer on one day.
pub struct StoredPortion {
    /// The day of the actions.
    pub day: Day,
    /// The batch that brought them.
    pub batch: Day,
    /// Newest first, at most `max_history`.
    pub actions: Vec<Action>,
}

/// Reads histories of one store, fastest when asked for customers in ascending order. One per thread.
///
/// Memory: one block of the store and what is returned.
pub struct Cursor<'store> {
    store: &'store Store,
    iterator: DBRawIterator<'store>,
}

impl Store {
    /// A new cursor, which sees the store as it is now.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { store: self, iterator: self.db.raw_iterator() }
    }

    /// The (customer, day)s that a batch touched: customers ascending, and of each the newest day first.
    pub fn touched_by(&self, batch: Day) -> Touched<'_> {
        let mut iterator = self.db.raw_iterator();
        iterator.seek(crate::format::batch_prefix(batch));
        Touched { store: self, iterator, batch }
    }
}

impl Cursor<'_> {
    /// The history of a customer for a day: everything of the days before `before`, newest first, at most `max_history`.
    ///
    /// One seek: the snapshot of the newest day before `before`.
    pub fn as_of(&mut self, customer: CustomerId, before: Day) -> Result<Vec<Action>> {
        let Some(newest) = before.previous() else { return Ok(Vec::new()) };
        self.iterator.seek(Key::Snapshot { customer, day: newest }.encode());
        let snapshot = match self.iterator.item() {
            Some((key, value)) => match Key::decode(key)? {
                Key::Snapshot { customer: found, .. } if found == customer => decode_actions(value)?,
                _ => Vec::new(),
            },
            None => Vec::new(),
        };
        self.check()?;
        Ok(snapshot)
    }

    /// The same as [`Cursor::as_of`], as a store would have it that held only the batches up to and including `known`.
    ///
    /// Walks the portions from the newest day back until `max_history` actions are found.
    pub fn known_as_of(&mut self, customer: CustomerId, before: Day, known: Day) -> Result<Vec<Action>> {
        let max_history = self.store.settings().max_history;
        let Some(newest) = before.previous() else { return Ok(Vec::new()) };
        let mut history: Vec<Action> = Vec::new();
        let mut day_parts: Vec<Vec<Action>> = Vec::new();
        let mut current = newest;
        self.iterator.seek(Key::Portion { customer, day: newest, batch: Day::FIRST }.encode());
        while let Some((key, value)) = self.iterator.item() {
            let Key::Portion { customer: found, day, batch } = Key::decode(key)? else { break };
            if found != customer {
                break;
            }
            if day != current {
                history.append(&mut history::merge(&std::mem::take(&mut day_parts), max_history));
                current = day;
                if history.len() >= max_history {
                    break;
                }
            }
            if batch <= known {
                day_parts.push(decode_actions(value)?);
            }
            self.iterator.next();
        }
        self.check()?;
        history.append(&mut history::merge(&day_parts, max_history));
        history.truncate(max_history);
        Ok(history)
    }

    /// The portions of a customer on `from` and all later days, oldest day first.
    ///
    /// Memory: up to `max_history` actions for each portion, so 24 kB for each active day of one heavy customer.
    pub fn portions_from(&mut self, customer: CustomerId, from: Day) -> Result<Vec<StoredPortion>> {
        let mut portions = Vec::new();
        self.iterator.seek_for_prev(Key::Portion { customer, day: from, batch: Day::LAST }.encode());
        while let Some((key, value)) = self.iterator.item() {
            let Key::Portion { customer: found, day, batch } = Key::decode(key)? else { break };
            if found != customer {
                break;
            }
            portions.push(StoredPortion { day, batch, actions: decode_actions(value)? });
            self.iterator.prev();
        }
        self.check()?;
        Ok(portions)
    }

    fn check(&self) -> Result<()> {
        self.iterator.status().map_err(|error| failure("read", &self.store.folder, &error))
    }
}

/// Streams the index keys of one batch. Memory: one block.
pub struct Touched<'store> {
    store: &'store Store,
    iterator: DBRawIterator<'store>,
    batch: Day,
}

impl Iterator for Touched<'_> {
    type Item = Result<(CustomerId, Day)>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.iterator.key().map(Key::decode);
        match key {
            Some(Ok(Key::Index { batch, customer, day })) if batch == self.batch => {
                self.iterator.next();
                Some(Ok((customer, day)))
            }
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(_)) => None,
            None => {
                let status = self.iterator.status();
                status.err().map(|error| Err(failure("read", &self.store.folder, &error)))
            }
        }
    }
}
