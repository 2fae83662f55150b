//! Keyframes: the newest actions from before a day, so that a read goes no further back.

use super::columns::{Columns, put_columns};
use super::varint::{Reader, put_varint};
use super::{ACTIONS_MAX, LAYOUT_VERSION};
use crate::error::Result;
use crate::model::{Day, PastAction};

/// Appends the bytes of the keyframe of `day`: `past`, newest first, all on earlier days.
pub fn encode_keyframe(day: Day, past: &[PastAction], bytes: &mut Vec<u8>) {
    let items = past.iter().map(|action| action.item_id);
    let types = past.iter().map(|action| action.action_type);
    let days = || past.chunk_by(|one, other| one.day == other.day);
    bytes.push(LAYOUT_VERSION);
    put_varint(days().count() as u64, bytes);
    let mut later = day;
    for actions in days() {
        let Some(first) = actions.first() else { continue };
        put_varint(u64::from(later.number().abs_diff(first.day.number())), bytes);
        put_varint(actions.len() as u64, bytes);
        later = first.day;
    }
    put_columns(0, items, types, bytes);
}

/// A keyframe in its bytes: its days, and its columns, which are not unpacked yet.
pub struct Keyframe<'bytes> {
    days: Vec<(Day, usize)>,
    columns: Columns<'bytes>,
}

impl<'bytes> Keyframe<'bytes> {
    /// Returns the keyframe with these bytes; `day` is that of its key. Fails if [`encode_keyframe`] does not write
    /// them.
    pub fn read(day: Day, bytes: &'bytes [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "keyframe");
        super::check_version(&mut reader)?;
        let (mut days, mut later, mut count) = (Vec::new(), day, 0_usize);
        for _ in 0..reader.count()? {
            let back = u32::try_from(reader.varint()?).map_err(|_| reader.damaged())?;
            if back == 0 || back > later.number().unsigned_abs() {
                return Err(reader.damaged());
            }
            later = later.minus(back);
            let actions = reader.count()?;
            count = count.checked_add(actions).filter(|count| *count <= ACTIONS_MAX).ok_or_else(|| reader.damaged())?;
            days.push((later, actions));
        }
        let columns = Columns::read(&mut reader, count)?;
        reader.end()?;
        Ok(Keyframe { days, columns })
    }

    /// Appends the items and types of the newest actions from `oldest` on, at most `room` of them.
    pub fn append(&self, oldest: Option<Day>, actions_max: usize, items: &mut Vec<i64>, types: &mut Vec<u8>) {
        let kept = self.days.iter().take_while(|(day, _)| oldest.is_none_or(|oldest| *day >= oldest));
        let kept: usize = kept.map(|(_, actions)| actions).sum();
        self.columns.append(actions_max.min(kept), items, types);
    }

    /// Returns the days of the newest actions, at most `room` actions, newest day first with its number of actions.
    pub fn days(&self, actions_max: usize) -> impl Iterator<Item = (Day, usize)> {
        let mut left = actions_max;
        self.days.iter().map_while(move |(day, actions)| {
            let taken = left.min(*actions);
            left -= taken;
            (taken > 0).then_some((*day, taken))
        })
    }

    /// Returns all actions, newest first.
    pub fn past(&self) -> Vec<PastAction> {
        let (mut items, mut types) = (Vec::new(), Vec::new());
        self.columns.append(usize::MAX, &mut items, &mut types);
        let days = self.days.iter().flat_map(|(day, actions)| std::iter::repeat_n(*day, *actions));
        let columns = items.into_iter().zip(types);
        days.zip(columns).map(|(day, (item_id, action_type))| PastAction { day, item_id, action_type }).collect()
    }
}
