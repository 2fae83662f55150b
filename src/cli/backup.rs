//! `lookback backup` and `lookback restore`.

use serde::Serialize;

use super::args;
use super::console::Console;
use super::text::{self, counted, size};
use lookback::error::Result;
use lookback::store::{Backup, Backups, FORMAT_VERSION, Folder, Store};
use lookback::text::Shown;

#[derive(Serialize)]
struct BackupSummary {
    /// Number of the backup made.
    number: u32,
    files: u32,
    bytes: u64,
    /// Number of backups afterwards.
    backups: usize,
    /// Whether every file of the backup was read and compared with its checksum.
    checked: bool,
}

pub(super) fn backup(typed: &args::Backup, console: &Console) -> Result<()> {
    let store = Folder::with(&typed.store, console.resources());
    let mut backups = Backups::create(&typed.to, &store)?;
    console.progress().begin("copying", "", None);
    let made = backups.back_up(&store)?;
    if typed.check {
        backups.check(made.number, console.progress())?;
    }
    if let Some(keep) = typed.keep {
        backups.keep(keep.get() as usize)?;
    }
    let Backup { number, files, bytes } = made;
    let summary = BackupSummary { number, files, bytes, backups: backups.list().len(), checked: typed.check };
    let checked = if typed.check { "; every file of it matches its checksum" } else { "" };
    let sentence = format!(
        "made backup {} of {} and {}; {} there now{checked}",
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
    format_version: u8,
    /// The content of the store; unknown if the store must be migrated first.
    #[serde(flatten)]
    holds: Option<Held>,
}

#[derive(Serialize)]
struct Held {
    batches: usize,
    newest_batch: Option<String>,
    customers: u64,
}

pub(super) fn restore(typed: &args::Restore, console: &Console) -> Result<()> {
    let backups = Backups::open(&typed.from, console.resources())?;
    let number = match typed.number {
        Some(number) => number,
        None => backups.newest()?.number,
    };
    console.progress().begin("copying", "", None);
    let folder = Folder::with(&typed.store, console.resources());
    let format_version = backups.restore(number, &folder)?;
    let holds = if format_version == FORMAT_VERSION { Some(held(&Store::open_reader(&folder)?)?) } else { None };
    let content = match &holds {
        Some(Held { batches, newest_batch, customers }) => format!(
            "{}, the newest {}, of {}",
            text::batches(*batches as u64),
            newest_batch.as_deref().unwrap_or("none"),
            counted(*customers, "customer"),
        ),
        None => format!(
            "a store of format version {format_version}, to be migrated with `lookback migrate --store {}`",
            typed.store.shown()
        ),
    };
    let sentence = format!("restored backup {number}: {content}; every file matches its checksum");
    console.done(&RestoreSummary { number, format_version, holds }, &sentence)
}

fn held(store: &Store) -> Result<Held> {
    let batches = store.batches()?;
    Ok(Held {
        batches: batches.len(),
        newest_batch: batches.newest(None).map(|day| day.to_string()),
        customers: store.totals()?.customers,
    })
}
