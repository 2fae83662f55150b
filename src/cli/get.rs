//! `lookback get`.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::args::{Format, Get};
use super::console::{Console, stdout};
use super::customer_ids::CustomerIds;
use super::ids::{customer, text_of};
use super::text::{count, counted};
use lookback::error::{Error, Result};
use lookback::histories::{AskedCustomer, GetSummary, get};
use lookback::model::IdForm;
use lookback::output::{HistoryFormat, HistoryTarget};
use lookback::store::{Folder, Store};

pub(super) fn run(typed: &Get, console: &Console) -> Result<()> {
    let format = typed.format.map_or_else(|| by_ending(typed.out.as_deref()), HistoryFormat::from);
    if typed.out.is_none() && console.is_json() {
        return Err(Error::usage(
            "--json prints the summary on stdout, where the histories go",
            "write the histories to a file with --out",
        ));
    }
    if typed.out.is_none() && format != HistoryFormat::JsonLines && io::stdout().is_terminal() {
        return Err(Error::usage(
            "this format is binary and stdout is a terminal",
            "name a file with --out, pipe the output to a program, or use --format jsonl",
        ));
    }
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let question = typed.history.question(typed.dt).allow_gaps(typed.allow_gaps).allow_pruned(typed.allow_pruned);
    let cancel = console.resources().cancel();
    let ids = store.settings().ids;
    let remedy = match ids.customer {
        IdForm::Integer => "give one integer a line",
        IdForm::Text => "give one id a line, of at most 4 kB",
    };
    let ids_of = |path| CustomerIds::open(path, ids.customer, remedy, cancel);
    let listed = typed.customers.as_deref().map(ids_of).transpose()?;
    let named = typed.customer.iter().map(|typed| {
        let text = text_of(typed, ids.customer).map(Into::into);
        Ok(AskedCustomer { customer: customer(typed, ids)?, text })
    });
    // Fails on what is no id before anything is written.
    let named = named.collect::<Result<Vec<_>>>()?.into_iter().map(Ok);
    let customers = named.chain(listed.into_iter().flatten());
    let target = match &typed.out {
        Some(path) => HistoryTarget::File(path.clone()),
        None => HistoryTarget::Stream(Box::new(stdout(cancel)?)),
    };
    let summary = get(&store, &question, customers, (target, format), console.progress());
    // A write that waits for its reader cannot report the request to stop.
    let summary = summary.map_err(|error| cancel.check().err().unwrap_or(error))?;
    console.done_reading(&summary, &sentence(&summary), &[], store.read_through_rocksdb())
}

/// Returns the format by the ending of a file name; JSON lines if there is no known ending.
fn by_ending(out: Option<&Path>) -> HistoryFormat {
    match out.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("arrow" | "arrows" | "ipc") => HistoryFormat::Arrow,
        Some("parquet" | "pq") => HistoryFormat::Parquet,
        _ => HistoryFormat::JsonLines,
    }
}

fn sentence(summary: &GetSummary) -> String {
    let GetSummary { dt, cut_off, customers, without_history, forgotten, repeated, actions, .. } = summary;
    let histories = if *customers == 1 { "1 history".to_owned() } else { format!("{} histories", count(*customers)) };
    let mut parts = vec![format!(
        "got {histories} as of {dt} ({} empty) with {}; all before {cut_off}",
        count(*without_history),
        counted(*actions, "action"),
    )];
    if *repeated > 0 {
        parts.push(format!("{} given more than once", counted(*repeated, "id")));
    }
    if *forgotten > 0 {
        parts.push(format!("{} left out (forgotten)", counted(*forgotten, "customer")));
    }
    if !summary.complete {
        parts.push("the reader stopped before the end".to_owned());
    }
    parts.join("; ")
}

impl From<Format> for HistoryFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Arrow => HistoryFormat::Arrow,
            Format::Parquet => HistoryFormat::Parquet,
            Format::Jsonl => HistoryFormat::JsonLines,
        }
    }
}
