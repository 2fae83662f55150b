//! Compares the index of some batches with their deltas, line by line.

use std::collections::BTreeMap;

use super::fault::Report;
use super::list::ListCheck;
use crate::error::Result;
use crate::format::{Key, Keyspace, TouchedDay, index_prefix};
use crate::model::{CustomerId, Day};
use crate::store::{Step, Store};

/// Lines that are collected at once, 16 bytes each: 64 MiB.
const LINES_MAX: u64 = 4 << 20;

/// A line, or `None` where the next lines are unknown.
type LineOrGap = Option<(CustomerId, TouchedDay)>;

/// Reports the leaves of the index that differ from what the deltas imply, in the order of their keys.
///
/// `suspects` are the batches to compare, with the number of their deltas; ascending. Each walk over the history covers
/// as many batches as have 4 million deltas together; a batch with more is compared as it is read.
pub(super) fn check_index(store: &Store, suspects: &[(Day, u64)], report: Report<'_>) -> Result<()> {
    check_in_groups(store, suspects, LINES_MAX, report)
}

fn check_in_groups(store: &Store, suspects: &[(Day, u64)], lines_max: u64, report: Report<'_>) -> Result<()> {
    let mut rest = suspects;
    while let Some(((first, _), _)) = rest.split_first() {
        let mut lines = 0;
        let together = rest.iter().take_while(|(_, deltas)| {
            lines += deltas;
            lines <= lines_max
        });
        let (group, after) = rest.split_at(together.count().max(1).min(rest.len()));
        rest = after;
        if let [_] = group {
            let mut check = check_of(store, *first);
            each_line(store, &[*first], |_, line| push(&mut check, line, report))?;
            check.finish(report)?;
            continue;
        }
        let batches: Vec<Day> = group.iter().map(|(batch, _)| *batch).collect();
        let mut gathered: BTreeMap<Day, Vec<LineOrGap>> = batches.iter().map(|batch| (*batch, Vec::new())).collect();
        each_line(store, &batches, |batch, line| {
            gathered.entry(batch).or_default().push(line);
            Ok(())
        })?;
        for (batch, lines) in gathered {
            let mut check = check_of(store, batch);
            lines.into_iter().try_for_each(|line| push(&mut check, line, report))?;
            check.finish(report)?;
        }
    }
    Ok(())
}

fn check_of(store: &Store, batch: Day) -> ListCheck<'_, TouchedDay> {
    ListCheck::new(store, &index_prefix(batch), batch, |batch, first| Key::Index { batch, first })
}

fn push(check: &mut ListCheck<'_, TouchedDay>, line: LineOrGap, report: Report<'_>) -> Result<()> {
    match line {
        Some((customer, day)) => check.push(customer, day, report),
        None => {
            check.push_gap();
            Ok(())
        }
    }
}

/// Calls `take` with the lines that the index of each batch should have, in order within each batch.
fn each_line(store: &Store, batches: &[Day], mut take: impl FnMut(Day, LineOrGap) -> Result<()>) -> Result<()> {
    let history = Keyspace::History as u8;
    let mut walk = store.walk(&[history], Some(&[history + 1]));
    while let Some(step) = walk.next() {
        store.folder().resources().check()?;
        match step {
            Step::Entry { key, .. } => {
                if let Ok(Key::Delta { customer, day, batch }) = Key::decode(key)
                    && batches.contains(&batch)
                {
                    take(batch, Some((customer, TouchedDay(day))))?;
                }
            }
            Step::Unreadable(_) => batches.iter().try_for_each(|batch| take(*batch, None))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::encode_delta;
    use crate::model::{Action, ActionType};
    use crate::store::{Folder, Settings};
    use crate::verify::Fault;

    #[test]
    fn the_same_faults_in_the_same_order_however_many_batches_are_compared_at_once() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(&place.path().join("store"));
        Store::create(&folder, Settings::default()).unwrap();
        let store = Store::open_writer(&folder).unwrap();
        let day = Day::from_number(100).unwrap();
        let action = Action { time_us: 100 * 86_400_000_000, item_id: 1, action_type: ActionType::CLICK };
        let mut value = Vec::new();
        encode_delta(day, &[action], &mut value);
        let batches: Vec<Day> = day.through(Day::from_number(105).unwrap()).collect();
        let mut load = store.bulk_load().unwrap();
        for customer in 0..2_000 {
            for batch in &batches {
                let key = Key::Delta { customer: CustomerId(customer), day, batch: *batch };
                load.set(key, Some(&value)).unwrap();
            }
        }
        // The index has only one leaf, which belongs nowhere.
        load.set(Key::Index { batch: day, first: CustomerId(-3) }, Some(&[2])).unwrap();
        load.commit().unwrap();
        let suspects: Vec<(Day, u64)> = batches.iter().map(|batch| (*batch, 2_000)).collect();
        let faults = |lines_max| {
            let mut faults: Vec<Fault> = Vec::new();
            let mut take = |fault| {
                faults.push(fault);
                Ok(())
            };
            check_in_groups(&store, &suspects, lines_max, &mut take).unwrap();
            faults
        };
        let expected = faults(1);
        assert!(expected.len() > 2 * batches.len(), "several leaves of each batch");
        assert!(expected.is_sorted_by_key(|fault| fault.key.clone()));
        for lines_max in [1_999, 4_000, 7_000, 1 << 20] {
            assert_eq!(faults(lines_max), expected);
        }
    }
}
