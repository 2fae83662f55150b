//! From version 1, with a full snapshot at each active day, to version 2, with deltas in columns and keyframes between
//! them.

use std::collections::BTreeMap;
use std::iter::Peekable;

use super::step::{Migration, Switch};
use super::version_1;
use crate::error::{Error, Result};
use crate::format::{
    CustomerState, CutLeaf, Delta, Entry as Line, Key, Keyframe, LAYOUT_VERSION, LeafCutter, TouchedDay, encode_delta,
    encode_keyframe, encode_leaf,
};
use crate::history::plan_keyframes;
use crate::model::{Action, CustomerId, Day, Duplicates, PastAction};
use crate::progress::Progress;
use crate::store::{BulkLoad, Entry, RawStore};

const _: () = assert!(LAYOUT_VERSION == 2, "format/ has moved on: give this step writers of version 2 of its own");

pub(super) struct OneToTwo;

/// One customer's deltas: by day and batch.
type Days = BTreeMap<Day, BTreeMap<Day, Vec<Action>>>;

impl Migration for OneToTwo {
    fn from(&self) -> u8 {
        1
    }

    fn name(&self) -> &'static str {
        "deltas in columns, keyframes instead of snapshots"
    }

    fn writes(&self) -> (Vec<u8>, Vec<u8>) {
        (vec![0x10], vec![0x20])
    }

    fn switch(&self, store: &RawStore) -> Result<Switch> {
        let record = value(store, &version_1::STORE_RECORD)?;
        Ok(Switch {
            set: vec![(version_1::STORE_RECORD.to_vec(), of_version_2(&record))],
            removed: vec![(version_1::TOTALS.to_vec(), vec![0x10])],
        })
    }

    /// Memory: the deltas of one customer.
    fn rewrite(&self, old: &RawStore, new: &mut BulkLoad<'_>, progress: &dyn Progress) -> Result<()> {
        progress.begin("rewriting", "customers", Some(version_1::customers(&value(old, &version_1::TOTALS)?)?));
        let max_history = version_1::max_history(&value(old, &version_1::STORE_RECORD)?)?;
        let mut customer_index = LeafCutter::new();
        for customer in Customers::new(old) {
            let (customer, days) = customer?;
            let customer_state = write_customer(new, customer, &days, max_history)?;
            write_leaf(
                new,
                Day::FIRST,
                |first| Key::CustomerIndex { first },
                customer_index.push(customer, customer_state),
            )?;
            progress.advance(1);
        }
        write_leaf(new, Day::FIRST, |first| Key::CustomerIndex { first }, customer_index.finish())?;
        write_index(old, new)?;
        for entry in keyspace(old, version_1::BATCHES) {
            let (key, record) = entry?;
            new.set(Key::Batch(version_1::batch_key(&key)?), Some(&of_version_2(&record)))?;
        }
        new.set(Key::Totals, Some(&of_version_2(&value(old, &version_1::TOTALS)?)))
    }

    /// Every delta is there, with the same actions, and no other; and each keyframe is the snapshot from before its
    /// day.
    fn validate(&self, store: &RawStore, progress: &dyn Progress) -> Result<()> {
        progress.begin("checking", "customers", Some(version_1::customers(&value(store, &version_1::TOTALS)?)?));
        let mut snapshots = keyspace(store, version_1::SNAPSHOTS).peekable();
        let mut written = store.entries(&[crate::format::Keyspace::History as u8]).peekable();
        for customer in Customers::new(store) {
            let (customer, days) = customer?;
            let snapshots = take_snapshots(&mut snapshots, customer)?;
            let mut found = Days::new();
            while let Some(entry) = next_of(&mut written, customer) {
                let (key, value) = entry?;
                match Key::decode(&key)? {
                    Key::Delta { day, batch, .. } => {
                        found.entry(day).or_default().insert(batch, Delta::read(&value)?.actions(day)?);
                    }
                    Key::Keyframe { day, .. } => {
                        let before = snapshots.range(..day).next_back().map(|(_, snapshot)| snapshot.as_slice());
                        let held = Keyframe::read(day, &value)?.past();
                        let alike = |(past, action): (&PastAction, &Action)| {
                            (past.item_id, past.action_type) == (action.item_id, action.action_type.number())
                        };
                        let before = before.unwrap_or(&[]);
                        if held.len() != before.len() || !held.iter().zip(before).all(alike) {
                            return Err(differs(customer, day));
                        }
                    }
                    _ => break,
                }
            }
            if found != days {
                return Err(differs(customer, days.keys().next_back().copied().unwrap_or(Day::FIRST)));
            }
            progress.advance(1);
        }
        match written.next().transpose()? {
            Some((key, _)) if key.first() == Some(&(crate::format::Keyspace::History as u8)) => {
                Err(Error::corrupt("the rewritten store has a customer that the old store lacks"))
            }
            _ => Ok(()),
        }
    }
}

fn differs(customer: CustomerId, day: Day) -> Error {
    Error::corrupt(format!("the rewritten history of customer {} differs from the old history at {day}", customer.0))
}

