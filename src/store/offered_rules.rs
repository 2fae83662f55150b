//! The machine's time zone rules compared with those that the store records: harmless ones are adopted, others wait for
//! the user to accept them.

use std::collections::BTreeSet;

use rocksdb::WriteBatch;

use super::batches::Batch;
use super::handle::Store;
use super::raw::write_durably;
use crate::error::{Error, Result};
use crate::format::{Key, Record, TouchedDay, ZoneRulesRecord, ZoneUse};
use crate::message::message;
use crate::model::{Day, Zone, ZoneRules, name_days};
use crate::progress::Progress;
use crate::text::Shown;
use crate::zoneinfo::{RulesSource, find_rules};

/// Time zone rules of the machine that differ from those that the store records.
#[derive(Clone, Debug)]
pub struct OfferedRules {
    /// The zone with these rules.
    pub zone: Zone,
    /// Where the rules were found.
    pub source: RulesSource,
    /// Whether their edition of tzdata is later. Other editions require no action.
    pub is_newer: bool,
    /// The spans of time in which the rules differ, in seconds.
    differences: Vec<(i64, i64)>,
}

impl OfferedRules {
    /// Returns the edition and the source of the rules, for people: `tzdata 2026f of the program`.
    pub(crate) fn edition(&self) -> String {
        format!("{} of {}", self.zone.rules().edition(), self.source)
    }

    /// Returns the days that begin or end at another instant than in `recorded`, in order.
    pub(crate) fn moved_days(&self, recorded: &Zone) -> BTreeSet<Day> {
        Day::FIRST.through(Day::LAST).filter(|day| !self.zone.has_day_of(recorded, *day)).collect()
    }

    /// Returns the days of `recorded` in which clocks differ for a while, so that wall times mean other instants; in
    /// order.
    pub(crate) fn days_with_other_times(&self, recorded: &Zone) -> BTreeSet<Day> {
        Day::FIRST.through(Day::LAST).filter(|day| self.has_other_times(recorded, *day)).collect()
    }

    fn has_other_times(&self, recorded: &Zone, day: Day) -> bool {
        let (from_us, to_us) = (recorded.start_of(day), recorded.end_of(day));
        let place = self.differences.partition_point(|(_, to)| to * 1_000_000 < from_us);
        // A wall time in a gap that ends with the previous day has its instant on this day.
        self.differences.get(place).is_some_and(|(from, _)| from * 1_000_000 < to_us)
    }
}

impl Store {
    /// Returns the machine's rules of the store's zone if they differ from the rules that the store records. Fails if
    /// the machine's rules cannot be read.
    pub(crate) fn offered_rules(&self) -> Result<Option<OfferedRules>> {
        let recorded = &self.settings().zone;
        if recorded.is_utc() {
            return Ok(None);
        }
        let found = find_rules(recorded.name())?;
        if found.rules.agree(recorded.rules()) {
            return Ok(None);
        }
        Ok(Some(OfferedRules {
            is_newer: found.rules.is_newer_than(recorded.rules()),
            differences: found.rules.differences(recorded.rules()),
            zone: Zone::new(recorded.name(), found.rules),
            source: found.source,
        }))
    }

    /// Returns the machine's rules only if their edition is later. If they cannot be read, the store keeps its recorded
    /// rules, and a note says so.
    pub fn newer_rules(&self, progress: &dyn Progress) -> Option<OfferedRules> {
        match self.offered_rules() {
            Ok(offered) => offered.filter(|offered| offered.is_newer),
            Err(error) => {
                progress.note(&message![
                    "days begin by the rules that the store records; cannot check for newer rules: ",
                    { error.message() },
                ]);
                None
            }
        }
    }

    /// Returns, in order, the days with actions in the store that begin or end at another instant under the offered
    /// rules, and those whose wall times mean other instants, for batches that have or may have wall times.
    ///
    /// Reads the batch index if the rules differ on a day up to the newest. Memory: some bytes for each day.
    pub fn days_that_rest_on(&self, offered: &OfferedRules) -> Result<Vec<Day>> {
        let recorded = &self.settings().zone;
        let (moved, timed) = (offered.moved_days(recorded), offered.days_with_other_times(recorded));
        let Some(newest) = self.newest_day()? else { return Ok(Vec::new()) };
        if moved.iter().chain(&timed).all(|day| *day > newest) {
            return Ok(Vec::new());
        }
        let mut resting = BTreeSet::new();
        for (batch, known) in self.batches()?.iter() {
            let has_wall_times = known.zone_use != ZoneUse::Nothing;
            for leaf in self.touched_by(batch) {
                let days = leaf?.entries.into_iter().map(|(_, TouchedDay(day))| day);
                resting.extend(days.filter(|day| moved.contains(day) || (has_wall_times && timed.contains(day))));
            }
        }
        Ok(resting.into_iter().collect())
    }

