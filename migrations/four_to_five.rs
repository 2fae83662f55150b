//! From version 4, whose days began by the rules of whatever program ran, to version 5, which records them. All
//! programs of version 4 and before had those of tzdata 2025b, as chrono-tz 0.10.4 has them: these are recorded, so
//! that every day stays what it was. Whether the actions of a batch have instants or wall times version 4 does not
//! tell, so that each batch counts as having wall times until it is ingested again. A store in UTC has nothing of
//! this.

use chrono::{DateTime, MappedLocalTime, NaiveDate, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};

use super::step::{Migration, Switch};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::format::{BatchRecord, FORMAT_VERSION, Key, Record, StoreRecord, ZoneRulesRecord, ZoneUse};
use crate::model::{Day, OffsetChange, RULES_BEGIN_S, RULES_END_S, Zone, ZoneRules};
use crate::progress::Progress;
use crate::store::{BulkLoad, RawStore};

// Version 6 has the records of version 5, and more.
const _: () = assert!(FORMAT_VERSION <= 6, "format/ has moved on: give this step readers and writers of its own");

pub(super) struct FourToFive;

const STORE_RECORD: [u8; 2] = [0, 0];

/// The keyspace that version 4 does not have and version 5 has.
const ZONE_RULES: u8 = 0x1a;

/// The edition of tzdata in chrono-tz 0.10.4.
const VERSION: &str = "2025b";

/// At each of these instants the offset is looked up; clocks are not set twice within an hour.
const STEP_S: i64 = 3_600;

impl Migration for FourToFive {
    fn from(&self) -> u8 {
        4
    }

    fn name(&self) -> &'static str {
        "the rules of the time zone"
    }

    fn writes(&self) -> (Vec<u8>, Vec<u8>) {
        (vec![ZONE_RULES], vec![0x20])
    }

    fn rewrite(&self, store: &RawStore, new: &mut BulkLoad<'_>, _: &dyn Progress) -> Result<()> {
        let Some(zone) = zone_of(store)? else { return Ok(()) };
        new.set(Key::ZoneRules, Some(&ZoneRulesRecord::of(&rules_of(zone)?).to_bytes()?))
    }

    /// Every day begins when it did.
    fn validate(&self, store: &RawStore, _: &dyn Progress) -> Result<()> {
        let Some(tz) = zone_of(store)? else {
            return match store.entries(&[ZONE_RULES]).next().transpose()? {
                None => Ok(()),
                Some(_) => Err(Error::corrupt("the store of format version 4 has keys of another version")),
            };
        };
        let record = store.get(&Key::ZoneRules.encode())?.ok_or_else(|| differs(tz))?;
        let zone = Zone::new(tz.name(), ZoneRulesRecord::from_bytes(&record)?.rules()?);
        let is_kept = |day: Day| Some(zone.start_of(day)) == beginning(tz, day.date());
        if Day::FIRST.through(Day::LAST).all(is_kept) { Ok(()) } else { Err(differs(tz)) }
    }

    fn switch(&self, store: &RawStore) -> Result<Switch> {
        let mut record = store_record(store)?;
        record.first_mut().into_iter().for_each(|version| *version = 5);
        let mut set = vec![(STORE_RECORD.to_vec(), record)];
        let batches = Key::Batch(Day::FIRST).encode();
        let has_zone = zone_of(store)?.is_some();
        for entry in store.entries(&batches) {
            let (key, value) = entry?;
            if !has_zone || key.first() != batches.first() {
                break;
            }
            let record = BatchRecord { zone_use: ZoneUse::WallTimes, ..BatchRecord::from_bytes(&value)? };
            set.push((key.into_vec(), record.to_bytes()?));
        }
        Ok(Switch { set, removed: Vec::new() })
    }
}

fn store_record(store: &RawStore) -> Result<Vec<u8>> {
    store.get(&STORE_RECORD)?.ok_or_else(|| Error::corrupt("the store of format version 4 lacks its store record"))
}

/// The store's zone; `None` for UTC. The record has the fields that it has in later versions.
fn zone_of(store: &RawStore) -> Result<Option<Tz>> {
    let mut bytes = store_record(store)?;
    bytes.first_mut().into_iter().for_each(|version| *version = FORMAT_VERSION);
    let name = StoreRecord::from_bytes(&bytes)?.time_zone;
    let zone = name.parse().map_err(|error: chrono_tz::ParseError| {
        Error::corrupt(format!("the store record has the invalid time zone {name:?}")).caused_by(error)
    })?;
    Ok(Some(zone).filter(|zone| *zone != Tz::UTC))
}

