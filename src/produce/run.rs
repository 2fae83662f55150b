//! One produce from its options to its summary.

use std::path::Path;

use serde::Serialize;

use super::histories::{Histories, Wanted};
use super::inputs::inputs_fingerprint;
use crate::error::{Error, Result};
use crate::files::{
    BadRows, Compression, DayFile, Fingerprint, IMPRESSIONS, Partition, PartitionFolder, QuarantineFolder, RowSettings,
    RowWriter, day_files, read_impressions,
};
use crate::model::{CustomerId, Day, Impression, name_days};
use crate::progress::Progress;
use crate::sort::{Scratch, Sorted, Sorter};
use crate::store::{Batches, Store};

/// Customers whose histories are read and padded together: 6 MB of padded arrays with 1,000 actions each.
const CUSTOMERS_PER_TURN: usize = 512;

/// Impressions that wait while their histories are read.
const IMPRESSIONS_PER_TURN: usize = 4_096;

/// What to produce.
#[derive(Clone, Copy, Debug)]
pub struct ProduceOptions<'a> {
    /// The input root, which holds `impressions/`.
    pub input: &'a Path,
    /// The day. Every action in its rows is from strictly before it.
    pub dt: Day,
    /// Where the partition goes.
    pub out: &'a Path,
    /// Length of the padded arrays; `None` for the store's.
    pub max_history: Option<usize>,
    /// Only actions of this many days before `dt`; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// Only batches up to and including this one; `None` for all.
    pub known_as_of: Option<Day>,
    /// How pages are compressed.
    pub compression: Compression,
    /// Whether missing batches are accepted.
    pub allow_gaps: bool,
    /// Where bad rows go; `None`: impressions with a bad row are refused.
    pub quarantine: Option<&'a Path>,
    /// Memory for impressions being sorted, some 250 bytes for one of 10 items. Beyond it, sorted runs go to disk.
    pub sort_bytes: usize,
    /// Whether a partition that was produced from the same inputs is left as it is.
    pub keep_current: bool,
}

/// What a produce did.
#[derive(Clone, Debug, Serialize)]
pub struct ProduceSummary {
    /// The day.
    pub dt: String,
    /// Every action in the rows is earlier than this instant.
    pub cut_off: String,
    /// Length of the padded arrays.
    pub max_history: usize,
    /// How many days back actions may lie, if that is limited.
    pub lookback_days: Option<u32>,
    /// The newest batch used.
    pub newest_batch: Option<String>,
    /// Whether the partition was there already, produced from the same inputs, and was left; then the counts below are 0.
    pub kept: bool,
    /// Impressions that became rows.
    pub impressions: u64,
    /// Impressions whose list was null or empty.
    pub empty_impressions: u64,
    /// Impressions set aside in the quarantine.
    pub quarantined: u64,
    /// Training rows.
    pub rows: u64,
    /// Rows with label 1.
    pub ordered: u64,
    /// Customers with a row.
    pub customers: u64,
    /// Of them, those without any history.
    pub without_history: u64,
    /// Part files.
    pub parts: usize,
}

/// Fails, naming the days, where a batch is missing that the rows of `dt` rest on.
///
/// Those are the batches from the store's first to the day before `dt`; with `known_as_of`, up to that one, since later ones are left out
/// on purpose.
pub fn refuse_gaps(batches: &Batches, dt: Day, known_as_of: Option<Day>) -> Result<()> {
    if batches.is_empty() {
        return Err(Error::refused(
            "the store holds no batch".to_owned(),
            "ingest the days before first, or produce rows without any history with --allow-gaps",
        ));
    }
    let through = dt.previous().map(|before| known_as_of.map_or(before, |known| before.min(known)));
    let missing = through.map_or_else(Vec::new, |through| batches.missing(through));
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::refused(
        format!("the rows of {dt} rest on batches that the store does not hold: {}", name_days(&missing)),
        "ingest them, or go on without them with --allow-gaps",
    ))
}

/// Writes the partition of one day, replacing the one that is there.
///
/// Memory: `sort_bytes`, 128 MiB for the store's cache, 512 padded histories, and what [`RowWriter`] takes.
pub fn produce(store: &Store, options: &ProduceOptions<'_>, progress: &dyn Progress) -> Result<ProduceSummary> {
    let dt = options.dt;
    let settings = row_settings(store, options)?;
    let batches = store.batches()?;
    if !options.allow_gaps {
        refuse_gaps(&batches, dt, options.known_as_of)?;
    }
    let settings = RowSettings { newest_batch: batches.newest(options.known_as_of), ..settings };
    let files = fingerprinted(day_files(options.input, IMPRESSIONS, dt)?)?;
    if files.is_empty() {
        return Err(Error::input(
            format!("there is no impression file in {}/{IMPRESSIONS}/dt={dt}", options.input.display()),
            "check --input and --dt",
        ));
    }
    let inputs = inputs_fingerprint(&settings, &batches, options.known_as_of, &files)?;
    let folder = PartitionFolder::new(options.out, dt);
    let mut summary = empty_summary(&settings);
    if options.keep_current && folder.holds(&inputs) {
        summary.kept = true;
        return Ok(summary);
    }

    let partition = Partition::begin(folder)?;
    let mut sorter = Sorter::new(options.sort_bytes, Scratch::new(partition.scratch()));
    read(&files, options, &mut sorter, &mut summary, progress)?;
    let wanted = Wanted {
        dt,
        from_us: options.lookback_days.map(|days| store.settings().zone.start_of(dt.minus(days))),
        // The snapshots are right as they are where the store knows nothing newer.
        known: options.known_as_of.filter(|known| batches.newest(None) > Some(*known)),
        max_history: settings.max_history,
    };
    let mut writer = RowWriter::new(partition.parts(), settings);
    progress.begin("writing", "impressions", Some(summary.impressions));
    join(sorter.finish()?, Histories::new(store, wanted), &mut writer, &mut summary, progress)?;
    (summary.rows, summary.parts) = writer.finish()?;
    partition.publish(&inputs)?;
    Ok(summary)
}

