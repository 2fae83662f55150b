//! One produce from its options to its summary.

use std::path::Path;

use serde::Serialize;

use super::inputs::inputs_fingerprint;
use super::manifest::{MadeFrom, manifest};
use super::row_groups::{Joined, Joiner, Shares};
use crate::error::{Error, Result};
use crate::files::{
    BadRows, Compression, DayFile, FileSizes, Fingerprint, IMPRESSIONS, Partition, PartitionFolder, QuarantineFolder,
    RowSchema, RowSettings, RowWriter, day_files, read_impressions,
};
use crate::model::{CustomerId, Day, Impression, name_days};
use crate::progress::Progress;
use crate::sort::{Scratch, Sorted, Sorter};
use crate::store::{AsOf, Batches, BlockList, Store};

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
    /// Whether rows are accepted that lack what has been pruned.
    pub allow_pruned: bool,
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
    /// Of the impressions that became rows, those equal to another in customer, ranking id and list: of n equal ones, n - 1. They stay.
    pub duplicates: u64,
    /// Impressions set aside in the quarantine.
    pub quarantined: u64,
    /// Impressions left out since their customers have been forgotten.
    pub forgotten: u64,
    /// Training rows.
    pub rows: u64,
    /// Rows with label 1.
    pub ordered: u64,
    /// Rows of customers without any history: all padding.
    pub rows_without_history: u64,
    /// Places in the rows' `actions` that hold an action. The others, of `rows` times `max_history`, are padding.
    pub filled: u64,
    /// Customers with a row.
    pub customers: u64,
    /// Of them, those without any history.
    pub without_history: u64,
    /// Of them, those whose history has `max_history` actions, so that older ones were cut if there are any.
    pub customers_at_cap: u64,
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

/// Fails where rows of `dt` would need actions from before the store's horizon, which have been pruned.
pub fn refuse_pruned(horizon: Option<Day>, dt: Day, lookback_days: Option<u32>) -> Result<()> {
    let Some(horizon) = horizon else { return Ok(()) };
    if lookback_days.is_some_and(|days| dt.minus(days) >= horizon) {
        return Ok(());
    }
    let reach = i64::from(dt.number()) - i64::from(horizon.number());
    let narrower = if reach > 0 { format!("ask for --lookback-days {reach} or fewer, or ") } else { String::new() };
    Err(Error::refused(
        format!("the rows of {dt} reach back beyond {horizon}, before which the store has been pruned"),
        format!("{narrower}go on with what is left by --allow-pruned"),
    ))
}

/// Writes the partition of one day, replacing the one that is there.
///
/// Memory: `sort_bytes`, what the open store takes, and for each thread two row groups (see [`crate::files::RowGroup`]).
pub fn produce(store: &Store, options: &ProduceOptions<'_>, progress: &dyn Progress) -> Result<ProduceSummary> {
    produce_sized(store, options, FileSizes::default(), progress)
}

/// The same with row groups and parts of other sizes than the default.
pub fn produce_sized(
    store: &Store,
    options: &ProduceOptions<'_>,
    sizes: FileSizes,
    progress: &dyn Progress,
) -> Result<ProduceSummary> {
    let dt = options.dt;
    let settings = row_settings(store, options, sizes)?;
    let batches = store.batches()?;
    if !options.allow_gaps {
        refuse_gaps(&batches, dt, options.known_as_of)?;
    }
    let horizon = store.horizon()?;
    if !options.allow_pruned {
        refuse_pruned(horizon, dt, options.lookback_days)?;
    }
    let settings = RowSettings { newest_batch: batches.newest(options.known_as_of), ..settings };
    let files = fingerprinted(day_files(options.input, IMPRESSIONS, dt)?)?;
    if files.is_empty() {
        return Err(Error::input(
            format!("there is no impression file in {}/{IMPRESSIONS}/dt={dt}", options.input.display()),
            "check --input and --dt",
        ));
    }
    let inputs = inputs_fingerprint(&settings, &batches, options.known_as_of, horizon, &files)?;
    let folder = PartitionFolder::new(options.out, dt);
    let mut summary = empty_summary(&settings);
    if options.keep_current && folder.holds(&inputs) {
        folder.tidy_up()?;
        summary.kept = true;
        return Ok(summary);
    }

    let partition = Partition::begin(folder)?;
    let mut sorter = Sorter::new(options.sort_bytes, Scratch::new(partition.scratch()));
    read(&files, options, &store.block_list()?, &mut sorter, &mut summary, progress)?;
    let wanted = AsOf {
        before: dt,
        oldest: options.lookback_days.map(|days| dt.minus(days)),
        // Everything counts where the store knows nothing newer; then keyframes can be read.
        known: options.known_as_of.filter(|known| batches.newest(None) > Some(*known)),
        max_history: settings.max_history,
    };
    let schema = RowSchema::new(&settings)?;
    let mut writer = RowWriter::new(partition.parts(), &settings, &schema);
    progress.begin("writing", "impressions", Some(summary.impressions));
    let joiner = Joiner::new(store, wanted, &settings, &schema)?;
    join(sorter.finish()?, joiner, &mut writer, &mut summary, settings.sizes.row_group_rows, progress)?;
    let parts = writer.finish()?;
    summary.rows = parts.iter().map(|part| part.rows).sum();
    summary.parts = parts.len();
    let made_from = MadeFrom { settings: &settings, batches: &batches, known: options.known_as_of, files: &files };
    partition.publish(&manifest(&made_from, inputs, &summary, parts), &schema)?;
    Ok(summary)
}

