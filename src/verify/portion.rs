//! What is asked of a portion by itself.

use crate::format::{Portion, Room, encode_portion};
use crate::history::newest_first;
use crate::model::{Action, Day, PADDING_ITEM_ID};
use crate::store::Settings;

/// What reading a portion needs room for, kept from one to the next.
#[derive(Default)]
pub(super) struct PortionRoom {
    unpacked: Room,
    bytes: Vec<u8>,
}

/// All actions of a portion, or what is wrong with it.
pub(super) fn read_portion(
    day: Day,
    value: &[u8],
    settings: &Settings,
    room: &mut PortionRoom,
) -> Result<Vec<Action>, String> {
    let PortionRoom { unpacked, bytes } = room;
    let mut actions = Vec::new();
    let read = Portion::read(value).and_then(|portion| portion.append_actions(day, unpacked, &mut actions));
    read.map_err(|error| format!("cannot be decoded ({})", error.what()))?;
    if actions.len() > settings.max_history {
        return Err(format!("holds {} actions, more than the {} kept", actions.len(), settings.max_history));
    }
    // Before the bytes are compared: what is written of a portion is told only for actions of its day.
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
    encode_portion(day, &actions, bytes);
    if bytes != value {
        return Err(UNUSUAL_BYTES.to_owned());
    }
    Ok(actions)
}

/// That a value can be decoded and would not have been written so.
pub(super) const UNUSUAL_BYTES: &str = "has other bytes than are written for what it says";