/// The settings that follow from the store and the options; the newest batch is not known yet.
fn row_settings(store: &Store, options: &ProduceOptions<'_>) -> Result<RowSettings> {
    let held = store.settings();
    let max_history = options.max_history.unwrap_or(held.max_history);
    if max_history > held.max_history {
        return Err(Error::usage(
            format!("--max-history {max_history} is more than the store keeps ({})", held.max_history),
            "ask for fewer, or build a store with a larger --max-history by `lookback init` and `lookback backfill`",
        ));
    }
    Ok(RowSettings {
        dt: options.dt,
        cut_off: held.zone.display(held.zone.start_of(options.dt)),
        time_zone: held.zone.name().to_owned(),
        max_history,
        lookback_days: options.lookback_days,
        newest_batch: None,
        compression: options.compression,
    })
}

fn fingerprinted(files: Vec<DayFile>) -> Result<Vec<(DayFile, Fingerprint)>> {
    let fingerprints = files.into_iter().map(|file| {
        let fingerprint = Fingerprint::of(&file.path)?;
        Ok((file, fingerprint))
    });
    fingerprints.collect()
}

fn read(
    files: &[(DayFile, Fingerprint)],
    options: &ProduceOptions<'_>,
    sorter: &mut Sorter<Impression>,
    summary: &mut ProduceSummary,
    progress: &dyn Progress,
) -> Result<()> {
    progress.begin("reading", "files", Some(files.len() as u64));
    let mut bad = BadRows::new(QuarantineFolder::Impressions, options.dt, options.quarantine);
    for (file, fingerprint) in files {
        let read = read_impressions(file, &mut bad, |impression| {
            summary.impressions += 1;
            sorter.push(impression)
        })?;
        summary.empty_impressions += read.empty;
        fingerprint.check_unchanged(&file.path)?;
        progress.advance(1);
    }
    summary.quarantined = bad.finish()?;
    Ok(())
}

/// Gives each impression its customer's history, turn by turn.
fn join(
    impressions: Sorted<Impression>,
    mut histories: Histories<'_>,
    writer: &mut RowWriter,
    summary: &mut ProduceSummary,
    progress: &dyn Progress,
) -> Result<()> {
    let mut impressions = impressions.peekable();
    let mut last_customer: Option<CustomerId> = None;
    while impressions.peek().is_some() {
        let mut turn: Vec<Impression> = Vec::new();
        let mut customers: Vec<CustomerId> = Vec::new();
        while turn.len() < IMPRESSIONS_PER_TURN && customers.len() < CUSTOMERS_PER_TURN {
            let Some(impression) = impressions.next().transpose()? else { break };
            if customers.last() != Some(&impression.customer) {
                customers.push(impression.customer);
            }
            turn.push(impression);
        }
        let read = histories.read(&customers)?;
        for (customer, (_, empty)) in customers.iter().zip(&read) {
            // A customer with very many impressions goes on from the turn before.
            if last_customer != Some(*customer) {
                summary.customers += 1;
                summary.without_history += u64::from(*empty);
            }
            last_customer = Some(*customer);
        }
        let mut current = customers.iter().zip(&read).peekable();
        for impression in &turn {
            while current.next_if(|(customer, _)| **customer != impression.customer).is_some() {}
            if let Some((_, (history, _))) = current.peek() {
                writer.write(impression, history)?;
            }
            summary.ordered += impression.elements.iter().filter(|element| element.label == 1).count() as u64;
        }
        progress.advance(turn.len() as u64);
    }
    Ok(())
}

fn empty_summary(settings: &RowSettings) -> ProduceSummary {
    ProduceSummary {
        dt: settings.dt.to_string(),
        cut_off: settings.cut_off.clone(),
        max_history: settings.max_history,
        lookback_days: settings.lookback_days,
        newest_batch: settings.newest_batch.map(|day| day.to_string()),
        kept: false,
        impressions: 0,
        empty_impressions: 0,
        quarantined: 0,
        rows: 0,
        ordered: 0,
        customers: 0,
        without_history: 0,
        parts: 0,
    }
}
