//! `lookback verify`.

use serde::Serialize;

use super::args::Verify;
use super::console::Console;
use super::text::{self, count, counted, size};
use crate::error::Result;
use crate::store::{Folder, Store};
use crate::verify::{Checked, Fault, VerifySummary, verify};

/// The most faults that the JSON summary lists, so that it can be read; behind them there is a count.
const LISTED_MAX: usize = 1_000;

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    summary: &'a VerifySummary,
    /// The first faults.
    listed: Vec<Fault>,
    /// How many more there are.
    not_listed: u64,
}

pub(super) fn run(typed: &Verify, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::new(&typed.store))?;
    let (mut listed, mut not_listed) = (Vec::new(), 0);
    let summary = verify(&store, typed.deep, console.progress(), &mut |fault| {
        if !console.is_json() {
            return console.result_line(&fault.to_string());
        }
        if listed.len() < LISTED_MAX {
            listed.push(fault.clone());
        } else {
            not_listed += 1;
        }
        Ok(())
    })?;
    let listed = Listed { summary: &summary, listed, not_listed };
    let Some(failure) = summary.failure() else { return console.done(&listed, &sentence(&summary)) };
    console.found(&listed)?;
    Err(failure)
}

fn sentence(summary: &VerifySummary) -> String {
    let Checked { keys, bytes, batches, customers, portions, actions, keyframes, index_leaves, roster_leaves } =
        summary.checked;
    let content = if summary.deep { " with their content" } else { "" };
    format!(
        "verified {}: {} ({}), no fault; {} of {} in {} of {}, {}{content}, {} of the index, {} of the roster",
        summary.store,
        counted(keys, "key"),
        size(bytes),
        counted(actions, "action"),
        counted(customers, "customer"),
        counted(portions, "portion"),
        text::batches(batches),
        counted(keyframes, "keyframe"),
        leaves(index_leaves),
        leaves(roster_leaves),
    )
}

fn leaves(number: u64) -> String {
    if number == 1 { "1 leaf".to_owned() } else { format!("{} leaves", count(number)) }
}
