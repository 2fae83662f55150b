//! The plots of batches.

use super::axis::Unit;
use super::card::{Card, Cell, Table};
use super::chart::{BLUE, GREEN, ORANGE, Shape};
use super::figures::BatchFigures;
use super::notable::Figure;
use super::partitions::share;
use super::plots::Figures;
use crate::model::Day;
use crate::text::{count, percent, size};

impl Figures<'_> {
    pub(super) fn actions(&self, days: (Day, Day)) -> Card {
        let series = [("clicks", BLUE, Some(Figure::Actions)), ("add-to-carts", ORANGE, None), ("orders", GREEN, None)];
        let values =
            |one: &BatchFigures| [one.clicks, one.add_to_carts, one.orders].map(|number| Some(number as f64)).to_vec();
        let words = |one: &BatchFigures| {
            let BatchFigures { clicks, add_to_carts, orders, actions, .. } = one;
            let [clicks, carts, orders, all] = [clicks, add_to_carts, orders, actions].map(|number| count(*number));
            format!("{all} actions: {clicks} clicks, {carts} add-to-carts, {orders} orders")
        };
        let rows = self.store.batches.iter().map(|one| {
            let counts = [one.clicks, one.add_to_carts, one.orders, one.actions].map(Cell::count);
            self.row(one.dt, counts, &[Figure::Actions])
        });
        Card {
            id: "actions",
            title: "Actions per day, by type",
            subtitle: "Actions in the files of each batch, that is by the day on which they arrived".to_owned(),
            chart: self.of_batches(days, (Shape::Bars, Unit::Count), &series, values, words),
            table: Table {
                columns: vec![
                    ("dt", "Batch"),
                    ("clicks", "Clicks"),
                    ("add_to_carts", "Add-to-carts"),
                    ("orders", "Orders"),
                    ("actions", "All"),
                    ("marked", "Marked"),
                ],
                rows: rows.collect(),
            },
        }
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
                columns: vec![
                    ("dt", "Batch"),
                    ("actions", "Actions"),
                    ("late", "Late"),
                    ("early", "Early"),
                    ("late_share", "Late share"),
                    ("marked", "Marked"),
                ],
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
                columns: vec![("dt", "Batch"), ("customers", "Customers"), ("marked", "Marked")],
                rows: rows.collect(),
            },
        }
    }

    pub(super) fn bytes(&self, days: (Day, Day)) -> Card {
        let series = [("bytes", BLUE, Some(Figure::Bytes))];
        let rows = self
            .store
            .batches
            .iter()
            .map(|one| self.row(one.dt, [Cell::count(one.files as u64), Cell::size(one.bytes)], &[Figure::Bytes]));
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
                columns: vec![("dt", "Batch"), ("files", "Files"), ("bytes", "Bytes"), ("marked", "Marked")],
                rows: rows.collect(),
            },
        }
    }
}