    /// Returns the newest day on which a customer has an action; `None` for an empty store.
    fn newest_day(&self) -> Result<Option<Day>> {
        let mut newest = None;
        for leaf in self.customer_index() {
            newest = leaf?.entries.iter().map(|(_, customer_state)| customer_state.newest).max().max(newest);
        }
        Ok(newest)
    }

    /// Adopts newer rules that change no day that the store holds, and notes this; durable when it returns. Returns the
    /// store with its rules, and newer rules that wait for the user to accept them. The store must be open for writing.
    pub fn adopt_rules(self, progress: &dyn Progress) -> Result<(Self, Option<OfferedRules>)> {
        let Some(offered) = self.newer_rules(progress) else { return Ok((self, None)) };
        let name = self.settings().zone.name().to_owned();
        let resting = self.days_that_rest_on(&offered)?;
        if !resting.is_empty() {
            progress.note(&message![
                (
                    "{name} has newer rules in {}, which change days that the store holds: {}; take them with ",
                    offered.edition(),
                    name_days(&resting)
                ),
                [Migrate TakeZoneRules],
            ]);
            return Ok((self, Some(offered)));
        }
        let before = self.settings().zone.rules().edition();
        self.record_rules(offered.zone.rules())?;
        progress.note(
            &format!(
                "the store has adopted the rules of {name} in {}, replacing {before}; they change no day that the store holds",
                offered.edition()
            )
            .into(),
        );
        Ok((self.reopen()?, None))
    }

    fn record_rules(&self, rules: &ZoneRules) -> Result<()> {
        let mut batch = WriteBatch::default();
        batch.put(Key::ZoneRules.encode(), ZoneRulesRecord::of(rules).to_bytes()?);
        write_durably(&self.db, &self.folder, batch)
    }

    /// Fails if newer rules set clocks differently on a day, so that its batch would differ under them.
    pub(crate) fn refuse_other_day(&self, newer: Option<&OfferedRules>, day: Day) -> Result<()> {
        let recorded = &self.settings().zone;
        let differs =
            |newer: &&OfferedRules| !newer.zone.has_day_of(recorded, day) || newer.has_other_times(recorded, day);
        newer.filter(differs).map_or(Ok(()), |newer| Err(self.other_day(newer, day)))
    }

    /// Fails if one of these days begins at another instant under newer rules, so that the rows that depend on the day
    /// would differ.
    pub(crate) fn refuse_other_start(&self, newer: Option<&OfferedRules>, days: &[Day]) -> Result<()> {
        let recorded = &self.settings().zone;
        let Some(newer) = newer else { return Ok(()) };
        let other = days.iter().find(|day| newer.zone.start_of(**day) != recorded.start_of(**day));
        other.map_or(Ok(()), |day| Err(self.other_day(newer, *day)))
    }

    fn other_day(&self, newer: &OfferedRules, day: Day) -> Error {
        let recorded = &self.settings().zone;
        let [begins, began] = [&newer.zone, recorded].map(|zone| zone.display(zone.start_of(day)));
        let begin =
            if begins == began { String::new() } else { format!(": the day begins at {begins}, not at {began}") };
        let store = self.folder.path().shown();
        Error::refused(
            format!(
                "the newer rules of {} in {} differ on {day} from those that the store records ({}){begin}",
                recorded.name(),
                newer.edition(),
                recorded.rules().edition(),
            ),
            message![
                "take them with ",
                [Migrate Store = (store) TakeZoneRules],
                ", which shows with ",
                DryRun,
                " what would change",
            ],
        )
    }
}

/// Returns the batches to ingest again because the zone's rules have changed; in order.
pub fn outdated<'a>(batches: impl Iterator<Item = (Day, &'a Batch)>) -> Vec<Day> {
    batches.filter(|(_, batch)| batch.zone_use == ZoneUse::Outdated).map(|(day, _)| day).collect()
}
