//! The plots of batches.

use super::axis::Unit;
use super::card::{Card, Cell, Table, heads};
use super::chart::{BLUE, GREEN, ORANGE, Shape};
use super::figures::BatchFigures;
use super::notable::Figure;
use super::partitions::share;
use super::plots::{Figures, Series};
use crate::model::Day;
use crate::text::{count, percent, size};

impl Figures<'_> {
    pub(super) fn actions(&self, days: (Day, Day)) -> Card {
        let shown = self.types_shown();
        let names: Vec<String> = shown.iter().map(|types| types.join(" + ")).collect();
        let colors = [(BLUE, Some(Figure::Actions)), (ORANGE, None), (GREEN, None)];
        let series: Vec<Series<'_>> =
            names.iter().zip(colors).map(|(name, (color, figure))| (name.as_str(), color, figure)).collect();
        let of = |one: &BatchFigures, types: &[&str]| types.iter().filter_map(|name| one.types.of(name)).sum::<u64>();
        let values = |one: &BatchFigures| shown.iter().map(|types| Some(of(one, types) as f64)).collect();
        let words = |one: &BatchFigures| {
            let of_types = one.types.0.iter().map(|(name, number)| format!("{} {name}", count(*number)));
            format!("{} actions: {}", count(one.actions), of_types.collect::<Vec<_>>().join(", "))
        };
        let rows = self.store.batches.iter().map(|one| {
            let counts = one.types.0.iter().map(|(_, number)| *number).chain([one.actions]).map(Cell::count);
            self.row(one.dt, counts, &[Figure::Actions])
        });
        let types = self.types().into_iter().map(|name| (format!("types.{name}"), name.to_owned()));
        Card {
            id: "actions",
            title: "Actions per day, by type",
            subtitle: "Actions in the files of each batch, that is by the day on which they arrived".to_owned(),
            chart: self.of_batches(days, (Shape::Bars, Unit::Count), &series, values, words),
            table: Table {
                columns: heads(&[("dt", "Batch")])
                    .into_iter()
                    .chain(types)
                    .chain(heads(&[("actions", "All"), ("marked", "Marked")]))
                    .collect(),
                rows: rows.collect(),
            },
        }
    }

    /// The names of the types, in the order of their numbers.
    fn types(&self) -> Vec<&str> {
        let first = self.store.batches.first().into_iter();
        first.flat_map(|one| one.types.0.iter().map(|(name, _)| name.as_str())).collect()
    }

    /// The types of each series: where there are more than three, the two with the most actions, and all others.
    fn types_shown(&self) -> Vec<Vec<&str>> {
        let mut types = self.types();
        if types.len() <= 3 {
            return types.into_iter().map(|name| vec![name]).collect();
        }
        let total = |name: &&str| self.store.sum(|one| one.types.of(name).unwrap_or(0));
        types.sort_by_key(|name| std::cmp::Reverse(total(name)));
        let others = types.split_off(2);
        types.into_iter().map(|name| vec![name]).chain([others]).collect()
    }

    pub(super) fn late(&self, days: (Day, Day)) -> Card {
        let series = [("late", BLUE, Some(Figure::LateShare)), ("early", ORANGE, None)];
        let values = |one: &BatchFigures| vec![share(one.late, one.actions), share(one.early, one.actions)];
        let words = |one: &BatchFigures| {
            let late = share(one.late, one.actions).map(percent).unwrap_or_default();
            format!("{} late ({late}), {} early, of {} actions", count(one.late), count(one.early), count(one.actions))
        };
        let rows = self.store.batches.iter().map(|one| {
            let counts = [one.actions, one.late, one.early].map(Cell::count);
            let cells = counts.into_iter().chain([Cell::share(share(one.late, one.actions))]);
            self.row(one.dt, cells, &[Figure::LateShare])
        });
        Card {
            id: "late",
            title: "Late actions per batch",
            subtitle: "Share of a batch's actions, in per cent: late are those of a day before the batch's, early those of a day after it".to_owned(),
            chart: self.of_batches(days, (Shape::Lines, Unit::Share), &series, values, words),
            table: Table {
                columns: heads(&[
                    ("dt", "Batch"),
                    ("actions", "Actions"),
                    ("late", "Late"),
                    ("early", "Early"),
                    ("late_share", "Late share"),
                    ("marked", "Marked"),
                ]),
                rows: rows.collect(),
            },
        }
    }

    pub(super) fn customers(&self, days: (Day, Day)) -> Card {
        let series = [("customers", BLUE, Some(Figure::Customers))];
        let rows = self.store.batches.iter();
        let rows = rows.map(|one| self.row(one.dt, [Cell::count(one.customers)], &[Figure::Customers]));
        Card {
            id: "customers",
            title: "Customers per batch",
            subtitle: format!(
                "Customers with at least one action of the batch; {} are in the store in all",
                count(self.store.histories.customers())
            ),
            chart: self.of_batches(
                days,
                (Shape::Lines, Unit::Count),
                &series,
                |one| vec![Some(one.customers as f64)],
                |one| format!("{} customers", count(one.customers)),
            ),
            table: Table {
                columns: heads(&[("dt", "Batch"), ("customers", "Customers"), ("marked", "Marked")]),
                rows: rows.collect(),
            },
        }
    }

    pub(super) fn bytes(&self, days: (Day, Day)) -> Card {
        let series = [("bytes", BLUE, Some(Figure::Bytes))];
        let rows = self.store.batches.iter().map(|one| {
            let cells = [Cell::count(one.files as u64), Cell::size(one.bytes)];
            self.row(one.dt, cells, &[Figure::Files, Figure::Bytes])
        });
        Card {
            id: "bytes",
            title: "Input bytes per batch",
            subtitle: format!(
                "Size of the batch's files; {} in all, of which the store makes {}",
                size(self.store.sum(|one| one.bytes)),
                size(self.store.bytes)
            ),
            chart: self.of_batches(
                days,
                (Shape::Bars, Unit::Bytes),
                &series,
                |one| vec![Some(one.bytes as f64)],
                |one| format!("{} in {} files", size(one.bytes), count(one.files as u64)),
            ),
            table: Table {
                columns: heads(&[("dt", "Batch"), ("files", "Files"), ("bytes", "Bytes"), ("marked", "Marked")]),
                rows: rows.collect(),
            },
        }
    }
}
