//! `lookback backup` and `lookback restore`.

use serde::Serialize;

use super::args;
use super::console::Console;
use super::text::{self, counted, size};
use crate::error::Result;
use crate::store::{Backups, Folder};

#[derive(Serialize)]
struct BackupSummary {
    /// Number of the backup made.
    number: u32,
    files: u32,
    bytes: u64,
    /// How many backups there are afterwards.
    backups: usize,
}

pub(super) fn backup(typed: &args::Backup, console: &Console) -> Result<()> {
    let mut backups = Backups::open(&typed.to, true)?;
    console.progress().begin("copying", "", None);
    let made = backups.back_up(&Folder::new(&typed.store))?;
    if let Some(keep) = typed.keep {
        backups.keep(usize::try_from(keep.get()).unwrap_or(usize::MAX))?;
    }
    let summary =
        BackupSummary { number: made.number, files: made.files, bytes: made.bytes, backups: backups.list().len() };
    let sentence = format!(
        "made backup {} of {} and {}; {} there now",
        made.number,
        counted(u64::from(made.files), "file"),
        size(made.bytes),
        counted(summary.backups as u64, "backup"),
    );
    console.done(&summary, &sentence)
}

#[derive(Serialize)]
struct RestoreSummary {
    /// Number of the backup restored.
    number: u32,
    batches: usize,
    newest_batch: Option<String>,
    customers: u64,
}

pub(super) fn restore(typed: &args::Restore, console: &Console) -> Result<()> {
    let backups = Backups::open(&typed.from, false)?;
    let number = match typed.number {
        Some(number) => number,
        None => backups.newest()?.number,
    };
    console.progress().begin("copying", "", None);
    let store = backups.restore(number, &Folder::new(&typed.store))?;
    let batches = store.batches()?;
    let summary = RestoreSummary {
        number,
        batches: batches.len(),
        newest_batch: batches.newest(None).map(|day| day.to_string()),
        customers: store.totals()?.customers,
    };
    let sentence = format!(
        "restored backup {number}: {}, the newest {}, of {}; every file agrees with its checksum",
        text::batches(summary.batches as u64),
        summary.newest_batch.as_deref().unwrap_or("none"),
        counted(summary.customers, "customer"),
    );
    console.done(&summary, &sentence)
}
