//! Histories, each written once and read for each row that has it.

use std::path::Path;

use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};
use crate::format::{Keyframe, encode_keyframe};
use crate::history::History;
use crate::model::{Day, PastAction};
use crate::resources::Spool;

/// Where a history is in the spool.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct HistoryPlace {
    /// Offset of its first byte.
    pub offset: u64,
    /// Its size in bytes; 0 for a history without actions.
    pub bytes: u32,
    /// Its number of actions.
    pub actions: u32,
}

/// Histories, each packed as a keyframe, which has the days of its actions, followed by their times: the newest alone
/// or all of them.
///
/// Memory: that of its [`Spool`].
pub(crate) struct HistorySpool(Spool);

impl HistorySpool {
    /// Returns the histories to be appended to `spool`.
    pub(crate) fn new(spool: Spool) -> Self {
        HistorySpool(spool)
    }

    /// Appends packed histories. Returns the offset of the first.
    pub(crate) fn append(&mut self, packed: &[u8]) -> Result<u64> {
        self.0.append(packed)
    }

    /// Replaces `history` with the one at `place`, of the rows of `dt`. `buffer` is reused for its bytes.
    pub(crate) fn read(&self, dt: Day, place: HistoryPlace, buffer: &mut Vec<u8>, history: &mut History) -> Result<()> {
        history.clear();
        if place.bytes == 0 {
            return Ok(());
        }
        let packed = self.0.read(place.offset, usize_of(place.bytes), buffer)?;
        unpack(dt, packed, history).ok_or_else(|| {
            let other = std::io::Error::other("its content is not what was written");
            Error::io("read", Path::new("a file of histories"), other)
        })
    }
}

/// Appends a history of the rows of `dt`. Without the days of its actions it is packed as if all were of the day
/// before, which takes less to unpack. Returns its place, with the offset in `bytes`.
pub(crate) fn pack(dt: Day, history: &History, bytes: &mut Vec<u8>) -> Result<HistoryPlace> {
    let begin = bytes.len();
    if history.is_empty() {
        return Ok(HistoryPlace::default());
    }
    let newest_us = history.newest_us.held("a history with actions has the time of the newest")?;
    let day_before = [(dt.minus(1), history.len())];
    let days = if history.days.is_empty() { &day_before } else { history.days.as_slice() };
    let days = days.iter().flat_map(|(day, actions)| std::iter::repeat_n(*day, *actions));
    let columns = history.item_ids.iter().zip(&history.action_types);
    let past = days.zip(columns).map(|(day, (item_id, action_type))| PastAction {
        day,
        item_id: *item_id,
        action_type: *action_type,
    });
    let length_at = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    encode_keyframe(dt, &past.collect::<Vec<_>>(), bytes);
    let length = bytes.len() - length_at - 4;
    bytes.iter_mut().skip(length_at).zip(short(length)?.to_le_bytes()).for_each(|(to, from)| *to = from);
    let newest = [newest_us];
    let times: &[i64] = if history.times_us.is_empty() { &newest } else { &history.times_us };
    times.iter().for_each(|time_us| bytes.extend_from_slice(&time_us.to_le_bytes()));
    Ok(HistoryPlace { offset: begin as u64, bytes: short(bytes.len() - begin)?, actions: short(history.len())? })
}

/// A history has no more than 100,000 actions of some 20 bytes.
fn short(number: usize) -> Result<u32> {
    u32::try_from(number).held("a packed history takes less than 4 GiB")
}

/// Reads a packed history; `None` for bytes that [`pack`] does not write.
fn unpack(dt: Day, bytes: &[u8], history: &mut History) -> Option<()> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (keyframe, times) = rest.split_at_checked(usize_of(u32::from_le_bytes(*length)))?;
    let keyframe = Keyframe::read(dt, keyframe).ok()?;
    keyframe.append(None, usize::MAX, &mut history.item_ids, &mut history.action_types);
    history.days.extend(keyframe.days(usize::MAX));
    let mut times = times.chunks_exact(8).filter_map(|time| Some(i64::from_le_bytes(*time.first_chunk()?)));
    history.newest_us = times.next();
    if let (Some(newest_us), Some(second_us)) = (history.newest_us, times.next()) {
        history.times_us.extend([newest_us, second_us].into_iter().chain(times));
    } else if history.len() == 1 {
        history.times_us.extend(history.newest_us);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::Scratch;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            days in proptest::collection::vec((1..400_i32, 1..5_usize), 0..9),
            items in proptest::collection::vec(any::<i64>(), 40),
            with_days in any::<bool>(),
            with_times in any::<bool>(),
            memory_max in prop_oneof![Just(0_usize), Just(usize::MAX)],
        ) {
            let dt = Day::from_number(20_000).unwrap();
            let mut history = History::default();
            let mut number = 20_000;
            for (back, actions) in days {
                number -= back;
                history.push_day(Day::from_number(number).unwrap(), actions);
                history.action_types.extend((0..actions).map(|place| 1 + u8::try_from(place % 3).unwrap()));
            }
            history.item_ids = items[..history.action_types.len()].to_vec();
            history.newest_us = history.days.first().map(|(day, _)| i64::from(day.number()) * 86_400_000_000 + 7);
            if with_times {
                let newest_us = history.newest_us.unwrap_or(0);
                history.times_us = (0..history.len()).map(|place| newest_us - 5 * i64::try_from(place).unwrap()).collect();
            }
            let days = history.days.clone();
            if !with_days {
                history.days.clear();
            }
            let folder = tempfile::tempdir().unwrap();
            let scratch = Scratch::new(folder.path().join("scratch"));
            let mut file = HistorySpool::new(Spool::new(scratch, memory_max));
            let mut bytes = vec![1, 2, 3];
            let place = pack(dt, &history, &mut bytes).unwrap();
            prop_assert_eq!(usize::try_from(place.actions).unwrap(), history.len());
            prop_assert_eq!(file.append(&bytes).unwrap(), 0);
            let mut again = History { item_ids: vec![9], ..History::default() };
            file.read(dt, place, &mut Vec::new(), &mut again).unwrap();
            if !with_days {
                prop_assert_eq!(again.days.is_empty(), days.is_empty());
                again.days.clear();
            }
            // A single action has only the newest time.
            if history.len() == 1 {
                history.times_us = history.newest_us.into_iter().collect();
            }
            prop_assert_eq!(again, history);
        }
    }
}
