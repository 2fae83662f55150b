//! One produce from its options to its summary.

use std::path::Path;

use serde::Serialize;

use super::by_chance::{Budget, ByChance};
use super::histories::Histories;
use super::inputs::inputs_fingerprint;
use super::manifest::{MadeFrom, manifest};
use super::read::{fingerprinted, read};
use super::row_groups::{Joined, Joiner, Share};
use super::shares::{SHARES_AHEAD, Shares};
use super::tally::Tally;
use crate::error::{Error, Result};
use crate::files::{Compression, FileSizes, Partition, PartitionFolder, RowSchema, RowSettings, RowWriter, day_files};
use crate::in_order::in_order;
use crate::model::{Day, HistoryDetail, Impression, RowColumns, RowOrder, TypeTable, name_days};
use crate::progress::Progress;
use crate::sort::{Scratch, SharedSorter, Sorted, Sorter};
use crate::sources::ImpressionSource;
use crate::store::{AsOf, Batches, Store};

/// What to produce.
#[derive(Clone, Copy, Debug)]
pub struct ProduceOptions<'a> {
    /// The input root.
    pub input: &'a Path,
    /// Which of its files are impressions, and what their columns are called.
    pub impressions: &'a ImpressionSource,
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
    /// Which columns the rows have.
    pub columns: RowColumns,
    /// In which order they stand.
    pub order: RowOrder,
    /// Whether missing batches are accepted.
    pub allow_gaps: bool,
    /// Whether rows are accepted that lack what has been pruned.
    pub allow_pruned: bool,
    /// Where bad rows go; `None`: impressions with a bad row are refused.
    pub quarantine: Option<&'a Path>,
    /// Memory for impressions being sorted, some 250 bytes for one of 10 items. Beyond it, sorted runs go to disk. Orders by chance share it out (see
    /// [`super::by_chance`]).
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
/// Memory: `sort_bytes`, what the open store takes, and for each thread two row groups (see [`crate::files::RowGroup`]); with an order by chance, row
/// groups of four times `sort_bytes` at once.
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
    let settings = RowSettings {
        newest_batch: batches.newest(options.known_as_of),
        action_types: action_types(&store.settings().types, &batches, options.known_as_of),
        ..settings
    };
    let pattern = &options.impressions.pattern;
    let files = fingerprinted(day_files(options.input, pattern, dt)?)?;
    if files.is_empty() {
        return Err(Error::input(
            format!("there is no impression file in {}/{}", options.input.display(), pattern.text_on(dt)),
            "check --input and --dt",
        ));
    }
    let mapping = options.impressions.mapping();
    let inputs = inputs_fingerprint(&settings, &batches, options.known_as_of, horizon, mapping.as_deref(), &files);
    let folder = PartitionFolder::new(options.out, dt);
    let mut summary = empty_summary(&settings);
    if options.keep_current && folder.holds(&inputs) {
        folder.tidy_up()?;
        summary.kept = true;
        return Ok(summary);
    }

    let partition = Partition::begin(folder)?;
    let budget = Budget::of(options.order, options.sort_bytes);
    let sorter = SharedSorter::new(Sorter::new(budget.sort_bytes, Scratch::new(partition.scratch())));
    let is_read = read(&files, options, &store.block_list()?, &sorter, &mut summary, progress);
    // Where the sorter has failed, that is why reading has.
    let sorter = sorter.into_sorter()?;
    is_read?;
    let wanted = AsOf {
        before: dt,
        oldest: options.lookback_days.map(|days| dt.minus(days)),
        known: batches.limit(options.known_as_of),
        max_history: settings.max_history,
        detail: settings.columns.detail(),
    };
    let schema = RowSchema::new(&settings)?;
    let mut writer = RowWriter::new(partition.parts(), &settings, &schema);
    let impressions = sorter.finish()?;
    match settings.order {
        RowOrder::Customer => {
            progress.begin("writing", "impressions", Some(summary.impressions));
            let joiners = Joiner::of_threads(store, wanted, &settings, &schema)?;
            join(impressions, joiners, &mut writer, &mut summary, settings.sizes.row_group_rows, progress)?;
        }
        RowOrder::Shuffled(_) | RowOrder::Carousel(_) => {
            let scratch = partition.scratch().with_file_name("by-chance");
            let by_chance = ByChance { settings: &settings, budget, scratch, progress };
            // Histories are put aside with their days.
            let wanted = AsOf { detail: wanted.detail.max(HistoryDetail::Days), ..wanted };
            let threads = Histories::of_threads(store, wanted, &settings);
            by_chance.write(impressions, threads, &schema, &mut writer, &mut summary)?;
        }
    }
    let parts = writer.finish()?;
    summary.rows = parts.iter().map(|part| part.rows).sum();
    summary.parts = parts.len();
    let known = options.known_as_of;
    let made_from = MadeFrom { settings: &settings, batches: &batches, known, files: &files, mapping };
    partition.publish(&manifest(&made_from, inputs, &summary, parts), &schema)?;
    Ok(summary)
}

/// The settings that follow from the store and the options; the newest batch is not known yet.
fn row_settings(store: &Store, options: &ProduceOptions<'_>, sizes: FileSizes) -> Result<RowSettings> {
    let held = store.settings();
    let max_history = held.history_length(options.max_history)?;
    Ok(RowSettings {
        dt: options.dt,
        cut_off: held.zone.display(held.zone.start_of(options.dt)),
        time_zone: held.zone.name().to_owned(),
        max_history,
        lookback_days: options.lookback_days,
        newest_batch: None,
        action_types: None,
        compression: options.compression,
        sizes,
        columns: options.columns,
        order: options.order,
    })
}

/// The names of the types that the batches used have; `None` where each is what it is without a configuration. A type that no such batch has may be
/// one that came later, and is nothing that the rows follow from.
fn action_types(types: &TypeTable, batches: &Batches, known: Option<Day>) -> Option<String> {
    let used = batches.iter().filter(|(day, _)| known.is_none_or(|known| *day <= known));
    let mut numbers: Vec<u8> = used.flat_map(|(_, record)| record.actions.iter().map(|(number, _)| number)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let default = TypeTable::default();
    let is_default =
        numbers.iter().all(|number| default.holds(*number) && default.name(*number) == types.name(*number));
    (!is_default).then(|| types.text(|number| numbers.contains(&number)))
}

/// Joins on all cores, and writes in the order of the impressions.
fn join(
    impressions: Sorted<Impression>,
    joiners: Vec<Joiner<'_>>,
    writer: &mut RowWriter,
    summary: &mut ProduceSummary,
    row_group_rows: usize,
    progress: &dyn Progress,
) -> Result<()> {
    let (mut shares, mut tally) = (Shares::new(impressions, row_group_rows), Tally::default());
    let joiners = joiners.into_iter().map(|mut joiner| move |share: Share| joiner.join(&share)).collect();
    let write = |joined: Joined| {
        tally.add(&joined.counts, summary);
        progress.advance(joined.counts.impressions);
        writer.append(joined.group)
    };
    in_order(joiners, SHARES_AHEAD, || shares.share(), write)?;
    summary.duplicates = shares.repeats();
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
