//! The ticks of an axis and their labels.

use std::ops::Range;

use chrono::Datelike;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use crate::model::Day;
use crate::text::{percent, size};

/// The unit of a figure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unit {
    Count,
    Bytes,
    Ratio,
}

impl Unit {
    /// Formats a value for an axis: `2.5k`, `30 MB`, `5 %`.
    pub(super) fn at_axis(self, value: f64) -> String {
        match self {
            Unit::Ratio => format!("{} %", trimmed(value * 100.0)),
            Unit::Bytes => {
                let (value, letter) = scaled(value);
                let unit = match letter {
                    "" => " B".to_owned(),
                    "k" => " kB".to_owned(),
                    larger => format!(" {larger}B"),
                };
                format!("{}{unit}", trimmed(value))
            }
            Unit::Count => {
                let (value, letter) = scaled(value);
                format!("{}{letter}", trimmed(value))
            }
        }
    }

    /// Formats a value for a sentence: `1,234,567`, `30.1 MB`, `5.23 %`.
    pub(super) fn in_words(self, value: f64) -> String {
        // Figures are counts, or ratios of counts.
        let whole = value.round().clamp(0.0, 1e18) as u64;
        match self {
            Unit::Ratio => percent(value),
            Unit::Bytes => size(whole),
            Unit::Count => crate::text::count(whole),
        }
    }
}

fn scaled(value: f64) -> (f64, &'static str) {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let fits = units.iter().find(|(one, _)| value >= *one);
    fits.map_or((value, ""), |(one, letter)| (value / one, letter))
}

/// Formats with as many decimals as needed, two at most.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An axis from one number to another, with ticks between.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub from: f64,
    pub to: f64,
    pub ticks: Vec<f64>,
}

