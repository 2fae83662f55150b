//! `lookback migrate`.

use serde::Serialize;

use super::args::Migrate;
use super::console::Console;
use super::text::counted;
use lookback::error::Result;
use lookback::migrations::{MigrationSummary, Registry};
use lookback::model::name_days;
use lookback::rezone::{TakenRules, take_rules};
use lookback::store::{Folder, Store};

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    format: MigrationSummary,
    /// The time zone rules that were taken; `null` if none were.
    zone_rules: Option<TakenRules>,
}

pub(super) fn run(typed: &Migrate, console: &Console) -> Result<()> {
    let (folder, progress) = (Folder::with(&typed.store, console.resources()), console.progress());
    let format = Registry::current().migrate(&folder, typed.dry_run, progress)?;
    // A dry run cannot open a store of an older format to look at its rules.
    let is_current = format.steps.is_empty() || !typed.dry_run;
    let zone_rules =
        if typed.take_zone_rules && is_current { take_rules(&folder, typed.dry_run, progress)? } else { None };
    if !typed.take_zone_rules && !typed.dry_run {
        Store::open_writer(&folder)?.adopt_rules(progress)?;
    }
    let summary = Summary { format, zone_rules };
    let mut sentence = format_sentence(&summary.format);
    if let Some(taken) = &summary.zone_rules {
        let before = if summary.format.steps.is_empty() { String::new() } else { sentence + "; " };
        sentence = before + &rules_sentence(taken, typed.dry_run);
    } else if typed.take_zone_rules && is_current {
        sentence += "; the store already has this machine's rules of its time zone";
    } else if typed.take_zone_rules {
        sentence += "; run this again after the migration to see what newer rules of the time zone would change";
    }
    console.done(&summary, &sentence)
}

fn format_sentence(summary: &MigrationSummary) -> String {
    let MigrationSummary { from, to, steps, dry_run } = summary;
    let named = steps.join("; ");
    match (from == to, dry_run) {
        (true, _) => format!("the store has format version {to}, the newest that this program knows; nothing to do"),
        (false, true) => format!("would migrate the store from format version {from} to {to} ({named})"),
        (false, false) => format!("migrated the store from format version {from} to {to} ({named})"),
    }
}

fn rules_sentence(taken: &TakenRules, dry_run: bool) -> String {
    let TakenRules { time_zone, from, to, source, moved_days, moved_actions, to_ingest } = taken;
    let edition = |version: &Option<String>| version.as_ref().map_or("an unknown version", String::as_str).to_owned();
    let days = if moved_days.is_empty() { "no day".to_owned() } else { name_days(moved_days) };
    let mut sentence = format!(
        "{} the rules of {time_zone} in tzdata {} of {source}, replacing {}: they move {days}, and put {} on another day",
        if dry_run { "would take" } else { "took" },
        edition(to),
        edition(from),
        counted(*moved_actions, "action"),
    );
    if !to_ingest.is_empty() {
        sentence += &format!("; ingest these batches again, as `lookback backfill` does: {}", name_days(to_ingest));
    }
    sentence
}
