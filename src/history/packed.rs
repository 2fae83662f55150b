//! A history as bytes that are quick to read: written once, and read for each row that has it.
//!
//! A byte with the width of an item (4 if all items fit, else 8); the number of days (4); the items; the types (1
//! each); each day (4) with its number of actions (4); and the times (8 each): all of them or the newest alone.
//! Little-endian. Wide columns are read from it at the speed of a copy; fewer bits for each action would be packed and
//! unpacked more slowly than memory is read.

use super::columns::{History, HistoryView};
use crate::exact::usize_of;
use crate::model::Day;

/// The items of a packed history.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PackedItems<'bytes> {
    /// In 4 bytes each, unsigned.
    Short(&'bytes [[u8; 4]]),
    /// In 8 bytes each.
    Long(&'bytes [[u8; 8]]),
}

/// A packed history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedHistory<'bytes> {
    /// Items, newest first.
    pub items: PackedItems<'bytes>,
    /// Numbers of the action types, one for each item.
    pub types: &'bytes [u8],
    days: &'bytes [[u8; 8]],
    times: &'bytes [[u8; 8]],
}

/// Appends a history, which has at least one action, as bytes; `None` if it has 2^32 days.
pub(crate) fn pack(history: &HistoryView<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    let HistoryView { item_ids, action_types, newest_us, days, times_us } = *history;
    let is_short = item_ids.iter().all(|item| u32::try_from(*item).is_ok());
    bytes.push(if is_short { 4 } else { 8 });
    bytes.extend_from_slice(&u32::try_from(days.len()).ok()?.to_le_bytes());
    if is_short {
        bytes.extend(item_ids.iter().filter_map(|item| u32::try_from(*item).ok()).flat_map(u32::to_le_bytes));
    } else {
        bytes.extend(item_ids.iter().flat_map(|item| item.to_le_bytes()));
    }
    bytes.extend_from_slice(action_types);
    for (day, actions) in days {
        bytes.extend_from_slice(&day.number().to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(*actions).ok()?.to_le_bytes());
    }
    let newest: &[i64] = newest_us.as_slice();
    let times = if times_us.is_empty() { newest } else { times_us };
    bytes.extend(times.iter().flat_map(|time_us| time_us.to_le_bytes()));
    Some(())
}

impl<'bytes> PackedHistory<'bytes> {
    /// Returns a history without actions.
    pub(crate) fn empty() -> Self {
        PackedHistory { items: PackedItems::Short(&[]), types: &[], days: &[], times: &[] }
    }

    /// Reads a history of so many actions; `None` for bytes that [`pack`] does not write.
    pub(crate) fn read(bytes: &'bytes [u8], actions: usize) -> Option<Self> {
        let ([width, days @ ..], rest) = bytes.split_first_chunk::<5>()?;
        let (items, rest) = rest.split_at_checked(actions.checked_mul(usize::from(*width))?)?;
        let items = match width {
            4 => PackedItems::Short(items.as_chunks().0),
            8 => PackedItems::Long(items.as_chunks().0),
            _ => return None,
        };
        let (types, rest) = rest.split_at_checked(actions)?;
        let (days, times) = rest.split_at_checked(usize_of(u32::from_le_bytes(*days)).checked_mul(8)?)?;
        let (times, odd) = times.as_chunks();
        odd.is_empty().then_some(PackedHistory { items, types, days: days.as_chunks().0, times })
    }

    /// Returns the days of the actions, newest first, each with its number of actions; none if it was packed without.
    pub(crate) fn days(&self) -> impl Iterator<Item = (Day, usize)> + use<'bytes> {
        self.days.iter().filter_map(|day| {
            let (number, actions) = (day.first_chunk()?, day.last_chunk()?);
            Some((Day::from_number(i32::from_le_bytes(*number))?, usize_of(u32::from_le_bytes(*actions))))
        })
    }

    /// Returns the times of the actions; the newest alone, if it was packed without.
    pub(crate) fn times_us(&self) -> impl ExactSizeIterator<Item = i64> + use<'bytes> {
        self.times.iter().map(|time| i64::from_le_bytes(*time))
    }

    /// Replaces `history` with this one. A single action has a time in any case.
    pub(crate) fn unpack(&self, history: &mut History) {
        history.clear();
        match self.items {
            PackedItems::Short(items) => {
                history.item_ids.extend(items.iter().map(|item| i64::from(u32::from_le_bytes(*item))));
            }
            PackedItems::Long(items) => history.item_ids.extend(items.iter().map(|item| i64::from_le_bytes(*item))),
        }
        history.action_types.extend_from_slice(self.types);
        history.days.extend(self.days());
        history.newest_us = self.times_us().next();
        if self.times.len() == self.types.len() {
            history.times_us.extend(self.times_us());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            days in proptest::collection::vec((1..400_i32, 1..5_usize), 1..9),
            items in proptest::collection::vec(prop_oneof![any::<i64>(), 0..1_i64 << 33], 40),
            is_short in any::<bool>(),
            with_days in any::<bool>(),
            with_times in any::<bool>(),
        ) {
            let mut history = History::default();
            let mut number = 20_000;
            for (back, actions) in days {
                number -= back;
                history.push_day(Day::from_number(number).unwrap(), actions);
                history.action_types.extend((0..actions).map(|place| 1 + u8::try_from(place % 3).unwrap()));
            }
            let items = items.iter().map(|item| if is_short { item & 0xffff_ffff } else { *item });
            history.item_ids = items.take(history.action_types.len()).collect();
            let newest_us = 20_000 * 86_400_000_000;
            history.newest_us = Some(newest_us);
            if with_times || history.len() == 1 {
                let times = (0..history.len()).map(|place| newest_us - 5 * i64::try_from(place).unwrap());
                history.times_us = times.collect();
            }
            if !with_days {
                history.days.clear();
            }
            let mut bytes = Vec::new();
            pack(&history.view(), &mut bytes).unwrap();
            let mut again = History { item_ids: vec![9], ..History::default() };
            PackedHistory::read(&bytes, history.len()).unwrap().unpack(&mut again);
            prop_assert_eq!(&again, &history);
            prop_assert!(PackedHistory::read(&bytes[..bytes.len() - 1], history.len()).is_none());
            let (width, all) = (usize::from(bytes[0]), history.len());
            prop_assert_eq!(width, if history.item_ids.iter().all(|item| u32::try_from(*item).is_ok()) { 4 } else { 8 });
            prop_assert_eq!(bytes.len(), 5 + all * (width + 1) + 8 * (history.days.len() + history.times_us.len().max(1)));
        }
    }
}
