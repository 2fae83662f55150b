//! Explains one customer's history, action by action: the batch of each, and whether it counts.

use std::ops::ControlFlow;

use serde::Serialize;

use super::question::Question;
use crate::error::Result;
use crate::history::newest_first;
use crate::model::{Action, CustomerId, Day, Duplicates, TypeTable, Zone};
use crate::store::{AsOf, Store, StoredDelta};

/// Why an action is not in the history. If several reasons apply, the first of these.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Its batch is after the last batch that counts. The action has no place.
    KnownAsOf,
    /// Its day is before the first day that counts.
    LookbackDays,
    /// The history is full of newer actions.
    MaxHistory,
}

/// One action that the store holds of the customer, from before the day.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Explained {
    /// Its place in the whole history, from 1, newest first, including actions left out; `None` if its batch is not
    /// known yet.
    pub place: Option<u64>,
    /// Its time in the store's zone.
    pub time: String,
    /// Its time in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// Its type.
    pub action_type: String,
    /// Its item.
    pub item_id: i64,
    /// The batch that brought it.
    pub batch: Day,
    /// Days from the action's day to the batch day: positive for a late action, negative for an early one.
    pub days_late: i32,
    /// Why it is not in the history; `None` if it is in the history.
    pub left_out: Option<LeftOut>,
}

/// The number of actions left out, by reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LeftOutCounts {
    /// See [`LeftOut::KnownAsOf`].
    pub known_as_of: u64,
    /// See [`LeftOut::LookbackDays`].
    pub lookback_days: u64,
    /// See [`LeftOut::MaxHistory`].
    pub max_history: u64,
}

/// A history explained.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The customer.
    pub customer: i64,
    /// The day.
    pub dt: Day,
    /// Every action is earlier than this instant.
    pub cut_off: String,
    /// The maximum number of actions of a history.
    pub max_history: usize,
    /// How many days back actions may lie, if limited.
    pub lookback_days: Option<u32>,
    /// The first day that counts, if limited.
    pub oldest: Option<Day>,
    /// The last batch that counts, if limited.
    pub known_as_of: Option<Day>,
    /// The item whose actions are listed, if only one.
    pub item: Option<i64>,
    /// Whether the customer has been forgotten; a forgotten customer has no actions.
    pub forgotten: bool,
    /// The first day whose actions the store keeps, if older days have been pruned.
    pub horizon: Option<Day>,
    /// Batches that the history rests on and the store does not hold.
    pub missing_batches: Vec<Day>,
    /// Actions in the history.
    pub history_length: u64,
    /// Actions outside the history.
    pub left_out: LeftOutCounts,
    /// The newest action left out, of any item, among those whose batches count.
    pub first_left_out: Option<Explained>,
    /// The store keeps only the newest actions of a batch and day. `Some(place)`: after this place actions may be
    /// missing from the count. The place is never inside a history.
    pub incomplete_behind: Option<u64>,
    /// The actions, or those on the item, newest first, up to the limit.
    pub actions: Vec<Explained>,
    /// The number of actions not listed.
    pub not_listed: u64,
}

/// Explains the history of a customer: all actions that the store holds from before the day, with at most `limit` of
/// them listed, of `item` or of all.
///
/// Memory: the deltas of one day, and 130 bytes for each action listed.
pub fn explain(
    store: &Store,
    question: &Question,
    customer: CustomerId,
    item: Option<i64>,
    limit: usize,
) -> Result<Explanation> {
    let batches = store.batches()?;
    let wanted = question.as_of(store, &batches)?;
    let settings = store.settings();
    let through = question.dt.previous().map(|last| question.known_as_of.map_or(last, |known| last.min(known)));
    let mut explanation = Explanation {
        customer: customer.0,
        dt: question.dt,
        cut_off: settings.zone.display(settings.zone.start_of(question.dt)),
        max_history: wanted.max_history,
        lookback_days: question.lookback_days,
        oldest: wanted.oldest,
        known_as_of: question.known_as_of,
        item,
        forgotten: store.block_list()?.holds(customer),
        horizon: store.horizon()?,
        missing_batches: through.map_or_else(Vec::new, |through| batches.missing(through)),
        history_length: 0,
        left_out: LeftOutCounts::default(),
        first_left_out: None,
        incomplete_behind: None,
        actions: Vec::new(),
        not_listed: 0,
    };
    let mut plan = KeyframePlan {
        wanted,
        zone: &settings.zone,
        types: &settings.types,
        kept: settings.max_history,
        duplicates: settings.duplicates,
        place: 0,
        limit,
    };
    store.cursor().by_day(customer, question.dt, |_, deltas| {
        plan.day(deltas, &mut explanation);
        ControlFlow::Continue(())
    })?;
    Ok(explanation)
}

