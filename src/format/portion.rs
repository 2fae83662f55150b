//! Portions: the actions of one customer on one day that one batch brought, in columns.

use super::columns::{Columns, put_columns};
use super::varint::{Reader, put_varint, unzigzag, zigzag};
use super::{ACTIONS_MAX, FORMAT_VERSION};
use crate::error::Result;
use crate::model::{Action, ActionType, Day};

const DAY_US: i64 = 86_400_000_000;

/// Microseconds of a time unit, by its number in a portion.
const UNITS_US: [i64; 3] = [1, 1_000, 1_000_000];

/// Appends the bytes of a portion: `actions`, newest first, which all lie on `day` and are at least one.
pub fn encode_portion(day: Day, actions: &[Action], bytes: &mut Vec<u8>) {
    let items: Vec<i64> = actions.iter().map(|action| action.item_id).collect();
    let types: Vec<u8> = actions.iter().map(|action| action.action_type.number()).collect();
    // The coarsest unit that loses nothing: logs often have whole seconds.
    let fits = |unit_us: i64| actions.iter().all(|action| action.time_us % unit_us == 0);
    let (unit, unit_us) = if !fits(1_000) {
        (0, 1)
    } else if !fits(1_000_000) {
        (1, 1_000)
    } else {
        (2, 1_000_000)
    };
    bytes.push(FORMAT_VERSION);
    put_varint(actions.len() as u64, bytes);
    put_columns(unit, &items, &types, bytes);
    let mut later: Option<i64> = None;
    for action in actions {
        match later {
            None => put_varint(zigzag((action.time_us - i64::from(day.number()) * DAY_US) / unit_us), bytes),
            Some(later) => put_varint(((later - action.time_us) / unit_us).cast_unsigned(), bytes),
        }
        later = Some(action.time_us);
    }
}

/// A portion where it lies in the store; reading its head, not yet its columns.
#[derive(Clone, Copy)]
pub struct Portion<'bytes> {
    count: usize,
    columns: Columns<'bytes>,
    times: Reader<'bytes>,
}

/// What unpacking a portion needs room for, kept from one to the next.
#[derive(Default)]
pub struct Room {
    items: Vec<i64>,
    types: Vec<u8>,
}

impl<'bytes> Portion<'bytes> {
    /// The portion with these bytes. Fails on bytes that [`encode_portion`] does not write, as far as its head tells.
    pub fn read(bytes: &'bytes [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "portion");
        super::check_version(&mut reader)?;
        let count = reader.count()?;
        let columns = Columns::read(&mut reader, count)?;
        // Each action has a time of at least one byte, so what is announced is there.
        if columns.unit > 2 || count == 0 || count > ACTIONS_MAX || count > reader.left() {
            return Err(reader.damaged());
        }
        Ok(Portion { count, columns, times: reader })
    }

    /// How many actions it has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Appends items and types of the newest actions, at most `room` of them, without looking at the times.
    pub fn append(&self, room: usize, items: &mut Vec<i64>, types: &mut Vec<u8>) {
        self.columns.append(room, items, types);
    }

    /// All its actions, newest first. `day` is the one of its key.
    pub fn actions(&self, day: Day) -> Result<Vec<Action>> {
        let mut actions = Vec::with_capacity(self.count);
        self.append_actions(day, &mut Room::default(), &mut actions)?;
        Ok(actions)
    }

    /// Appends all its actions, newest first. `room` is for unpacking.
    pub fn append_actions(&self, day: Day, room: &mut Room, actions: &mut Vec<Action>) -> Result<()> {
        let Room { items, types } = room;
        items.clear();
        types.clear();
        let mut times = self.times;
        self.columns.append(self.count, items, types);
        let unit_us = UNITS_US.get(usize::from(self.columns.unit)).copied().ok_or_else(|| times.damaged())?;
        let first = actions.len();
        for (item_id, number) in items.iter().copied().zip(types.iter().copied()) {
            let time_us = match actions.get(first..).and_then(<[Action]>::last) {
                None => scaled(unzigzag(times.varint()?), unit_us)
                    .and_then(|us| us.checked_add(i64::from(day.number()) * DAY_US)),
                Some(later) => {
                    let step = scaled(times.varint()?.cast_signed(), unit_us).filter(|us| *us >= 0);
                    step.and_then(|us| later.time_us.checked_sub(us))
                }
            };
            let time_us = time_us.ok_or_else(|| times.damaged())?;
            let action_type = ActionType::from_number(number).ok_or_else(|| times.damaged())?;
            actions.push(Action { time_us, item_id, action_type });
        }
        times.end()
    }
}

fn scaled(count: i64, unit_us: i64) -> Option<i64> {
    count.checked_mul(unit_us)
}
