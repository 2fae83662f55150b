//! The records of batches, and what else a store has once.

use std::collections::BTreeMap;

use super::counts::{Counts, shared_out};
use super::lists::batch_days;
use super::source::{From, ONE_OF_THEM};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::format::{BatchRecord, FileRecord, Forgotten, Horizon, Key, Purge, Record, SourceRecord, Totals};
use crate::sources::source_rank;
use crate::storage::hash_of_texts;
use crate::store::{BlockList, BulkLoad};

/// Writes the records of all batches to each store, which has a number among all, and its totals, horizon, block list
/// and purge record.
pub(super) fn deal_records(
    from: &[From],
    loads: &mut [BulkLoad<'_>],
    numbers: &[usize],
    counts: &[Counts],
    customers: &[u64],
) -> Result<()> {
    for batch in batch_days(from)? {
        let records = from.iter().map(|from| from.store.batch(batch)).collect::<Result<Vec<_>>>()?;
        let record = whole(records.into_iter().flatten().collect())?;
        let shared = shared_out(batch, &record, counts);
        for (load, number) in loads.iter_mut().zip(numbers) {
            let shared = shared.get(*number).held(ONE_OF_THEM)?;
            load.set(Key::Batch(batch), Some(&shared.to_bytes()?))?;
        }
    }
    let mut horizon = None;
    let mut needs_purge = false;
    let mut list = BlockList::default();
    for from in from {
        horizon = horizon.max(from.store.horizon()?);
        needs_purge |= from.store.needs_purge()?;
        list.add(from.store.block_list()?)?;
    }
    for (load, customers) in loads.iter_mut().zip(customers) {
        load.set(Key::Totals, Some(&Totals { customers: *customers }.to_bytes()?))?;
        if let Some(record) = list.record() {
            load.set(Key::BlockList, Some(&record.to_bytes()?))?;
        }
        for token in list.tokens() {
            load.set(Key::Forgotten(*token), Some(&Forgotten.to_bytes()?))?;
        }
        if let Some(day) = horizon {
            load.set(Key::Horizon, Some(&Horizon { first_day: day.number().unsigned_abs() }.to_bytes()?))?;
        }
        if needs_purge {
            load.set(Key::Purge, Some(&Purge.to_bytes()?))?;
        }
    }
    Ok(())
}

/// Returns the record of a batch whose parts have these: counts are sums. Of a file that all have, each names it; rows
/// from memory are one file for each source, of which each part has its own, and the whole a hash over all.
fn whole(records: Vec<BatchRecord>) -> Result<BatchRecord> {
    let mut whole = BatchRecord::default();
    let mut sources: BTreeMap<String, SourceRecord> = BTreeMap::new();
    let mut files: Vec<(String, FileRecord)> = Vec::new();
    for record in &records {
        whole.actions.add_all(&record.actions);
        whole.late += record.late;
        whole.early += record.early;
        whole.quarantined += record.quarantined;
        whole.ignored += record.ignored;
        whole.zone_use = whole.zone_use.max(record.zone_use);
        whole.left_out.add(&record.left_out);
        sources.extend(record.sources.iter().map(|source| (source.name.clone(), source.clone())));
        for file in &record.files {
            let source = record.source_of(file);
            let source = source.ok_or_else(|| Error::corrupt("a batch record has a file of no source"))?;
            files.push((source.to_owned(), file.clone()));
        }
    }
    let mut by_name: Vec<SourceRecord> = sources.into_values().collect();
    by_name.sort_by(|one, other| source_rank(&one.name).cmp(&source_rank(&other.name)));
    let number_of = |name: &str, file: &FileRecord| {
        let place = by_name.iter().position(|source| source.name == name).map(|place| place + 1);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(file.source)
    };
    let mut merged: BTreeMap<(u8, String), Vec<FileRecord>> = BTreeMap::new();
    for (source, file) in files {
        let number = number_of(&source, &file);
        merged.entry((number, file.path.clone())).or_default().push(FileRecord { source: number, ..file });
    }
    whole.files = merged.into_values().filter_map(one_file).collect();
    whole.sources = by_name;
    Ok(whole)
}

fn one_file(parts: Vec<FileRecord>) -> Option<FileRecord> {
    let first = parts.first()?.clone();
    if parts.iter().all(|part| *part == first) {
        return Some(first);
    }
    let hashes: Vec<String> = parts.iter().map(|part| crate::format::hex(&part.xxh3_128)).collect();
    let xxh3_128 = hash_of_texts(hashes.iter().map(String::as_str));
    Some(FileRecord { bytes: parts.iter().map(|part| part.bytes).sum(), xxh3_128, ..first })
}
