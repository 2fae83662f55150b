//! One partition against what the store holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::format::TouchedDay;
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::{Day, Zone, name_days};
use crate::store::Store;

/// Which batches are to count for a partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// All that the store holds.
    All,
    /// Those that were there on the morning of its day: up to the day before it.
    DayBefore,
    /// Those up to and including this one.
    AsOf(Day),
}

impl Known {
    /// The last batch that counts for the rows of `dt`; `None`: all do.
    pub fn through(self, dt: Day) -> Option<Day> {
        match self {
            Known::All => None,
            // Before the first day nothing can be known; a day before it stands for that.
            Known::DayBefore => Some(dt.previous().unwrap_or(Day::FIRST)),
            Known::AsOf(day) => Some(day),
        }
    }
}

/// Why a partition is stale: batches, days ascending. None of any kind: it is not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reasons {
    /// Held, touched days that the rows reach, and not among those that they rest on.
    pub added: Vec<Day>,
    /// Rested on, and held with other files.
    pub replaced: Vec<Day>,
    /// Rested on, and no longer held.
    pub removed: Vec<Day>,
    /// Whether the rules of the zone up to its day are others than those that its rows were made by.
    pub zone_rules: bool,
}

impl Reasons {
    /// Whether there is any.
    pub fn is_stale(&self) -> bool {
        self.zone_rules || !(self.added.is_empty() && self.replaced.is_empty() && self.removed.is_empty())
    }

    /// For people: `replaced 2026-01-02; added 2026-01-05..2026-01-09`.
    pub fn text(&self) -> String {
        let Reasons { added, replaced, removed, zone_rules } = self;
        let kinds = [("replaced", replaced), ("removed", removed), ("added", added)];
        let named = kinds.iter().filter(|(_, days)| !days.is_empty());
        let named = named.map(|(kind, days)| format!("{kind} {}", name_days(days)));
        let rules = zone_rules.then(|| "other rules of the time zone".to_owned());
        named.chain(rules).collect::<Vec<_>>().join("; ")
    }
}

/// Whether the rows were made by other rules than these, as far as they reach. Partitions of versions before 0.5.0
/// tell but when their day began.
fn has_other_rules(manifest: &Manifest, zone: &Zone) -> bool {
    let Manifest { dt, settings, cut_off, .. } = manifest;
    *cut_off != zone.display(zone.start_of(*dt))
        || (settings.zone_rules.is_some() && settings.zone_rules != zone.rules_fingerprint(*dt))
}

/// Judges partitions by one state of a store.
///
/// Memory: some 100 bytes for each batch, and 4 bytes for each day that a batch touched, of those that had to be looked
/// at.
pub struct Judge<'store> {
    store: &'store Store,
    /// The batches held, with the fingerprints of their files.
    held: BTreeMap<Day, String>,
    /// The days that a batch touched.
    touched: BTreeMap<Day, BTreeSet<Day>>,
}

impl<'store> Judge<'store> {
    /// A judge of partitions that were produced from this store.
    pub fn new(store: &'store Store) -> Result<Self> {
        let batches = store.batches()?;
        let held = batches.iter().map(|(day, batch)| (day, batch.fingerprint.clone())).collect();
        Ok(Judge { store, held, touched: BTreeMap::new() })
    }

    /// Why the partition with this manifest is stale. Fails where it is from a store of another time zone, whose days
    /// are others.
    pub fn reasons(&mut self, manifest: &Manifest, known: Known) -> Result<Reasons> {
        let Manifest { dt, settings, .. } = manifest;
        let zone = &self.store.settings().zone;
        if settings.time_zone != zone.name() {
            return Err(Error::refused(
                format!(
                    "the partition of {dt} is from a store in {}, and this one is in {}",
                    settings.time_zone,
                    zone.name()
                ),
                message!["check ", Store, " and ", Out],
            ));
        }
        let through = known.through(*dt);
        let counts = |day: &Day| through.is_none_or(|through| *day <= through);
        let reached = settings.lookback_days.map_or(Day::FIRST, |days| dt.minus(days))..*dt;
        let mut reasons = Reasons { zone_rules: has_other_rules(manifest, zone), ..Reasons::default() };
        let mut others = Vec::new();
        for (day, files) in self.held.iter().filter(|(day, _)| counts(day)) {
            match manifest.batch(*day) {
                Some(rested_on) if rested_on.files != *files => reasons.replaced.push(*day),
                Some(_) => {}
                None => others.push(*day),
            }
        }
        for day in others {
            if self.touched(day)?.range(reached.clone()).next().is_some() {
                reasons.added.push(day);
            }
        }
        let rested_on = manifest.batches.iter().map(|batch| batch.day);
        reasons.removed = rested_on.filter(|day| counts(day) && !self.held.contains_key(day)).collect();
        Ok(reasons)
    }

    /// The days that a batch touched, of any customer: read from the index once.
    fn touched(&mut self, batch: Day) -> Result<&BTreeSet<Day>> {
        if !self.touched.contains_key(&batch) {
            let mut days = BTreeSet::new();
            for leaf in self.store.touched_by(batch) {
                days.extend(leaf?.entries.into_iter().map(|(_, TouchedDay(day))| day));
            }
            self.touched.insert(batch, days);
        }
        Ok(self.touched.entry(batch).or_default())
    }
}
