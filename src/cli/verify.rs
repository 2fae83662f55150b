//! `lookback verify`.

use std::path::Path;

use serde::Serialize;

use super::args::Verify;
use super::console::Console;
use super::text::{self, count, counted, size};
use super::words::typed;
use lookback::error::Result;
use lookback::exact::Held;
use lookback::store::{CheckedBackups, Folder, Store, UrlBackups, check_backups};
use lookback::text::{Shown as _, is_url};
use lookback::verify::{Checked, ShownFault, VerifySummary, verify};

/// The most faults that the JSON summary lists, to keep it readable; a count of the others follows.
const LISTED_MAX: usize = 1_000;

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    summary: &'a VerifySummary,
    /// The first faults.
    listed: Vec<ShownFault>,
    /// The number of further faults.
    not_listed: u64,
}

#[derive(Serialize)]
struct CheckedBackup<'a> {
    /// The folder or URL of the backups.
    backup: String,
    #[serde(flatten)]
    checked: &'a CheckedBackups,
}

pub(super) fn run(asked: &Verify, console: &Console) -> Result<()> {
    match (&asked.store, &asked.backup) {
        (Some(store), _) => of_store(store, asked.deep, console),
        (None, Some(backup)) => of_backups(backup, asked.number, console),
        (None, None) => None.held("the command line requires one of the two"),
    }
}

fn of_backups(folder: &Path, number: Option<u32>, console: &Console) -> Result<()> {
    let checked = if is_url(folder.as_os_str()) {
        UrlBackups::connect(folder, console.resources())?.check(number, console.progress())?
    } else {
        check_backups(folder, number, console.resources().cancel(), console.progress())?
    };
    let CheckedBackups { backups, files, bytes } = checked;
    let summary = CheckedBackup { backup: folder.plain(), checked: &checked };
    let which = number.map_or_else(|| counted(backups as u64, "backup"), |number| format!("backup {number}"));
    let files = counted(files as u64, "file");
    let sentence =
        format!("verified {}: {which} of {files} and {}; every file matches its checksum", summary.backup, size(bytes));
    console.done(&summary, &sentence)
}

fn of_store(folder: &Path, deep: bool, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(folder, console.resources()))?;
    let (mut listed, mut not_listed) = (Vec::new(), 0);
    let summary = verify(&store, deep, console.progress(), &mut |fault| {
        if !console.is_json() {
            return console.result_line(&typed(&fault.said()));
        }
        if listed.len() < LISTED_MAX {
            let shown = fault.shown();
            listed.push(ShownFault { remedy: typed(&shown.remedy).into(), ..shown });
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
    let Checked { keys, bytes, batches, customers, deltas, actions, keyframes, index_leaves, customer_index_leaves } =
        summary.checked;
    let content = if summary.deep { " with their content" } else { "" };
    format!(
        "verified {}: {} ({}), no fault; {} of {} in {} of {}, {}{content}, {} of the index, {} of the customer index",
        summary.store,
        counted(keys, "key"),
        size(bytes),
        counted(actions, "action"),
        counted(customers, "customer"),
        counted(deltas, "delta"),
        text::batches(batches),
        counted(keyframes, "keyframe"),
        leaves(index_leaves),
        leaves(customer_index_leaves),
    )
}

fn leaves(number: u64) -> String {
    if number == 1 { "1 leaf".to_owned() } else { format!("{} leaves", count(number)) }
}
