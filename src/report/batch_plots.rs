//! The plots of batches.

use super::axis::Unit;
use super::card::{Card, Cell, heads};
use super::chart::{BLUE, GREEN, ORANGE, Shape};
use super::figures::BatchFigures;
use super::notable::Figure;
use super::partitions::ratio;
use super::periods::Periods;
use super::plots::{Figures, Series};
use crate::text::{count, percent, size};

/// The head of the tables' first column, and the noun for their rows.
const BATCHES: (&str, &str) = ("Batch", "batches");

/// The maximum number of types with a part of their own in a bar: only three colours can be distinguished by everybody.
const COLORED_MAX: usize = 3;

impl Figures<'_> {
    pub(super) fn actions(&self, periods: Periods) -> Card<'_> {
        let types = &self.store.types;
        let labels: Vec<String> = types.names().map(str::to_owned).chain(types.others_in_words()).collect();
        let parts = self.parts(&labels);
        let colors = [(BLUE, Some(Figure::Actions)), (ORANGE, None), (GREEN, None)];
        let series: Vec<Series<'_>> =
            parts.iter().zip(colors).map(|((name, _), (color, figure))| (name.as_str(), color, figure)).collect();
        let of = |one: &BatchFigures, places: &[usize]| {
            places.iter().filter_map(|place| one.types.get(*place)).fold(0, |sum: u64, more| sum.saturating_add(*more))
        };
        let values = |one: &BatchFigures| parts.iter().map(|(_, places)| Some(of(one, places) as f64)).collect();
        let words = |one: &BatchFigures| {
            let of_types = labels.iter().zip(&one.types).map(|(name, number)| format!("{} {name}", count(*number)));
            format!("{} actions: {}", count(one.actions), of_types.collect::<Vec<_>>().join(", "))
        };
        let columns = types.names().map(|name| (format!("types.{name}"), name.to_owned()));
        let others = types.others_in_words().map(|words| ("other_types".to_owned(), words));
        let all = heads(&[("actions", "All")]);
        let few = match types.others() {
            0 => String::new(),
            _ => "; the types with the most actions are shown by name, all others as a sum".to_owned(),
        };
        Card {
            id: "actions",
            title: "Actions per day, by type",
            subtitle: format!(
                "Actions in the files of each batch, by the day on which the files arrived{few}{}",
                periods.in_words(Unit::Count)
            ),
            chart: self.of_batches(periods, (Shape::Bars, Unit::Count), &series, values, words),
            table: self.table(
                periods,
                &self.store.batches,
                BATCHES,
                columns.chain(others).chain(all).collect(),
                &[Figure::Actions],
                |one, _| one.types.iter().copied().chain([one.actions]).map(Cell::count).collect(),
            ),
        }
    }

    /// Returns the parts of each bar, by name, and the indices of their types: with more than three types, the two with
    /// the most actions, and all others.
    fn parts(&self, labels: &[String]) -> Vec<(String, Vec<usize>)> {
        let totals = self.store.types.counts(&self.store.actions);
        let mut places: Vec<(usize, &String)> = labels.iter().enumerate().collect();
        let alone = |(place, name): (usize, &String)| (name.clone(), vec![place]);
        if places.len() <= COLORED_MAX {
            return places.into_iter().map(alone).collect();
        }
        // The type that is already a sum stays among the others, however large it is.
        let is_sum = |place: usize| place >= self.store.types.names().count();
        places.sort_by_key(|(place, _)| (is_sum(*place), std::cmp::Reverse(totals.get(*place).copied())));
        let others = places.split_off(COLORED_MAX - 1);
        let joined = match self.store.types.others() {
            0 => others.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" + "),
            more => format!("others ({} types)", count((others.len() - 1 + more) as u64)),
        };
        let others = others.into_iter().map(|(place, _)| place).collect();
        places.into_iter().map(alone).chain([(joined, others)]).collect()
    }

    pub(super) fn late(&self, periods: Periods) -> Card<'_> {
        let series = [("late", BLUE, Some(Figure::LateShare)), ("early", ORANGE, None)];
        let values = |one: &BatchFigures| vec![ratio(one.late, one.actions), ratio(one.early, one.actions)];
        let words = |one: &BatchFigures| {
            let late = ratio(one.late, one.actions).map(percent).unwrap_or_default();
            format!("{} late ({late}), {} early, of {} actions", count(one.late), count(one.early), count(one.actions))
        };
        let columns = [("actions", "Actions"), ("late", "Late"), ("early", "Early"), ("late_share", "Late share")];
        Card {
            id: "late",
            title: "Late actions per batch",
            subtitle: format!(
                "Share of a batch's actions, in per cent: late actions are of a day before the batch day, early actions of a day after{}",
                periods.in_words(Unit::Ratio)
            ),
            chart: self.of_batches(periods, (Shape::Lines, Unit::Ratio), &series, values, words),
            table: self.table(
                periods,
                &self.store.batches,
                BATCHES,
                heads(&columns),
                &[Figure::LateShare],
                |one, _| {
                    let counts = [one.actions, one.late, one.early].map(Cell::count);
                    counts.into_iter().chain([Cell::ratio(ratio(one.late, one.actions))]).collect()
                },
            ),
        }
    }

    pub(super) fn customers(&self, periods: Periods) -> Card<'_> {
        let series = [("customers", BLUE, Some(Figure::Customers))];
        // A sum would count a customer of several batches repeatedly.
        let is_mean = !periods.are_days();
        let head = if is_mean { "Customers of a batch, on average" } else { "Customers" };
        Card {
            id: "customers",
            title: "Customers per batch",
            subtitle: format!(
                "Customers with at least one action of the batch; the store has {} in total{}",
                count(self.store.histories.customers()),
                periods.in_words(Unit::Count)
            ),
            chart: self.of_batches(
                periods,
                (Shape::Lines, Unit::Count),
                &series,
                |one| vec![Some(one.customers as f64)],
                |one| match is_mean {
                    true => format!("{} customers, each counted once in each batch", count(one.customers)),
                    false => format!("{} customers", count(one.customers)),
                },
            ),
            table: self.table(
                periods,
                &self.store.batches,
                BATCHES,
                heads(&[("customers", head)]),
                &[Figure::Customers],
                |one, batches| vec![Cell::count(one.customers / batches.max(1))],
            ),
        }
    }

    pub(super) fn bytes(&self, periods: Periods) -> Card<'_> {
        let series = [("bytes", BLUE, Some(Figure::Bytes))];
        Card {
            id: "bytes",
            title: "Input bytes per batch",
            subtitle: format!(
                "Size of the batch's files; {} in total, for which the store takes {}{}",
                size(self.store.sum(|one| one.bytes)),
                size(self.store.bytes),
                periods.in_words(Unit::Bytes)
            ),
            chart: self.of_batches(
                periods,
                (Shape::Bars, Unit::Bytes),
                &series,
                |one| vec![Some(one.bytes as f64)],
                |one| format!("{} in {} files", size(one.bytes), count(one.files as u64)),
            ),
            table: self.table(
                periods,
                &self.store.batches,
                BATCHES,
                heads(&[("files", "Files"), ("bytes", "Bytes")]),
                &[Figure::Files, Figure::Bytes],
                |one, _| vec![Cell::count(one.files as u64), Cell::size(one.bytes)],
            ),
        }
    }
}
