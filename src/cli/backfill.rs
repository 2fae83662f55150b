//! `lookback backfill`.

use super::args::Backfill;
use super::console::Console;
use super::table::table;
use super::text::{count, counted};
use crate::backfill::{BackfillOptions, BackfillSummary, DayPlan, Plan, backfill};
use crate::config;
use crate::error::Result;
use crate::model::{Day, name_days};
use crate::store::Folder;

pub(super) fn run(typed: &Backfill, console: &Console) -> Result<()> {
    let sources = config::sources(Some(&typed.input), typed.config.config.as_deref())?;
    let rows = &typed.rows;
    let options = BackfillOptions {
        input: &typed.input,
        sources: &sources,
        from: typed.from,
        to: typed.to,
        out: typed.out.as_deref(),
        as_daily: typed.as_daily,
        stale: typed.stale,
        allow_empty: typed.allow_empty,
        allow_gaps: rows.allow_gaps,
        allow_pruned: rows.allow_pruned,
        rows: rows.choice(),
        quarantine: rows.quarantine.as_deref(),
    };
    let (plan, summary) = backfill(&Folder::new(&typed.store), &options, typed.dry_run, console.progress())?;
    if typed.dry_run {
        return console.result(&summary, &plan_table(&plan));
    }
    let nothing_stale = typed.stale && summary.produced.is_empty();
    let stale = if nothing_stale { "; no partition of the range is stale" } else { "" };
    console.done(&summary, &format!("{}{stale}", sentence(&summary)))
}

/// A row for each day, or for three and more in a run with which the same is to be done, so that a year can be read.
fn plan_table(plan: &Plan) -> String {
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

/// What is to be done with a day: its actions, its rows.
fn what(day: &DayPlan) -> (String, &'static str) {
    let actions = match day.ingest {
        Some(reason) => format!("ingest ({})", reason.name()),
        None if day.held => "held".to_owned(),
        None => "none".to_owned(),
    };
    (actions, if day.produce { "produce" } else { "" })
}

fn sentence(summary: &BackfillSummary) -> String {
    let BackfillSummary { from, to, held, ingested, produced, .. } = summary;
    let actions: u64 = ingested.iter().map(|day| day.actions).sum();
    let mut parts = vec![format!(
        "backfilled {from}..{to}: ingested {} with {}, {} held already",
        counted(ingested.len() as u64, "day"),
        counted(actions, "action"),
        count(*held as u64),
    )];
    let set_aside: u64 =
        ingested.iter().map(|day| day.quarantined).chain(produced.iter().map(|day| day.quarantined)).sum();
    let late: u64 = ingested.iter().map(|day| day.late).sum();
    let early: u64 = ingested.iter().map(|day| day.early).sum();
    let ignored: u64 = ingested.iter().map(|day| day.ignored).sum();
    let odd =
        [(late, "late"), (early, "early"), (ignored, "rows ignored"), (set_aside, "rows set aside in the quarantine")];
    parts.extend(
        odd.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{} {what}", count(*number))),
    );
    if !produced.is_empty() {
        let rows: u64 = produced.iter().map(|day| day.rows).sum();
        let kept = produced.iter().filter(|day| day.kept).count();
        let written = produced.len() - kept;
        parts.push(format!(
            "produced {} with {}, {} current already",
            counted(written as u64, "day"),
            counted(rows, "row"),
            count(kept as u64)
        ));
    }
    parts.join("; ")
}
