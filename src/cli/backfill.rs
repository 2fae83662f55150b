//! `lookback backfill`.

use super::args::{Backfill, BackfilledDays};
use super::clock;
use super::config;
use super::console::Console;
use super::lines::Lines;
use super::table::table;
use super::text::{batches, count, counted, empty_lists, exceptions, of_number, same_content};
use lookback::backfill::{BackfillOptions, BackfillSummary, DayPlan, Plan, backfill};
use lookback::error::Result;
use lookback::ingest::IngestSummary;
use lookback::model::{Day, name_days};
use lookback::produce::ProduceSummary;
use lookback::store::Folder;

/// The most days that a note names.
const DAYS_NAMED: usize = 3;

pub(super) fn run(typed: &Backfill, console: &Console) -> Result<()> {
    let options = options_of(&typed.days, console)?;
    let (plan, summary) = backfill(&Folder::with(&typed.store, console.resources()), &options, console.progress())?;
    if typed.days.dry_run {
        return console.result(&summary, &plan_table(&plan));
    }
    console.done_reading(&summary, &sentence(&typed.days, &summary), &done(&summary), summary.read_through_rocksdb)
}

/// Returns the options of a backfill.
pub(super) fn options_of(typed: &BackfilledDays, console: &Console) -> Result<BackfillOptions> {
    let rows = &typed.rows;
    Ok(BackfillOptions::new(&typed.input, typed.from, typed.to)
        .sources(config::sources_of(&typed.input, &typed.config, console)?)
        .out(typed.out.clone())
        .as_daily(typed.as_daily)
        .stale(typed.stale)
        .dry_run(typed.dry_run)
        .today(clock::today()?)
        .allow_empty(typed.allow_empty)
        .allow_far_day(typed.allowed.allow_far_day)
        .allow_missing_source(typed.allowed.allow_missing_source)
        .allow_gaps(rows.allow_gaps)
        .allow_pruned(rows.allow_pruned)
        .rows(rows.choice())
        .quarantine(rows.quarantine.clone())
        .table(rows.table)
        .vacuum(rows.vacuum)
        .resources(console.resources().clone()))
}

