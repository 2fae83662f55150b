//! Which histories hold actions that nobody knew on the morning of their day.
//!
//! A batch brings actions of its own day, and late ones of days before. The history as of the beginning of a day D
//! holds such a late action if the action's day is before D and its batch is of D or later: a job that ran on the
//! morning of D did not have it. Rows with such histories tell a model what it cannot know when it is used.

use std::sync::PoisonError;

use super::batches::Batches;
use super::handle::Store;
use super::query::Begin;
use crate::error::Result;
use crate::format::Keyframe;
use crate::model::Day;

/// A delta that a batch after its day brought, where a walk met it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateDelta {
    pub day: Day,
    pub batch: Day,
    /// The place of its newest action in the history.
    pub at: usize,
}

/// The late deltas that one walk has met.
///
/// Memory: 16 bytes for each of them, and the days of one keyframe.
#[derive(Default)]
pub(super) struct LateDeltas {
    /// No day before this one has any that matters; `None`: nobody asks for them.
    pub since: Option<Day>,
    pub found: Vec<LateDelta>,
    behind: Option<BehindKeyframe>,
}

/// The part of a history that was taken from a keyframe, which does not tell batches.
struct BehindKeyframe {
    /// Its days, newest first, and how many actions it has of each.
    days: Vec<(Day, usize)>,
    /// The place of its newest action in the history.
    at: usize,
    /// Deltas of days before this one are of no interest.
    through: Day,
}

impl LateDeltas {
    pub fn clear(&mut self) {
        self.found.clear();
        self.behind = None;
    }

    /// Whether a delta is one, as far as anybody asks.
    pub fn is_late(&self, day: Day, batch: Day) -> bool {
        self.since.is_some() && batch > day
    }

    /// Notes that the rest of the history comes from `keyframe`, from the place `at` on and back to `oldest`. Gives
    /// whether deltas behind it have to be looked at.
    pub fn begin_behind(&mut self, keyframe: &Keyframe<'_>, at: usize, oldest: Option<Day>) -> bool {
        let Some(since) = self.since else { return false };
        let days: Vec<(Day, usize)> = keyframe.days(usize::MAX).collect();
        let Some((last, _)) = days.last() else { return false };
        let through = since.max(*last).max(oldest.unwrap_or(since));
        let is_needed = days.first().is_some_and(|(newest, _)| *newest >= through);
        self.behind = is_needed.then_some(BehindKeyframe { days, at, through });
        is_needed
    }

    /// Whether the walk is behind a keyframe.
    pub fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    /// Whether deltas of this day, behind a keyframe, have to be looked at.
    pub fn reaches(&self, day: Day) -> bool {
        self.behind.as_ref().is_some_and(|behind| day >= behind.through)
    }

    /// The place in the history of the newest action of a day behind the keyframe.
    pub fn place_behind(&self, day: Day) -> usize {
        let behind = self.behind.iter();
        let places = behind.map(|BehindKeyframe { days, at, .. }| {
            let newer = days.iter().take_while(|(other, _)| *other > day);
            at + newer.map(|(_, actions)| actions).sum::<usize>()
        });
        places.sum()
    }

    /// Says of histories of up to `max_history` actions, as of the beginning of these days, which hold a late action.
    pub fn judge<'a>(&self, begins: &mut [Begin], days: impl Iterator<Item = &'a Day>, max_history: usize) {
        for (begin, day) in begins.iter_mut().zip(days) {
            let end = begin.at.saturating_add(max_history);
            let holds = |delta: &LateDelta| delta.day < *day && *day <= delta.batch && delta.at < end;
            begin.has_late = self.found.iter().any(holds);
        }
    }
}

impl Store {
    /// The oldest day of which a batch of `from` or later, and up to `known`, brought late actions; `None` if there is
    /// none. Whoever looks for late actions in histories as of `from` or later need not look further back.
    ///
    /// Reads the index of each such batch once for as long as the store is open.
    pub fn late_since(&self, batches: &Batches, from: Day, known: Option<Day>) -> Result<Option<Day>> {
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
