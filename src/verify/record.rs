//! Compares the records of the batches with the deltas.

use std::collections::{BTreeMap, BTreeSet};

use super::counters::{ActionCounts, Counters, Tallies};
use super::delta::UNUSUAL_BYTES;
use super::fault::{Fault, Report};
use crate::error::Result;
use crate::format::{BatchRecord, Key, Record};
use crate::model::{Day, TypeTable};
use crate::sources::{BUILT_IN, source_rank};
use crate::store::{Store, Unreadable};

/// The content of the records, without their files. Memory: about 100 bytes for each batch.
#[derive(Default)]
pub(super) struct Records {
    /// `None` for a record that is unreliable.
    batches: BTreeMap<Day, Option<Message>>,
}

#[derive(Clone)]
struct Message {
    actions: ActionCounts,
    customers: u64,
}

impl Records {
    /// Adds a record as the store holds it. Fails with the record's fault.
    pub(super) fn take(&mut self, batch: Day, value: &[u8]) -> Result<(), String> {
        let record = read_record(value);
        let (said, result) = match record {
            Ok(record) => (Some(said(record)), Ok(())),
            Err(what) => (None, Err(what)),
        };
        self.batches.insert(batch, said);
        result
    }

    /// Adds all records of another value, which has no batch in common with this one.
    pub(super) fn add(&mut self, other: Records) {
        self.batches.extend(other.batches);
    }

    /// Returns the number of records.
    pub(super) fn count(&self) -> u64 {
        self.batches.len() as u64
    }

    /// Reports records that are missing or disagree with the deltas, by day.
    pub(super) fn compare(
        &self,
        tallies: &Tallies,
        is_reduced: bool,
        unreadable: &[Unreadable],
        store: &Store,
        report: Report<'_>,
    ) -> Result<()> {
        for (batch, counters) in tallies.iter().filter(|(_, counters)| counters.deltas > 0) {
            let key = Key::Batch(batch);
            let is_lost = unreadable.iter().any(|range| range.may_hold(&key.encode()));
            if !self.batches.contains_key(&batch) && !is_lost {
                let what = format!("is missing, but there are deltas of {} customers", counters.customers);
                report(Fault::of_batch(key, what, batch))?;
            }
        }
        if tallies.gap {
            return Ok(());
        }
        for (batch, said) in &self.batches {
            let Some(said) = said else { continue };
            let none = Counters::default();
            compare_one(*batch, said, tallies.get(*batch).unwrap_or(&none), is_reduced, store, report)?;
        }
        Ok(())
    }
}

fn compare_one(
    batch: Day,
    said: &Message,
    counters: &Counters,
    is_reduced: bool,
    store: &Store,
    report: Report<'_>,
) -> Result<()> {
    let types = &store.settings().types;
    let both = || said.actions.types.iter().chain(counters.actions.types.iter()).map(|(number, _)| number);
    let listed: BTreeSet<u8> = types.iter().map(|(number, _)| number).chain(both()).collect();
    let (there, said_of) = (numbers(&counters.actions, &listed, types), numbers(&said.actions, &listed, types));
    // Only the record counts the actions that were cut or removed.
    let agree = |said: u64, there: u64| if counters.may_be_cut || is_reduced { said >= there } else { said == there };
    let differing = said_of.iter().zip(&there).find(|((_, said), (_, there))| !agree(*said, *there));
    if let Some(((name, said), (_, there))) = differing.filter(|_| !counters.doubtful) {
        let what = format!("counts {said} {name}, but its deltas have {there}");
        report(Fault::of_batch(Key::Batch(batch), what, batch))?;
    }
    if said.customers != counters.customers {
        let what = format!("counts {} customers, but its deltas have {}", said.customers, counters.customers);
        let record = store.batch(batch)?.map(|record| BatchRecord { customers: counters.customers, ..record });
        let value = record.map(|record| record.to_bytes()).transpose()?;
        report(Fault::derived(Key::Batch(batch), what, value))?;
    }
    Ok(())
}

/// Returns each count with its name, for people.
fn numbers(counts: &ActionCounts, listed: &BTreeSet<u8>, types: &TypeTable) -> Vec<(String, u64)> {
    let ActionCounts { types: of_type, late, early } = counts;
    let plural = |number: u8| match types.name(number).as_str() {
        "click" => "clicks".to_owned(),
        "add_to_cart" => "add-to-carts".to_owned(),
        "order" => "orders".to_owned(),
        other => format!("actions of the type {other}"),
    };
    let mut numbers: Vec<(String, u64)> = listed.iter().map(|number| (plural(*number), of_type.of(*number))).collect();
    numbers.extend([("late actions".to_owned(), *late), ("early actions".to_owned(), *early)]);
    numbers
}

fn said(record: BatchRecord) -> Message {
    let BatchRecord { actions, late, early, customers, .. } = record;
    Message { actions: ActionCounts { types: actions, late, early }, customers }
}

fn read_record(value: &[u8]) -> Result<BatchRecord, String> {
    let record: BatchRecord = read(value)?;
    let order =
        |record: &BatchRecord| record.files.iter().map(|file| (file.source, file.path.clone())).collect::<Vec<_>>();
    let sources = if record.sources.is_empty() { BUILT_IN.len() } else { record.sources.len() };
    if !order(&record).is_sorted_by(|one, other| one < other)
        || record.files.iter().any(|file| !(1..=sources).contains(&usize::from(file.source)))
    {
        return Err("does not name its files in order".to_owned());
    }
    let ranks = record.sources.iter().map(|source| source_rank(&source.name));
    let has_files = |number: usize| record.files.iter().any(|file| usize::from(file.source) == number);
    if !ranks.is_sorted_by(|one, other| one < other) || !(1..=record.sources.len()).all(has_files) {
        return Err("does not name its sources in order, or names one without files".to_owned());
    }
    Ok(record)
}

/// Returns a record that has the bytes that lookback writes for it. Fails with its fault.
pub(super) fn read<R: Record>(value: &[u8]) -> Result<R, String> {
    let record = R::from_bytes(value).map_err(|error| format!("cannot be decoded ({})", error.what()))?;
    match record.to_bytes() {
        Ok(bytes) if bytes == value => Ok(record),
        _ => Err(UNUSUAL_BYTES.to_owned()),
    }
}
