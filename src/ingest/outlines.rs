//! Compares a batch with those of the store: whether its day, its sources and its figures are like theirs.
//!
//! A mistyped day or a missing source shows in no single file and would go unnoticed; so both are refused here, unless
//! an option allows them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::format::BatchRecord;
use crate::message::message;
use crate::model::{Anomaly, DAYS_BEFORE, Day, anomaly, name_days};
use crate::store::{Batch, Batches};
use crate::text::count;

/// More than ten years: a batch day further than this from another is far from it.
const FAR_DAYS: u32 = 3_653;

/// The check of sources needs at least this many earlier batches.
const BATCHES_BEFORE_MIN: usize = 3;

/// Outlines of batches by day. Memory: some 100 bytes for each batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outlines(BTreeMap<Day, Outline>);

/// The outline of one batch.
#[derive(Clone, Debug, Default)]
struct Outline {
    /// The sources that it has files of.
    sources: BTreeSet<String>,
    files: u64,
    actions: u64,
}

/// A figure of a batch that is far from those of the seven batches before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unlike {
    /// Which figure: `actions` or `files`.
    pub figure: &'static str,
    /// Its value.
    pub value: u64,
    /// The median of the seven batches before.
    pub median: u64,
    /// The finding in words.
    pub text: String,
}

impl Outlines {
    /// Returns the outlines of the batches that a store holds.
    pub(crate) fn of(batches: &Batches) -> Self {
        Outlines(batches.iter().map(|(day, batch)| (day, Outline::of_held(batch))).collect())
    }

    /// Returns outlines of batches of which only the actions are known.
    pub(crate) fn of_actions(batches: impl Iterator<Item = (Day, u64)>) -> Self {
        Outlines(batches.map(|(day, actions)| (day, Outline { actions, ..Outline::default() })).collect())
    }

    /// Adds a batch, replacing its earlier version.
    pub(super) fn hold(&mut self, day: Day, record: &BatchRecord) {
        self.0.insert(day, Outline::of(record));
    }

    /// Adds a batch that is still to be read, of which only the sources of its files are known.
    pub(crate) fn expect<'a>(&mut self, day: Day, sources: impl Iterator<Item = &'a str>) {
        let sources = sources.map(str::to_owned).collect();
        self.0.insert(day, Outline { sources, ..Outline::default() });
    }

    /// Fails if one of the ascending `days` is far from every other batch, or is later than tomorrow, if `today` is
    /// known.
    pub(crate) fn refuse_far_days(&self, days: &[Day], today: Option<Day>) -> Result<()> {
        let of = |days: Vec<Day>| if days.is_empty() { None } else { Some(name_days(&days)) };
        if let Some(today) = today {
            let is_late = |day: &&Day| day.previous() > Some(today);
            if let Some(late) = of(days.iter().filter(is_late).copied().collect()) {
                return Err(Error::refused(
                    format!("a batch day is later than tomorrow (by the clock today is {today}): {late}"),
                    message!["check the day, or accept it with ", AllowFarDay],
                ));
            }
        }
        let far: Vec<(Day, Day)> = days.iter().filter_map(|day| Some((*day, self.nearest(*day)?))).collect();
        let Some((_, nearest)) = far.iter().copied().find(|(day, nearest)| distance(*day, *nearest) > FAR_DAYS) else {
            return Ok(());
        };
        let is_far = |(day, nearest): &(Day, Day)| distance(*day, *nearest) > FAR_DAYS;
        let far = name_days(&far.iter().filter(|one| is_far(one)).map(|(day, _)| *day).collect::<Vec<_>>());
        Err(Error::refused(
            format!("a batch day is over ten years from every other batch (the nearest is {nearest}): {far}"),
            message![
                "check the day, or accept it with ",
                AllowFarDay,
                "; if the batch in the store is the wrong one, remove it with ",
                [Remove]
            ],
        ))
    }

    /// Returns the day of the batch nearest to `day`, other than that of `day` itself.
    fn nearest(&self, day: Day) -> Option<Day> {
        let before = self.0.range(..day).next_back();
        let after = day.next().and_then(|next| self.0.range(next..).next());
        before.into_iter().chain(after).map(|(other, _)| *other).min_by_key(|other| distance(day, *other))
    }

    /// Fails if a batch lacks files of a source that all recent batches have files of: the seven batches before it, or
    /// as many as exist, at least three. `batches` has the sources with files, days ascending; a batch without any file
    /// is skipped.
    pub(crate) fn refuse_missing_sources(&self, batches: &[(Day, BTreeSet<&str>)]) -> Result<()> {
        let mut missing: BTreeMap<String, Vec<Day>> = BTreeMap::new();
        for (day, sources) in batches.iter().filter(|(_, sources)| !sources.is_empty()) {
            for source in self.expected_on(*day).into_iter().filter(|source| !sources.contains(source.as_str())) {
                missing.entry(source).or_default().push(*day);
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(missing_sources(&missing)) }
    }

    /// Returns the sources that all recent batches before a day have files of.
    pub(super) fn expected_on(&self, day: Day) -> BTreeSet<String> {
        let before: Vec<&Outline> = self.0.range(..day).rev().take(DAYS_BEFORE).map(|(_, outline)| outline).collect();
        let Some((last, others)) = before.split_first().filter(|_| before.len() >= BATCHES_BEFORE_MIN) else {
            return BTreeSet::new();
        };
        let in_all = |source: &&String| others.iter().all(|outline| outline.sources.contains(*source));
        last.sources.iter().filter(in_all).cloned().collect()
    }

    /// Returns the figures of a held batch that are far from those of the seven batches before.
    pub(crate) fn unlike(&self, day: Day) -> Vec<Unlike> {
        let actions = self.unlike_in(day, "actions", |outline| outline.actions);
        let files = self.unlike_in(day, "files", |outline| outline.files);
        actions.into_iter().chain(files).collect()
    }

    fn unlike_in(&self, day: Day, figure: &'static str, of: fn(&Outline) -> u64) -> Option<Unlike> {
        let last = self.0.range(..=day).rev().take(DAYS_BEFORE + 1);
        let mut series: Vec<(Day, f64)> = last.map(|(day, outline)| (*day, of(outline) as f64)).collect();
        series.reverse();
        let found: Anomaly = anomaly(&series, 0.0).into_iter().find(|anomaly| anomaly.day == day)?;
        // Both are counts.
        let whole = |value: f64| value.round().max(0.0) as u64;
        let text = found.description((figure, "batches"), false, |value| count(whole(value)));
        Some(Unlike { figure, value: whole(found.value), median: whole(found.median), text })
    }
}

