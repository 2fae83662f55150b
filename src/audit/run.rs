//! Runs one audit from its options to its summary.

use serde::Serialize;

use super::basis::Basis;
use super::compare::Comparison;
use super::difference::differs;
use super::group::{Group, Wanted};
use super::options::AuditOptions;
use super::rows::Rows;
use super::sample::Shown;
use super::shuffled::{Order, compare_anywhere};
use super::sources::Sources;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::{ColumnType, Day, RowColumn, RowColumns, Shards, TypeTable, Zone, display_utc};
use crate::output::{NEWEST_ACTION, PartitionFolder, ProducedFile, check_names, metadata_if_chosen};
use crate::progress::Progress;
use crate::storage::refuse_overlaps;
use crate::store::Store;
use crate::text::Shown as _;

/// The scope of an audit that found no difference.
#[derive(Clone, Debug, Serialize)]
pub struct AuditSummary {
    /// The day.
    pub dt: String,
    /// Every action in the rows is earlier than this instant.
    pub cut_off: String,
    /// The newest action in the audited rows, in UTC; `None` if no row has a history.
    pub newest_action: Option<String>,
    /// Rows of the partition.
    pub rows: u64,
    /// Rows among them that were compared.
    pub audited_rows: u64,
    /// Customers whose rows were compared.
    pub audited_customers: u64,
    /// Cells compared, including each element of the lists.
    pub cells: u64,
    /// Batches that the rows rest on.
    pub batches: usize,
    /// Raw files of actions, all read.
    pub action_files: usize,
    /// How often they were read, besides the reading for their hashes.
    pub passes: u64,
    /// Batches that the store holds and the rows do not rest on.
    pub not_used: Vec<Day>,
}

/// Derives the rows of a partition from the raw files and compares. Fails on the first difference, and if the rows
/// cannot be derived any more, since the raw files or the store's batches differ from those that the rows rest on.
///
/// Memory: [`crate::resources::Resources::audit_bytes`] (see [`Group`]), 256 rows twice, one record batch of the raw
/// files, and about 50 bytes for each customer of a sample.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// # use lookback::{ingest::{IngestOptions, Ingester}, model::Day, progress::Silent, store::{Folder, Settings, Store}};
/// # let store_folder = Folder::new(&at("store"));
/// # Store::create(&store_folder, Settings::default())?;
/// # let batch = IngestOptions::new(at("input"), "2026-01-01".parse::<Day>()?);
/// # Ingester::open(&store_folder, &Silent)?.ingest(&batch, &Silent)?;
/// # use lookback::produce::{ProduceOptions, produce};
/// # let store = Store::open_reader(&store_folder)?;
/// # produce(&store, &ProduceOptions::new(at("input"), "2026-01-02".parse::<Day>()?, at("out")), &Silent)?;
/// use lookback::audit::{AuditOptions, audit};
///
/// let options = AuditOptions::new(at("input"), at("out"), "2026-01-02".parse::<Day>()?);
/// assert_eq!(audit(&store, &options, &Silent)?.audited_rows, 2);
/// # Ok(())
/// # }
/// ```
pub fn audit(store: &Store, options: &AuditOptions, progress: &dyn Progress) -> Result<AuditSummary> {
    audit_by(&Basis::of(store)?, options, progress)
}

