//! Groups days into periods, one for each column of a plot and row of a table: single days, or as many consecutive days
//! as needed to limit the number of periods.

use std::fmt;

use super::axis::Unit;
use super::figures::BatchFigures;
use super::partitions::PartitionFigures;
use crate::exact::usize_of;
use crate::model::Day;

/// The maximum number of columns of a plot, and rows of a table: over a year of single days. A plot is about 750 pixels
/// wide.
pub(super) const PERIODS_MAX: u32 = 400;

/// The days of a plot, in periods of equal length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Periods {
    first: Day,
    last: Day,
    days_each: u32,
}

/// Consecutive days, both ends included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Period {
    pub first: Day,
    pub last: Day,
}

/// Figures of a day that can be summed.
pub(super) trait Daily: Clone {
    fn dt(&self) -> Day;
    /// Adds the figures of a later day.
    fn add(&mut self, later: &Self);
}

/// The figures of the days of a period.
pub(super) struct Gathered<'a, T> {
    pub period: Period,
    pub days: &'a [T],
    /// The sum over all days.
    pub sum: T,
}

impl Periods {
    /// Returns the periods from one day to another: single days if they fit.
    pub(super) fn of(first: Day, last: Day) -> Self {
        let days = first.number().abs_diff(last.number()) + 1;
        Periods { first, last, days_each: days.div_ceil(PERIODS_MAX) }
    }

    /// Returns the first day and the last.
    pub(super) fn ends(self) -> (Day, Day) {
        (self.first, self.last)
    }

    /// Whether each period is a single day.
    pub(super) fn are_days(self) -> bool {
        self.days_each == 1
    }

    pub(super) fn days_each(self) -> u32 {
        self.days_each
    }

    /// Returns the addition to a plot's words; empty if each period is a single day.
    pub(super) fn in_words(self, unit: Unit) -> String {
        let taken = if unit == Unit::Ratio { "as a whole" } else { "as their mean" };
        if self.are_days() { String::new() } else { format!("; each column covers {} days, {taken}", self.days_each) }
    }

    fn place_of(self, day: Day) -> u32 {
        self.first.number().abs_diff(day.number()) / self.days_each
    }

    /// Iterates over all periods, in order.
    pub(super) fn all(self) -> impl Iterator<Item = Period> {
        let step = usize_of(self.days_each);
        self.first.through(self.last).step_by(step).map(move |day| self.holding(day))
    }

    /// Returns the period that contains a day.
    pub(super) fn holding(self, day: Day) -> Period {
        let before = self.first.number().abs_diff(day.number()) % self.days_each;
        let first = day.minus(before);
        let last = first.through(self.last).take(usize_of(self.days_each)).last();
        Period { first, last: last.unwrap_or(first) }
    }

    /// Returns the figures of each period that has any; `all` are of these days, days ascending.
    pub(super) fn gather<T: Daily>(self, all: &[T]) -> impl Iterator<Item = Gathered<'_, T>> {
        let chunks = all.chunk_by(move |one, next| self.place_of(one.dt()) == self.place_of(next.dt()));
        chunks.filter_map(move |days| {
            let (first, others) = days.split_first()?;
            let mut sum = first.clone();
            others.iter().for_each(|day| sum.add(day));
            Some(Gathered { period: self.holding(first.dt()), days, sum })
        })
    }
}

impl Period {
    /// Returns the position on an axis of days: the middle, and half the width.
    pub(super) fn at(self) -> (f64, f64) {
        let (first, last) = (f64::from(self.first.number()), f64::from(self.last.number()));
        (f64::midpoint(first, last), (last - first + 1.0) / 2.0)
    }

    /// Returns those of some days, ascending, that lie in the period.
    pub(super) fn within(self, days: &[Day]) -> &[Day] {
        let (until, _) = days.split_at(days.partition_point(|day| *day <= self.last));
        until.split_at(until.partition_point(|day| *day < self.first)).1
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Period { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first}..{last}") }
    }
}

fn add((sum, more): (&mut u64, &u64)) {
    *sum = sum.saturating_add(*more);
}

impl Daily for BatchFigures {
    fn dt(&self) -> Day {
        self.dt
    }

    fn add(&mut self, later: &Self) {
        let BatchFigures { dt: _, files, bytes, actions, types, late, early, quarantined, customers } = later;
        self.files += files;
        self.types.iter_mut().zip(types).for_each(add);
        let sums = [
            (&mut self.bytes, bytes),
            (&mut self.actions, actions),
            (&mut self.late, late),
            (&mut self.early, early),
            (&mut self.quarantined, quarantined),
            (&mut self.customers, customers),
        ];
        sums.into_iter().for_each(add);
    }
}

impl Daily for PartitionFigures {
    fn dt(&self) -> Day {
        self.dt
    }

    fn add(&mut self, later: &Self) {
        let PartitionFigures { dt: _, rows, ordered, rows_without_history, filled, places, parts, bytes, read_from: _ } =
            later;
        self.parts += parts;
        let sums = [
            (&mut self.rows, rows),
            (&mut self.ordered, ordered),
            (&mut self.rows_without_history, rows_without_history),
            (&mut self.filled, filled),
            (&mut self.places, places),
            (&mut self.bytes, bytes),
        ];
        sums.into_iter().for_each(add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    #[test]
    fn each_day_is_in_one_period_and_there_are_not_too_many() {
        for days in [1, 2, 399, 400, 401, 799, 800, 801, 3_653, 106_000] {
            let periods = Periods::of(day(5), day(4 + days));
            let all: Vec<Period> = periods.all().collect();
            assert!(all.len() <= 400 && (days > 400 || all.len() == usize::try_from(days).unwrap()), "{days}");
            assert_eq!(periods.are_days(), days <= 400);
            assert_eq!((all[0].first, all[all.len() - 1].last), (day(5), day(4 + days)));
            assert!(all.windows(2).all(|pair| pair[0].last.next() == Some(pair[1].first)), "{days}");
            assert!(all.iter().all(|one| periods.holding(one.first) == *one && periods.holding(one.last) == *one));
        }
        assert_eq!(Periods::of(day(0), day(0)).holding(day(0)).to_string(), "1970-01-01");
        assert_eq!(Periods::of(day(0), day(800)).holding(day(4)).to_string(), "1970-01-04..1970-01-06");
        let period = Period { first: day(3), last: day(5) };
        assert_eq!(period.at(), (4.0, 1.5));
        assert_eq!(period.within(&[day(1), day(3), day(5), day(6)]), [day(3), day(5)]);
    }
}
