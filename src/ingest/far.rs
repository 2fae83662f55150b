//! Refuses batches whose actions are far from the batch day, mostly because of a wrong time unit.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::input::SourceFile;
use crate::message::message;
use crate::model::{Day, Zone};
use crate::sources::TimeUnit;
use crate::text::{Shown, count};

/// More than ten years.
const FAR_DAYS: u32 = 3_653;

/// The counts of one file's rows that are far from the batch day.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Far {
    /// Actions.
    actions: u64,
    /// Time of the first far action, in microseconds.
    first_us: Option<i64>,
    /// Bad rows whose times are outside the supported years.
    pub outside: u64,
}

impl Far {
    /// Counts an action if it is far from the batch day.
    pub(super) fn add(&mut self, day: Day, time_us: i64, dt: Day) {
        if day.number().abs_diff(dt.number()) > FAR_DAYS {
            self.actions += 1;
            self.first_us.get_or_insert(time_us);
        }
    }
}

/// How many rows of a batch, or of a shard's part of it, are far from the batch day: actions, and bad rows with times
/// outside the supported years.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct FarActions {
    far: u64,
    all: u64,
    /// One of them, in words.
    example: Option<String>,
}

impl FarActions {
    /// Counts those of some files, which have so many `actions`.
    pub(super) fn of<'a>(
        dt: Day,
        actions: u64,
        files: impl Iterator<Item = (&'a SourceFile<'a>, &'a Far)>,
        zone: &Zone,
    ) -> Self {
        let mut counted = FarActions { far: 0, all: actions, example: None };
        for ((source, file), of_file) in files {
            counted.far += of_file.actions + of_file.outside;
            counted.all += of_file.outside;
            if let (Some(time_us), None) = (of_file.first_us, &counted.example) {
                let unit = likely_unit(time_us, source.time_unit, dt);
                let example = format!(", such as one of {} in {}{unit}", zone.display(time_us), file.path.shown());
                counted.example = Some(example);
            }
        }
        counted
    }

    /// Adds those of another shard.
    pub(crate) fn add(&mut self, other: FarActions) {
        self.far += other.far;
        self.all += other.all;
        self.example = self.example.take().or(other.example);
    }

    /// Fails if they are more than half of all.
    pub(crate) fn refuse_most(&self, dt: Day) -> Result<()> {
        let FarActions { far, all, example } = self;
        if far.saturating_mul(2) <= *all {
            return Ok(());
        }
        let no_example = ", beyond the year 2261: their unit may be finer than the one they are read in";
        let example = example.as_deref().unwrap_or(no_example);
        Err(Error::input(
            format!("{} of the {} actions of {dt} lie over ten years from that day{example}", count(*far), count(*all)),
            message![
                "correct the unit (time_unit in lookback.toml, or the type of the column) or the times; or accept \
                 them with ",
                AllowFarDay
            ],
        ))
    }
}

/// Returns the likely unit of a batch's times, as the end of a sentence; empty if no other unit brings `time_us` near
/// the batch day.
fn likely_unit(time_us: i64, read_as: Option<TimeUnit>, dt: Day) -> String {
    let units = TimeUnit::ALL;
    let near = |factor: i64| {
        let day = i32::try_from(time_us.checked_mul(factor)?.div_euclid(86_400_000_000)).ok()?;
        Some(day.abs_diff(dt.number()) <= FAR_DAYS)
    };
    let factors = [(1, 1_000), (2, 1_000_000), (3, 1_000_000_000)];
    let Some((steps, factor)) = factors.into_iter().find(|(_, factor)| near(*factor) == Some(true)) else {
        return String::new();
    };
    // The units are ordered from coarse to fine: a time that was read as too small is in a coarser unit.
    let place = read_as.and_then(|read_as| units.iter().position(|unit| *unit == read_as));
    match place.and_then(|place| Some((units.get(place)?, units.get(place.checked_sub(steps)?)?))) {
        Some((read, likely)) => {
            format!(": its unit is likely {}, but it is read as {}", likely.name(), read.name())
        }
        None => {
            format!(": its unit is likely {} times as large as the one it is read in", count(factor.unsigned_abs()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_that_puts_a_time_near_its_day_is_likely() {
        let dt: Day = "2026-01-02".parse().unwrap();
        let second = 1_767_323_045_i64;
        let likely = |time_us: i64, unit: Option<TimeUnit>| likely_unit(time_us, unit, dt);
        let [s, ms, us, ns] = TimeUnit::ALL;
        assert_eq!(likely(second * 1_000, Some(ms)), ": its unit is likely s, but it is read as ms");
        assert_eq!(likely(second, Some(us)), ": its unit is likely s, but it is read as us");
        assert_eq!(likely(second * 1_000, Some(us)), ": its unit is likely ms, but it is read as us");
        assert_eq!(likely(second * 1_000, Some(ns)), ": its unit is likely us, but it is read as ns");
        assert_eq!(likely(second * 1_000, None), ": its unit is likely 1,000 times as large as the one it is read in");
        assert_eq!(
            likely(second * 1_000, Some(s)),
            ": its unit is likely 1,000 times as large as the one it is read in"
        );
        assert_eq!(likely(0, Some(ms)), "");
        assert_eq!(likely(second * 1_000_000 / 3, None), "");
    }
}
