//! Reading histories: the as-of read, and the walk over portions that writes keyframes.

use rocksdb::DBRawIterator;

use super::handle::Store;
use super::open::failure;
use super::options::by_customer;
use crate::error::{Error, Result};
use crate::format::{Key, Keyframe, Portion, Room};
use crate::history::{self, History};
use crate::model::{Action, CustomerId, Day, HistoryDetail, PastAction};

/// Which part of a customer's history is wanted.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// Everything of the days before this one.
    pub before: Day,
    /// Nothing of the days before this one; `None` for no limit.
    pub oldest: Option<Day>,
    /// Only what batches up to and including this one brought; `None` for all.
    pub known: Option<Day>,
    /// The newest so many actions; no more than the store keeps.
    pub max_history: usize,
    /// What is wanted of each action besides item and type.
    pub detail: HistoryDetail,
}

/// What one batch brought of one customer on one day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredPortion {
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
    /// Portions, newest day first.
    pub portions: Vec<StoredPortion>,
    /// The days of the keyframes among them, newest first, but for `base`.
    pub keyframes: Vec<Day>,
    /// The keyframe at which the walk ended: its day, which is the oldest of the portions, and what it holds. `None`: the customer's
    /// first portion is among them.
    pub base: Option<(Day, Vec<PastAction>)>,
}

/// Reads histories of one store, fastest when asked for customers in ascending order. One per thread.
///
/// Memory: one block of each sorted run of the store, the portions of one day, and what is returned.
pub struct Cursor<'store> {
    pub(super) store: &'store Store,
    pub(super) iterator: DBRawIterator<'store>,
    waiting: WaitingDay,
}

impl Store {
    /// A new cursor, which sees the store as it is now.
    pub fn cursor(&self) -> Cursor<'_> {
        let iterator = self.db.raw_iterator_opt(by_customer());
        Cursor { store: self, iterator, waiting: WaitingDay::default() }
    }
}

impl Cursor<'_> {
    /// Puts a customer's history into `history`, in place of what was there.
    ///
    /// One seek, then steps over neighbours from the newest day back, until there is enough, or a keyframe has the rest. What batches after
    /// `known` brought may be in keyframes, so with `known` these are passed over; and with times, which keyframes do not have.
    ///
    /// Unless times are asked for, the newest action's is read on the way, and no other: the walk always meets a portion before any keyframe, since a keyframe stands
    /// behind the portions of its own day, and there is one only on a day with a portion.
    pub fn as_of(&mut self, customer: CustomerId, wanted: AsOf, history: &mut History) -> Result<()> {
        history.clear();
        self.waiting.clear();
        let Some(newest) = wanted.before.previous() else { return Ok(()) };
        let uses_keyframes = wanted.known.is_none() && wanted.detail < HistoryDetail::Times;
        let mut current = newest;
        self.iterator.seek(Key::Portion { customer, day: newest, batch: newest }.encode());
        while let Some((key, value)) = self.iterator.item() {
            match Key::decode(key)? {
                Key::Portion { customer: found, day, batch } if found == customer => {
                    if day != current {
                        self.waiting.take(current, &wanted, history)?;
                        current = day;
                        if history.len() >= wanted.max_history || wanted.oldest.is_some_and(|oldest| day < oldest) {
                            break;
                        }
                    }
                    if wanted.known.is_none_or(|known| batch <= known) {
                        self.waiting.push(value);
                    }
                }
                Key::Keyframe { customer: found, day } if found == customer => {
                    if uses_keyframes {
                        let keyframe = Keyframe::read(day, value)?;
                        self.waiting.take(current, &wanted, history)?;
                        let room = wanted.max_history.saturating_sub(history.len());
                        let before = history.len();
                        keyframe.append(wanted.oldest, room, &mut history.item_ids, &mut history.action_types);
                        if wanted.detail >= HistoryDetail::Days {
                            let taken = history.len() - before;
                            keyframe.days(taken).for_each(|(day, actions)| history.push_day(day, actions));
                        }
                        break;
                    }
                }
                _ => break,
            }
            self.iterator.next();
        }
        self.check()?;
        self.waiting.take(current, &wanted, history)?;
        if history.action_types.contains(&0) || history.len() != history.action_types.len() {
            return Err(Error::corrupt(format!("the history of customer {} has an action of type 0", customer.0)));
        }
        if history.newest_us.is_some() == history.is_empty() {
            return Err(Error::corrupt(format!("customer {} has a keyframe on a day without actions", customer.0)));
        }
        Ok(())
    }

    /// What the store holds of a customer from the newest day back to the first keyframe of a day before `earliest`, that day included; but for what
    /// the batch `without` brought, which is passed over unread. So a batch can be replaced whatever has become of it.
    ///
    /// Memory: up to `max_history` actions for each portion. Between two keyframes lie about twice `max_history` actions, or more where a
    /// day alone has as many.
    pub fn tail(&mut self, customer: CustomerId, earliest: Day, without: Option<Day>) -> Result<Tail> {
        let mut tail = Tail::default();
        self.iterator.seek(crate::format::history_prefix(customer));
        while let Some((key, value)) = self.iterator.item() {
            match Key::decode(key)? {
                Key::Portion { customer: found, batch, .. } if found == customer && Some(batch) == without => {}
                Key::Portion { customer: found, day, batch } if found == customer => {
                    let actions = Portion::read(value)?.actions(day)?;
                    tail.portions.push(StoredPortion { day, batch, actions });
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
            self.iterator.next();
        }
        self.check()?;
        Ok(tail)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.iterator.status().map_err(|error| failure("read", &self.store.folder, &error))
    }
}

/// The portions of one day, gathered until the next key tells that there are no more.
#[derive(Default)]
struct WaitingDay {
    /// Their bytes, one after the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Room for merging them.
    room: Room,
    actions: Vec<Action>,
}

impl WaitingDay {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, portion: &[u8]) {
        self.bytes.extend_from_slice(portion);
        self.ends.push(self.bytes.len());
    }

    /// Appends them to the history as far as there is room. One alone needs no times, but for the first of the newest day, unless they are asked for;
    /// several are merged by theirs.
    fn take(&mut self, day: Day, wanted: &AsOf, history: &mut History) -> Result<()> {
        let before = history.len();
        let room = wanted.max_history.saturating_sub(before);
        match self.ends.as_slice() {
            [] => return Ok(()),
            [_] if wanted.detail < HistoryDetail::Times => {
                let portion = Portion::read(&self.bytes)?;
                if history.is_empty() {
                    history.newest_us = Some(portion.newest_us(day)?);
                }
                portion.append(room, &mut history.item_ids, &mut history.action_types);
            }
            several => {
                let mut begin = 0;
                self.actions.clear();
                for end in several {
                    let portion = Portion::read(self.bytes.get(begin..*end).unwrap_or_default())?;
                    portion.append_actions(day, &mut self.room, &mut self.actions)?;
                    begin = *end;
                }
                self.actions.sort_by(history::newest_first);
                if history.is_empty() {
                    history.newest_us = self.actions.first().map(|action| action.time_us);
                }
                let newest = || self.actions.iter().take(room);
                history.item_ids.extend(newest().map(|action| action.item_id));
                history.action_types.extend(newest().map(|action| action.action_type.number()));
                if wanted.detail >= HistoryDetail::Times {
                    history.times_us.extend(newest().map(|action| action.time_us));
                }
            }
        }
        if wanted.detail >= HistoryDetail::Days {
            history.push_day(day, history.len() - before);
        }
        self.clear();
        Ok(())
    }
}
