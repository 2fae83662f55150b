//! What was measured, as a Markdown table.

use std::fmt::Write as _;

use crate::clock::Spent;
use crate::rounds::Ratio;

/// One line of the table.
#[derive(Debug)]
pub struct Line {
    name: &'static str,
    what: String,
    spent: Option<Spent>,
    rates: Vec<String>,
    ratio: String,
}

impl Line {
    /// What was measured round by round. `what` was done in each pass; of each of `counts`, a number and its noun,
    /// there is a rate.
    pub fn timed(name: &'static str, what: String, rounds: &[Spent], counts: &[(u64, &str)]) -> Self {
        let spent = Spent::median(rounds);
        let rates = counts.iter().map(|(number, noun)| rate(*number, spent.wall_s, noun)).collect();
        Line { name, what, spent: Some(spent), rates, ratio: String::new() }
    }

    /// A size, which takes no time.
    pub fn sized(name: &'static str, what: String, bytes: u64, actions: u64) -> Self {
        let rates = vec![format!("{:.2} bytes an action", bytes as f64 / actions.max(1) as f64)];
        Line { name, what, spent: None, rates, ratio: String::new() }
    }

    /// With the ratio to another line, called `of` ("produce/pages"): by wall time, and by CPU time, which others on
    /// the machine disturb less.
    pub fn with_ratio(mut self, of: &str, wall: Ratio, cpu: Ratio) -> Self {
        let show = |Ratio { median, lowest, highest }| format!("{median:.2} ({lowest:.2} to {highest:.2})");
        self.ratio = format!("{of} {}; by CPU time {}", show(wall), show(cpu));
        self
    }

    /// With a ratio that does not change from round to round.
    pub fn with_fixed_ratio(mut self, of: &str, ratio: f64) -> Self {
        self.ratio = format!("{of} {ratio:.2}");
        self
    }

    /// With what is to be said about the ratio.
    pub fn judged(mut self, judgement: &str) -> Self {
        self.ratio = format!("{}{judgement}", self.ratio);
        self
    }
}

/// All lines under their head.
pub fn markdown(lines: &[Line]) -> String {
    let mut text = "| name | what was done | wall s | CPU s | rate | ratio |\n|---|---|---:|---:|---|---|\n".to_owned();
    for Line { name, what, spent, rates, ratio } in lines {
        let seconds = |number: Option<f64>| number.map_or_else(String::new, seconds);
        let (wall, cpu) = (seconds(spent.map(|spent| spent.wall_s)), seconds(spent.map(|spent| spent.cpu_s)));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {name} | {what} | {wall} | {cpu} | {} | {ratio} |", rates.join(", "));
    }
    text
}

/// Three digits that count, down to a tenth of a millisecond.
fn seconds(number: f64) -> String {
    match number {
        number if number >= 10.0 => format!("{number:.1}"),
        number if number >= 1.0 => format!("{number:.2}"),
        number if number >= 0.1 => format!("{number:.3}"),
        number => format!("{number:.4}"),
    }
}

fn rate(number: u64, wall_s: f64, noun: &str) -> String {
    let rate = number as f64 / wall_s;
    match rate {
        rate if !rate.is_finite() => String::new(),
        rate if rate >= 1e6 => format!("{:.1} M {noun}/s", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.1} k {noun}/s", rate / 1e3),
        rate => format!("{rate:.0} {noun}/s"),
    }
}
