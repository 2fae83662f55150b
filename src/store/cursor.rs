//! Reading histories: the as-of read, and the walk over portions that writes keyframes.

use std::sync::atomic::Ordering;

use super::handle::Store;
use super::late::{LateDelta, LateDeltas};
use super::options::by_customer;
use super::scan::Scan;
use super::tables::{Shown, TableCursor};
use crate::error::{Error, Result};
use crate::format::{Key, KeyBytes, Keyframe, Portion, Room};
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

/// Where in a history the actions from before some day begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Begin {
    /// How many actions are newer.
    pub at: usize,
    /// When the newest behind them was, in microseconds since 1970-01-01 UTC; `None` where there is none.
    pub newest_us: Option<i64>,
    /// Whether a batch of that day or later brought any of them; only where [`Cursor::find_late`] asked for it.
    pub has_late: bool,
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

impl Tail {
    /// Actions in the portions.
    pub fn actions(&self) -> u64 {
        self.portions.iter().map(|portion| portion.actions.len() as u64).sum()
    }
}

/// Reads histories of one store, fastest when asked for customers in ascending order. One per thread.
///
/// Memory: one block of each sorted run of the store, three where it is over many customers, the portions of one day, and what is returned.
pub struct Cursor<'store> {
    pub(super) store: &'store Store,
    pub(super) scan: Scan<'store>,
    /// What is read of table files themselves: of all histories where they are many, and else only to see whether RocksDB can read them. `None` where that cannot be done.
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

    /// The same for the histories of many customers, which come in ascending order but for some: it reads table files itself where that can be done (see
    /// [`super::tables`]).
    pub fn cursor_over_many(&self) -> Cursor<'_> {
        Cursor { is_over_many: true, ..self.cursor() }
    }

    /// How many histories cursors over many customers have read through RocksDB so far, since table files hold something that only RocksDB can tell. It follows from
    /// the files, which the batches that a store holds do not determine.
    pub fn read_through_rocksdb(&self) -> u64 {
        self.through_rocksdb.load(Ordering::Relaxed)
    }
}

