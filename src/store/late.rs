//! Finds the histories with late actions: actions that were unknown on the morning of the history's day.
//!
//! A batch brings actions of its own day, and late actions of earlier days. The history as of the beginning of a day D
//! holds such a late action if the action's day is before D and its batch is of D or later: a job that ran on the
//! morning of D did not have the action. Rows with such histories show a model what is unknown at prediction time.

use std::sync::PoisonError;

use super::batches::Batches;
use super::handle::Store;
use super::query::Begin;
use crate::error::Result;
use crate::format::Keyframe;
use crate::model::Day;

/// A delta that a batch after its day brought, found by a walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateDelta {
    pub day: Day,
    pub batch: Day,
    /// The position of its newest action in the history.
    pub at: usize,
}

/// The late deltas that one walk has found.
///
/// Memory: 16 bytes for each late delta, and the days of one keyframe.
#[derive(Default)]
pub(super) struct LateDeltas {
    /// Only days from this day on can have late deltas that matter; `None` if late deltas are not requested.
    pub since: Option<Day>,
    pub found: Vec<LateDelta>,
    behind: Option<BehindKeyframe>,
}

/// The part of a history that comes from a keyframe, which does not record batches.
struct BehindKeyframe {
    /// Its days, newest first, each with its number of actions.
    days: Vec<(Day, usize)>,
    /// The position of its newest action in the history.
    at: usize,
    /// Deltas of days before this day do not matter.
    through: Day,
}

impl LateDeltas {
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.behind = None;
    }

    /// Returns whether a delta is late. Always `false` if late deltas are not requested.
    pub(super) fn is_late(&self, day: Day, batch: Day) -> bool {
        self.since.is_some() && batch > day
    }

    /// Records that the rest of the history comes from `keyframe`, from the position `at` on and back to `oldest`.
    /// Returns whether the deltas after the keyframe have to be read.
    pub(super) fn begin_behind(&mut self, keyframe: &Keyframe<'_>, at: usize, oldest: Option<Day>) -> bool {
        let Some(since) = self.since else { return false };
        let days: Vec<(Day, usize)> = keyframe.days(usize::MAX).collect();
        let Some((last, _)) = days.last() else { return false };
        let through = since.max(*last).max(oldest.unwrap_or(since));
        let is_needed = days.first().is_some_and(|(newest, _)| *newest >= through);
        self.behind = is_needed.then_some(BehindKeyframe { days, at, through });
        is_needed
    }

    /// Returns whether the walk is past a keyframe.
    pub(super) fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    /// Returns whether deltas of this day, past a keyframe, have to be read.
    pub(super) fn reaches(&self, day: Day) -> bool {
        self.behind.as_ref().is_some_and(|behind| day >= behind.through)
    }

    /// Returns the position in the history of the newest action of a day past the keyframe.
    pub(super) fn place_behind(&self, day: Day) -> usize {
        let behind = self.behind.iter();
        let places = behind.map(|BehindKeyframe { days, at, .. }| {
            let newer = days.iter().take_while(|(other, _)| *other > day);
            at + newer.map(|(_, actions)| actions).sum::<usize>()
        });
        places.sum()
    }

    /// Sets which histories of up to `max_history` actions, as of the start of these days, have late actions.
    pub(super) fn judge<'a>(&self, begins: &mut [Begin], days: impl Iterator<Item = &'a Day>, max_history: usize) {
        for (begin, day) in begins.iter_mut().zip(days) {
            let end = begin.at.saturating_add(max_history);
            let holds = |delta: &LateDelta| delta.day < *day && *day <= delta.batch && delta.at < end;
            begin.has_late = self.found.iter().any(holds);
        }
    }
}

impl Store {
    /// Returns the oldest day of which a batch from `from` through `known` brought late actions; `None` if there is
    /// none. A search for late actions in histories as of `from` or later can stop at that day.
    ///
    /// Reads the index of each such batch once while the store is open.
    pub(crate) fn late_since(&self, batches: &Batches, from: Day, known: Option<Day>) -> Result<Option<Day>> {
        let counts = |day: &Day| *day >= from && known.is_none_or(|known| *day <= known);
        let mut oldest: Option<Day> = None;
        for (batch, _) in batches.iter().filter(|(day, record)| counts(day) && record.late > 0) {
            let of_batch = self.oldest_late(batch)?;
            oldest = oldest.into_iter().chain(of_batch).min();
        }
        Ok(oldest)
    }

    fn oldest_late(&self, batch: Day) -> Result<Option<Day>> {
        let mut known = self.oldest_late.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(oldest) = known.get(&batch) {
            return Ok(*oldest);
        }
        let mut oldest = None;
        for leaf in self.touched_by(batch) {
            let days = leaf?.entries.into_iter().map(|(_, touched)| touched.0).filter(|day| *day < batch);
            oldest = oldest.into_iter().chain(days).min();
        }
        known.insert(batch, oldest);
        Ok(oldest)
    }
}
