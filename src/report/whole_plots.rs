//! The plots of a whole store: the days covered, and the lengths of histories.

use super::axis::Unit;
use super::card::{Card, Cell, Table, heads};
use super::chart::{BLUE, Chart, Places, Point, Shape};
use super::partitions::ratio;
use super::periods::{Period, Periods};
use super::plots::Figures;
use crate::model::Day;
use crate::text::{count, percent};

/// The days covered, each list ascending.
struct Covered<'a> {
    held: Vec<Day>,
    missing: &'a [Day],
    made: Vec<Day>,
}

impl<'a> Covered<'a> {
    fn of(figures: &Figures<'a>) -> Self {
        Covered {
            held: figures.store.batches.iter().map(|batch| batch.dt).collect(),
            missing: &figures.store.gaps,
            made: figures.partitions.unwrap_or_default().iter().map(|one| one.dt).collect(),
        }
    }

    /// Returns the state of a day's batch.
    fn state(&self, day: Day) -> &'static str {
        match (self.held.binary_search(&day), self.missing.binary_search(&day)) {
            (Ok(_), _) => "held",
            (_, Ok(_)) => "missing",
            _ => "none",
        }
    }

    /// Returns consecutive days with equal states of batch and rows; single days if they fit.
    fn runs(self, periods: Periods) -> impl Iterator<Item = (Period, &'static str, &'static str)> {
        let (first, last) = periods.ends();
        let days = first.through(last).map(move |day| {
            let rows = if self.made.binary_search(&day).is_ok() { "produced" } else { "none" };
            (day, self.state(day), rows)
        });
        let mut days = days.peekable();
        std::iter::from_fn(move || {
            let (first, batch, rows) = days.next()?;
            let mut last = first;
            let is_same = |next: &(Day, &str, &str)| !periods.are_days() && (next.1, next.2) == (batch, rows);
            while let Some((day, ..)) = days.next_if(is_same) {
                last = day;
            }
            Some((Period { first, last }, batch, rows))
        })
    }
}

