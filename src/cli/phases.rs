//! The finished phases of a command: what each did, and how long it took.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::text::{count, size};

/// One phase, or all repetitions of a phase of one name and item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct PhaseTime {
    /// The item that the phase belongs to, such as `ingest 2026-01-02`; `None` if the command has no items.
    pub item: Option<String>,
    /// The name of the phase, such as `reading`.
    pub phase: String,
    /// The unit counted, such as `actions` or `bytes`; `None` for a phase that is one step.
    pub unit: Option<&'static str>,
    /// The count; 1 for a phase that is one step.
    pub done: u64,
    /// The number of repetitions.
    pub times: u64,
    /// The total time of all repetitions.
    pub seconds: f64,
    /// `done` divided by `seconds`; `None` for a phase that is one step, or whose time was too short to measure.
    pub per_second: Option<f64>,
}

/// The running phase.
pub(super) struct Phase {
    pub name: String,
    pub unit: &'static str,
    pub done: u64,
    pub started: Instant,
}

/// All finished phases. Memory: some 100 bytes for each phase of each item.
#[derive(Default)]
pub(super) struct Phases {
    ended: Vec<PhaseTime>,
    /// Places of the phases that were repeated after their line was printed.
    untold: Vec<usize>,
}

/// Returns the time now, for people only.
pub(super) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "how long something took, for the person; no result rests on it")]
    Instant::now()
}

impl Phases {
    /// Records a finished phase, and returns its line if it is the first of its name for the item. Repetitions are
    /// reported at the end, so that a log has one line for each phase and not for each repetition.
    pub(super) fn end(&mut self, item: Option<&str>, phase: &Phase) -> Option<String> {
        let took = now().duration_since(phase.started);
        let known = self.ended.iter().rposition(|ended| ended.phase == phase.name && ended.item.as_deref() == item);
        if let Some((place, ended)) = known.and_then(|place| Some((place, self.ended.get_mut(place)?))) {
            ended.add(phase.done, took);
            if !self.untold.contains(&place) {
                self.untold.push(place);
            }
            return None;
        }
        let unit = (!phase.unit.is_empty()).then_some(phase.unit);
        let mut ended = PhaseTime {
            item: item.map(str::to_owned),
            phase: phase.name.clone(),
            unit,
            done: 0,
            times: 0,
            seconds: 0.0,
            per_second: None,
        };
        ended.add(if unit.is_some() { phase.done } else { 1 }, took);
        let line = ended.line();
        self.ended.push(ended);
        Some(line)
    }

    /// Returns the lines of repeated phases, in the order of their first run.
    pub(super) fn untold(&mut self) -> Vec<String> {
        let mut places = std::mem::take(&mut self.untold);
        places.sort_unstable();
        places.into_iter().filter_map(|place| self.ended.get(place)).map(PhaseTime::line).collect()
    }

    /// Returns all finished phases, in the order of their first run.
    pub(super) fn ended(&self) -> &[PhaseTime] {
        &self.ended
    }
}

impl PhaseTime {
    fn add(&mut self, done: u64, took: Duration) {
        self.done += if self.unit.is_some() || self.times == 0 { done } else { 0 };
        self.times += 1;
        self.seconds += took.as_secs_f64();
        self.per_second = self.unit.filter(|_| self.seconds > 0.0).map(|_| self.done as f64 / self.seconds);
    }

    /// Returns a line such as `ingest 2026-01-02: folding: 100,000 actions in 0.2 s, 500,000/s`.
    fn line(&self) -> String {
        let item = self.item.as_ref().map(|item| format!("{item}: ")).unwrap_or_default();
        let again = if self.times > 1 { format!(" ({} times)", count(self.times)) } else { String::new() };
        let what = self.unit.map(|unit| format!("{} in ", amount(self.done, unit))).unwrap_or_default();
        let rate = self.unit.zip(self.per_second).map(|(unit, rate)| format!(", {}", rate_of(rate, unit)));
        format!("{item}{}{again}: {what}{}{}", self.phase, seconds(self.seconds), rate.unwrap_or_default())
    }
}

