//! What is asked of a delta by itself.

use crate::format::{Delta, Scratch, encode_delta};
use crate::history::newest_first;
use crate::model::{Action, Day, PADDING_ITEM_ID};
use crate::store::Settings;

/// What reading a delta needs room for, kept from one to the next.
#[derive(Default)]
pub(super) struct DeltaRoom {
    unpacked: Scratch,
    bytes: Vec<u8>,
}

/// All actions of a delta, or what is wrong with it.
pub(super) fn read_delta(
    day: Day,
    value: &[u8],
    settings: &Settings,
    room: &mut DeltaRoom,
) -> Result<Vec<Action>, String> {
    let DeltaRoom { unpacked, bytes } = room;
    let mut actions = Vec::new();
    let read = Delta::read(value).and_then(|delta| delta.append_actions(day, unpacked, &mut actions));
    read.map_err(|error| format!("cannot be decoded ({})", error.what()))?;
    if actions.len() > settings.max_history {
        return Err(format!("holds {} actions, more than the {} kept", actions.len(), settings.max_history));
    }
    // Before the bytes are compared: what is written of a delta is told only for actions of its day.
    if let Some(other) = actions.iter().find(|action| settings.zone.day_of(action.time_us) != Some(day)) {
        return Err(format!("holds an action of another day, at {}", settings.zone.display(other.time_us)));
    }
    if actions.iter().any(|action| action.item_id == PADDING_ITEM_ID) {
        return Err(format!("holds item {PADDING_ITEM_ID}, which is the padding"));
    }
    if let Some(other) = actions.iter().find(|action| !settings.types.holds(action.action_type.number())) {
        let number = other.action_type.number();
        return Err(format!("holds an action of type {number}, which the table of types does not have"));
    }
    if !actions.is_sorted_by(|one, other| newest_first(one, other).is_le()) {
        return Err("does not have its newest action first".to_owned());
    }
    bytes.clear();
    encode_delta(day, &actions, bytes);
    if bytes != value {
        return Err(UNUSUAL_BYTES.to_owned());
    }
    Ok(actions)
}

/// That a value can be decoded and would not have been written so.
pub(super) const UNUSUAL_BYTES: &str = "has other bytes than are written for what it says";