/// The walk back over a customer's days.
struct KeyframePlan<'a> {
    wanted: AsOf,
    zone: &'a Zone,
    /// The names of the types.
    types: &'a TypeTable,
    /// The number of actions that the store keeps of one batch and day.
    kept: usize,
    duplicates: Duplicates,
    /// The last place assigned.
    place: u64,
    limit: usize,
}

impl KeyframePlan<'_> {
    fn day(&mut self, deltas: Vec<StoredDelta>, explanation: &mut Explanation) {
        let mut merged: Vec<(Action, Day, bool)> = Vec::new();
        for StoredDelta { batch, actions, .. } in &deltas {
            let last = actions.len().wrapping_sub(1);
            let is_cut = actions.len() >= self.kept;
            merged.extend((0..).zip(actions).map(|(place, action)| (*action, *batch, is_cut && place == last)));
        }
        // Equal actions, which look alike in a row, are ordered by batch, the earlier first.
        merged.sort_by(|(one, of_one, _), (other, of_other, _)| newest_first(one, other).then(of_one.cmp(of_other)));
        if self.duplicates == Duplicates::Drop {
            // The earlier batch, which comes first, stays.
            merged.dedup_by(|(other, _, ends), (one, _, also_ends)| {
                let is_same = one == other;
                *also_ends |= is_same && *ends;
                is_same
            });
        }
        let Some(day) = deltas.first().map(|delta| delta.day) else { return };
        for (action, batch, ends_cut_delta) in merged {
            let explained = self.action(day, &action, batch, explanation);
            if ends_cut_delta && explanation.incomplete_behind.is_none() {
                explanation.incomplete_behind = explained.place;
            }
            if explained.left_out.is_some() && explained.place.is_some() && explanation.first_left_out.is_none() {
                explanation.first_left_out = Some(explained.clone());
            }
            if explanation.item.is_some_and(|item| item != action.item_id) {
                continue;
            }
            if explanation.actions.len() < self.limit {
                explanation.actions.push(explained);
            } else {
                explanation.not_listed += 1;
            }
        }
    }

    fn action(&mut self, day: Day, action: &Action, batch: Day, explanation: &mut Explanation) -> Explained {
        let is_known = self.wanted.known.is_none_or(|known| batch <= known);
        self.place += u64::from(is_known);
        let counts = &mut explanation.left_out;
        let (left_out, count) = if !is_known {
            (Some(LeftOut::KnownAsOf), &mut counts.known_as_of)
        } else if self.wanted.oldest.is_some_and(|oldest| day < oldest) {
            (Some(LeftOut::LookbackDays), &mut counts.lookback_days)
        } else if self.place > self.wanted.max_history as u64 {
            (Some(LeftOut::MaxHistory), &mut counts.max_history)
        } else {
            (None, &mut explanation.history_length)
        };
        *count += 1;
        Explained {
            place: is_known.then_some(self.place),
            time: self.zone.display(action.time_us),
            time_us: action.time_us,
            action_type: self.types.name(action.action_type.number()),
            item_id: action.item_id,
            batch,
            days_late: batch.number() - day.number(),
            left_out,
        }
    }
}
