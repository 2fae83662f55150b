//! `lookback status`.

use serde::Serialize;

use super::args;
use super::console::Console;
use super::text::{count, size};
use crate::error::Result;
use crate::format::{BatchRecord, FORMAT_VERSION};
use crate::model::{Day, name_days};
use crate::store::{Batches, Folder, Store};

#[derive(Serialize)]
struct Status {
    store: String,
    format_version: u8,
    time_zone: String,
    max_history: usize,
    batches: usize,
    first_batch: Option<String>,
    newest_batch: Option<String>,
    /// Days between the first and the newest batch whose batches are missing.
    gaps: Vec<String>,
    customers: u64,
    /// Actions in the files of all batches held, before any cut to `max_history`, those of forgotten customers and pruned days too.
    actions: u64,
    clicks: u64,
    add_to_carts: u64,
    orders: u64,
    late: u64,
    early: u64,
    quarantined: u64,
    /// The first day whose actions are kept, if older ones have been pruned.
    horizon: Option<String>,
    /// Customers who have been forgotten.
    forgotten: usize,
    /// Bytes of the store's table files.
    bytes: u64,
}

pub(super) fn run(typed: &args::Status, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::new(&typed.store))?;
    let batches = store.batches()?;
    let gaps = gaps(&batches);
    let sum = |field: fn(&BatchRecord) -> u64| batches.iter().map(|(_, record)| field(record)).sum();
    let status = Status {
        store: typed.store.display().to_string(),
        format_version: FORMAT_VERSION,
        time_zone: store.settings().zone.name().to_owned(),
        max_history: store.settings().max_history,
        batches: batches.len(),
        first_batch: batches.first().map(|day| day.to_string()),
        newest_batch: batches.newest(None).map(|day| day.to_string()),
        gaps: gaps.iter().map(Day::to_string).collect(),
        customers: store.totals()?.customers,
        actions: sum(BatchRecord::actions),
        clicks: sum(|record| record.clicks),
        add_to_carts: sum(|record| record.add_to_carts),
        orders: sum(|record| record.orders),
        late: sum(|record| record.late),
        early: sum(|record| record.early),
        quarantined: sum(|record| record.quarantined),
        horizon: store.horizon()?.map(|day| day.to_string()),
        forgotten: store.block_list()?.len(),
        bytes: store.disk_bytes()?,
    };
    console.result(&status, &text(&status, &gaps))
}

fn gaps(batches: &Batches) -> Vec<Day> {
    batches.newest(None).map_or_else(Vec::new, |newest| batches.missing(newest))
}

fn text(status: &Status, gaps: &[Day]) -> String {
    let range = match (&status.first_batch, &status.newest_batch) {
        (Some(first), Some(newest)) if first == newest => format!("1 ({first})"),
        (Some(first), Some(newest)) => format!("{} ({first}..{newest})", count(status.batches as u64)),
        _ => "none".to_owned(),
    };
    let lines = [
        ("store", status.store.clone()),
        ("format version", status.format_version.to_string()),
        ("time zone", status.time_zone.clone()),
        ("max history", count(status.max_history as u64)),
        ("batches", range),
        ("gaps", if gaps.is_empty() { "none".to_owned() } else { name_days(gaps) }),
        ("customers", count(status.customers)),
        ("actions", count(status.actions)),
        ("  clicks", count(status.clicks)),
        ("  add-to-carts", count(status.add_to_carts)),
        ("  orders", count(status.orders)),
        ("late", count(status.late)),
        ("early", count(status.early)),
        ("quarantined", count(status.quarantined)),
        ("horizon", status.horizon.clone().unwrap_or_else(|| "none".to_owned())),
        ("forgotten", count(status.forgotten as u64)),
        ("size", size(status.bytes)),
    ];
    lines.iter().map(|(name, value)| format!("{name:<16}{value}\n")).collect()
}