/// Returns a number with its unit, which is given in the plural: `1 file`, `2 files`, `3.0 MB`.
pub(super) fn amount(number: u64, unit: &str) -> String {
    match unit {
        "bytes" => size(number),
        "batches" if number == 1 => "1 batch".to_owned(),
        _ if number == 1 => format!("1 {}", unit.trim_end_matches('s')),
        _ => format!("{} {unit}", count(number)),
    }
}

/// Returns a rate such as `500,000/s` or `12.0 MB/s`.
pub(super) fn rate_of(per_second: f64, unit: &str) -> String {
    // The rate exceeds 1e18 only if the work took no time.
    let whole = per_second.round().clamp(0.0, 1e18) as u64;
    match unit {
        "bytes" => format!("{}/s", size(whole)),
        _ if per_second < 1.0 => format!("{per_second:.2}/s"),
        _ if per_second < 10.0 => format!("{per_second:.1}/s"),
        _ => format!("{}/s", count(whole)),
    }
}

/// Returns a rate with its unit: `500,000 actions/s`.
pub(super) fn named_rate_of(per_second: f64, unit: &str) -> String {
    rate_of(per_second, unit).replace("/s", &format!(" {unit}/s"))
}

/// Returns a duration such as `0.2 s`, `12 min 5 s` or `1 h 2 min`.
pub(super) fn seconds(seconds: f64) -> String {
    let whole = seconds.round().clamp(0.0, 1e18) as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(name: &str, unit: &'static str, done: u64, before: Duration) -> Phase {
        Phase { name: name.to_owned(), unit, done, started: now() - before }
    }

    #[test]
    fn a_phase_is_one_line_however_often_it_comes() {
        let mut phases = Phases::default();
        let long = Duration::from_secs(100);
        let line = phases.end(Some("ingest 2026-01-02"), &phase("folding", "actions", 1_000_000, long)).unwrap();
        assert_eq!(line, "ingest 2026-01-02: folding: 1,000,000 actions in 1 min 40 s, 10,000/s");
        assert_eq!(phases.end(None, &phase("compacting", "", 0, long)).as_deref(), Some("compacting: 1 min 40 s"));
        assert_eq!(
            phases.end(None, &phase("reading", "bytes", 1, long)).as_deref(),
            Some("reading: 1 B in 1 min 40 s, 0 B/s")
        );
        for _ in 0..5 {
            assert_eq!(phases.end(None, &phase("reading", "bytes", 0, Duration::ZERO)), None);
        }
        assert_eq!(phases.untold(), ["reading (6 times): 1 B in 1 min 40 s, 0 B/s"]);
        assert!(phases.untold().is_empty());
        assert_eq!(phases.ended().iter().map(|phase| phase.done).collect::<Vec<_>>(), [1_000_000, 1, 1]);
    }

    #[test]
    fn amounts_rates_and_times() {
        assert_eq!(
            [amount(1, "files"), amount(2_000, "files"), amount(1, "batches")],
            ["1 file", "2,000 files", "1 batch"]
        );
        assert_eq!([amount(3, "batches"), amount(2_500_000, "bytes")], ["3 batches", "2.5 MB"]);
        assert_eq!([rate_of(0.25, "days"), rate_of(1_234.4, "rows")], ["0.25/s", "1,234/s"]);
        assert_eq!(named_rate_of(1_234.4, "rows"), "1,234 rows/s");
        assert_eq!([rate_of(2e6, "bytes"), seconds(0.04)], ["2.0 MB/s", "0.0 s"]);
        assert_eq!([seconds(59.4), seconds(3_599.0), seconds(7_320.0)], ["59.4 s", "59 min 59 s", "2 h 2 min"]);
    }
}
