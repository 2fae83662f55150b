//! A store of format version 1, written from its specification: what the programs up to 0.1.0 left, for migrating.

use std::collections::{BTreeMap, BTreeSet};

use super::input::RawAction;

const DAY_US: i64 = 86_400_000_000;

fn day_bytes(day: i64) -> [u8; 4] {
    (i32::try_from(day).unwrap() ^ i32::MIN).to_be_bytes()
}

fn complement(day: i64) -> [u8; 4] {
    day_bytes(day).map(|byte| !byte)
}

fn customer_bytes(customer: i64) -> [u8; 8] {
    (customer ^ i64::MIN).to_be_bytes()
}

fn put_unsigned(number: u64, bytes: &mut Vec<u8>) {
    if let Ok(small) =
        u8::try_from(number).map_err(|_| ()).and_then(|small| if small < 251 { Ok(small) } else { Err(()) })
    {
        bytes.push(small);
    } else if let Ok(number) = u16::try_from(number) {
        bytes.push(251);
        bytes.extend(number.to_le_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        bytes.push(252);
        bytes.extend(number.to_le_bytes());
    } else {
        bytes.push(253);
        bytes.extend(number.to_le_bytes());
    }
}

fn put_signed(number: i64, bytes: &mut Vec<u8>) {
    put_unsigned(((number << 1) ^ (number >> 63)).cast_unsigned(), bytes);
}

fn list(mut actions: Vec<RawAction>, max_history: usize) -> Vec<u8> {
    actions.sort_by_key(|action| (-action.time_us, -i64::from(action.kind), -action.item));
    actions.truncate(max_history);
    let mut bytes = vec![1];
    put_unsigned(actions.len() as u64, &mut bytes);
    for action in actions {
        put_signed(action.time_us, &mut bytes);
        put_signed(action.item, &mut bytes);
        bytes.push(action.kind);
    }
    bytes
}

/// The keys and values of a store in UTC that holds `batches`, by batch day (days since 1970-01-01). `records` are the
/// batch records' bytes as some program of any version wrote them: their layout is the same but for the version byte.
pub fn entries(
    batches: &BTreeMap<i64, Vec<RawAction>>,
    records: &BTreeMap<i64, Vec<u8>>,
    max_history: usize,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut deltas: BTreeMap<(i64, i64, i64), Vec<RawAction>> = BTreeMap::new();
    for (batch, actions) in batches {
        for action in actions {
            deltas.entry((action.customer, action.time_us.div_euclid(DAY_US), *batch)).or_default().push(*action);
        }
    }
    let mut store_record = vec![1];
    put_unsigned(max_history as u64, &mut store_record);
    store_record.extend(b"\x03UTC");
    let customers: BTreeSet<i64> = deltas.keys().map(|(customer, ..)| *customer).collect();
    let mut totals = vec![1];
    put_unsigned(customers.len() as u64, &mut totals);
    let mut entries = vec![(vec![0, 0], store_record), (vec![0, 1], totals)];
    for (batch, record) in records {
        entries.push(([&[1][..], &day_bytes(*batch)].concat(), [&[1], &record[1..]].concat()));
    }
    for ((customer, day, batch), actions) in &deltas {
        let index = [&[2][..], &day_bytes(*batch), &customer_bytes(*customer), &complement(*day)].concat();
        let delta = [&[3][..], &customer_bytes(*customer), &complement(*day), &day_bytes(*batch)].concat();
        let snapshot = [&[4][..], &customer_bytes(*customer), &complement(*day)].concat();
        let until = deltas.iter().filter(|((whose, on, _), _)| whose == customer && on <= day);
        let until = until.flat_map(|(_, actions)| actions).copied().collect();
        entries.push((index, vec![1]));
        entries.push((delta, list(actions.clone(), max_history)));
        entries.push((snapshot, list(until, max_history)));
    }
    entries
}
