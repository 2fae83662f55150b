//! The plots of partitions.

use super::axis::Unit;
use super::card::{Card, Cell, heads};
use super::chart::{BLUE, GREEN, ORANGE, Shape};
use super::notable::Figure;
use super::periods::Periods;
use super::plots::Figures;
use crate::text::{count, counted, percent, size};

/// The head of the tables' first column, and the noun for their rows.
const PARTITIONS: (&str, &str) = ("Day", "partitions");

impl Figures<'_> {
    pub(super) fn rows(&self, periods: Periods) -> Card<'_> {
        let series = [("rows", GREEN, Some(Figure::Rows))];
        Card {
            id: "rows",
            title: "Training rows per day",
            subtitle: format!("Rows of each produced day, one for each shown item{}", periods.in_words(Unit::Count)),
            chart: self.of_partitions(
                periods,
                (Shape::Bars, Unit::Count),
                &series,
                |one| vec![Some(one.rows as f64)],
                |one| {
                    format!("{} rows in {} of {}", count(one.rows), counted(one.parts as u64, "file"), size(one.bytes))
                },
            ),
            table: self.table(
                periods,
                self.partitions(),
                PARTITIONS,
                heads(&[("rows", "Rows"), ("parts", "Files"), ("bytes", "Bytes")]),
                &[Figure::Rows],
                |one, _| vec![Cell::count(one.rows), Cell::count(one.parts as u64), Cell::size(one.bytes)],
            ),
        }
    }

    pub(super) fn labels(&self, periods: Periods) -> Card<'_> {
        let series = [("label rate", GREEN, Some(Figure::LabelRate))];
        Card {
            id: "labels",
            title: "Label rate per day",
            subtitle: format!(
                "Share of a day's rows whose item was ordered, in per cent{}",
                periods.in_words(Unit::Ratio)
            ),
            chart: self.of_partitions(
                periods,
                (Shape::Lines, Unit::Ratio),
                &series,
                |one| vec![one.label_rate()],
                |one| {
                    let rate = one.label_rate().map(percent).unwrap_or_default();
                    format!("{} of {} rows ordered ({rate})", count(one.ordered), count(one.rows))
                },
            ),
            table: self.table(
                periods,
                self.partitions(),
                PARTITIONS,
                heads(&[("rows", "Rows"), ("ordered", "Ordered"), ("label_rate", "Label rate")]),
                &[Figure::LabelRate],
                |one, _| vec![Cell::count(one.rows), Cell::count(one.ordered), Cell::ratio(one.label_rate())],
            ),
        }
    }

    pub(super) fn padding(&self, periods: Periods) -> Card<'_> {
        let series = [
            ("padding share", BLUE, Some(Figure::PaddingShare)),
            ("cold-start share", ORANGE, Some(Figure::ColdStartShare)),
        ];
        Card {
            id: "padding",
            title: "Padding and cold starts per day",
            subtitle: format!(
                "In per cent: places without an action in the rows' histories, and rows of customers without any history{}",
                periods.in_words(Unit::Ratio)
            ),
            chart: self.of_partitions(
                periods,
                (Shape::Lines, Unit::Ratio),
                &series,
                |one| vec![one.padding_ratio(), one.cold_start_ratio()],
                |one| {
                    let [padding, cold] = [one.padding_ratio(), one.cold_start_ratio()]
                        .map(|ratio| ratio.map(percent).unwrap_or_default());
                    format!("{padding} padding, {cold} of the rows without any history")
                },
            ),
            table: self.table(
                periods,
                self.partitions(),
                PARTITIONS,
                heads(&[
                    ("places", "Places"),
                    ("filled", "Filled"),
                    ("rows", "Rows"),
                    ("rows_without_history", "Without history"),
                    ("padding_share", "Padding share"),
                    ("cold_start_share", "Cold-start share"),
                ]),
                &[Figure::PaddingShare, Figure::ColdStartShare],
                |one, _| {
                    let counts = [one.places, one.filled, one.rows, one.rows_without_history].map(Cell::count);
                    let ratios = [one.padding_ratio(), one.cold_start_ratio()].map(Cell::ratio);
                    counts.into_iter().chain(ratios).collect()
                },
            ),
        }
    }
}
