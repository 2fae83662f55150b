//! `lookback status`.

use std::cell::RefCell;

use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};

use super::args;
use super::console::Console;
use super::lines::Lines;
use super::text::{count, plural, size};
use lookback::error::{Error, Result};
use lookback::model::{Day, Duplicates, Ids, NamedCounts, TypeCounts, TypeTable, ZoneRules, name_days};
use lookback::report::{LengthBucket, StoreFigures};
use lookback::store::{BatchRecord, FORMAT_VERSION, Folder, LeftOutRows, OfferedRules, Store, outdated};
use lookback::text::Shown;

#[derive(Serialize)]
struct Status<'a> {
    store: String,
    format_version: u8,
    time_zone: String,
    /// The rules by which days begin; `null` for UTC, whose rules never change.
    zone_rules: Option<Rules>,
    /// The machine's rules, if they are of a later edition and differ from the store's.
    newer_zone_rules: Option<NewerRules>,
    /// Batches that must be ingested again because newer rules were taken.
    to_ingest: Vec<Day>,
    max_history: usize,
    /// What ids are in the input.
    ids: Ids,
    /// What becomes of equal actions.
    duplicates: Duplicates,
    batches: usize,
    first_batch: Option<Day>,
    newest_batch: Option<Day>,
    /// Days without a batch between the first and the newest batch.
    gaps: Vec<Day>,
    customers: u64,
    /// Customers whose history has `max_history` actions, so that older actions are cut.
    customers_at_cap: u64,
    /// The smallest length that at least half of the histories do not exceed.
    median_history: Option<usize>,
    /// Actions in the files of all batches, before any cut to `max_history`, including forgotten customers and pruned
    /// days.
    actions: u64,
    /// The actions of type `click`, if the store has that type; `types` has the same, with all other types.
    #[serde(skip_serializing_if = "Option::is_none")]
    clicks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    add_to_carts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<u64>,
    types: NamedCounts,
    /// The number of each type, as in the rows.
    type_numbers: NamedCounts,
    /// Rows that their source declares to be no actions.
    ignored: u64,
    /// Rows, and records without one, that rules of their source leave out.
    #[serde(flatten)]
    left_out: LeftOut,
    late: u64,
    early: u64,
    quarantined: u64,
    /// The first day whose actions are kept, if older actions were pruned.
    horizon: Option<Day>,
    /// Customers who have been forgotten.
    forgotten: usize,
    /// Bytes of the store's table files.
    bytes: u64,
    /// The number of customers by length of history.
    history_lengths: Vec<LengthBucket>,
    /// The batches of the store, days ascending.
    held: Held<'a>,
}

/// The batches of the store, read while they are written, since each has counts of up to 255 types.
struct Held<'a> {
    store: &'a Store,
    /// The error that stopped reading the batches.
    failed: RefCell<Option<Error>>,
}

/// One batch, from its record.
#[derive(Serialize)]
struct HeldBatch {
    dt: Day,
    /// The number of its files, and their bytes.
    files: usize,
    bytes: u64,
    /// Actions in the files, before any cut to `max_history`, including forgotten customers and pruned days.
    actions: u64,
    /// The same, by type name.
    types: NamedCounts,
    ignored: u64,
    #[serde(flatten)]
    left_out: LeftOut,
    late: u64,
    early: u64,
    quarantined: u64,
    /// Customers of whom the store holds at least one action that the batch brought.
    customers: u64,
}

/// [`LeftOutRows`], by the names of the summaries.
#[derive(Clone, Copy, Serialize)]
struct LeftOut {
    without_customer: u64,
    deduplicated: u64,
    empty_lists: u64,
}

impl From<LeftOutRows> for LeftOut {
    fn from(LeftOutRows { without_customer, deduplicated, empty_lists }: LeftOutRows) -> Self {
        LeftOut { without_customer, deduplicated, empty_lists }
    }
}