/// The settings that follow from the store and the options; the newest batch is not known yet.
fn row_settings(store: &Store, options: &ProduceOptions<'_>, sizes: FileSizes) -> Result<RowSettings> {
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
        sizes,
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
    block_list: &BlockList,
    sorter: &mut Sorter<Impression>,
    summary: &mut ProduceSummary,
    progress: &dyn Progress,
) -> Result<()> {
    progress.begin("reading", "bytes", Some(files.iter().map(|(_, fingerprint)| fingerprint.bytes).sum()));
    let mut bad = BadRows::new(QuarantineFolder::Impressions, options.dt, options.quarantine);
    for (file, fingerprint) in files {
        let read = read_impressions(file, &mut bad, |impression| {
            if block_list.holds(impression.customer) {
                summary.forgotten += 1;
                return Ok(());
            }
            summary.impressions += 1;
            sorter.push(impression)
        })?;
        summary.empty_impressions += read.empty;
        fingerprint.check_unchanged(&file.path)?;
        progress.advance(fingerprint.bytes);
    }
    summary.quarantined = bad.finish()?;
    Ok(())
}

/// Joins and writes, turn by turn: while one turn is joined, the turn before is written.
fn join(
    impressions: Sorted<Impression>,
    mut joiner: Joiner<'_>,
    writer: &mut RowWriter,
    summary: &mut ProduceSummary,
    row_group_rows: usize,
    progress: &dyn Progress,
) -> Result<()> {
    let mut shares = Shares::new(impressions, row_group_rows);
    let mut last_customer = None;
    let mut finished: Vec<Joined> = Vec::new();
    loop {
        let mut turn = Vec::with_capacity(joiner.width());
        while turn.len() < joiner.width() {
            let share = shares.share()?;
            if share.is_empty() {
                break;
            }
            turn.push(share);
        }
        let is_last = turn.is_empty();
        for joined in &finished {
            count(joined, &mut last_customer, summary);
            progress.advance(joined.impressions);
        }
        let before = std::mem::take(&mut finished);
        let write = || before.into_iter().try_for_each(|joined| writer.append(joined.group));
        let (written, joined) = rayon::join(write, || joiner.join(turn));
        written?;
        finished = joined?;
        if is_last {
            summary.duplicates = shares.duplicates();
            return Ok(());
        }
    }
}

fn count(joined: &Joined, last_customer: &mut Option<CustomerId>, summary: &mut ProduceSummary) {
    // A customer with very many impressions goes on from the row group before, and has been counted with it.
    let Joined { customers, counts, first, .. } = joined;
    let goes_on = customers.first().is_some_and(|first| *last_customer == Some(*first));
    let again = |is_one: bool| u64::from(goes_on && is_one);
    summary.customers += customers.len() as u64 - again(true);
    summary.without_history += counts.without_history - again(first.without_history > 0);
    summary.customers_at_cap += counts.at_cap - again(first.at_cap > 0);
    summary.ordered += counts.ordered;
    summary.rows_without_history += counts.rows_without_history;
    summary.filled += counts.filled;
    *last_customer = customers.last().copied().or(*last_customer);
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
        duplicates: 0,
        quarantined: 0,
        forgotten: 0,
        rows: 0,
        ordered: 0,
        rows_without_history: 0,
        filled: 0,
        customers: 0,
        without_history: 0,
        customers_at_cap: 0,
        parts: 0,
    }
}
