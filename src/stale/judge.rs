//! Compares one partition with the content of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::format::TouchedDay;
use crate::manifest::Manifest;
use crate::model::{Day, Duplicates, Zone, name_days};
use crate::store::{Store, beyond_horizon};

/// The batches that count for a partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// All batches that the store holds.
    All,
    /// The batches known on the morning of its day: up to the day before it.
    DayBefore,
    /// The batches up to and including this one.
    AsOf(Day),
}

impl Known {
    /// Returns the last batch that counts for the rows of `dt`; `None`: all batches count.
    pub fn through(self, dt: Day) -> Option<Day> {
        match self {
            Known::All => None,
            // No batch is known before the first day; that day itself is the closest limit.
            Known::DayBefore => Some(dt.previous().unwrap_or(Day::FIRST)),
            Known::AsOf(day) => Some(day),
        }
    }
}

/// Why a partition is stale: batches, days ascending. Without any reason the partition is current.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Reasons {
    /// Batches held that touched days in the reach of the rows, and that the rows do not rest on.
    pub added: Vec<Day>,
    /// Batches that the rows rest on, held with other files.
    pub replaced: Vec<Day>,
    /// Batches that the rows rest on, no longer held.
    pub removed: Vec<Day>,
    /// Whether the zone's rules up to its day differ from those that its rows were made by.
    pub zone_rules: bool,
    /// Whether the store keeps equal actions and the rows' store dropped them, or the other way round.
    pub duplicates: bool,
    /// No reason, but the store's horizon, if the rows reach back beyond it: they cannot be produced again as they
    /// were.
    pub beyond_horizon: Option<Day>,
}

impl Reasons {
    /// Whether any reason applies.
    pub fn is_stale(&self) -> bool {
        self.zone_rules
            || self.duplicates
            || !(self.added.is_empty() && self.replaced.is_empty() && self.removed.is_empty())
    }

    /// Formats for people: `replaced 2026-01-02; added 2026-01-05..2026-01-09`; and behind it, whether the rows cannot
    /// be produced again.
    pub fn text(&self) -> String {
        let Reasons { added, replaced, removed, zone_rules, duplicates, beyond_horizon } = self;
        let kinds = [("replaced", replaced), ("removed", removed), ("added", added)];
        let named = kinds.iter().filter(|(_, days)| !days.is_empty());
        let named = named.map(|(kind, days)| format!("{kind} {}", name_days(days)));
        let rules = zone_rules.then(|| "other rules of the time zone".to_owned());
        let equal = duplicates.then(|| "equal actions were kept or dropped otherwise".to_owned());
        let beyond = beyond_horizon
            .map(|horizon| format!("the rows reach back beyond {horizon}, before which the store has been pruned"));
        named.chain(rules).chain(equal).chain(beyond).collect::<Vec<_>>().join("; ")
    }
}

/// Whether the rows were made by other rules than these, as far as they reach. Manifests of versions before 0.5.0 only
/// record when the partition's day began.
fn has_other_rules(manifest: &Manifest, zone: &Zone) -> bool {
    let Manifest { dt, settings, cut_off, .. } = manifest;
    *cut_off != zone.display(zone.start_of(*dt))
        || (settings.zone_rules.is_some() && settings.zone_rules != zone.rules_fingerprint(*dt))
}

/// What a partition is compared with: one state of a store, or of all shards of a sharded one.
///
/// Memory: about 100 bytes for each batch.
#[derive(Debug)]
pub(crate) struct Content {
    pub zone: Zone,
    pub duplicates: Duplicates,
    pub horizon: Option<Day>,
    /// The batches held, with the fingerprints of their files.
    pub held: BTreeMap<Day, String>,
}

impl Content {
    /// Returns that of a store.
    pub(crate) fn of(store: &Store) -> Result<Self> {
        let settings = store.settings();
        let batches = store.batches()?;
        let held = batches.iter().map(|(day, batch)| (day, batch.fingerprint.clone())).collect();
        Ok(Content { zone: settings.zone.clone(), duplicates: settings.duplicates, horizon: store.horizon()?, held })
    }
}

