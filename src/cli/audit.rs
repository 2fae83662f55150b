//! `lookback audit`.

use super::args::{Audit, Audited};
use super::config;
use super::console::Console;
use super::text::{batches, count, counted};
use lookback::audit::{AuditOptions, AuditSummary, audit};
use lookback::error::Result;
use lookback::model::name_days;
use lookback::store::{Folder, Store};

pub(super) fn run(typed: &Audit, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let summary = audit(&store, &options_of(&typed.audited, console)?, console.progress())?;
    console.done(&summary, &sentence(&summary))
}

/// Returns the options of an audit.
pub(super) fn options_of(typed: &Audited, console: &Console) -> Result<AuditOptions> {
    Ok(AuditOptions::new(&typed.input, &typed.out, typed.dt)
        .sources(config::sources_of(&typed.input, &typed.config, console)?)
        .sample(typed.sample.map(|customers| customers.get() as usize))
        .seed(typed.seed)
        .resources(console.resources().clone()))
}

/// Says what was audited.
pub(super) fn sentence(summary: &AuditSummary) -> String {
    let AuditSummary { dt, cut_off, newest_action, not_used, .. } = summary;
    let mut parts = vec![format!(
        "audited {dt}: {} of {} of {}, {}, all as in the raw files of {}",
        count(summary.audited_rows),
        counted(summary.rows, "row"),
        counted(summary.audited_customers, "customer"),
        counted(summary.cells, "cell"),
        batches(summary.batches as u64),
    )];
    parts.push(match newest_action {
        Some(newest) => format!("newest action {newest}, before {cut_off}"),
        None => "none of them has a history".to_owned(),
    });
    if !not_used.is_empty() {
        parts.push(format!(
            "the store holds batches that these rows do not rest on ({}): `lookback stale` shows whether these would change the rows",
            name_days(not_used)
        ));
    }
    parts.join("; ")
}
