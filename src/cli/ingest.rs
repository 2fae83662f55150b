//! `lookback ingest`.

use super::args::{BatchOptions, Ingest};
use super::clock;
use super::config;
use super::console::Console;
use super::text::{count, counted, counted_types, empty_lists, exceptions, of_number, same_content, size};
use lookback::error::Result;
use lookback::ingest::{IngestOptions, IngestSummary, Ingester};
use lookback::store::Folder;

pub(super) fn run(typed: &Ingest, console: &Console) -> Result<()> {
    let (input, sources) = config::input_of(typed.input.as_deref(), &typed.config, console)?;
    let options = with(IngestOptions::new(input, typed.dt).sources(sources), &typed.options, console)?;
    let (folder, progress) = (Folder::with(&typed.store, console.resources()), console.progress());
    let open = if typed.create { Ingester::open_or_create } else { Ingester::open };
    let mut ingester = open(&folder, progress)?;
    let summary = ingester.ingest(&options, console.progress())?;
    ingester.finish_compaction(console.progress())?;
    console.done_at(&summary, &sentence(&summary), &[(summary.actions, "actions")])
}

/// Returns the options with those that were typed.
pub(super) fn with(options: IngestOptions, typed: &BatchOptions, console: &Console) -> Result<IngestOptions> {
    Ok(options
        .today(clock::today()?)
        .allow_empty(typed.allow_empty)
        .allow_far_day(typed.allowed.allow_far_day)
        .allow_far_actions(typed.allowed.allow_far_day)
        .allow_missing_source(typed.allowed.allow_missing_source)
        .quarantine(typed.quarantine.clone())
        .resources(console.resources().clone()))
}

/// Returns one line on what was ingested, and what was unusual about it.
pub(super) fn sentence(summary: &IngestSummary) -> String {
    let IngestSummary { dt, files, bytes, actions, customers, new_customers, .. } = summary;
    let dropped = summary.duplicates_dropped;
    let mut sentence = format!(
        "ingested {dt}: {} ({}) of {} ({} new, {} at the cap) from {} of {}",
        counted(*actions, "action"),
        counted_types(&summary.types),
        counted(*customers, "customer"),
        count(*new_customers),
        count(summary.customers_at_cap),
        counted(*files as u64, "file"),
        size(*bytes),
    );
    let kept = summary.duplicates - dropped;
    let duplicates = |number, end| {
        format!("{} (equal to another of the batch; {end})", of_number(number, "duplicate", "duplicates"))
    };
    sentence += &exceptions(&[
        (summary.late, "late (of an earlier day)"),
        (summary.early, "early (dated after the batch)"),
        (kept, &duplicates(kept, "kept")),
        (dropped, &duplicates(dropped, "dropped")),
        (summary.ignored, "ignored (listed in `ignore` of their source)"),
        (summary.without_customer, "left out (without a customer)"),
        (summary.deduplicated, "left out (with the event id of an earlier row)"),
        (summary.empty_lists, empty_lists(summary.empty_lists)),
        (summary.quarantined, "set aside in the quarantine"),
        (summary.same_content, same_content(summary.same_content)),
        (summary.forgotten, "left out (of forgotten customers)"),
        (summary.pruned, "left out (from before the store's horizon)"),
    ]);
    for unlike in &summary.unlike {
        sentence += &format!("; note: {}", unlike.text);
    }
    if summary.replaced {
        sentence += "; replaced the earlier version of the batch";
    }
    if summary.created {
        sentence += "; created the store";
    }
    sentence
}
