//! `lookback migrate`.

use super::args::Migrate;
use super::console::Console;
use crate::error::Result;
use crate::migrations::{MigrationSummary, Registry};
use crate::store::Folder;

pub(super) fn run(typed: &Migrate, console: &Console) -> Result<()> {
    let summary = Registry::current().migrate(&Folder::new(&typed.store), typed.dry_run, console.progress())?;
    let MigrationSummary { from, to, steps, dry_run } = &summary;
    let named = steps.join("; ");
    let sentence = match (from == to, dry_run) {
        (true, _) => format!("the store has format version {to}, the newest that this program knows; nothing to do"),
        (false, true) => format!("would migrate the store from format version {from} to {to} ({named})"),
        (false, false) => format!("migrated the store from format version {from} to {to} ({named})"),
    };
    console.done(&summary, &sentence)
}
