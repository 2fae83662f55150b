//! Refuses rows if the store lacks batches or actions that they depend on.

use super::batches::Batches;
use super::handle::Store;
use super::offered_rules::outdated;
use super::purge::beyond_horizon;
use crate::error::{Error, Result};
use crate::message::{Message, message};
use crate::model::{Day, name_days};
use crate::progress::Progress;

impl Store {
    /// Fails, naming the days, if rows of `dt` depend on batches that the store lacks or has by outdated time zone
    /// rules (unless `allow_gaps`), or on pruned actions (unless `allow_pruned`); and if their days begin at other
    /// times by newer rules. `batches` are those of the store.
    pub(crate) fn refuse_incomplete(
        &self,
        batches: &Batches,
        dt: Day,
        (lookback_days, known_as_of): (Option<u32>, Option<Day>),
        (allow_gaps, allow_pruned): (bool, bool),
        progress: &dyn Progress,
    ) -> Result<()> {
        if !allow_gaps {
            refuse_gaps(batches, dt, known_as_of)?;
            refuse_outdated(batches, dt, known_as_of)?;
        }
        let first = lookback_days.map(|days| dt.minus(days));
        let begin: Vec<Day> = first.into_iter().chain([dt]).collect();
        self.refuse_other_start(self.newer_rules(progress).as_ref(), &begin)?;
        if allow_pruned { Ok(()) } else { refuse_pruned(self.horizon()?, dt, lookback_days) }
    }
}

/// Fails, naming the days, if a batch is missing that the rows of `dt` depend on.
///
/// These are the batches from the store's first to the day before `dt`; or only to `known_as_of`, since later ones are
/// excluded on purpose.
fn refuse_gaps(batches: &Batches, dt: Day, known_as_of: Option<Day>) -> Result<()> {
    if batches.is_empty() {
        return Err(Error::refused(
            "the store holds no batch".to_owned(),
            message!["ingest the earlier days first, or produce rows without any history with ", AllowGaps],
        ));
    }
    let through = dt.previous().map(|before| known_as_of.map_or(before, |known| before.min(known)));
    let missing = through.map_or_else(Vec::new, |through| batches.missing(through));
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::refused(
        format!("the rows of {dt} rest on batches that the store does not hold: {}", name_days(&missing)),
        message!["ingest them, or continue without them with ", AllowGaps],
    ))
}

/// Fails, naming the days, if the rows of `dt` depend on batches that have to be ingested again because the store has
/// adopted newer time zone rules.
fn refuse_outdated(batches: &Batches, dt: Day, known_as_of: Option<Day>) -> Result<()> {
    let outdated = outdated(batches.iter().filter(|(day, _)| known_as_of.is_none_or(|known| *day <= known)));
    if outdated.is_empty() {
        return Ok(());
    }
    Err(Error::refused(
        format!(
            "the rows of {dt} rest on batches that were ingested by older rules of the time zone: {}",
            name_days(&outdated)
        ),
        message!["ingest them again, as ", [Backfill], " does, or accept their times as they are with ", AllowGaps],
    ))
}

/// Fails if rows of `dt` need actions from before the store's horizon, which have been pruned.
pub(crate) fn refuse_pruned(horizon: Option<Day>, dt: Day, lookback_days: Option<u32>) -> Result<()> {
    let Some(horizon) = beyond_horizon(horizon, dt, lookback_days) else { return Ok(()) };
    let reach = i64::from(dt.number()) - i64::from(horizon.number());
    let narrower =
        if reach > 0 { message!["use ", LookbackDays, " {reach} or fewer, or "] } else { Message::default() };
    Err(Error::refused(
        format!("the rows of {dt} reach back beyond {horizon}, before which the store has been pruned"),
        message![{ narrower }, "accept shorter histories with ", AllowPruned],
    ))
}