impl Figures<'_> {
    pub(super) fn coverage(&self) -> Option<Card<'_>> {
        let days = Covered::of(self);
        let first = days.held.first().into_iter().chain(days.made.first()).min().copied()?;
        let last = days.held.last().into_iter().chain(days.made.last()).max().copied()?;
        let periods = Periods::of(first, last);
        let mut series = vec![("batches".to_owned(), BLUE)];
        if !days.made.is_empty() {
            series.push(("rows".to_owned(), BLUE));
        }
        let gaps = self.store.gaps.len();
        let description = format!(
            "Days from {first} to {last}: {} batches held, {gaps} missing between them, {} days with rows.",
            self.store.batches.len(),
            self.partitions().len()
        );
        let points = periods.all().map(|period| self.covered(&days, period)).collect();
        let rows = |(period, batch, rows): (Period, &'static str, &'static str)| {
            vec![Cell::period(period), Cell::plain(batch), Cell::plain(rows)]
        };
        let words = match periods.are_days() {
            true => String::new(),
            false => "Consecutive days of the same state share a row.".to_owned(),
        };
        let subtitle = match periods.are_days() {
            true => String::new(),
            false => format!(
                "; each column covers {} days: red if a batch of these days is missing, filled by the share of days that exist",
                periods.days_each()
            ),
        };
        Some(Card {
            id: "coverage",
            title: "Days with batches and rows",
            subtitle: format!("Batches in the store, and days with training rows{subtitle}"),
            chart: Chart {
                places: Places::Days(first, last),
                shape: Shape::Cells,
                unit: Unit::Count,
                series,
                points,
                gaps: Vec::new(),
                description,
            },
            table: Table {
                words,
                columns: heads(&[("dt", "Day"), ("batch", "Batch"), ("rows", "Rows")]),
                rows: Box::new(days.runs(periods).map(rows)),
            },
        })
    }

    /// Returns which days of a period are covered.
    fn covered(&self, days: &Covered<'_>, period: Period) -> Point {
        let [held, missing, made] = [&days.held, days.missing, &days.made].map(|of| period.within(of).len());
        let of_all = period.first.through(period.last).count() as f64;
        let batches = match (held, missing) {
            (_, 1..) => Some(0.0),
            (1.., _) => Some(held as f64 / of_all),
            _ => None,
        };
        let rows = (made > 0).then(|| made as f64 / of_all);
        let tooltip = if period.first == period.last {
            let batch = match days.state(period.first) {
                "none" => "no batch".to_owned(),
                state => format!("batch {state}"),
            };
            let produced = self.partitions().binary_search_by_key(&period.first, |one| one.dt);
            let produced = produced.ok().and_then(|place| self.partitions().get(place));
            let rows = match (self.partitions, produced) {
                (None, _) => String::new(),
                (_, Some(one)) => format!(", {} rows", count(one.rows)),
                (_, None) => ", no rows produced".to_owned(),
            };
            format!("{period}: {batch}{rows}")
        } else {
            let rows = match self.partitions {
                None => String::new(),
                Some(_) => format!(", {made} days with rows"),
            };
            format!("{period}: {held} batches held, {missing} missing{rows}")
        };
        let (at, half) = period.at();
        Point { at, half, values: vec![batches, rows], tooltip, marked: Vec::new() }
    }

    pub(super) fn histories(&self) -> Card<'_> {
        let lengths = &self.store.histories;
        let (buckets, customers) = (lengths.buckets(), lengths.customers());
        let name = |from: usize, to: usize| match (from == to, to == lengths.max_history()) {
            (_, true) => format!("{} (cap)", count(to as u64)),
            (true, false) => count(from as u64),
            (false, false) => format!("{}–{}", count(from as u64), count(to as u64)),
        };
        let points = buckets.iter().enumerate().map(|(place, bucket)| Point {
            at: place as f64,
            half: 0.5,
            values: vec![Some(bucket.customers as f64)],
            tooltip: format!(
                "{} actions: {} customers ({})",
                name(bucket.from, bucket.to),
                count(bucket.customers),
                ratio(bucket.customers, customers).map(percent).unwrap_or_default()
            ),
            marked: Vec::new(),
        });
        let rows = buckets.iter().map(|bucket| {
            let of_all = Cell::ratio(ratio(bucket.customers, customers));
            vec![
                Cell { value: bucket.from.to_string(), text: name(bucket.from, bucket.to) },
                Cell::plain(bucket.to),
                Cell::count(bucket.customers),
                of_all,
            ]
        });
        let at_cap = ratio(lengths.at_cap(), customers).map(percent).unwrap_or_else(|| "none".to_owned());
        Card {
            id: "histories",
            title: "How long histories are",
            subtitle: format!(
                "Customers by the number of actions in their history; {at_cap} are at the cap of {}, the median has {}",
                count(lengths.max_history() as u64),
                lengths.median().map_or_else(|| "none".to_owned(), |median| count(median as u64))
            ),
            chart: Chart {
                places: Places::Named(buckets.iter().map(|bucket| name(bucket.from, bucket.to)).collect()),
                shape: Shape::Bars,
                unit: Unit::Count,
                series: vec![("customers".to_owned(), BLUE)],
                points: points.collect(),
                gaps: Vec::new(),
                description: format!(
                    "Histories of {} customers have from 1 to {} actions; {at_cap} are at the cap.",
                    count(customers),
                    count(lengths.max_history() as u64)
                ),
            },
            table: Table {
                columns: heads(&[
                    ("from", "Actions"),
                    ("to", "At most"),
                    ("customers", "Customers"),
                    ("share", "Share"),
                ]),
                words: String::new(),
                rows: Box::new(rows.collect::<Vec<_>>().into_iter()),
            },
        }
    }
}
