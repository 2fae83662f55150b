//! `lookback status`.

use serde::Serialize;

use super::args;
use super::console::Console;
use super::text::{count, plural, size};
use crate::error::Result;
use crate::format::{BatchRecord, FORMAT_VERSION};
use crate::model::{Day, NamedCounts, TypeCounts, TypeTable, name_days};
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
    /// Of them, those of the type `click`, if the store has one; the same stands in `types`, with those of all other types.
    #[serde(skip_serializing_if = "Option::is_none")]
    clicks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    add_to_carts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<u64>,
    types: NamedCounts,
    /// The number of each type, as it stands in the rows.
    type_numbers: NamedCounts,
    /// Rows that are no actions, as their source says.
    ignored: u64,
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

impl Status {
    fn has_default_types(&self) -> bool {
        let names = TypeTable::default();
        self.type_numbers.0.iter().map(|(name, _)| name.as_str()).eq(names.iter().map(|(_, name)| name))
    }
}

pub(super) fn run(typed: &args::Status, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::new(&typed.store))?;
    let batches = store.batches()?;
    let gaps = gaps(&batches);
    let sum = |field: fn(&BatchRecord) -> u64| batches.iter().map(|(_, record)| field(record)).sum();
    let mut actions = TypeCounts::default();
    batches.iter().for_each(|(_, record)| actions.add_all(&record.actions));
    let types = &store.settings().types;
    let named = actions.named(types);
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
        actions: actions.sum(),
        clicks: named.of("click"),
        add_to_carts: named.of("add_to_cart"),
        orders: named.of("order"),
        types: named,
        type_numbers: NamedCounts(types.iter().map(|(number, name)| (name.to_owned(), number.into())).collect()),
        ignored: sum(|record| record.ignored),
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
    let mut lines = vec![
        ("store".to_owned(), status.store.clone()),
        ("format version".to_owned(), status.format_version.to_string()),
        ("time zone".to_owned(), status.time_zone.clone()),
        ("max history".to_owned(), count(status.max_history as u64)),
        ("batches".to_owned(), range),
        ("gaps".to_owned(), if gaps.is_empty() { "none".to_owned() } else { name_days(gaps) }),
        ("customers".to_owned(), count(status.customers)),
        ("actions".to_owned(), count(status.actions)),
    ];
    lines.extend(status.types.0.iter().map(|(name, number)| (format!("  {}", plural(name)), count(*number))));
    let mut behind = vec![
        ("late", count(status.late)),
        ("early", count(status.early)),
        ("quarantined", count(status.quarantined)),
        ("horizon", status.horizon.clone().unwrap_or_else(|| "none".to_owned())),
        ("forgotten", count(status.forgotten as u64)),
        ("size", size(status.bytes)),
    ];
    if !status.has_default_types() {
        let numbers = status.type_numbers.0.iter().map(|(name, number)| format!("{name} {number}"));
        behind.insert(0, ("type numbers", numbers.collect::<Vec<_>>().join(", ")));
    }
    if status.ignored > 0 {
        behind.insert(0, ("ignored", count(status.ignored)));
    }
    lines.extend(behind.into_iter().map(|(name, value)| (name.to_owned(), value)));
    lines.iter().map(|(name, value)| format!("{name:<16}{value}\n")).collect()
}
