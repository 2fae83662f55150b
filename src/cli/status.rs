//! `lookback status`.

use serde::Serialize;

use super::args;
use super::console::Console;
use super::text::{count, size};
use crate::error::Result;
use crate::format::FORMAT_VERSION;
use crate::model::{Day, name_days};
use crate::report::{BatchFigures, LengthBucket, StoreFigures};
use crate::store::{Folder, Store};

#[derive(Serialize)]
struct Status {
    store: String,
    format_version: u8,
    time_zone: String,
    max_history: usize,
    batches: usize,
    first_batch: Option<Day>,
    newest_batch: Option<Day>,
    /// Days between the first and the newest batch whose batches are missing.
    gaps: Vec<Day>,
    customers: u64,
    /// Of the customers, those whose history has `max_history` actions, so that older ones do not show any more.
    customers_at_cap: u64,
    /// The least length that at least half of the histories do not exceed.
    median_history: Option<usize>,
    /// Actions in the files of all batches held, before any cut to `max_history`, those of forgotten customers and pruned days too.
    actions: u64,
    clicks: u64,
    add_to_carts: u64,
    orders: u64,
    late: u64,
    early: u64,
    quarantined: u64,
    /// The first day whose actions are kept, if older ones have been pruned.
    horizon: Option<Day>,
    /// Customers who have been forgotten.
    forgotten: usize,
    /// Bytes of the store's table files.
    bytes: u64,
    /// How many customers have histories of which lengths.
    history_lengths: Vec<LengthBucket>,
    /// The batches held, days ascending.
    held: Vec<BatchFigures>,
}

pub(super) fn run(typed: &args::Status, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::new(&typed.store))?;
    let figures = StoreFigures::of(&store)?;
    let histories = &figures.histories;
    let status = Status {
        store: typed.store.display().to_string(),
        format_version: FORMAT_VERSION,
        time_zone: figures.time_zone.clone(),
        max_history: histories.max_history(),
        batches: figures.batches.len(),
        first_batch: figures.batches.first().map(|batch| batch.dt),
        newest_batch: figures.batches.last().map(|batch| batch.dt),
        gaps: figures.gaps.clone(),
        customers: store.totals()?.customers,
        customers_at_cap: histories.at_cap(),
        median_history: histories.median(),
        actions: figures.sum(|batch| batch.actions),
        clicks: figures.sum(|batch| batch.clicks),
        add_to_carts: figures.sum(|batch| batch.add_to_carts),
        orders: figures.sum(|batch| batch.orders),
        late: figures.sum(|batch| batch.late),
        early: figures.sum(|batch| batch.early),
        quarantined: figures.sum(|batch| batch.quarantined),
        horizon: figures.horizon,
        forgotten: figures.forgotten,
        bytes: figures.bytes,
        history_lengths: histories.buckets(),
        held: figures.batches,
    };
    console.result(&status, &text(&status))
}

fn text(status: &Status) -> String {
    let gaps = &status.gaps;
    let range = match (&status.first_batch, &status.newest_batch) {
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
        ("  at the cap", count(status.customers_at_cap)),
        ("median history", status.median_history.map_or_else(|| "none".to_owned(), |median| count(median as u64))),
        ("actions", count(status.actions)),
        ("  clicks", count(status.clicks)),
        ("  add-to-carts", count(status.add_to_carts)),
        ("  orders", count(status.orders)),
        ("late", count(status.late)),
        ("early", count(status.early)),
        ("quarantined", count(status.quarantined)),
        ("horizon", status.horizon.map_or_else(|| "none".to_owned(), |day| day.to_string())),
        ("forgotten", count(status.forgotten as u64)),
        ("size", size(status.bytes)),
    ];
    lines.iter().map(|(name, value)| format!("{name:<16}{value}\n")).collect()
}
