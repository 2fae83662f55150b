//! The plots of partitions.

use super::axis::Unit;
use super::card::{Card, Cell, Table, heads};
use super::chart::{BLUE, GREEN, ORANGE, Shape};
use super::notable::Figure;
use super::plots::Figures;
use crate::model::Day;
use crate::text::{count, counted, percent, size};

impl Figures<'_> {
    pub(super) fn rows(&self, days: (Day, Day)) -> Card {
        let series = [("rows", GREEN, Some(Figure::Rows))];
        let rows = self.partitions().iter().map(|one| {
            let cells = [Cell::count(one.rows), Cell::count(one.parts as u64), Cell::size(one.bytes)];
            self.row(one.dt, cells, &[Figure::Rows])
        });
        Card {
            id: "rows",
            title: "Training rows per day",
            subtitle: "Rows of each produced day, one for each item that was shown".to_owned(),
            chart: self.of_partitions(
                days,
                (Shape::Bars, Unit::Count),
                &series,
                |one| vec![Some(one.rows as f64)],
                |one| {
                    format!("{} rows in {} of {}", count(one.rows), counted(one.parts as u64, "file"), size(one.bytes))
                },
            ),
            table: Table {
                columns: heads(&[
                    ("dt", "Day"),
                    ("rows", "Rows"),
                    ("parts", "Files"),
                    ("bytes", "Bytes"),
                    ("marked", "Marked"),
                ]),
                rows: rows.collect(),
            },
        }
    }

    pub(super) fn labels(&self, days: (Day, Day)) -> Card {
        let series = [("label rate", GREEN, Some(Figure::LabelRate))];
        let rows = self.partitions().iter().map(|one| {
            let cells = [Cell::count(one.rows), Cell::count(one.ordered), Cell::share(one.label_rate())];
            self.row(one.dt, cells, &[Figure::LabelRate])
        });
        Card {
            id: "labels",
            title: "Label rate per day",
            subtitle: "Share of a day's rows whose item was ordered, in per cent".to_owned(),
            chart: self.of_partitions(
                days,
                (Shape::Lines, Unit::Share),
                &series,
                |one| vec![one.label_rate()],
                |one| {
                    let rate = one.label_rate().map(percent).unwrap_or_default();
                    format!("{} of {} rows ordered ({rate})", count(one.ordered), count(one.rows))
                },
            ),
            table: Table {
                columns: heads(&[
                    ("dt", "Day"),
                    ("rows", "Rows"),
                    ("ordered", "Ordered"),
                    ("label_rate", "Label rate"),
                    ("marked", "Marked"),
                ]),
                rows: rows.collect(),
            },
        }
    }

    pub(super) fn padding(&self, days: (Day, Day)) -> Card {
        let series = [
            ("padding share", BLUE, Some(Figure::PaddingShare)),
            ("cold-start share", ORANGE, Some(Figure::ColdStartShare)),
        ];
        let rows = self.partitions().iter().map(|one| {
            let counts = [one.places, one.filled, one.rows, one.rows_without_history].map(Cell::count);
            let shares = [one.padding_share(), one.cold_start_share()].map(Cell::share);
            self.row(one.dt, counts.into_iter().chain(shares), &[Figure::PaddingShare, Figure::ColdStartShare])
        });
        Card {
            id: "padding",
            title: "Padding and cold starts per day",
            subtitle: "In per cent: places of the rows' histories that hold no action, and rows of customers without any history".to_owned(),
            chart: self.of_partitions(
                days,
                (Shape::Lines, Unit::Share),
                &series,
                |one| vec![one.padding_share(), one.cold_start_share()],
                |one| {
                    let [padding, cold] = [one.padding_share(), one.cold_start_share()].map(|share| share.map(percent).unwrap_or_default());
                    format!("{padding} padding, {cold} of the rows without any history")
                },
            ),
            table: Table {
                columns: heads(&[
                    ("dt", "Day"),
                    ("places", "Places"),
                    ("filled", "Filled"),
                    ("rows", "Rows"),
                    ("rows_without_history", "Without history"),
                    ("padding_share", "Padding share"),
                    ("cold_start_share", "Cold-start share"),
                    ("marked", "Marked"),
                ]),
                rows: rows.collect(),
            },
        }
    }
}
