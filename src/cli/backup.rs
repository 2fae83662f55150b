//! `lookback backup` and `lookback restore`.

use std::time::Duration;

use serde::Serialize;

use super::args;
use super::console::Console;
use super::text::{self, counted, size};
use lookback::error::{Error, Result};
use lookback::exact::Held as _;
use lookback::store::{Backup, Backups, FORMAT_VERSION, Folder, MadeAtUrl, Retention, Store, UrlBackups};
use lookback::text::{Shown, is_url};

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
    /// What was copied and removed, at a URL.
    #[serde(flatten)]
    at_url: Option<AtUrl>,
}

#[derive(Serialize)]
struct AtUrl {
    uploaded_files: usize,
    uploaded_bytes: u64,
    removed_files: usize,
    removed_bytes: u64,
}

/// How old files at a URL must be before they are removed.
const GRACE: Duration = Duration::from_secs(24 * 3_600);

pub(super) fn backup(typed: &args::Backup, console: &Console) -> Result<()> {
    let store = Folder::with(&typed.store, console.resources());
    if is_url(typed.to.as_os_str()) {
        return backup_at_url(typed, &store, console);
    }
    if typed.grace.is_some() {
        return Err(Error::usage(
            "--grace is for backups at a URL: in a folder nothing needs it",
            "leave it out, or name a URL with --to",
        ));
    }
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
    let summary =
        BackupSummary { number, files, bytes, backups: backups.list().len(), checked: typed.check, at_url: None };
    console.done(&summary, &sentence_of(&summary))
}

fn backup_at_url(typed: &args::Backup, store: &Folder, console: &Console) -> Result<()> {
    let backups = UrlBackups::connect(&typed.to, console.resources())?;
    let grace = typed.grace.unwrap_or(GRACE);
    let retention = typed.keep.map(|keep| Retention { keep: keep.get() as usize, grace });
    let made = backups.back_up(store, retention, typed.check, console.progress())?;
    let MadeAtUrl { number, files, bytes, backups, .. } = made;
    let MadeAtUrl { uploaded_files, uploaded_bytes, removed_files, removed_bytes, .. } = made;
    let at_url = Some(AtUrl { uploaded_files, uploaded_bytes, removed_files, removed_bytes });
    let files = u32::try_from(files).held("a store has fewer files")?;
    let summary = BackupSummary { number, files, bytes, backups, checked: typed.check, at_url };
    console.done(&summary, &sentence_of(&summary))
}

fn sentence_of(summary: &BackupSummary) -> String {
    let BackupSummary { number, files, bytes, backups, checked, at_url } = summary;
    let copied = at_url.as_ref().map_or_else(String::new, |at_url| {
        let AtUrl { uploaded_bytes, removed_files, removed_bytes, .. } = at_url;
        let removed = match removed_files {
            0 => String::new(),
            files => format!(", {} of {} removed", counted(*files as u64, "old file"), size(*removed_bytes)),
        };
        format!(", {} of them new{removed}", size(*uploaded_bytes))
    });
    format!(
        "made backup {number} of {} and {}{copied}; {} there now{}",
        counted(u64::from(*files), "file"),
        size(*bytes),
        counted(*backups as u64, "backup"),
        if *checked { "; every file of it matches its checksum" } else { "" },
    )
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
    let folder = Folder::with(&typed.store, console.resources());
    let (number, format_version) = if is_url(typed.from.as_os_str()) {
        UrlBackups::connect(&typed.from, console.resources())?.restore(typed.number, &folder, console.progress())?
    } else {
        let backups = Backups::open(&typed.from, console.resources())?;
        let number = match typed.number {
            Some(number) => number,
            None => backups.newest()?.number,
        };
        console.progress().begin("copying", "", None);
        (number, backups.restore(number, &folder)?)
    };
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
