//! Wall time, and CPU time of the whole process.
//!
//! CPU time is user and system time in `/proc/self/stat`: it counts all threads, those that have ended too (RocksDB
//! ends some of its own after each compaction, and `/proc/self/task/*/schedstat`, although in nanoseconds, forgets
//! them). Its step is 1/100 s on every Linux; hence [`crate::rounds`] repeats what is short.

use std::fs;
use std::ops::{AddAssign, Div};
use std::path::Path;
use std::time::Instant;

use lookback::error::{Error, Result};

/// Steps of the kernel's report in a second (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;

/// Where user time stands in `/proc/self/stat` behind the name of the program, counted from 0; system time is the next.
const USER_TIME_FIELD: usize = 11;

/// What some work took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Seconds that passed.
    pub wall_s: f64,
    /// Seconds of all threads of the process, user and system.
    pub cpu_s: f64,
}

impl Spent {
    /// Runs the work; gives what it took and what it gave.
    #[expect(clippy::disallowed_methods, reason = "it is the clock of the benchmark")]
    pub fn on<T>(work: impl FnOnce() -> Result<T>) -> Result<(Self, T)> {
        let cpu_s = process_cpu_s()?;
        let started = Instant::now();
        let given = work()?;
        let wall_s = started.elapsed().as_secs_f64();
        Ok((Spent { wall_s, cpu_s: process_cpu_s()? - cpu_s }, given))
    }

    /// Wall and CPU time, each the median of its own; the mean of the two in the middle for an even number, 0 for none.
    pub fn median(all: &[Spent]) -> Spent {
        let of = |part: fn(&Spent) -> f64| median(all.iter().map(part).collect());
        Spent { wall_s: of(|spent| spent.wall_s), cpu_s: of(|spent| spent.cpu_s) }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.wall_s += other.wall_s;
        self.cpu_s += other.cpu_s;
    }
}

impl Div<f64> for Spent {
    type Output = Spent;

    fn div(self, by: f64) -> Spent {
        Spent { wall_s: self.wall_s / by, cpu_s: self.cpu_s / by }
    }
}

/// The median of numbers; 0 for none.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let at = |place: usize| numbers.get(place).copied().unwrap_or(0.0);
    f64::midpoint(at(numbers.len().saturating_sub(1) / 2), at(numbers.len() / 2))
}

fn process_cpu_s() -> Result<f64> {
    let path = Path::new("/proc/self/stat");
    let text = fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
    // The name is in parentheses and may itself hold some, and spaces.
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(USER_TIME_FIELD).take(2).filter_map(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, system] => Ok((user + system) / TICKS_PER_S),
        _ => Err(Error::input(format!("{} says no CPU time", path.display()), "run this on Linux")),
    }
}