impl Cursor<'_> {
    /// From now on tells of each history whether it has late actions (see [`super::late`]), of which no day before `since` has any; `None`: no more.
    pub fn find_late(&mut self, since: Option<Day>) {
        self.late.since = since;
    }

    /// Puts a customer's history into `history`, in place of what was there.
    ///
    /// One seek, then steps over neighbours from the newest day back, until there is enough, or a keyframe has the rest. What batches after
    /// `known` brought may be in keyframes, so with `known` these are passed over; and with times, which keyframes do not have.
    ///
    /// Unless times are asked for, the newest action's is read on the way, and no other: the walk always meets a portion before any keyframe, since a keyframe stands
    /// behind the portions of its own day, and there is one only on a day with a portion.
    pub fn as_of(&mut self, customer: CustomerId, wanted: AsOf, history: &mut History) -> Result<()> {
        let mut begins = std::mem::take(&mut self.begins);
        let read = self.as_of_each(customer, wanted, &[], history, &mut begins);
        self.begins = begins;
        read
    }

    /// The histories as of several days in one walk: that of `wanted`, and those of the days `earlier`, which descend from it. Puts all of their actions into
    /// `history`, and where each history begins into `begins`, that of `wanted` first; each is as many as `wanted` asks for of those from there on.
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
                    Shown::Odd => walk.begin_again(),
                }
            }
            self.store.through_rocksdb.fetch_add(1, Ordering::Relaxed);
        }
        self.tables.as_mut().map_or(Ok(()), |tables| tables.check(customer))?;
        self.scan.seek(Key::Portion { customer, day: newest, batch: newest }.encode());
        while let Some((key, value)) = self.scan.entry()? {
            if !walk.step(customer, Key::decode(key)?, value)? {
                break;
            }
            self.scan.next();
        }
        walk.end(customer)
    }

    /// What the store holds of a customer from the newest day back to the first keyframe of a day before `earliest`, that day included; but for what
    /// the batch `without` brought, which is passed over unread. So a batch can be replaced whatever has become of it.
    ///
    /// Memory: up to `max_history` actions for each portion. Between two keyframes lie about twice `max_history` actions, or more where a
    /// day alone has as many.
    pub fn tail(&mut self, customer: CustomerId, earliest: Day, without: Option<Day>) -> Result<Tail> {
        let mut tail = Tail::default();
        self.seek(customer, crate::format::history_prefix(customer))?;
        while let Some((key, value)) = self.scan.entry()? {
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

/// An as-of read on its way from the newest day back.
struct AsOfRead<'walk> {
    wanted: AsOf,
    earlier: &'walk [Day],
    /// The day whose portions wait.
    current: Option<Day>,
    waiting: &'walk mut WaitingDay,
    late: &'walk mut LateDeltas,
    history: &'walk mut History,
    begins: &'walk mut Vec<Begin>,
}

impl<'walk> AsOfRead<'walk> {
    fn new(
        wanted: AsOf,
        earlier: &'walk [Day],
        waiting: &'walk mut WaitingDay,
        late: &'walk mut LateDeltas,
        history: &'walk mut History,
        begins: &'walk mut Vec<Begin>,
    ) -> Self {
        let mut walk = AsOfRead { wanted, earlier, current: None, waiting, late, history, begins };
        walk.begin_again();
        walk
    }

    fn begin_again(&mut self) {
        self.current = None;
        self.history.clear();
        self.begins.clear();
        self.waiting.clear();
        self.late.clear();
    }

    /// Takes the next key and its value. Gives whether more is wanted.
    fn step(&mut self, customer: CustomerId, key: Key, value: &[u8]) -> Result<bool> {
        let wanted = self.wanted;
        match key {
            Key::Portion { customer: found, day, batch } if found == customer => {
                if self.current != Some(day) {
                    self.take()?;
                    self.current = Some(day);
                    let is_enough = if self.late.is_behind() {
                        !self.late.reaches(day)
                    } else {
                        self.is_full() || wanted.oldest.is_some_and(|oldest| day < oldest)
                    };
                    if is_enough {
                        return Ok(false);
                    }
                }
                if wanted.known.is_none_or(|known| batch <= known) {
                    self.waiting.push(value, Some(batch).filter(|_| self.late.is_late(day, batch)));
                }
                Ok(true)
            }
            Key::Keyframe { customer: found, day } if found == customer => {
                let is_used = wanted.known.is_none() && wanted.detail < HistoryDetail::Times;
                // One of a later day lacks what it has cut for the actions of that day and before.
                let oldest_before = self.earlier.last().copied().unwrap_or(wanted.before);
                if !is_used || day >= oldest_before || self.late.is_behind() {
                    return Ok(true);
                }
                let keyframe = Keyframe::read(day, value)?;
                self.take()?;
                let at = self.history.len();
                self.append(&keyframe);
                Ok(self.late.begin_behind(&keyframe, at, wanted.oldest))
            }
            _ => Ok(false),
        }
    }

    /// Takes the actions of the day that waits, of which there may be none. Behind a keyframe, which has them already, only the places of late ones.
    fn take(&mut self) -> Result<()> {
        let Some(day) = self.current.filter(|_| !self.waiting.is_empty()) else { return Ok(()) };
        if self.late.is_behind() {
            let at = self.late.place_behind(day);
            return self.waiting.place_late(day, at, &mut self.late.found);
        }
        let (at, begun) = (self.history.len(), self.begins.len());
        while self.next_before() > Some(day) {
            self.begins.push(Begin { at, newest_us: None, has_late: false });
        }
        let begins_now = self.begins.len() > begun;
        let (room, late) = (self.room(), &mut self.late.found);
        let newest_us = self.waiting.take(day, room, self.wanted.detail, begins_now, self.history, late)?;
        self.begins.iter_mut().skip(begun).for_each(|begin| begin.newest_us = newest_us);
        Ok(())
    }

    /// Takes the rest from a keyframe.
    fn append(&mut self, keyframe: &Keyframe<'_>) {
        let before = self.history.len();
        let room = self.wanted.max_history.saturating_sub(before - self.last_at());
        keyframe.append(self.wanted.oldest, room, &mut self.history.item_ids, &mut self.history.action_types);
        if self.wanted.detail >= HistoryDetail::Days {
            let taken = self.history.len() - before;
            keyframe.days(taken).for_each(|(day, actions)| self.history.push_day(day, actions));
        }
    }

    /// The day before which the next history begins; `None` where all have begun.
    fn next_before(&self) -> Option<Day> {
        match self.begins.len().checked_sub(1) {
            None => Some(self.wanted.before),
            Some(place) => self.earlier.get(place).copied(),
        }
    }

    /// Where the history begins that has begun last.
    fn last_at(&self) -> usize {
        self.begins.last().map_or(0, |begin| begin.at)
    }

    /// How many actions are still wanted; no limit before all histories have begun.
    fn room(&self) -> usize {
        match self.next_before() {
            Some(_) => usize::MAX,
            None => self.wanted.max_history.saturating_sub(self.history.len() - self.last_at()),
        }
    }

    fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// Takes what waits, and checks what came of it. Histories that have not begun are empty.
    fn end(&mut self, customer: CustomerId) -> Result<()> {
        self.take()?;
        let (at, days) = (self.history.len(), self.earlier.len() + 1);
        self.begins.resize(days, Begin { at, newest_us: None, has_late: false });
        self.late.judge(self.begins, std::iter::once(&self.wanted.before).chain(self.earlier), self.wanted.max_history);
        self.history.newest_us = self.begins.first().and_then(|begin| begin.newest_us);
        if self.history.action_types.contains(&0) || at != self.history.action_types.len() {
            return Err(Error::corrupt(format!("the history of customer {} has an action of type 0", customer.0)));
        }
        if self.begins.iter().any(|begin| begin.newest_us.is_some() == (begin.at == at)) {
            return Err(Error::corrupt(format!("customer {} has a keyframe on a day without actions", customer.0)));
        }
        Ok(())
    }
}

/// The portions of one day, gathered until the next key tells that there are no more.
#[derive(Default)]
struct WaitingDay {
    /// Their bytes, one after the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Of late ones which it is, and its batch.
    late: Vec<(usize, Day)>,
    /// Room for merging them.
    room: Room,
    actions: Vec<Action>,
}

impl WaitingDay {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.late.clear();
    }

    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a portion, with its batch if it is late.
    fn push(&mut self, portion: &[u8], late: Option<Day>) {
        self.late.extend(late.map(|batch| (self.ends.len(), batch)));
        self.bytes.extend_from_slice(portion);
        self.ends.push(self.bytes.len());
    }

    /// Appends them to the history, at most so many. One alone needs no times, unless they are asked for; several are merged by theirs. Gives the
    /// time of the newest where it is known anyway, or `timed`, and late portions with their places to `late`.
    fn take(
        &mut self,
        day: Day,
        most: usize,
        detail: HistoryDetail,
        timed: bool,
        history: &mut History,
        late: &mut Vec<LateDelta>,
    ) -> Result<Option<i64>> {
        let before = history.len();
        let newest_us = match self.ends.as_slice() {
            [] => return Ok(None),
            [_] if detail < HistoryDetail::Times => {
                let portion = Portion::read(&self.bytes)?;
                portion.append(most, &mut history.item_ids, &mut history.action_types);
                late.extend(self.late.iter().map(|(_, batch)| LateDelta { day, batch: *batch, at: before }));
                if timed { Some(portion.newest_us(day)?) } else { None }
            }
            _ => {
                self.merge(day, before, late)?;
                let newest = || self.actions.iter().take(most);
                history.item_ids.extend(newest().map(|action| action.item_id));
                history.action_types.extend(newest().map(|action| action.action_type.number()));
                if detail >= HistoryDetail::Times {
                    history.times_us.extend(newest().map(|action| action.time_us));
                }
                self.actions.first().map(|action| action.time_us)
            }
        };
        if detail >= HistoryDetail::Days {
            history.push_day(day, history.len() - before);
        }
        self.clear();
        Ok(newest_us)
    }

    /// Only gives late portions with their places to `late`; the first action of the day stands at `at`.
    fn place_late(&mut self, day: Day, at: usize, late: &mut Vec<LateDelta>) -> Result<()> {
        if !self.late.is_empty() {
            self.merge(day, at, late)?;
        }
        self.clear();
        Ok(())
    }

    /// Puts all actions together, newest first, the first of which stands at `at`.
    fn merge(&mut self, day: Day, at: usize, late: &mut Vec<LateDelta>) -> Result<()> {
        let (mut begin, mut newest_of_late) = (0, Vec::new());
        let mut next_late = self.late.iter().peekable();
        self.actions.clear();
        for (number, end) in self.ends.iter().enumerate() {
            let first = self.actions.len();
            let portion = Portion::read(self.bytes.get(begin..*end).unwrap_or_default())?;
            portion.append_actions(day, &mut self.room, &mut self.actions)?;
            if let Some((_, batch)) = next_late.next_if(|(late, _)| *late == number) {
                newest_of_late.extend(self.actions.get(first).map(|newest| (*batch, *newest)));
            }
            begin = *end;
        }
        self.actions.sort_by(history::newest_first);
        late.extend(newest_of_late.into_iter().map(|(batch, newest)| {
            let newer = self.actions.partition_point(|action| history::newest_first(action, &newest).is_lt());
            LateDelta { day, batch, at: at + newer }
        }));
        Ok(())
    }
}
