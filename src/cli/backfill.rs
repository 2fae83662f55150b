//! `lookback backfill`.

use super::args::Backfill;
use super::console::Console;
use super::table::table;
use super::text::{count, counted, odd};
use crate::backfill::{BackfillOptions, BackfillSummary, Plan, backfill};
use crate::error::Result;
use crate::ingest::IngestSummary;
use crate::produce::ProduceSummary;
use crate::store::Folder;

pub(super) fn run(typed: &Backfill, console: &Console) -> Result<()> {
    let rows = &typed.rows;
    let options = BackfillOptions {
        input: &typed.input,
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
    let actions = summary.ingested.iter().map(|day| day.actions).sum();
    let rows = summary.produced.iter().map(|day| day.rows).sum();
    console.done_at(&summary, &format!("{}{stale}", sentence(&summary)), &[(actions, "actions"), (rows, "rows")])
}

fn plan_table(plan: &Plan) -> String {
    let rows: Vec<Vec<String>> = plan
        .days
        .iter()
        .map(|day| {
            let actions = match day.ingest {
                Some(reason) => format!("ingest ({})", reason.name()),
                None if day.held => "held".to_owned(),
                None => "none".to_owned(),
            };
            vec![day.day.to_string(), actions, if day.produce { "produce".to_owned() } else { String::new() }]
        })
        .collect();
    table(&["day", "actions", "rows"], &[false; 3], &rows)
}

fn sentence(summary: &BackfillSummary) -> String {
    let BackfillSummary { from, to, held, ingested, produced, .. } = summary;
    let taken = |field: fn(&IngestSummary) -> u64| ingested.iter().map(field).sum::<u64>();
    let made = |field: fn(&ProduceSummary) -> u64| produced.iter().map(field).sum::<u64>();
    let mut sentence = format!(
        "backfilled {from}..{to}: ingested {} with {}, {} held already",
        counted(ingested.len() as u64, "day"),
        counted(taken(|day| day.actions), "action"),
        count(*held as u64),
    );
    sentence += &odd(&[
        (taken(|day| day.new_customers), "new customers"),
        (taken(|day| day.late), "late"),
        (taken(|day| day.early), "early"),
        (taken(|day| day.duplicates), "duplicates (kept)"),
        (taken(|day| day.quarantined) + made(|day| day.quarantined), "rows set aside in the quarantine"),
        (taken(|day| day.forgotten), "left out (of forgotten customers)"),
        (taken(|day| day.pruned), "left out (from before the store's horizon)"),
    ]);
    if !produced.is_empty() {
        let kept = produced.iter().filter(|day| day.kept).count();
        let written = produced.len() - kept;
        sentence += &format!(
            "; produced {} with {}, {} current already",
            counted(written as u64, "day"),
            counted(made(|day| day.rows), "row"),
            count(kept as u64)
        );
        sentence += &odd(&[
            (made(|day| day.rows_without_history), "rows without history"),
            (made(|day| day.empty_impressions), "impressions with an empty list"),
            (made(|day| day.duplicates), "impressions equal to another (kept)"),
            (made(|day| day.forgotten), "impressions of forgotten customers left out"),
        ]);
    }
    sentence
}