/// Does the same by what a store or all shards of a sharded one give.
pub(crate) fn audit_by(basis: &Basis<'_>, options: &AuditOptions, progress: &dyn Progress) -> Result<AuditSummary> {
    let Basis { store, types, block_list, .. } = basis;
    let AuditOptions { input, out, dt, resources, .. } = options;
    let dt = *dt;
    refuse_overlaps(Some(input), basis.place, None, None)?;
    let folder = PartitionFolder::new(&resources.place(out)?, dt);
    let manifest = folder.manifest()?;
    let zone = &store.settings().zone;
    manifest.refuse_other_zone(zone)?;
    let first = manifest.settings.lookback_days.map(|days| dt.minus(days));
    let begin: Vec<Day> = first.into_iter().chain([dt]).collect();
    store.refuse_other_start(store.newer_rules(progress).as_ref(), &begin)?;
    check_rules(&manifest, zone)?;
    let cut_off_us = zone.start_of(dt);
    let sources = Sources::find(options, &manifest, basis, progress)?;
    check_names(&folder, &manifest)?;
    let files = folder.parts(&manifest)?;
    let cut_off = zone.display(cut_off_us);
    check_manifest(&manifest, &cut_off, types)?;
    let (mut recorded, mut rows_there) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
    // One at a time: there may be more files than can be open.
    for file in &files {
        let file = ProducedFile::open(file, resources.cancel())?;
        check_file(&manifest, &cut_off, &file)?;
        recorded.push(file.metadata_value(NEWEST_ACTION).map(str::to_owned));
        rows_there.push(file.rows());
    }

    let shown = Shown::read(&sources, dt, block_list, resources, (options.sample, options.seed))?;
    let wanted = Wanted {
        sources: &sources,
        types,
        sample: shown.sample.as_ref(),
        block_list,
        shards: manifest.shards.and_then(Shards::new),
        dt,
        zone,
        oldest_us: manifest.settings.lookback_days.map_or(i64::MIN, |days| zone.start_of(dt.minus(days))),
        cut_off_us,
        max_history: manifest.settings.max_history,
        duplicates: store.settings().duplicates,
        columns: manifest.settings.columns(),
        // Actions with event ids are sorted in the other third.
        budget_bytes: resources.audit_bytes() / 3 * if sources.has_event_ids() { 2 } else { 3 },
        resources,
    };
    let open = || Rows::new(&files, wanted.sample, resources.cancel());
    let mut comparison = Comparison::new(wanted, manifest.parts.len());
    let mut rows = open();
    let shuffled = Order::of(manifest.settings.row_order()?);
    if let Some(order) = &shuffled {
        order.compare(&wanted, &mut comparison, &mut rows)?;
        no_row_left(&mut rows)?;
    }
    let (mut customers, mut passes) = (0, 0);
    let mut after = None;
    loop {
        let group = Group::gather(&wanted, after, progress)?;
        passes += 1;
        progress.begin("auditing", "customers", Some(group.customers.len() as u64));
        if shuffled.is_some() {
            compare_anywhere(&group, &wanted, &mut comparison, open())?;
        }
        let mut cases = group.customers.iter().peekable();
        while let Some((place, case)) = cases.next() {
            let next = cases.peek().map(|(place, case)| (place.customer, *case));
            if shuffled.is_none() {
                comparison.customer(place.customer, case, next, &mut rows)?;
            }
            after = Some(*place);
            customers += 1;
            progress.advance(1);
        }
        if group.is_last {
            break;
        }
    }
    no_row_left(&mut rows)?;
    check_counts(&manifest, &folder, &rows_there, &shown)?;
    check_newest(&manifest, &rows, &recorded, &comparison, shown.sample.is_none(), cut_off_us)?;
    Ok(AuditSummary {
        dt: dt.to_string(),
        cut_off,
        newest_action: comparison.newest_us.iter().copied().max().flatten().map(display_utc),
        rows: rows_there.iter().sum(),
        audited_rows: comparison.rows,
        audited_customers: customers,
        cells: comparison.cells,
        batches: manifest.batches.len(),
        action_files: sources.action_files(),
        passes,
        not_used: sources.not_used.clone(),
    })
}

/// Fails if the rows were made by other zone rules than the store has now.
fn check_rules(manifest: &Manifest, zone: &Zone) -> Result<()> {
    let rules = zone.rules_fingerprint(manifest.dt);
    if manifest.settings.zone_rules.is_none() || manifest.settings.zone_rules == rules {
        return Ok(());
    }
    Err(Error::refused(
        format!("the rows of {} were produced by other rules of {} than the store has now", manifest.dt, zone.name()),
        message!["see ", [Stale], ", and produce the day again with ", [Backfill Stale]],
    ))
}

/// Fails if the partition has more rows than expected.
fn no_row_left(rows: &mut Rows<'_>) -> Result<()> {
    rows.look(1)?;
    match rows.ahead(0) {
        None => Ok(()),
        Some(left) => {
            let place = format!("{} row {}", rows.path(left.part)?.shown(), left.row.row);
            Err(differs(&place, &format!("a row of customer {}", left.row.customer_id), "that there are no more rows"))
        }
    }
}

/// Fails unless the manifest's cut-off follows from day and zone, and its types are the store's.
fn check_manifest(manifest: &Manifest, cut_off: &str, types: &TypeTable) -> Result<()> {
    if manifest.cut_off != cut_off {
        return Err(differs(&format!("the manifest of {} cut_off", manifest.dt), &manifest.cut_off, cut_off));
    }
    let all = types.text(|_| true);
    let known = |recorded: &str| recorded.split(',').all(|one| all.split(',').any(|other| one == other));
    if let Some(recorded) = manifest.action_types.as_deref().filter(|recorded| !known(recorded)) {
        return Err(differs(&format!("the manifest of {} action_types", manifest.dt), recorded, &all));
    }
    Ok(())
}

