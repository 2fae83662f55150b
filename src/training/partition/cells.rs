//! The cells of a produced row, checked, as a history.

use super::row::HistoryHash;
use crate::error::Result;
use crate::exact::Held;
use crate::format::Hasher;
use crate::history::History;
use crate::model::{Day, ExtraColumn, ExtraColumns, PADDING_ITEM_ID};
use crate::output::ProducedRow;

/// Returns a hash over all cells of a row that are of its history.
pub(super) fn history_hash(row: &ProducedRow, bytes: &mut Vec<u8>) -> HistoryHash {
    bytes.clear();
    row.actions.iter().for_each(|item| bytes.extend_from_slice(&item.to_le_bytes()));
    row.action_types.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    row.history_length.iter().for_each(|length| bytes.extend_from_slice(&length.to_le_bytes()));
    row.action_ages.iter().flatten().for_each(|age| bytes.extend_from_slice(&age.to_le_bytes()));
    row.action_times.iter().flatten().for_each(|time_us| bytes.extend_from_slice(&time_us.to_le_bytes()));
    let mut hasher = Hasher::new();
    hasher.add(bytes);
    hasher.digest()
}

/// Fails, with the reason as a phrase, unless the cells of a row of `dt` that are not of its history are valid.
pub(super) fn check_row(row: &ProducedRow, dt: Day) -> Result<(), String> {
    if row.dt.as_ref().is_some_and(|day| *day != dt.to_string()) {
        return Err("its dt is another day".to_owned());
    }
    if row.impression_item_id == PADDING_ITEM_ID || !(0..=1).contains(&row.label) || row.impression_pos < 0 {
        return Err("its impression_item_id is 0, its label neither 0 nor 1, or its impression_pos negative".to_owned());
    }
    Ok(())
}

/// Fails, with the reason as a phrase, unless the lists of a row are those of a history of at most `max_history`
/// actions from before `dt`: each as long as that, and padded with zeros behind the same action. Returns the number of
/// actions.
pub(super) fn check_history(row: &ProducedRow, dt: Day, max_history: usize) -> Result<usize, String> {
    let ProducedRow { actions, action_types, history_length, action_ages, action_times, .. } = row;
    let ages = action_ages.as_ref().map_or(max_history, Vec::len);
    let times = action_times.as_ref().map_or(max_history, Vec::len);
    if [actions.len(), action_types.len(), ages, times].iter().any(|length| *length != max_history) {
        return Err(format!("one of its lists does not have {max_history} elements"));
    }
    let length = actions.iter().position(|item| *item == PADDING_ITEM_ID).unwrap_or(max_history);
    if history_length.is_some_and(|said| usize::try_from(said) != Ok(length)) {
        return Err("its history_length is not the number of its actions".to_owned());
    }
    let is_type = |number: &i32| (1..=i32::from(u8::MAX)).contains(number);
    let types_fit = action_types.iter().take(length).all(is_type) && is_padding(action_types, length);
    let ages_fit = action_ages.as_ref().is_none_or(|ages| {
        let of_actions = || ages.iter().take(length);
        let is_day = |age: &i32| *age > 0 && day_of(dt, *age).is_some();
        of_actions().all(is_day) && of_actions().is_sorted() && is_padding(ages, length)
    });
    let times_fit = action_times.as_ref().is_none_or(|times| {
        times.iter().take(length).is_sorted_by(|newer, older| newer >= older) && is_padding(times, length)
    });
    let padding_fits = actions.iter().skip(length).all(|item| *item == PADDING_ITEM_ID);
    if types_fit && ages_fit && times_fit && padding_fits {
        return Ok(length);
    }
    Err("its lists are not those of a history, newest first and padded with zeros".to_owned())
}

fn day_of(dt: Day, age: i32) -> Option<Day> {
    dt.number().checked_sub(age).and_then(Day::from_number)
}

fn is_padding<T: Copy + Default + PartialEq>(cells: &[T], length: usize) -> bool {
    cells.iter().skip(length).all(|cell| *cell == T::default())
}

/// Replaces `history` with the newest actions of a row of `dt`: at most `max_history` of its `length`, with what the
/// columns `with` need. The row has passed [`check_history`], and has these columns.
pub(super) fn read_history(
    row: &ProducedRow,
    (length, max_history): (usize, usize),
    with: ExtraColumns,
    dt: Day,
    history: &mut History,
) -> Result<()> {
    const CHECKED: &str = "the row was checked, and has the columns that were asked for";
    history.clear();
    let length = length.min(max_history);
    history.item_ids.extend(row.actions.iter().take(length));
    for number in row.action_types.iter().take(length) {
        history.action_types.push(u8::try_from(*number).held(CHECKED)?);
    }
    if with.has(ExtraColumn::ActionAges) {
        for age in row.action_ages.as_ref().held(CHECKED)?.iter().take(length) {
            history.push_day(day_of(dt, *age).held(CHECKED)?, 1);
        }
    }
    if with.has(ExtraColumn::ActionTimes) {
        history.times_us.extend(row.action_times.as_ref().held(CHECKED)?.iter().take(length));
    }
    // Batches have the time of the newest action only among the times of all.
    history.newest_us = (length > 0).then(|| history.times_us.first().copied().unwrap_or(0));
    Ok(())
}
