//! One customer's history, action by action: where each came from, and which of them count.

use std::ops::ControlFlow;

use serde::Serialize;

use super::question::Question;
use crate::error::Result;
use crate::history::newest_first;
use crate::model::{Action, CustomerId, Day, TypeTable, Zone};
use crate::store::{AsOf, Store, StoredDelta};

/// Why an action is not in the history. Where several reasons hold, the first of these.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Its batch came after the last one that counts. It has no place.
    KnownAsOf,
    /// It lies before the first day that counts.
    LookbackDays,
    /// As many newer ones as a history has at most are in it.
    MaxHistory,
}

/// One action that the store holds of the customer, from before the day.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Explained {
    /// Its place in the whole history, from 1, newest first, those that are left out counted too; `None` where its
    /// batch is not known yet.
    pub place: Option<u64>,
    /// Its time in the store's zone.
    pub time: String,
    /// The same in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// Its type.
    pub action_type: String,
    /// Its item.
    pub item_id: i64,
    /// The batch that it came in.
    pub batch: Day,
    /// Days from the action's own to that batch: more than 0 where it was late, less where it was early.
    pub days_late: i32,
    /// Why it is not in the history; `None` where it is.
    pub left_out: Option<LeftOut>,
}

/// How many actions are left out, by the reason.
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
    /// Whose.
    pub customer: i64,
    /// As of which day.
    pub dt: Day,
    /// Every action is earlier than this instant.
    pub cut_off: String,
    /// How many actions a history has at most.
    pub max_history: usize,
    /// How many days back actions may lie, if that is limited.
    pub lookback_days: Option<u32>,
    /// The first day that counts, if that is limited.
    pub oldest: Option<Day>,
    /// The last batch that counts, if that is limited.
    pub known_as_of: Option<Day>,
    /// Only the actions on this item are listed.
    pub item: Option<i64>,
    /// Whether the customer has been forgotten; then there is no action.
    pub forgotten: bool,
    /// The first day whose actions the store keeps, if older ones have been pruned.
    pub horizon: Option<Day>,
    /// Batches that the history rests on and the store does not hold.
    pub missing_batches: Vec<Day>,
    /// Actions in the history.
    pub history_length: u64,
    /// Actions that are not.
    pub left_out: LeftOutCounts,
    /// The newest action that is not, of those whose batches count; of any item.
    pub first_left_out: Option<Explained>,
    /// Of one batch and day the store keeps only the newest actions. `Some(place)`: behind this place there may have
    /// been more than are counted. It is never inside a history.
    pub incomplete_behind: Option<u64>,
    /// The actions, or those on the item, newest first; at most as many as asked for.
    pub actions: Vec<Explained>,
    /// How many more there are.
    pub not_listed: u64,
}

/// Explains the history of a customer: all that the store holds from before the day, with at most `limit` actions
/// listed, those on `item` or all.
///
/// Memory: the deltas of one day, and 130 bytes for each action listed.
pub fn explain(
    store: &Store,
    question: &Question,
    customer: CustomerId,
    item: Option<i64>,
    limit: usize,
) -> Result<Explanation> {
    let wanted = question.as_of(store)?;
    let settings = store.settings();
    let through = question.dt.previous().map(|last| question.known_as_of.map_or(last, |known| last.min(known)));
    let batches = store.batches()?;
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
    /// What types are called.
    types: &'a TypeTable,
    /// How many actions the store keeps of one batch and day.
    kept: usize,
    /// Places given so far.
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
        // Of equal actions, which are the same in a row, the one of the earlier batch first.
        merged.sort_by(|(one, of_one, _), (other, of_other, _)| newest_first(one, other).then(of_one.cmp(of_other)));
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