impl HeldBatch {
    fn of(dt: Day, record: &BatchRecord, types: &TypeTable) -> Self {
        HeldBatch {
            dt,
            files: record.files.len(),
            bytes: record.files.iter().map(|file| file.bytes).sum(),
            actions: record.actions.sum(),
            types: record.actions.named(types),
            ignored: record.ignored,
            left_out: record.left_out.into(),
            late: record.late,
            early: record.early,
            quarantined: record.quarantined,
            customers: record.customers,
        }
    }
}

impl Serialize for Held<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let types = &self.store.settings().types;
        let mut list = serializer.serialize_seq(None)?;
        for entry in self.store.batch_records() {
            let (dt, record) = entry.map_err(|error| {
                let words = S::Error::custom(error.what());
                *self.failed.borrow_mut() = Some(error);
                words
            })?;
            list.serialize_element(&HeldBatch::of(dt, &record, types))?;
        }
        list.end()
    }
}

/// Rules of the store's zone.
#[derive(Serialize)]
struct Rules {
    /// The edition of tzdata that the rules come from; `null` if unknown.
    version: Option<String>,
    /// A hash of the rules: equal rules have equal hashes.
    fingerprint: String,
}

/// Rules that the store does not have yet.
#[derive(Serialize)]
struct NewerRules {
    #[serde(flatten)]
    rules: Rules,
    /// The source of the rules: a folder, or the program.
    source: String,
    /// Days with actions that the rules would move. If there are none, the next ingest adopts the rules.
    moved_days: Vec<Day>,
}

impl Rules {
    fn of(rules: &ZoneRules) -> Self {
        Rules { version: rules.version().map(str::to_owned), fingerprint: rules.fingerprint(None) }
    }

    fn text(&self) -> String {
        let edition = self.version.as_ref().map_or("unknown version", String::as_str);
        format!("tzdata {edition}, {}", self.fingerprint)
    }
}

impl NewerRules {
    fn of(store: &Store, offered: &OfferedRules) -> Result<Self> {
        let (rules, moved_days) = (Rules::of(offered.zone.rules()), store.days_that_rest_on(offered)?);
        Ok(NewerRules { rules, source: offered.source.plain(), moved_days })
    }

    fn text(&self) -> String {
        let NewerRules { rules, source, moved_days } = self;
        let rules = rules.text();
        match moved_days.as_slice() {
            [] => format!("{rules}, of {source}; the next ingest adopts them"),
            days => format!(
                "{rules}, of {source}; take them with `lookback migrate --take-zone-rules`, since they move {}",
                name_days(days)
            ),
        }
    }
}

impl Status<'_> {
    fn has_default_types(&self) -> bool {
        let names = TypeTable::default();
        self.type_numbers.iter().map(|(name, _)| name).eq(names.iter().map(|(_, name)| name.to_owned()))
    }
}

pub(super) fn run(typed: &args::Status, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let newer = store.newer_rules(console.progress());
    let zone = &store.settings().zone;
    let figures = StoreFigures::of(&store)?;
    let histories = &figures.histories;
    let (actions, types) = (&figures.actions, &store.settings().types);
    let named = actions.named(types);
    let status = Status {
        store: typed.store.plain(),
        format_version: FORMAT_VERSION,
        time_zone: figures.time_zone.clone(),
        zone_rules: (!zone.is_utc()).then(|| Rules::of(zone.rules())),
        newer_zone_rules: newer.map(|newer| NewerRules::of(&store, &newer)).transpose()?,
        to_ingest: outdated(store.batches()?.iter()),
        max_history: histories.max_history(),
        ids: store.settings().ids,
        duplicates: store.settings().duplicates,
        batches: figures.batches.len(),
        first_batch: figures.batches.first().map(|batch| batch.dt),
        newest_batch: figures.batches.last().map(|batch| batch.dt),
        gaps: figures.gaps.clone(),
        customers: store.totals()?.customers,
        customers_at_cap: histories.at_cap(),
        median_history: histories.median(),
        actions: actions.sum(),
        clicks: named.of("click"),
        add_to_carts: named.of("add_to_cart"),
        orders: named.of("order"),
        types: named,
        type_numbers: TypeCounts::numbers_of(types).named(types),
        ignored: figures.ignored,
        left_out: figures.left_out.into(),
        late: figures.sum(|batch| batch.late),
        early: figures.sum(|batch| batch.early),
        quarantined: figures.sum(|batch| batch.quarantined),
        horizon: figures.horizon,
        forgotten: figures.forgotten,
        bytes: figures.bytes,
        history_lengths: histories.buckets(),
        held: Held { store: &store, failed: RefCell::new(None) },
    };
    let written = console.result(&status, &text(&status));
    status.held.failed.take().map_or(written, Err)
}

