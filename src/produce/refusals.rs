//! Refuses rows if the store lacks batches or actions that they depend on.

use crate::error::{Error, Result};
use crate::message::{Message, message};
use crate::model::{Day, name_days};
use crate::store::{Batches, outdated};

/// Fails, naming the days, if a batch is missing that the rows of `dt` depend on.
///
/// These are the batches from the store's first to the day before `dt`; or only to `known_as_of`, since later ones are
/// excluded on purpose.
pub fn refuse_gaps(batches: &Batches, dt: Day, known_as_of: Option<Day>) -> Result<()> {
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
pub fn refuse_outdated(batches: &Batches, dt: Day, known_as_of: Option<Day>) -> Result<()> {
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
pub fn refuse_pruned(horizon: Option<Day>, dt: Day, lookback_days: Option<u32>) -> Result<()> {
    let Some(horizon) = horizon else { return Ok(()) };
    if lookback_days.is_some_and(|days| dt.minus(days) >= horizon) {
        return Ok(());
    }
    let reach = i64::from(dt.number()) - i64::from(horizon.number());
    let narrower =
        if reach > 0 { message!["use ", LookbackDays, " {reach} or fewer, or "] } else { Message::default() };
    Err(Error::refused(
        format!("the rows of {dt} reach back beyond {horizon}, before which the store has been pruned"),
        message![{ narrower }, "accept shorter histories with ", AllowPruned],
    ))
}
