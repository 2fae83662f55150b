//! `lookback produce`.

use super::args::{Produce, RowOptions};
use super::config;
use super::console::Console;
use super::text::{count, counted, exceptions, of_number, same_content};
use lookback::error::Result;
use lookback::produce::{ProduceOptions, ProduceSummary, produce};
use lookback::store::{Folder, Store};

pub(super) fn run(typed: &Produce, console: &Console) -> Result<()> {
    let (input, sources) = config::input_of(typed.input.as_deref(), &typed.config, console)?;
    let options = ProduceOptions::new(input, typed.dt, &typed.out).sources(sources).known_as_of(typed.known_as_of);
    let options = with(options, &typed.rows, console);
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let summary = produce(&store, &options, console.progress())?;
    console.done_reading(&summary, &sentence(&summary), &[(summary.rows, "rows")], store.read_through_rocksdb())
}

/// Returns the options with those that were typed.
pub(super) fn with(options: ProduceOptions, rows: &RowOptions, console: &Console) -> ProduceOptions {
    options
        .rows(rows.choice())
        .allow_gaps(rows.allow_gaps)
        .allow_pruned(rows.allow_pruned)
        .quarantine(rows.quarantine.clone())
        .table(rows.table)
        .vacuum(rows.vacuum)
        .resources(console.resources().clone())
}

/// Returns one line on what was written, and what was unusual about it.
pub(super) fn sentence(summary: &ProduceSummary) -> String {
    let ProduceSummary { dt, cut_off, .. } = summary;
    if summary.kept {
        return format!("kept {dt}: it is current");
    }
    let mut sentence = format!(
        "produced {dt}: {} from {} of {} ({} without history, {} at the cap), {} ordered, in {}; all actions before {cut_off}",
        counted(summary.rows, "row"),
        counted(summary.impressions, "impression"),
        counted(summary.customers, "customer"),
        count(summary.without_history),
        count(summary.customers_at_cap),
        count(summary.ordered),
        counted(summary.parts as u64, "part file"),
    );
    sentence += &match &summary.newest_batch {
        Some(batch) => format!("; newest batch {batch}"),
        None => "; no batch used".to_owned(),
    };
    if let Some(version) = summary.table_version {
        sentence += &format!("; version {version} of the Delta table");
    }
    if summary.vacuumed > 0 {
        sentence += &format!("; removed {} of older versions", counted(summary.vacuumed, "file"));
    }
    if let Some(older) = summary.older_partition {
        sentence += &format!("; WARNING: dt={older} of this output rests on batches older than any in the store");
    }
    let files = |number| of_number(number, "file", "files");
    let impressions = |number| of_number(number, "impression", "impressions");
    let rows = |number| of_number(number, "row", "rows");
    sentence
        + &exceptions(&[
            (
                summary.rows_with_late_actions,
                &format!(
                    "{} with actions that were not known that morning (left out with --known-as-of the day before)",
                    rows(summary.rows_with_late_actions)
                ),
            ),
            (summary.empty_impressions, &format!("{} with an empty list", impressions(summary.empty_impressions))),
            (summary.without_customer, &format!("{} without a customer left out", rows(summary.without_customer))),
            (summary.duplicates, &format!("{} equal to another (kept)", impressions(summary.duplicates))),
            (summary.quarantined, &format!("{} set aside in the quarantine", impressions(summary.quarantined))),
            (summary.same_content, same_content(summary.same_content)),
            (summary.without_ranking_id, &format!("{} without ranking ids", files(summary.without_ranking_id))),
            (summary.without_label, &format!("{} without labels", files(summary.without_label))),
            (summary.forgotten, &format!("{} of forgotten customers left out", impressions(summary.forgotten))),
        ])
}