/// The rules that chrono-tz has. It tells but offsets, so they are looked up hour by hour, and where one is another
/// the second is found by halving.
fn rules_of(tz: Tz) -> Result<ZoneRules> {
    let first_offset_s = offset_at(tz, RULES_BEGIN_S)?;
    let (mut at_s, mut offset_s, mut changes) = (RULES_BEGIN_S, first_offset_s, Vec::new());
    while at_s < RULES_END_S {
        let next_s = (at_s + STEP_S).min(RULES_END_S);
        let next_offset_s = offset_at(tz, next_s)?;
        if next_offset_s != offset_s {
            let (mut before_s, mut after_s) = (at_s, next_s);
            while after_s - before_s > 1 {
                let middle_s = before_s.midpoint(after_s);
                let is_before = offset_at(tz, middle_s)? == offset_s;
                (before_s, after_s) = if is_before { (middle_s, after_s) } else { (before_s, middle_s) };
            }
            changes.push(OffsetChange { at_s: after_s, offset_s: next_offset_s });
            offset_s = next_offset_s;
        }
        at_s = next_s;
    }
    ZoneRules::new(Some(VERSION.to_owned()), first_offset_s, changes).ok_or_else(|| differs(tz))
}

fn offset_at(tz: Tz, at_s: i64) -> Result<i32> {
    let time = DateTime::from_timestamp(at_s, 0).held("rules lie within the years of chrono")?;
    Ok(tz.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc())
}

/// When a day began, as programs of version 4 worked it out: at its midnight, at the first of two, at the end of a
/// gap over it.
fn beginning(tz: Tz, date: NaiveDate) -> Option<i64> {
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    match tz.from_local_datetime(&midnight) {
        MappedLocalTime::Single(time) => Some(time.timestamp_micros()),
        MappedLocalTime::Ambiguous(one, other) => Some(one.timestamp_micros().min(other.timestamp_micros())),
        MappedLocalTime::None => Some(GapInfo::new(&midnight, &tz)?.end?.timestamp_micros()),
    }
}

fn differs(tz: Tz) -> Error {
    Error::corrupt(format!("the rules of {tz} to be recorded differ from those by which its days began"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    /// As programs of version 4 worked it out.
    fn instant(tz: Tz, wall: chrono::NaiveDateTime) -> i64 {
        match tz.from_local_datetime(&wall) {
            MappedLocalTime::Single(time) => time.timestamp_micros(),
            MappedLocalTime::Ambiguous(one, other) => one.timestamp_micros().min(other.timestamp_micros()),
            MappedLocalTime::None => {
                let gap = GapInfo::new(&wall, &tz).unwrap();
                let into = (wall - gap.begin.unwrap().0).num_microseconds().unwrap();
                gap.end.unwrap().timestamp_micros() + into
            }
        }
    }

    #[test]
    fn days_and_wall_times_of_unusual_zones_stay_what_they_were() {
        let unusual = [
            Tz::Pacific__Apia,
            Tz::Pacific__Kwajalein,
            Tz::America__Havana,
            Tz::America__St_Johns,
            Tz::Asia__Beirut,
            Tz::Europe__Dublin,
            Tz::Africa__Casablanca,
            Tz::Australia__Lord_Howe,
        ];
        let others = chrono_tz::TZ_VARIANTS.into_iter().skip(5).step_by(120);
        for tz in unusual.into_iter().chain(others) {
            let rules = rules_of(tz).unwrap();
            let zone = Zone::new(tz.name(), rules.clone());
            for day in Day::FIRST.through(Day::LAST) {
                assert_eq!(Some(zone.start_of(day)), beginning(tz, day.date()), "{tz} {day}");
            }
            // Around every change, where wall times are missing or come twice.
            for change in rules.changes() {
                for shift in -9..9 {
                    let time =
                        DateTime::from_timestamp(change.at_s, 500_000_000).unwrap() + TimeDelta::minutes(15 * shift);
                    for wall in [time.naive_utc(), time.with_timezone(&tz).naive_local()] {
                        assert_eq!(zone.instant_of(wall), instant(tz, wall), "{tz} {wall}");
                    }
                    let shown = time.with_timezone(&tz).format("%Y-%m-%d %H:%M:%S%.6f%:z").to_string();
                    assert_eq!(zone.display(time.timestamp_micros()), shown, "{tz}");
                }
            }
        }
    }
}