fn text(status: &Status<'_>) -> Lines {
    let gaps = &status.gaps;
    let range = match (&status.first_batch, &status.newest_batch) {
        (Some(first), Some(newest)) if first == newest => format!("1 ({first})"),
        (Some(first), Some(newest)) => format!("{} ({first}..{newest})", count(status.batches as u64)),
        _ => "none".to_owned(),
    };
    let rules = status.zone_rules.iter().map(|rules| ("zone rules", rules.text()));
    let newer = status.newer_zone_rules.iter().map(|rules| ("newer rules", rules.text()));
    let again = Some(("to ingest again", name_days(&status.to_ingest))).filter(|_| !status.to_ingest.is_empty());
    let zone_lines = rules.chain(newer).chain(again).map(|(name, text)| (name.to_owned(), text));
    let mut lines = vec![
        ("store".to_owned(), status.store.clone()),
        ("format version".to_owned(), status.format_version.to_string()),
        ("time zone".to_owned(), status.time_zone.clone()),
    ];
    lines.extend(zone_lines);
    lines.extend([
        ("max history".to_owned(), count(status.max_history as u64)),
        ("batches".to_owned(), range),
        ("gaps".to_owned(), if gaps.is_empty() { "none".to_owned() } else { name_days(gaps) }),
        ("customers".to_owned(), count(status.customers)),
        ("  at the cap".to_owned(), count(status.customers_at_cap)),
        (
            "median history".to_owned(),
            status.median_history.map_or_else(|| "none".to_owned(), |median| count(median as u64)),
        ),
        ("actions".to_owned(), count(status.actions)),
    ]);
    lines.extend(status.types.iter().map(|(name, number)| (format!("  {}", plural(&name)), count(number))));
    let mut last = vec![
        ("late", count(status.late)),
        ("early", count(status.early)),
        ("quarantined", count(status.quarantined)),
        ("horizon", status.horizon.map_or_else(|| "none".to_owned(), |day| day.to_string())),
        ("forgotten", count(status.forgotten as u64)),
        ("size", size(status.bytes)),
    ];
    if !status.has_default_types() {
        let numbers = status.type_numbers.iter().map(|(name, number)| format!("{name} {number}"));
        last.insert(0, ("type numbers", numbers.collect::<Vec<_>>().join(", ")));
    }
    let LeftOut { without_customer, deduplicated, empty_lists } = status.left_out;
    for (name, number) in [
        ("empty lists", empty_lists),
        ("deduplicated", deduplicated),
        ("no customer", without_customer),
        ("ignored", status.ignored),
    ] {
        if number > 0 {
            last.insert(0, (name, count(number)));
        }
    }
    if status.duplicates != Duplicates::Keep {
        last.insert(0, ("duplicates", status.duplicates.name().to_owned()));
    }
    if status.ids != Ids::default() {
        last.insert(0, ("ids", status.ids.to_string()));
    }
    lines.extend(last.into_iter().map(|(name, value)| (name.to_owned(), value)));
    lines.iter().map(|(name, value)| format!("{name:<16}{value}")).collect()
}