/// Returns the error for batches that lack sources.
pub(super) fn missing_sources(missing: &BTreeMap<String, Vec<Day>>) -> Error {
    let named = missing.iter().map(|(source, days)| format!("{source} for {}", name_days(days)));
    Error::refused(
        format!(
            "there is no file of {}, but each of the batches before has some",
            named.collect::<Vec<_>>().join(", nor of ")
        ),
        message!["wait for the files, or continue without them with ", AllowMissingSource],
    )
}

impl Outline {
    fn of_held(batch: &Batch) -> Self {
        Outline { sources: batch.sources.clone(), files: batch.files as u64, actions: batch.actions }
    }

    fn of(record: &BatchRecord) -> Self {
        Outline {
            sources: record.sources_of_files().map(str::to_owned).collect(),
            files: record.files.len() as u64,
            actions: record.actions.sum(),
        }
    }
}

fn distance(one: Day, other: Day) -> u32 {
    one.number().abs_diff(other.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn outlines(batches: &[(&str, &[&str])]) -> Outlines {
        let mut outlines = Outlines::default();
        batches.iter().for_each(|(on, sources)| outlines.expect(day(on), sources.iter().copied()));
        outlines
    }

    #[test]
    fn a_day_is_far_beyond_tomorrow_and_ten_years_from_all_others() {
        let held = outlines(&[("2026-01-01", &[]), ("2026-01-02", &[])]);
        let refused = |on: &str, today: Option<&str>| {
            let refused = held.refuse_far_days(&[day(on)], today.map(day));
            refused.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refused("2026-01-04", Some("2026-01-03")), "");
        assert!(refused("2026-01-05", Some("2026-01-03")).contains("later than tomorrow"));
        assert_eq!(refused("2026-01-05", None), "");
        // 3,653 days before 2026-01-01, and after 2026-01-02.
        assert_eq!(refused("2016-01-01", None), "");
        assert!(refused("2015-12-31", None).contains("(the nearest is 2026-01-01): 2015-12-31"));
        assert_eq!(refused("2036-01-03", None), "");
        assert!(refused("2036-01-04", None).contains("(the nearest is 2026-01-02): 2036-01-04"));
        assert!(Outlines::default().refuse_far_days(&[day("1970-01-01")], None).is_ok(), "a first batch");
        assert!(outlines(&[("2062-01-01", &[])]).refuse_far_days(&[day("2062-01-01")], None).is_ok(), "is no other");
    }

    #[test]
    fn a_source_is_missing_that_all_of_the_last_batches_had() {
        let missing = |before: &[(&str, &[&str])], sources: &[&str]| {
            let batches = [(day("2026-01-09"), sources.iter().copied().collect())];
            outlines(before).refuse_missing_sources(&batches).is_err()
        };
        let both: &[&str] = &["clicks", "orders"];
        let two = [("2026-01-07", both), ("2026-01-08", both)];
        assert!(!missing(&two, &["clicks"]), "too few batches before");
        let three = [("2026-01-05", both), two[0], two[1]];
        assert!(missing(&three, &["clicks"]) && missing(&three, &["orders", "others"]));
        assert!(!missing(&three, both) && !missing(&three, &[]));
        assert!(!missing(&[three[0], ("2026-01-06", &["clicks"]), two[0]], &["clicks"]), "one of them had none");
        let days: Vec<String> = (1..=8).map(|number| format!("2026-01-0{number}")).collect();
        let eight = |first: &'static [&'static str]| {
            days.iter()
                .enumerate()
                .map(move |(place, on)| (on.as_str(), if place == 0 { first } else { &["clicks", "orders"] }))
        };
        assert!(missing(&eight(&["clicks"]).collect::<Vec<_>>(), &["clicks"]), "the eighth before does not count");
        // Batches after the day do not count.
        let after = [three[0], two[0], ("2026-01-10", &["clicks"][..]), two[1]];
        assert!(missing(&after, &["clicks"]));
    }
}
