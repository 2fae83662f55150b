//! Which plots there are: what each shows of the figures, and the table beneath it.

use plotters::style::RGBColor;

use super::axis::Unit;
use super::card::{Card, Cell};
use super::chart::{Chart, Places, Point, Shape};
use super::figures::{BatchFigures, StoreFigures};
use super::notable::{Figure, Notable};
use super::partitions::PartitionFigures;
use crate::model::Day;

/// Days that are further from the next one than this are drawn apart from it.
const STRAY_DAYS: u32 = 366;

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
    /// The plots in their order. Those of batches are left out where there is none, and so are those of partitions. Days far from the others are in none.
    pub fn cards(&self) -> Vec<Card> {
        let strays = self.strays();
        if strays.is_empty() {
            return self.cards_of_all();
        }
        let is_near = |day: Day| strays.binary_search(&day).is_err();
        let mut store = self.store.clone();
        store.batches.retain(|batch| is_near(batch.dt));
        let held = store.batches.first().zip(store.batches.last()).map(|(first, last)| first.dt..=last.dt);
        store.gaps.retain(|day| held.as_ref().is_some_and(|held| held.contains(day)));
        let partitions: Option<Vec<PartitionFigures>> =
            self.partitions.map(|all| all.iter().filter(|one| is_near(one.dt)).cloned().collect());
        Figures { store: &store, partitions: partitions.as_deref(), notable: self.notable }.cards_of_all()
    }

    /// The days with a batch or rows that are over a year from most of the others, ascending: a plot of all days between would have room for none of them.
    pub fn strays(&self) -> Vec<Day> {
        let mut days: Vec<Day> = self.store.batches.iter().map(|batch| batch.dt).collect();
        days.extend(self.partitions().iter().map(|one| one.dt));
        days.sort_unstable();
        days.dedup();
        let groups = days.chunk_by(|one, next| one.number().abs_diff(next.number()) <= STRAY_DAYS);
        let most = groups.clone().max_by_key(|group| group.len()).unwrap_or_default();
        groups.filter(|group| group.first() != most.first()).flatten().copied().collect()
    }

    fn cards_of_all(&self) -> Vec<Card> {
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