impl Axis {
    /// Returns an axis from 0 to slightly above `most`, with at most five ticks, whose step is 1, 2 or 5 times a power
    /// of ten. Counts have ticks at whole numbers only.
    pub(super) fn of_values(most: f64, unit: Unit) -> Self {
        let least = if unit == Unit::Ratio { 0.001 } else { 1.0 };
        let most = if most > 0.0 { most } else { least };
        let magnitude = 10_f64.powf((most / 5.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude);
        let step = steps.into_iter().find(|step| most / step <= 5.0).unwrap_or(most);
        let step = if unit == Unit::Ratio { step } else { step.max(1.0) };
        let ticks = (0..).map(|number| f64::from(number) * step).take_while(|tick| *tick <= most * (1.0 + 1e-9));
        Axis { from: 0.0, to: most * 1.15, ticks: ticks.collect() }
    }

    /// Returns an axis of days, with at most `labels` ticks: every day or second day, on Mondays, on the first of
    /// months, or every few years.
    pub(super) fn of_days(first: Day, last: Day, labels: usize) -> Self {
        let number = |day: Day| f64::from(day.number());
        let fits = |ticks: &Vec<Day>| !ticks.is_empty() && ticks.len() <= labels.max(1);
        let days = |each: fn(Day, Day) -> bool| move || first.through(last).filter(|day| each(first, *day)).collect();
        let all: [Box<dyn Fn() -> Vec<Day>>; 15] = [
            Box::new(days(|_, _| true)),
            Box::new(days(|first, day| (day.number() - first.number()) % 2 == 0)),
            Box::new(days(|_, day| is_monday(day))),
            Box::new(days(|_, day| is_monday(day) && day.number() / 7 % 2 == 0)),
            Box::new(days(|_, day| is_first_of(day, 1))),
            Box::new(days(|_, day| is_first_of(day, 2))),
            Box::new(days(|_, day| is_first_of(day, 3))),
            Box::new(days(|_, day| is_first_of(day, 6))),
            Box::new(days(|_, day| is_first_of(day, 12))),
            Box::new(days(|_, day| begins_years(day, 2))),
            Box::new(days(|_, day| begins_years(day, 5))),
            Box::new(days(|_, day| begins_years(day, 10))),
            Box::new(days(|_, day| begins_years(day, 20))),
            Box::new(days(|_, day| begins_years(day, 50))),
            Box::new(move || vec![first]),
        ];
        let ticks = all.iter().map(|ticks| ticks()).find(fits).unwrap_or_default();
        Axis { from: number(first) - 0.7, to: number(last) + 0.7, ticks: ticks.into_iter().map(number).collect() }
    }

    /// Returns an axis of this many places, from 0, with at most `labels` ticks at equal distances; the last place has
    /// a tick.
    pub(super) fn of_places(places: usize, labels: usize) -> Self {
        let each = places.div_ceil(labels.max(1)).max(1);
        let ticks = (0..places).filter(|place| (places - 1 - place).is_multiple_of(each)).map(|place| place as f64);
        Axis { from: -0.7, to: places as f64 - 0.3, ticks: ticks.collect() }
    }
}

/// 1970-01-01 was a Thursday.
fn is_monday(day: Day) -> bool {
    day.number() % 7 == 4
}

/// Whether a day is the first of a month, counting every `months`-th month of a year.
fn is_first_of(day: Day, months: u32) -> bool {
    let date = day.date();
    date.day() == 1 && date.month0().is_multiple_of(months)
}

/// Whether a day is the first day of a year that is divisible by `years`.
fn begins_years(day: Day, years: i32) -> bool {
    is_first_of(day, 12) && day.date().year() % years == 0
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (begin, end): (i32, i32)) -> i32 {
        let place = (value - self.from) / (self.to - self.from);
        (f64::from(begin) + place * f64::from(end - begin)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn ticks(first: &str, last: &str, labels: usize) -> Vec<String> {
        let axis = Axis::of_days(day(first), day(last), labels);
        axis.ticks.iter().map(|tick| Day::from_number(*tick as i32).unwrap().to_string()).collect()
    }

    #[test]
    fn days_have_ticks_where_a_calendar_has_lines() {
        assert_eq!(ticks("2026-01-01", "2026-01-03", 9), ["2026-01-01", "2026-01-02", "2026-01-03"]);
        assert_eq!(ticks("2026-01-01", "2026-01-04", 3), ["2026-01-01", "2026-01-03"]);
        assert_eq!(ticks("2026-01-01", "2026-01-20", 4), ["2026-01-05", "2026-01-12", "2026-01-19"]);
        assert_eq!(ticks("2025-01-01", "2025-12-31", 4), ["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"]);
        assert_eq!(ticks("2020-03-01", "2025-12-31", 5).len(), 5);
        assert_eq!(ticks("2010-01-01", "2020-01-01", 4), ["2010-01-01", "2015-01-01", "2020-01-01"]);
        assert_eq!(ticks("1970-01-01", "2261-12-31", 6).len(), 6, "every fifty years");
        assert_eq!(ticks("2026-01-06", "2026-01-09", 1), ["2026-01-06"], "no Monday");
    }

    #[test]
    fn values_have_few_ticks_that_are_round() {
        assert_eq!(Axis::of_values(500_001.0, Unit::Count).ticks, [0.0, 2e5, 4e5]);
        assert_eq!(Axis::of_values(2.0, Unit::Count).ticks, [0.0, 1.0, 2.0]);
        assert_eq!(Axis::of_values(0.0, Unit::Ratio).ticks.len(), 6);
        let axis = Axis::of_values(0.021, Unit::Ratio);
        assert_eq!(
            axis.ticks.iter().map(|tick| Unit::Ratio.at_axis(*tick)).collect::<Vec<_>>(),
            ["0 %", "0.5 %", "1 %", "1.5 %", "2 %"]
        );
        assert_eq!(Axis::of_places(5, 3).ticks, [0.0, 2.0, 4.0]);
        assert_eq!(
            [Unit::Count.at_axis(2_500.0), Unit::Bytes.at_axis(3e7), Unit::Bytes.at_axis(0.0)],
            ["2.5k", "30 MB", "0 B"]
        );
        assert_eq!([Unit::Count.in_words(1_234.0), Unit::Bytes.in_words(1_500.0)], ["1,234", "1.5 kB"]);
    }
}
