//! One as-of read, key by key.

use super::late::{LateDelta, LateDeltas};
use super::query::{AsOf, Begin};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::format::{Delta, Key, Keyframe, Scratch};
use crate::history::{self, History};
use crate::model::{Action, CustomerId, Day, Duplicates, HistoryDetail};

/// An as-of read in progress, from the newest day back.
pub(super) struct AsOfRead<'walk> {
    wanted: AsOf,
    earlier: &'walk [Day],
    /// The day whose deltas are being gathered.
    current: Option<Day>,
    waiting: &'walk mut WaitingDay,
    late: &'walk mut LateDeltas,
    history: &'walk mut History,
    begins: &'walk mut Vec<Begin>,
}

impl<'walk> AsOfRead<'walk> {
    pub(super) fn new(
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

    pub(super) fn begin_again(&mut self) {
        self.current = None;
        self.history.clear();
        self.begins.clear();
        self.waiting.clear();
        self.late.clear();
    }

    /// Takes the next key and its value. Returns whether the read needs more keys.
    pub(super) fn step(&mut self, customer: CustomerId, key: Key, value: &[u8]) -> Result<bool> {
        let wanted = self.wanted;
        match key {
            Key::Delta { customer: found, day, batch } if found == customer => {
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
                // A keyframe of a later day holds newer actions in place of older ones that the oldest history needs.
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

    /// Appends the gathered actions of the current day, if there are any. After a keyframe, which already has these
    /// actions, only records the positions of late ones.
    fn take(&mut self) -> Result<()> {
        let Some(day) = self.current.filter(|_| !self.waiting.is_empty()) else { return Ok(()) };
        if self.late.is_behind() {
            let at = self.late.place_behind(day);
            return self.waiting.place_late(day, at, &mut self.late.found);
        }
        let (at, begins_before) = (self.history.len(), self.begins.len());
        while self.next_before() > Some(day) {
            self.begins.push(Begin { at, newest_us: None, has_late: false });
        }
        let begins_now = self.begins.len() > begins_before;
        let (actions_left, late) = (self.actions_left(), &mut self.late.found);
        let newest_us = self.waiting.take(day, actions_left, self.wanted.detail, begins_now, self.history, late)?;
        self.begins.iter_mut().skip(begins_before).for_each(|begin| begin.newest_us = newest_us);
        Ok(())
    }

    /// Appends the remaining actions from a keyframe.
    fn append(&mut self, keyframe: &Keyframe<'_>) {
        let before = self.history.len();
        let actions_left = self.wanted.max_history.saturating_sub(before - self.last_at());
        keyframe.append(self.wanted.oldest, actions_left, &mut self.history.item_ids, &mut self.history.action_types);
        if self.wanted.detail >= HistoryDetail::Days {
            let taken = self.history.len() - before;
            keyframe.days(taken).for_each(|(day, actions)| self.history.push_day(day, actions));
        }
    }

    /// Returns the day before which the next history begins; `None` if all have begun.
    fn next_before(&self) -> Option<Day> {
        match self.begins.len().checked_sub(1) {
            None => Some(self.wanted.before),
            Some(place) => self.earlier.get(place).copied(),
        }
    }

    /// Returns the position at which the most recently started history begins.
    fn last_at(&self) -> usize {
        self.begins.last().map_or(0, |begin| begin.at)
    }

    /// Returns how many more actions are needed; no limit until all histories have begun.
    fn actions_left(&self) -> usize {
        match self.next_before() {
            Some(_) => usize::MAX,
            None => self.wanted.max_history.saturating_sub(self.history.len() - self.last_at()),
        }
    }

    fn is_full(&self) -> bool {
        self.actions_left() == 0
    }

    /// Appends the gathered actions, and checks the result. Histories that have not begun are empty.
    pub(super) fn end(&mut self, customer: CustomerId) -> Result<()> {
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

/// The deltas of one day, gathered until the next key belongs to another day.
#[derive(Default)]
pub(super) struct WaitingDay {
    duplicates: Duplicates,
    /// The bytes of the deltas in sequence, and the position at which each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The number of each late delta, with its batch.
    late: Vec<(usize, Day)>,
    /// Scratch memory for merging the deltas.
    scratch: Scratch,
    actions: Vec<Action>,
}

impl WaitingDay {
    /// Returns no deltas, of a store that keeps or drops duplicates.
    pub(super) fn new(duplicates: Duplicates) -> Self {
        WaitingDay { duplicates, ..WaitingDay::default() }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.late.clear();
    }

    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a delta, with its batch if the delta is late.
    fn push(&mut self, delta: &[u8], late: Option<Day>) {
        self.late.extend(late.map(|batch| (self.ends.len(), batch)));
        self.bytes.extend_from_slice(delta);
        self.ends.push(self.bytes.len());
    }

    /// Appends the newest `most` actions to the history. A single delta needs no times unless they are requested;
    /// several deltas are merged by time. Returns the newest time if it is known anyway or `timed`, and adds late
    /// deltas with their positions to `late`.
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
                let delta = Delta::read(&self.bytes)?;
                delta.append(most, &mut history.item_ids, &mut history.action_types);
                late.extend(self.late.iter().map(|(_, batch)| LateDelta { day, batch: *batch, at: before }));
                if timed { Some(delta.newest_us(day)?) } else { None }
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

    /// Only adds late deltas with their positions to `late`; the first action of the day is at position `at`.
    fn place_late(&mut self, day: Day, at: usize, late: &mut Vec<LateDelta>) -> Result<()> {
        if !self.late.is_empty() {
            self.merge(day, at, late)?;
        }
        self.clear();
        Ok(())
    }

    /// Merges all actions, newest first; the first action is at position `at`. Where duplicates are dropped, an action
    /// counts as the first batch's that brought it: deltas that are not late come first, then the late ones by batch.
    fn merge(&mut self, day: Day, at: usize, late: &mut Vec<LateDelta>) -> Result<()> {
        let (mut begin, mut newest_of_late, mut parts) = (0, Vec::new(), Vec::new());
        let drops = self.duplicates == Duplicates::Drop;
        let mut next_late = self.late.iter().peekable();
        self.actions.clear();
        for (number, end) in self.ends.iter().enumerate() {
            let first = self.actions.len();
            let delta = Delta::read(self.bytes.get(begin..*end).held("waiting deltas are consecutive")?)?;
            delta.append_actions(day, &mut self.scratch, &mut self.actions)?;
            if let Some((_, batch)) = next_late.next_if(|(late, _)| *late == number) {
                let (before, of_late) = self.actions.split_at(first);
                let mut new = of_late.iter().filter(|action| !drops || !is_in_part(before, &parts, action));
                newest_of_late.extend(new.next().map(|newest| (*batch, *newest)));
            }
            if drops {
                parts.push(first);
            }
            begin = *end;
        }
        self.actions.sort_by(history::newest_first);
        if drops {
            self.actions.dedup();
        }
        late.extend(newest_of_late.into_iter().map(|(batch, newest)| {
            let newer = self.actions.partition_point(|action| history::newest_first(action, &newest).is_lt());
            LateDelta { day, batch, at: at + newer }
        }));
        Ok(())
    }
}

/// Returns whether some part of `actions` has an action. Each part begins at one of `begins`, and is newest first.
fn is_in_part(actions: &[Action], begins: &[usize], action: &Action) -> bool {
    let ends = begins.iter().skip(1).copied().chain([actions.len()]);
    let mut parts = begins.iter().zip(ends).filter_map(|(begin, end)| actions.get(*begin..end));
    parts.any(|part| part.binary_search_by(|other| history::newest_first(other, action)).is_ok())
}
