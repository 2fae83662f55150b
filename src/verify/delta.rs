//! Checks a delta by itself.

use crate::format::{Delta, Scratch, encode_delta};
use crate::history::newest_first;
use crate::model::{Action, Day, Duplicates, PADDING_ITEM_ID};
use crate::store::Settings;

/// Buffers for reading deltas, reused from delta to delta.
#[derive(Default)]
pub(super) struct DeltaBuffers {
    unpacked: Scratch,
    bytes: Vec<u8>,
}

/// Returns all actions of a delta, or its fault.
pub(super) fn read_delta(
    day: Day,
    value: &[u8],
    settings: &Settings,
    buffers: &mut DeltaBuffers,
) -> Result<Vec<Action>, String> {
    let DeltaBuffers { unpacked, bytes } = buffers;
    let mut actions = Vec::new();
    let read = Delta::read(value).and_then(|delta| delta.append_actions(day, unpacked, &mut actions));
    read.map_err(|error| format!("cannot be decoded ({})", error.what()))?;
    if actions.len() > settings.max_history {
        return Err(format!("holds {} actions, more than the {} kept", actions.len(), settings.max_history));
    }
    // Before the bytes are compared: the expected bytes are defined only for actions of the delta's day.
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
    if settings.duplicates == Duplicates::Drop && !actions.is_sorted_by(|one, other| one != other) {
        return Err("holds an action twice".to_owned());
    }
    bytes.clear();
    encode_delta(day, &actions, bytes);
    if bytes != value {
        return Err(UNUSUAL_BYTES.to_owned());
    }
    Ok(actions)
}

/// The fault of a value that decodes but is encoded otherwise than by this program.
pub(super) const UNUSUAL_BYTES: &str = "has other bytes than lookback writes for its content";
