//! `lookback report`.

use super::args::Report;
use super::console::Console;
use super::text::{counted, size};
use lookback::error::Result;
use lookback::model::name_days;
use lookback::report::{ReportOptions, ReportSummary, report};
use lookback::store::{Folder, Store};

pub(super) fn run(typed: &Report, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let options = ReportOptions::new(&typed.html).out(typed.out.clone()).title(typed.title.clone());
    let summary = report(&store, &options, console.progress())?;
    console.done(&summary, &sentence(&summary))
}

fn sentence(summary: &ReportSummary) -> String {
    let ReportSummary { html, html_bytes, batches, gaps, partitions, marked } = summary;
    let batches = if *batches == 1 { "1 batch".to_owned() } else { format!("{batches} batches") };
    let partitions = partitions.as_ref().map(|all| format!(" and {}", counted(all.len() as u64, "partition")));
    let gaps = if gaps.is_empty() { String::new() } else { format!("; missing: {}", name_days(gaps)) };
    let marks = match marked.len() {
        0 => "no marks".to_owned(),
        number => counted(number as u64, "mark"),
    };
    let days: Vec<String> = marked.iter().take(3).map(|mark| format!("{} {}", mark.dt, mark.figure)).collect();
    let which = if days.is_empty() {
        String::new()
    } else {
        format!(" ({}{})", days.join(", "), if marked.len() > 3 { ", …" } else { "" })
    };
    format!("wrote {html} ({}) of {batches}{}{gaps}; {marks}{which}", size(*html_bytes), partitions.unwrap_or_default())
}