/// Fails unless a part file and the manifest agree on the settings and the names of types.
fn check_file(manifest: &Manifest, cut_off: &str, file: &ProducedFile) -> Result<()> {
    let settings = &manifest.settings;
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let expected = [
        ("lookback.dt", manifest.dt.to_string()),
        ("lookback.cut_off", cut_off.to_owned()),
        ("lookback.time_zone", settings.time_zone.clone()),
        ("lookback.max_history", settings.max_history.to_string()),
        ("lookback.lookback_days", or_none(settings.lookback_days.map(|days| days.to_string()))),
        ("lookback.newest_batch", or_none(manifest.newest_batch.map(|day| day.to_string()))),
    ];
    let named = RowColumns { with: manifest.with_of_files(), ..settings.columns() };
    let chosen = metadata_if_chosen(named, settings.row_order()?, settings.duplicates);
    let rules = [("lookback.zone_rules", settings.zone_rules.as_deref())];
    let expected = expected.iter().map(|(key, expected)| (*key, Some(expected.as_str())));
    for (key, expected) in expected.chain(rules).chain(chosen.iter().map(|(key, expected)| (*key, expected.as_deref())))
    {
        let recorded = file.metadata_value(key);
        if recorded != expected {
            let place = format!("{} metadata {key}", file.path().shown());
            return Err(differs(&place, recorded.unwrap_or("missing"), expected.unwrap_or("that it is missing")));
        }
    }
    if file.columns() != settings.columns() {
        let place = format!("{} with other columns or types than its settings have", file.path().shown());
        return Err(differs(&place, "written", &said_of(settings.columns())));
    }
    let (recorded, found) = (manifest.action_types.as_deref(), file.metadata_value("lookback.action_types"));
    // A shard names the types that its own customers have.
    let is_part = |found: Option<&str>| {
        let is_recorded = |one| recorded.is_some_and(|recorded| recorded.split(',').any(|other| one == other));
        found.is_none_or(|found| found.split(',').all(is_recorded))
    };
    if found != recorded && !(manifest.shards.is_some() && is_part(found)) {
        let place = format!("{} metadata lookback.action_types", file.path().shown());
        return Err(differs(&place, found.unwrap_or("missing"), recorded.unwrap_or("that it is missing")));
    }
    Ok(())
}

/// Lists columns with their types, for a person.
fn said_of(columns: RowColumns) -> String {
    let name = |column: RowColumn| {
        let ColumnType { cell, is_list, .. } = columns.type_of(column);
        format!("{} ({}{cell:?})", column.name(), if is_list { "list of " } else { "" })
    };
    columns.list().into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Fails unless there are as many rows as elements, in total and, where the manifest has them, in each file.
fn check_counts(manifest: &Manifest, folder: &PartitionFolder, there: &[u64], shown: &Shown) -> Result<()> {
    let rows: u64 = there.iter().sum();
    if rows != shown.elements {
        let place = format!("the number of rows in {}", folder.path().shown());
        return Err(differs(&place, &rows.to_string(), &shown.elements.to_string()));
    }
    let recorded = [("rows", manifest.rows, shown.elements), ("impressions", manifest.impressions, shown.impressions)];
    for (field, recorded, expected) in recorded {
        if recorded != expected {
            let place = format!("the manifest of {} {field}", manifest.dt);
            return Err(differs(&place, &recorded.to_string(), &expected.to_string()));
        }
    }
    for (part, there) in manifest.parts.iter().zip(there) {
        if part.rows != *there {
            let place = format!("the manifest of {} rows of {}", manifest.dt, part.name);
            return Err(differs(&place, &part.rows.to_string(), &there.to_string()));
        }
    }
    Ok(())
}

/// Fails unless each file records the newest action of its rows (for a sample: none of its rows is newer), the manifest
/// records the same, and all are before the cut-off.
fn check_newest(
    manifest: &Manifest,
    rows: &Rows<'_>,
    recorded: &[Option<String>],
    comparison: &Comparison<'_>,
    is_whole: bool,
    cut_off_us: i64,
) -> Result<()> {
    let cut_off = display_utc(cut_off_us);
    for (number, (part, (recorded, newest_us))) in
        manifest.parts.iter().zip(recorded.iter().zip(&comparison.newest_us)).enumerate()
    {
        let place = format!("{} metadata {NEWEST_ACTION}", rows.path(number)?.shown());
        let newest = newest_us.map(display_utc);
        let or_missing = |text: &Option<String>| text.clone().unwrap_or_else(|| "missing".to_owned());
        // Texts of one length sort as times do.
        let agrees = if is_whole { *recorded == newest } else { *recorded >= newest };
        let before_cut_off = recorded.as_ref().is_none_or(|recorded| *recorded < cut_off);
        if !agrees || !before_cut_off || newest_us.is_some_and(|newest_us| newest_us >= cut_off_us) {
            let expected = if agrees { format!("that it is before {cut_off}") } else { or_missing(&newest) };
            return Err(differs(&place, &or_missing(recorded), &expected));
        }
        if part.newest_action != *recorded {
            let place = format!("the manifest of {} newest_action of {}", manifest.dt, part.name);
            return Err(differs(&place, &or_missing(&part.newest_action), &or_missing(recorded)));
        }
    }
    Ok(())
}