/// Returns how much was done.
pub(super) fn done(summary: &BackfillSummary) -> [(u64, &'static str); 2] {
    let actions = summary.ingested.iter().map(|day| day.actions).sum();
    let rows = summary.produced.iter().map(|day| day.rows).sum();
    [(actions, "actions"), (rows, "rows")]
}

/// Says what was done.
pub(super) fn sentence(typed: &BackfilledDays, summary: &BackfillSummary) -> String {
    let nothing_stale = typed.stale && summary.produced.is_empty();
    let stale = if nothing_stale { "; no partition of the range is stale" } else { "" };
    format!("{}{stale}", days_sentence(summary))
}

/// Returns a row for each day, or for three or more days in a row with the same plan, so that a year is readable.
pub(super) fn plan_table(plan: &Plan) -> Lines {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for alike in plan.days.chunk_by(|day, next| what(day) == what(next)) {
        let days: Vec<Day> = alike.iter().map(|planned| planned.day).collect();
        for (planned, name) in alike.iter().zip(name_days(&days).split(", ")) {
            let (actions, produce) = what(planned);
            rows.push(vec![name.to_owned(), actions, produce.to_owned()]);
        }
    }
    table(&["days", "actions", "rows"], &[false; 3], &rows)
}

/// Returns the plan for a day: for its actions, and for its rows.
fn what(day: &DayPlan) -> (String, &'static str) {
    let actions = match day.ingest {
        Some(reason) => format!("ingest ({})", reason.name()),
        None if day.held => "held".to_owned(),
        None => "none".to_owned(),
    };
    (actions, if day.produce { "produce" } else { "" })
}

fn days_sentence(summary: &BackfillSummary) -> String {
    let BackfillSummary { from, to, held, ingested, produced, .. } = summary;
    let taken = |field: fn(&IngestSummary) -> u64| ingested.iter().map(field).sum::<u64>();
    let made = |field: fn(&ProduceSummary) -> u64| produced.iter().map(field).sum::<u64>();
    let mut sentence = format!(
        "backfilled {from}..{to}: ingested {} with {}, {} held already",
        counted(ingested.len() as u64, "day"),
        counted(taken(|day| day.actions), "action"),
        count(*held as u64),
    );
    let rows = |number| of_number(number, "row", "rows");
    let duplicates = |number| of_number(number, "duplicate", "duplicates");
    let impressions = |number| of_number(number, "impression", "impressions");
    let files = |number| of_number(number, "file", "files");
    let twice = taken(|day| day.same_content) + made(|day| day.same_content);
    let kept_twice = taken(|day| day.duplicates - day.duplicates_dropped);
    let dropped = taken(|day| day.duplicates_dropped);
    let new = taken(|day| day.new_customers);
    let nobody = taken(|day| day.without_customer) + made(|day| day.without_customer);
    let deduplicated = taken(|day| day.deduplicated);
    let quarantined = taken(|day| day.quarantined) + made(|day| day.quarantined);
    sentence += &exceptions(&[
        (new, of_number(new, "new customer", "new customers")),
        (taken(|day| day.late), "late"),
        (taken(|day| day.early), "early"),
        (kept_twice, &format!("{} (kept)", duplicates(kept_twice))),
        (dropped, &format!("{} (dropped)", duplicates(dropped))),
        (taken(|day| day.ignored), "ignored (listed in `ignore` of their source)"),
        (nobody, &format!("{} without a customer left out", rows(nobody))),
        (deduplicated, &format!("{} with the event id of another left out", rows(deduplicated))),
        (taken(|day| day.empty_lists), empty_lists(taken(|day| day.empty_lists))),
        (quarantined, &format!("{} set aside in the quarantine", rows(quarantined))),
        (twice, same_content(twice)),
        (taken(|day| day.forgotten), "left out (of forgotten customers)"),
        (taken(|day| day.pruned), "left out (from before the store's horizon)"),
    ]);
    let unlike: Vec<&str> = ingested.iter().filter(|day| !day.unlike.is_empty()).map(|day| day.dt.as_str()).collect();
    if !unlike.is_empty() {
        let batches = batches(unlike.len() as u64);
        sentence += &format!("; note: {batches} unlike the seven before ({})", named(&unlike));
    }
    if !produced.is_empty() {
        let kept = produced.iter().filter(|day| day.kept).count();
        let written = produced.len() - kept;
        sentence += &format!(
            "; produced {} with {}, {} ordered, {} current already",
            counted(written as u64, "day"),
            counted(made(|day| day.rows), "row"),
            count(made(|day| day.ordered)),
            count(kept as u64)
        );
        let strangers = made(|day| day.rows_without_history);
        let late = made(|day| day.rows_with_late_actions);
        let (empty, equal) = (made(|day| day.empty_impressions), made(|day| day.duplicates));
        let (unranked, unlabelled) = (made(|day| day.without_ranking_id), made(|day| day.without_label));
        let forgotten = made(|day| day.forgotten);
        sentence += &exceptions(&[
            (strangers, &format!("{} without history", rows(strangers))),
            (
                late,
                &format!(
                    "{} with actions that were not known on the morning of their day (left out with --as-daily)",
                    rows(late)
                ),
            ),
            (empty, &format!("{} with an empty list", impressions(empty))),
            (equal, &format!("{} equal to another (kept)", impressions(equal))),
            (unranked, &format!("{} without ranking ids", files(unranked))),
            (unlabelled, &format!("{} without labels", files(unlabelled))),
            (forgotten, &format!("{} left out (of forgotten customers)", impressions(forgotten))),
        ]);
        let unordered = produced.iter().filter(|day| day.rows > 0 && day.ordered == 0);
        let unordered: Vec<&str> = unordered.map(|day| day.dt.as_str()).collect();
        if !unordered.is_empty() {
            let days = counted(unordered.len() as u64, "day");
            sentence += &format!("; note: no row is ordered (label 1) on {days} ({})", named(&unordered));
        }
    }
    if summary.vacuumed > 0 {
        sentence += &format!("; removed {} of older versions of the Delta table", counted(summary.vacuumed, "file"));
    }
    if summary.created {
        sentence += "; created the store";
    }
    if !summary.without_impressions.is_empty() {
        let days = counted(summary.without_impressions.len() as u64, "day");
        sentence += &format!("; no impressions, so no rows, on {days}: {}", name_days(&summary.without_impressions));
    }
    sentence
}

/// Returns the first days of a list.
fn named(days: &[&str]) -> String {
    let more = if days.len() > DAYS_NAMED { ", …" } else { "" };
    format!("{}{more}", days.iter().take(DAYS_NAMED).copied().collect::<Vec<_>>().join(", "))
}