/// Returns the days that a batch touched, of any customer, by the index of a store.
pub(crate) fn days_touched(store: &Store, batch: Day) -> Result<BTreeSet<Day>> {
    let mut days = BTreeSet::new();
    for leaf in store.touched_by(batch) {
        days.extend(leaf?.entries.into_iter().map(|(_, TouchedDay(day))| day));
    }
    Ok(days)
}

/// Judges partitions by one state of a store.
///
/// Memory: that of [`Content`], and, for the batches that had to be searched, 4 bytes for each day that they touched.
pub(crate) struct Judge<'store> {
    content: Content,
    /// The days that a batch touched, as far as they are known.
    touched: BTreeMap<Day, BTreeSet<Day>>,
    /// Whose index has the other days; `None`: there are no others to ask for.
    store: Option<&'store Store>,
}

impl<'store> Judge<'store> {
    /// Returns a judge of partitions that were produced from this store.
    pub(crate) fn new(store: &'store Store) -> Result<Self> {
        Ok(Judge { content: Content::of(store)?, touched: BTreeMap::new(), store: Some(store) })
    }

    /// Returns a judge of partitions that may lack only batches of which it is known which days they touched.
    pub(crate) fn knowing(content: Content, touched: BTreeMap<Day, BTreeSet<Day>>) -> Self {
        Judge { content, touched, store: None }
    }

    /// Returns the first day that is left, if days were pruned.
    pub(crate) fn horizon(&self) -> Option<Day> {
        self.content.horizon
    }

    /// Returns why the partition with this manifest is stale. Fails as [`Manifest::refuse_other_zone`]
    /// does.
    pub(crate) fn reasons(&mut self, manifest: &Manifest, known: Known) -> Result<Reasons> {
        let Manifest { dt, settings, .. } = manifest;
        let Content { zone, duplicates, horizon, held } = &self.content;
        manifest.refuse_other_zone(zone)?;
        let through = known.through(*dt);
        let counts = |day: &Day| through.is_none_or(|through| *day <= through);
        let reached = settings.lookback_days.map_or(Day::FIRST, |days| dt.minus(days))..*dt;
        let mut reasons = Reasons {
            zone_rules: has_other_rules(manifest, zone),
            duplicates: settings.duplicates != *duplicates,
            beyond_horizon: beyond_horizon(*horizon, *dt, settings.lookback_days),
            ..Reasons::default()
        };
        let mut others = Vec::new();
        for (day, files) in held.iter().filter(|(day, _)| counts(day)) {
            match manifest.batch(*day) {
                Some(rested_on) if rested_on.files != *files => reasons.replaced.push(*day),
                Some(_) => {}
                None => others.push(*day),
            }
        }
        let rested_on = manifest.batches.iter().map(|batch| batch.day);
        reasons.removed = rested_on.filter(|day| counts(day) && !held.contains_key(day)).collect();
        for day in others {
            if self.touches(day, reached.clone(), *dt)? {
                reasons.added.push(day);
            }
        }
        Ok(reasons)
    }

    /// Whether a batch touched one of these days, of any customer; read from the index once. `dt` is the partition that
    /// lacks the batch.
    fn touches(&mut self, batch: Day, days: Range<Day>, dt: Day) -> Result<bool> {
        if !self.touched.contains_key(&batch) {
            let Some(store) = self.store else { return Err(replaced_meanwhile(dt)) };
            self.touched.insert(batch, days_touched(store, batch)?);
        }
        Ok(self.touched.get(&batch).is_some_and(|touched| touched.range(days).next().is_some()))
    }
}

/// The error that a manifest lacks other batches than when it was looked at first.
fn replaced_meanwhile(dt: Day) -> Error {
    let what = format!("the partition of {dt} was replaced while it was compared");
    Error::new(Kind::Busy, what, "run the same command again, while nobody writes to the output")
}
