//! Deltas: the actions of one customer on one day that one batch brought, in columns.

use super::columns::{Columns, put_columns};
use super::varint::{Reader, put_varint, unzigzag, zigzag};
use super::{ACTIONS_MAX, LAYOUT_VERSION};
use crate::error::Result;
use crate::model::{Action, ActionType, Day};

const DAY_US: i64 = 86_400_000_000;

/// Microseconds of a time unit, by its number in a delta.
const UNITS_US: [i64; 3] = [1, 1_000, 1_000_000];

/// Appends the bytes of a delta: `actions`, newest first, all on `day`, at least one.
pub fn encode_delta<A: Copy + Into<Action>>(day: Day, actions: &[A], bytes: &mut Vec<u8>) {
    let all = || actions.iter().map(|action| -> Action { (*action).into() });
    let times = all().map(|action| action.time_us);
    let items = all().map(|action| action.item_id);
    let types = all().map(|action| action.action_type.number());
    // The coarsest lossless unit: logs often have whole seconds.
    let fits = |unit_us: i64| times.clone().all(|time_us| time_us % unit_us == 0);
    let (unit, unit_us) = if !fits(1_000) {
        (0, 1)
    } else if !fits(1_000_000) {
        (1, 1_000)
    } else {
        (2, 1_000_000)
    };
    bytes.push(LAYOUT_VERSION);
    put_varint(actions.len() as u64, bytes);
    put_columns(unit, items, types, bytes);
    let mut later: Option<i64> = None;
    for time_us in times {
        match later {
            None => put_varint(zigzag((time_us - i64::from(day.number()) * DAY_US) / unit_us), bytes),
            Some(later) => put_varint(((later - time_us) / unit_us).cast_unsigned(), bytes),
        }
        later = Some(time_us);
    }
}

/// A delta in its bytes, of which only the head has been read, not the columns.
#[derive(Clone, Copy)]
pub struct Delta<'bytes> {
    count: usize,
    columns: Columns<'bytes>,
    times: Reader<'bytes>,
}

/// Buffers for unpacking, reused from one delta to the next.
#[derive(Default)]
pub struct Scratch {
    items: Vec<i64>,
    types: Vec<u8>,
}

impl<'bytes> Delta<'bytes> {
    /// Returns the delta with these bytes. Fails if [`encode_delta`] does not write such a head.
    pub fn read(bytes: &'bytes [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "delta");
        super::check_version(&mut reader)?;
        let count = reader.count()?;
        let columns = Columns::read(&mut reader, count)?;
        // Each action has a time of at least one byte, which bounds the count by the bytes left.
        if columns.unit > 2 || count == 0 || count > ACTIONS_MAX || count > reader.left() {
            return Err(reader.damaged());
        }
        Ok(Delta { count, columns, times: reader })
    }

    /// Returns the number of actions.
    #[cfg(any(test, feature = "internals"))]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Appends items and types of the newest actions, at most `room` of them, without reading the times.
    pub fn append(&self, actions_max: usize, items: &mut Vec<i64>, types: &mut Vec<u8>) {
        self.columns.append(actions_max, items, types);
    }

    /// Returns the time of the newest action in microseconds since 1970-01-01 UTC. Reads only this time, which is the
    /// first. `day` is the day of its key.
    pub fn newest_us(&self, day: Day) -> Result<i64> {
        let mut times = self.times;
        self.first_time(day, &mut times)
    }

    /// Reads the first time, which is stored relative to the day.
    fn first_time(&self, day: Day, times: &mut Reader<'_>) -> Result<i64> {
        let since_midnight = scaled(unzigzag(times.varint()?), self.unit_us()?);
        let time_us = since_midnight.and_then(|us| us.checked_add(i64::from(day.number()) * DAY_US));
        time_us.ok_or_else(|| times.damaged())
    }

    fn unit_us(&self) -> Result<i64> {
        UNITS_US.get(usize::from(self.columns.unit)).copied().ok_or_else(|| self.times.damaged())
    }

    /// Returns all actions, newest first. `day` is the day of the key.
    pub fn actions(&self, day: Day) -> Result<Vec<Action>> {
        let mut actions = Vec::with_capacity(self.count);
        self.append_actions(day, &mut Scratch::default(), &mut actions)?;
        Ok(actions)
    }

    /// Appends all actions, newest first. `day` is the day of the key; `scratch` is for unpacking.
    pub fn append_actions(&self, day: Day, scratch: &mut Scratch, actions: &mut Vec<Action>) -> Result<()> {
        let Scratch { items, types } = scratch;
        items.clear();
        types.clear();
        let mut times = self.times;
        self.columns.append(self.count, items, types);
        let unit_us = self.unit_us()?;
        actions.reserve(self.count);
        let mut later: Option<i64> = None;
        for (item_id, number) in items.iter().copied().zip(types.iter().copied()) {
            let time_us = match later {
                None => self.first_time(day, &mut times)?,
                Some(later) => {
                    let step = scaled(times.varint()?.cast_signed(), unit_us).filter(|us| *us >= 0);
                    step.and_then(|us| later.checked_sub(us)).ok_or_else(|| times.damaged())?
                }
            };
            let action_type = ActionType::from_number(number).ok_or_else(|| times.damaged())?;
            actions.push(Action { time_us, item_id, action_type });
            later = Some(time_us);
        }
        times.end()
    }
}

fn scaled(count: i64, unit_us: i64) -> Option<i64> {
    count.checked_mul(unit_us)
}
