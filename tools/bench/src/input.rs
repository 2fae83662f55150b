//! The input to measure on: a root that is there, or a data set that is generated.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use lookback::error::{Error, Result};
use lookback::model::Day;
use lookback_generate::{Plan, write_days};

use crate::args::Args;

/// The first day of a generated data set.
const FIRST: &str = "2025-01-01";

/// Data set M: what the generator makes by default, and a day for the impressions.
const M_DAYS: u16 = 31;

/// A tiny one.
const SMALL_DAYS: u16 = 5;
const SMALL: [&str; 6] = ["--customers", "2000", "--actions-per-day", "8000", "--impressions-per-day", "300"];

/// An input root and the days of it that count.
#[derive(Debug)]
pub struct Input {
    /// It holds `clicks/`, `add_to_carts/`, `orders/` and `impressions/`.
    pub root: PathBuf,
    /// The day whose impressions become rows.
    pub day: Day,
    /// The newest batch before it.
    pub newest: Day,
    /// The batches before that one, at least one of them, in order.
    pub earlier: Vec<Day>,
    generated: Option<&'static str>,
}

impl Input {
    /// The input that the arguments ask for; generated into `work` where they name none.
    pub fn of(args: &Args, work: &Path) -> Result<Self> {
        let (root, day, generated) = match (&args.data, args.day) {
            (Some(root), Some(day)) => (root.clone(), day, None),
            _ => {
                let root = work.join("data");
                let (days, more, name) = match args.small {
                    true => (SMALL_DAYS, SMALL.as_slice(), "a tiny data set"),
                    false => (M_DAYS, [].as_slice(), "data set M"),
                };
                (root.clone(), generate(&root, days, more)?, Some(name))
            }
        };
        let mut days = batch_days(&root, day)?;
        let newest = days.pop().filter(|_| !days.is_empty());
        let newest = newest.ok_or_else(|| {
            Error::input(
                format!("{} has fewer than two days of clicks before {day}", root.display()),
                "check --data and --day",
            )
        })?;
        Ok(Input { root, day, newest, earlier: days, generated })
    }

    /// What to call it.
    pub fn name(&self) -> String {
        self.generated.map_or_else(|| self.root.display().to_string(), str::to_owned)
    }
}

/// Generates so many days; gives the last of them.
#[expect(clippy::print_stderr, reason = "it is a program: a line for each day goes to stderr")]
fn generate(root: &Path, days: u16, more: &[&str]) -> Result<Day> {
    let failed = |error: &dyn Display| {
        Error::input(format!("cannot generate input: {error}"), "name an input with --data and --day")
    };
    let count = days.to_string();
    let words = ["generate", "--from", FIRST, "--days", &count].into_iter().chain(more.iter().copied());
    let words = words.map(OsStr::new).chain([OsStr::new("--out"), root.as_os_str()]);
    let plan = Plan::parse(words).map_err(|error| failed(&error))?;
    write_days(&plan, |line| eprintln!("{line}")).map_err(|failure| failed(&failure))?;
    let first: Option<Day> = FIRST.parse().ok();
    let last = first.and_then(|first| Day::from_number(first.number() + i32::from(days) - 1));
    last.ok_or_else(|| Error::input(format!("there are no {days} days from {FIRST}"), "mend tools/bench/src/input.rs"))
}

/// The days before `day` that have a folder of clicks, in order.
fn batch_days(root: &Path, day: Day) -> Result<Vec<Day>> {
    let clicks = root.join("clicks");
    let failed = |error: std::io::Error| Error::io("list", &clicks, error);
    let mut days = Vec::new();
    for entry in fs::read_dir(&clicks).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let found = name.to_str().and_then(|name| name.strip_prefix("dt=")).and_then(|text| text.parse::<Day>().ok());
        days.extend(found.filter(|found| *found < day));
    }
    days.sort();
    Ok(days)
}
