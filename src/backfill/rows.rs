//! Produces the days of a plan, several at once.
//!
//! Neighbouring days with the same settings are produced together if possible: then each customer's histories are read
//! once for all of them (see [`produce_multi_day`]). Otherwise two days at a time are produced independently.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::options::BackfillOptions;
use super::plan::Plan;
use super::stale::{KeptSettings, known};
use crate::error::Result;
use crate::model::{Day, OrderKind, name_days};
use crate::output::TableFiles;
use crate::produce::{ProduceOptions, ProduceSummary, RowChoice, is_multi_day, produce, produce_multi_day};
use crate::progress::{Notes, Progress};
use crate::resources::Resources;
use crate::store::{Folder, Store};

/// Maximum number of days produced together: a week, which saves half of all reads with data set M (measured). Two
/// weeks took as long, and twice the memory; a killed run has to repeat its group.
const MULTI_DAY_MAX: usize = 7;

/// Memory of a day produced together with others, per row of a row group: the row's actions, their dictionary, and the
/// previous group being written. 10,000 rows of nearly full histories took 19 MB (measured).
const DAY_BYTES_A_ROW: usize = 2_000;

/// Days produced independently at once. A single day leaves cores idle while it reads files or waits for the disk.
const DAYS_SIDE_BY_SIDE: usize = 2;

/// Produces the days of the plan. Returns their summaries in order, and how many histories were read through RocksDB.
pub(super) fn produce_all(
    folder: &Folder,
    options: &BackfillOptions,
    plan: &Plan,
    kept: Option<&KeptSettings>,
    progress: &dyn Progress,
) -> Result<(Vec<ProduceSummary>, u64)> {
    let days = plan.to_produce();
    let (Some(out), false) = (options.out.as_deref(), days.is_empty()) else { return Ok((Vec::new(), 0)) };
    let store = Store::open_reader(folder)?;
    let with_rows = |day: Day| Ok((day, kept.map_or(Ok(options.rows), |kept| kept.of_day(day))?));
    let days = days.into_iter().map(with_rows).collect::<Result<Vec<_>>>()?;
    // Read once: a backfill looks at many days, most of which are kept.
    let place = options.resources.place(out)?;
    let table_files = if options.table.is_some() { TableFiles::read(&place)? } else { None };
    let mut summaries = Vec::new();
    let resources = &options.resources;
    for days_alike in days.chunk_by(|(_, rows), (_, next)| rows == next) {
        let Some((first, rows)) = days_alike.first().copied() else { continue };
        let most = days_together(&options_of(options, rows, out, first, resources));
        for some in days_alike.chunks(most.unwrap_or(days_alike.len())) {
            let together = most.is_some() && some.len() >= fewest_together(resources);
            let at_once = if together { some.len() } else { days_side_by_side(rows) };
            let of_one = resources.clone().with_sort_bytes(resources.sort_bytes() / at_once);
            let some: Vec<Day> = some.iter().map(|(day, _)| *day).collect();
            let of_day = |day: &Day| options_of(options, rows, out, *day, &of_one).table_files(table_files.clone());
            let of_days: Vec<_> = some.iter().map(of_day).collect();
            if together {
                progress.item(&format!("produce {}", name_days(&some)), summaries.len() + 1, days.len());
                summaries.extend(produce_multi_day(&store, &of_days, progress)?);
                progress.end_items();
            } else {
                summaries.extend(side_by_side(&store, &of_days, rows, resources, progress)?);
            }
        }
    }
    Ok((summaries, store.read_through_rocksdb()))
}

/// Returns the maximum number of days with these options to produce together; `None` if that is not possible.
fn days_together(options: &ProduceOptions) -> Option<usize> {
    let day_bytes = options.rows.file_sizes().row_group_rows.saturating_mul(DAY_BYTES_A_ROW).max(1);
    let most = (options.resources.rows_bytes() / day_bytes).min(MULTI_DAY_MAX);
    (is_multi_day(options) && most >= fewest_together(&options.resources)).then_some(most)
}

/// Returns the minimum number of days to produce together: one per thread (at least two), as one thread writes a day.
fn fewest_together(resources: &Resources) -> usize {
    resources.threads().max(DAYS_SIDE_BY_SIDE)
}

/// Returns how many days to produce at the same time: one if shuffled, whose row groups take too much memory for two.
fn days_side_by_side(rows: RowChoice) -> usize {
    if rows.order.unwrap_or_default() == OrderKind::Customer { DAYS_SIDE_BY_SIDE } else { 1 }
}

/// Produces days independently, some at the same time. Of several errors, returns that of the earliest day.
fn side_by_side(
    store: &Store,
    days: &[ProduceOptions],
    rows: RowChoice,
    resources: &Resources,
    progress: &dyn Progress,
) -> Result<Vec<ProduceSummary>> {
    progress.begin("producing", "days", Some(days.len() as u64));
    let at_once = days_side_by_side(rows).min(resources.threads()).clamp(1, days.len().max(1));
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one_after_the_other = || -> Vec<(usize, Result<ProduceSummary>)> {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(options) = days.get(number) else { break };
            let summary = produce(store, options, &Notes(progress));
            failed.fetch_or(summary.is_err(), Ordering::Relaxed);
            progress.advance(1);
            done.push((number, summary));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        // If the system starts no further thread, this one produces all days.
        let other = |_| std::thread::Builder::new().spawn_scoped(scope, one_after_the_other).ok();
        let others: Vec<_> = (1..at_once).map_while(other).collect();
        let mut done = one_after_the_other();
        for other in others {
            match other.join() {
                Ok(of_other) => done.extend(of_other),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, summary)| summary).collect()
}

/// Returns the options of producing a day.
pub(crate) fn options_of(
    options: &BackfillOptions,
    rows: RowChoice,
    out: &Path,
    day: Day,
    resources: &Resources,
) -> ProduceOptions {
    ProduceOptions::new(&options.input, day, out)
        .sources(options.sources.clone())
        .rows(rows)
        .known_as_of(known(options).through(day))
        // The plan has checked the whole range for gaps.
        .allow_gaps(true)
        .allow_pruned(options.allow_pruned)
        .quarantine(options.quarantine.clone())
        .resources(resources.clone())
        .table(options.table)
        .keep_current(true)
}
