//! Which plots there are: what each shows of the figures, and the table beneath it.

use plotters::style::RGBColor;

use super::axis::Unit;
use super::card::{Card, Cell};
use super::chart::{Chart, Places, Point, Shape};
use super::figures::{BatchFigures, StoreFigures};
use super::notable::{Figure, Notable};
use super::partitions::PartitionFigures;
use crate::model::Day;

/// All figures of a page.
pub(super) struct Figures<'a> {
    pub store: &'a StoreFigures,
    /// `None` where no output folder was named.
    pub partitions: Option<&'a [PartitionFigures]>,
    pub notable: &'a Notable,
}

/// A series: its name, its colour, and the figure by which its days are marked.
pub(super) type Series<'a> = (&'a str, RGBColor, Option<Figure>);

impl Figures<'_> {
    /// The plots in their order. Those of batches are left out where there is none, and so are those of partitions.
    pub fn cards(&self) -> Vec<Card> {
        let mut cards = Vec::new();
        cards.extend(self.coverage());
        if let (Some(first), Some(last)) = (self.store.batches.first(), self.store.batches.last()) {
            let days = (first.dt, last.dt);
            cards.extend([
                self.actions(days),
                self.late(days),
                self.customers(days),
                self.bytes(days),
                self.histories(),
            ]);
        }
        if let Some((first, last)) = self.partitions.and_then(|all| Some((all.first()?, all.last()?))) {
            let days = (first.dt, last.dt);
            cards.extend([self.rows(days), self.labels(days), self.padding(days)]);
        }
        cards
    }

    pub(super) fn partitions(&self) -> &[PartitionFigures] {
        self.partitions.unwrap_or_default()
    }

    /// A plot of all batches.
    pub(super) fn of_batches(
        &self,
        days: (Day, Day),
        (shape, unit): (Shape, Unit),
        series: &[Series<'_>],
        values: impl Fn(&BatchFigures) -> Vec<Option<f64>>,
        words: impl Fn(&BatchFigures) -> String,
    ) -> Chart {
        let points = self.store.batches.iter().map(|batch| (batch.dt, values(batch), words(batch)));
        self.chart(days, shape, unit, series, points.collect(), self.store.gaps.clone())
    }

    /// A plot of all partitions.
    pub(super) fn of_partitions(
        &self,
        days: (Day, Day),
        (shape, unit): (Shape, Unit),
        series: &[Series<'_>],
        values: fn(&PartitionFigures) -> Vec<Option<f64>>,
        words: fn(&PartitionFigures) -> String,
    ) -> Chart {
        let points = self.partitions().iter().map(|one| (one.dt, values(one), words(one)));
        self.chart(days, shape, unit, series, points.collect(), Vec::new())
    }

    pub(super) fn chart(
        &self,
        (first, last): (Day, Day),
        shape: Shape,
        unit: Unit,
        series: &[Series<'_>],
        points: Vec<(Day, Vec<Option<f64>>, String)>,
        gaps: Vec<Day>,
    ) -> Chart {
        let ranges = series.iter().enumerate().filter_map(|(number, (name, ..))| {
            let values = points.iter().filter_map(|(_, values, _)| values.get(number).copied().flatten());
            let least = values.clone().min_by(f64::total_cmp)?;
            let most = values.max_by(f64::total_cmp)?;
            Some(format!("{name} from {} to {}", unit.in_words(least), unit.in_words(most)))
        });
        let description = format!("{first} to {last}: {}.", ranges.collect::<Vec<_>>().join("; "));
        let points = points.into_iter().map(|(day, values, words)| {
            let said: Vec<Option<String>> =
                series.iter().map(|(.., figure)| figure.and_then(|figure| self.notable.mark_of(figure, day))).collect();
            let marks: String = said.iter().flatten().map(|said| format!(". Marked: {said}")).collect();
            let marked = said.iter().map(Option::is_some).collect();
            Point { at: at(day), values, tooltip: format!("{day}: {words}{marks}"), marked }
        });
        Chart {
            places: Places::Days(first, last),
            shape,
            unit,
            series: series.iter().map(|(name, color, _)| ((*name).to_owned(), *color)).collect(),
            points: points.collect(),
            gaps,
            description,
        }
    }

    /// A row of a table: the day, its figures, and why it is marked, if it is.
    pub(super) fn row(&self, day: Day, cells: impl IntoIterator<Item = Cell>, figures: &[Figure]) -> Vec<Cell> {
        let said: Vec<String> = figures.iter().filter_map(|figure| self.notable.mark_of(*figure, day)).collect();
        let names = figures.iter().filter(|figure| self.notable.mark_of(**figure, day).is_some());
        let names: Vec<&str> = names.map(|figure| figure.name()).collect();
        let marked = Cell { value: names.join(" "), text: said.join("; ") };
        [Cell::plain(day)].into_iter().chain(cells).chain([marked]).collect()
    }
}

pub(super) fn at(day: Day) -> f64 {
    f64::from(day.number())
}
