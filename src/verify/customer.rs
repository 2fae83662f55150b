//! Collects the history of one customer key by key, and derives keyframes and customer index from it.

use super::delta::UNUSUAL_BYTES;
use super::fault::Fault;
use crate::format::{CustomerState, Key, Keyframe, encode_keyframe};
use crate::history::{DayDeltas, SinceKeyframe, count_of_day, plan_keyframes};
use crate::model::{Action, CustomerId, Day, Duplicates, PADDING_ITEM_ID, PastAction};
use crate::store::Settings;

/// The store's data of a customer. Memory: all of its actions, 24 bytes each, and its keyframes.
pub(super) struct CustomerHistory {
    pub customer: CustomerId,
    /// Newest first, each with its deltas.
    days: Vec<DayDeltas>,
    /// Newest first, each with its value.
    keyframes: Vec<(Day, Vec<u8>)>,
    /// Whether a delta is unknown.
    doubtful: bool,
}

/// The state of a customer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stands {
    /// The customer has no delta.
    Nowhere,
    /// The customer has deltas, some of which could not be read.
    Unknown,
    /// The state that its line in the customer index should have.
    At(CustomerState),
}

impl CustomerHistory {
    /// Returns an empty history. `is_whole`: whether all of the customer's keys will be added.
    pub(super) fn new(customer: CustomerId, is_whole: bool) -> Self {
        CustomerHistory { customer, days: Vec::new(), keyframes: Vec::new(), doubtful: !is_whole }
    }

    /// Adds the next delta in the order of the keys; `None` if it is unreliable.
    pub(super) fn delta(&mut self, day: Day, actions: Option<Vec<Action>>) {
        self.doubtful |= actions.is_none();
        let actions = actions.unwrap_or_default();
        match self.days.last_mut() {
            Some((last, deltas)) if *last == day => deltas.push(actions),
            _ => self.days.push((day, vec![actions])),
        }
    }

    /// Adds the next keyframe in the order of the keys.
    pub(super) fn keyframe(&mut self, day: Day, value: &[u8]) {
        self.keyframes.push((day, value.to_vec()));
    }

    /// Reports faults of the keyframes, newest first, and returns the state of the customer. `deep` compares the
    /// content of keyframes.
    pub(super) fn settle(mut self, settings: &Settings, deep: bool, report: impl FnMut(Fault)) -> Stands {
        let (max_history, duplicates) = (settings.max_history, settings.duplicates);
        if self.doubtful {
            return Stands::Unknown;
        }
        self.days.reverse();
        let (due, since) = due(&self.days, max_history, duplicates);
        let mut wrong: Vec<(Day, String)> = Vec::new();
        let missing = due.iter().filter(|day| !self.keyframes.iter().any(|(found, _)| found == *day));
        wrong.extend(missing.map(|day| (*day, "is missing".to_owned())));
        for (day, value) in &self.keyframes {
            let what = if due.contains(day) {
                self.fault_of(*day, value, settings).err()
            } else {
                Some("should not be there".to_owned())
            };
            wrong.extend(what.map(|what| (*day, what)));
        }
        if deep || !wrong.is_empty() {
            self.compare(wrong, settings, deep, report);
        }
        let newest = self.days.last().map(|(day, _)| *day);
        let customer_state = |newest| CustomerState { newest, keyframe: due.last().copied(), since };
        newest.map_or(Stands::Nowhere, |newest| Stands::At(customer_state(newest)))
    }

    /// Computes all keyframes from the deltas; reports their faults, and with `deep` also keyframes with other content.
    fn compare(&self, mut wrong: Vec<(Day, String)>, settings: &Settings, deep: bool, mut report: impl FnMut(Fault)) {
        let plan = plan_keyframes(Vec::new(), &self.days, settings.max_history, settings.duplicates);
        let written = |day: Day| {
            let (_, past) = plan.keyframes.iter().find(|(found, _)| *found == day)?;
            let mut bytes = Vec::new();
            encode_keyframe(day, past, &mut bytes);
            Some(bytes)
        };
        if deep {
            for (day, value) in &self.keyframes {
                if !wrong.iter().any(|(found, _)| found == day) && written(*day).as_ref() != Some(value) {
                    wrong.push((*day, "does not hold the newest actions from before its day".to_owned()));
                }
            }
        }
        wrong.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
        for (day, what) in wrong {
            report(Fault::derived(Key::Keyframe { customer: self.customer, day }, what, written(day)));
        }
    }

    /// Checks the keyframe of a day by itself, and the days in it.
    fn fault_of(&self, day: Day, value: &[u8], settings: &Settings) -> Result<(), String> {
        let past = Keyframe::read(day, value).map(|keyframe| keyframe.past());
        let past = past.map_err(|error| format!("cannot be decoded ({})", error.what()))?;
        let is_action =
            |action: &PastAction| action.item_id != PADDING_ITEM_ID && settings.types.holds(action.action_type);
        if !past.iter().all(is_action) {
            return Err("holds an invalid item or type".to_owned());
        }
        let mut bytes = Vec::with_capacity(value.len());
        encode_keyframe(day, &past, &mut bytes);
        if bytes != value {
            return Err(UNUSUAL_BYTES.to_owned());
        }
        let held = past.chunk_by(|one, other| one.day == other.day);
        let held = held.filter_map(|actions| Some((actions.first()?.day, actions.len())));
        let mut left = settings.max_history;
        let before = self.days.iter().rev().filter(|(found, _)| *found < day).map_while(|(found, deltas)| {
            let count = count_of_day(deltas, settings.duplicates).min(left);
            left -= count;
            (count > 0).then_some((*found, count))
        });
        if held.eq(before) { Ok(()) } else { Err("does not hold the days from before its own".to_owned()) }
    }
}

/// Returns the days that should have keyframes, ascending, and the actions since the last of them. `days` are
/// ascending.
fn due(days: &[DayDeltas], max_history: usize, duplicates: Duplicates) -> (Vec<Day>, SinceKeyframe) {
    let (mut due, mut since) = (Vec::new(), SinceKeyframe::default());
    for (day, deltas) in days {
        if since.is_due(max_history) {
            due.push(*day);
            since = SinceKeyframe::default();
        }
        since = since.with_day(deltas, duplicates);
    }
    (due, since)
}
