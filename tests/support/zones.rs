//! Folders of time zones, so that no test depends on those of the machine.

use std::fs;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// A folder that has no zone: what `TZDIR` names, so that rules are those that the program brings.
pub const NO_ZONES: &str = env!("CARGO_TARGET_TMPDIR");

/// Rules as they stand in a TZif file: the offset at first, changes (when, the offset from then on; in seconds), and
/// what goes on behind them.
#[derive(Clone, Debug)]
pub struct TestRules {
    pub first: i32,
    pub changes: Vec<(i64, i32)>,
    pub footer: String,
}

impl TestRules {
    /// Vancouver by the rules of tzdata 2025b: clocks go forward and back each year.
    pub fn vancouver_before() -> Self {
        let changes = (1970..2026).flat_map(pacific_year).collect();
        TestRules { first: -8 * HOUR, changes, footer: "ABC8ABD,M3.2.0,M11.1.0".to_owned() }
    }

    /// Vancouver since it keeps the time of summer, from 2026-03-08 on.
    pub fn vancouver_since() -> Self {
        let mut changes: Vec<_> = (1970..2027).flat_map(pacific_year).collect();
        changes.retain(|(at, _)| *at < seconds(2026, 11, 1));
        TestRules { first: -8 * HOUR, changes, footer: "ABC7".to_owned() }
    }

    /// The file of these rules.
    pub fn tzif(&self) -> Vec<u8> {
        let mut offsets = vec![self.first];
        offsets.extend(self.changes.iter().map(|(_, offset)| *offset));
        offsets.sort_unstable();
        offsets.dedup();
        let first = offsets.iter().position(|offset| *offset == self.first).unwrap();
        offsets.swap(0, first);
        let header = |counts: [usize; 6]| {
            let counts = counts.map(|count| u32::try_from(count).unwrap().to_be_bytes());
            [b"TZif2".as_slice(), &[0; 15], &counts.concat()].concat()
        };
        let mut bytes = [header([0, 0, 0, 0, 1, 1]), vec![0; 7]].concat();
        bytes.extend(header([0, 0, 0, self.changes.len(), offsets.len(), 4]));
        bytes.extend(self.changes.iter().flat_map(|(at, _)| at.to_be_bytes()));
        let number = |offset: &i32| u8::try_from(offsets.iter().position(|found| found == offset).unwrap()).unwrap();
        bytes.extend(self.changes.iter().map(|(_, offset)| number(offset)));
        bytes.extend(offsets.iter().flat_map(|offset| [offset.to_be_bytes().as_slice(), &[0, 0]].concat()));
        bytes.extend(b"ABC\0");
        bytes.extend(format!("\n{}\n", self.footer).bytes());
        bytes
    }

    /// Writes them as a zone of a folder, whose edition of tzdata they then are of.
    pub fn write(&self, folder: &Path, name: &str, edition: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.tzif()).unwrap();
        fs::write(folder.join("tzdata.zi"), format!("# version {edition}\n# more\n")).unwrap();
    }
}

const HOUR: i32 = 3_600;

/// When clocks are set in a year on the coast of the Pacific: at 2:00 on the second Sunday of March and on the first
/// of November.
fn pacific_year(year: i32) -> [(i64, i32); 2] {
    let sunday = |month: u32, nth: u64| {
        let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap();
        let wait = u64::from(Weekday::Mon.num_days_from_sunday() * 7 - first.weekday().num_days_from_sunday()) % 7;
        let date = first + Days::new(wait + 7 * (nth - 1));
        seconds(year, month, date.day())
    };
    [(sunday(3, 2) + i64::from(10 * HOUR), -7 * HOUR), (sunday(11, 1) + i64::from(9 * HOUR), -8 * HOUR)]
}

/// 00:00 UTC of a date.
pub fn seconds(year: i32, month: u32, day: u32) -> i64 {
    NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp()
}