fn write_customer(
    new: &mut BulkLoad<'_>,
    customer: CustomerId,
    days: &Days,
    max_history: usize,
) -> Result<CustomerState> {
    let ascending = days.iter().map(|(day, batches)| (*day, batches.values().cloned().collect()));
    let plan = plan_keyframes(Vec::new(), &ascending.collect::<Vec<_>>(), max_history, Duplicates::Keep);
    let mut entries = Vec::new();
    for (day, batches) in days {
        for (batch, actions) in batches {
            let mut bytes = Vec::new();
            encode_delta(*day, actions, &mut bytes);
            entries.push((Key::Delta { customer, day: *day, batch: *batch }.encode(), bytes));
        }
    }
    for (day, past) in &plan.keyframes {
        let mut bytes = Vec::new();
        encode_keyframe(*day, past, &mut bytes);
        entries.push((Key::Keyframe { customer, day: *day }.encode(), bytes));
    }
    entries.sort();
    for (key, bytes) in entries {
        new.set_raw(&key, Some(&bytes))?;
    }
    let newest = days.keys().next_back().copied();
    let newest = newest.ok_or_else(|| Error::corrupt(format!("customer {} has no delta", customer.0)))?;
    Ok(CustomerState { newest, keyframe: plan.keyframes.last().map(|(day, _)| *day), since: plan.since })
}

fn write_index(old: &RawStore, new: &mut BulkLoad<'_>) -> Result<()> {
    let mut open: Option<(Day, LeafCutter<TouchedDay>)> = None;
    for entry in keyspace(old, version_1::INDEX) {
        let (batch, customer, day) = version_1::index_key(&entry?.0)?;
        let key = |first| Key::Index { batch, first };
        let cutter = match &mut open {
            Some((before, cutter)) if *before == batch => cutter,
            before => {
                finish_index(new, before.take())?;
                &mut before.insert((batch, LeafCutter::new())).1
            }
        };
        let leaf = cutter.push(customer, TouchedDay(day));
        write_leaf(new, batch, key, leaf)?;
    }
    finish_index(new, open)
}

fn finish_index(new: &mut BulkLoad<'_>, open: Option<(Day, LeafCutter<TouchedDay>)>) -> Result<()> {
    let Some((batch, mut cutter)) = open else { return Ok(()) };
    write_leaf(new, batch, |first| Key::Index { batch, first }, cutter.finish())
}

fn write_leaf<E: Line>(
    new: &mut BulkLoad<'_>,
    anchor: Day,
    key: impl FnOnce(CustomerId) -> Key,
    leaf: Option<CutLeaf<E>>,
) -> Result<()> {
    let Some((first, lines)) = leaf else { return Ok(()) };
    let mut bytes = Vec::new();
    encode_leaf(first, anchor, &lines, &mut bytes);
    new.set(key(first), Some(&bytes))
}

/// The customers of a store of version 1 with their deltas, ascending. Memory: one customer.
struct Customers<I: Iterator> {
    deltas: Peekable<I>,
}

impl Customers<Box<dyn Iterator<Item = Result<Entry>>>> {
    fn new(old: &RawStore) -> Customers<impl Iterator<Item = Result<Entry>>> {
        Customers { deltas: keyspace(old, version_1::DELTAS).peekable() }
    }
}

impl<I: Iterator<Item = Result<Entry>>> Customers<I> {
    fn customer(&mut self) -> Result<Option<(CustomerId, Days)>> {
        let (mut days, mut current) = (Days::new(), None);
        while let Some(entry) = self.deltas.next_if(|entry| match entry {
            Ok((key, _)) => current.is_none() || version_1::delta_key(key).ok().map(|(found, ..)| found) == current,
            Err(_) => true,
        }) {
            let (key, value) = entry?;
            let (customer, day, batch) = version_1::delta_key(&key)?;
            days.entry(day).or_default().insert(batch, version_1::actions(&value)?);
            current = Some(customer);
        }
        Ok(current.map(|customer| (customer, days)))
    }
}

impl<I: Iterator<Item = Result<Entry>>> Iterator for Customers<I> {
    type Item = Result<(CustomerId, Days)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.customer().transpose()
    }
}

fn take_snapshots(
    snapshots: &mut Peekable<impl Iterator<Item = Result<Entry>>>,
    customer: CustomerId,
) -> Result<BTreeMap<Day, Vec<Action>>> {
    let mut taken = BTreeMap::new();
    let is_of = |entry: &Result<Entry>| match entry {
        Ok((key, _)) => version_1::snapshot_key(key).is_ok_and(|(found, _)| found == customer),
        Err(_) => true,
    };
    while let Some(entry) = snapshots.next_if(is_of) {
        let (key, value) = entry?;
        taken.insert(version_1::snapshot_key(&key)?.1, version_1::actions(&value)?);
    }
    Ok(taken)
}

/// The next entry of a store of version 2, if it is of this customer's history.
fn next_of(written: &mut Peekable<impl Iterator<Item = Result<Entry>>>, customer: CustomerId) -> Option<Result<Entry>> {
    let prefix = crate::format::history_prefix(customer);
    written.next_if(|entry| match entry {
        Ok((key, _)) => key.starts_with(&prefix),
        Err(_) => true,
    })
}

fn keyspace(old: &RawStore, keyspace: u8) -> impl Iterator<Item = Result<Entry>> {
    old.entries(&[keyspace]).take_while(move |entry| match entry {
        Ok((key, _)) => key.first() == Some(&keyspace),
        Err(_) => true,
    })
}

fn value(old: &RawStore, key: &[u8]) -> Result<Vec<u8>> {
    old.get(key)?.ok_or_else(|| Error::corrupt("the store of format version 1 lacks one of its records"))
}

/// The same record: but for the version byte its layout is that of version 1.
fn of_version_2(record: &[u8]) -> Vec<u8> {
    let mut record = record.to_vec();
    record.first_mut().into_iter().for_each(|version| *version = 2);
    record
}
