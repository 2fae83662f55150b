//! The list of plots: the figures each shows, and the table beneath it.

use plotters::style::RGBColor;

use super::axis::Unit;
use super::card::{Card, Cell, Table, heads};
use super::chart::{Chart, Places, Point, Shape};
use super::figures::{BatchFigures, StoreFigures};
use super::notable::{Figure, Notable};
use super::partitions::PartitionFigures;
use super::periods::{Daily, Gathered, Period, Periods};
use crate::error::Result;
use crate::model::Day;
use crate::text::count;

/// Days that are further from the next day than this are drawn separately.
const STRAY_DAYS: u32 = 366;

/// The maximum number of marks in the title of a point; the table has the others.
const NAMED_MAX: usize = 3;

/// All figures of a page.
pub(super) struct Figures<'a> {
    pub store: &'a StoreFigures,
    /// `None` if no output folder was given.
    pub partitions: Option<&'a [PartitionFigures]>,
    pub notable: &'a Notable,
}

/// A series: its name, its colour, and the figure that marks its days.
pub(super) type Series<'a> = (&'a str, RGBColor, Option<Figure>);

impl Figures<'_> {
    /// Passes the plots to `take` in order. Omits the plots of batches if there are none, and likewise those of
    /// partitions. Days far from the others are in no plot.
    pub(super) fn each_card(&self, take: &mut dyn FnMut(Card<'_>) -> Result<()>) -> Result<()> {
        let strays = self.strays();
        if strays.is_empty() {
            return self.each_card_of_all(take);
        }
        let is_near = |day: Day| strays.binary_search(&day).is_err();
        let mut store = self.store.clone();
        store.batches.retain(|batch| is_near(batch.dt));
        let held = store.batches.first().zip(store.batches.last()).map(|(first, last)| first.dt..=last.dt);
        store.gaps.retain(|day| held.as_ref().is_some_and(|held| held.contains(day)));
        let partitions: Option<Vec<PartitionFigures>> =
            self.partitions.map(|all| all.iter().filter(|one| is_near(one.dt)).cloned().collect());
        let near = Figures { store: &store, partitions: partitions.as_deref(), notable: self.notable };
        near.each_card_of_all(take)
    }

    /// Returns the days with a batch or rows that are over a year from most of the others, ascending: a plot that
    /// included all days between would be too crowded.
    pub(super) fn strays(&self) -> Vec<Day> {
        let mut days: Vec<Day> = self.store.batches.iter().map(|batch| batch.dt).collect();
        days.extend(self.partitions().iter().map(|one| one.dt));
        days.sort_unstable();
        days.dedup();
        let groups = days.chunk_by(|one, next| one.number().abs_diff(next.number()) <= STRAY_DAYS);
        let most = groups.clone().max_by_key(|group| group.len()).unwrap_or_default();
        groups.filter(|group| group.first() != most.first()).flatten().copied().collect()
    }

    fn each_card_of_all(&self, take: &mut dyn FnMut(Card<'_>) -> Result<()>) -> Result<()> {
        self.coverage().map_or(Ok(()), &mut *take)?;
        if let (Some(first), Some(last)) = (self.store.batches.first(), self.store.batches.last()) {
            let periods = Periods::of(first.dt, last.dt);
            take(self.actions(periods))?;
            take(self.late(periods))?;
            take(self.customers(periods))?;
            take(self.bytes(periods))?;
            take(self.histories())?;
        }
        if let Some((first, last)) = self.partitions.and_then(|all| Some((all.first()?, all.last()?))) {
            let periods = Periods::of(first.dt, last.dt);
            take(self.rows(periods))?;
            take(self.labels(periods))?;
            take(self.padding(periods))?;
        }
        Ok(())
    }

    pub(super) fn partitions(&self) -> &[PartitionFigures] {
        self.partitions.unwrap_or_default()
    }

    /// Returns a plot of all batches.
    pub(super) fn of_batches(
        &self,
        periods: Periods,
        (shape, unit): (Shape, Unit),
        series: &[Series<'_>],
        values: impl Fn(&BatchFigures) -> Vec<Option<f64>>,
        words: impl Fn(&BatchFigures) -> String,
    ) -> Chart {
        let points = self.points(periods, unit, &self.store.batches, series, "batches", (values, words));
        let mut gaps: Vec<Period> = self.store.gaps.iter().map(|day| periods.holding(*day)).collect();
        gaps.dedup();
        let gaps = gaps.into_iter().map(Period::at).map(|(at, half)| (at - half, at + half));
        Chart { gaps: gaps.collect(), ..chart(periods, shape, unit, series, points) }
    }

    /// Returns a plot of all partitions.
    pub(super) fn of_partitions(
        &self,
        periods: Periods,
        (shape, unit): (Shape, Unit),
        series: &[Series<'_>],
        values: fn(&PartitionFigures) -> Vec<Option<f64>>,
        words: fn(&PartitionFigures) -> String,
    ) -> Chart {
        let points = self.points(periods, unit, self.partitions(), series, "partitions", (values, words));
        chart(periods, shape, unit, series, points)
    }

    /// Returns the points of a plot, one for each period: for counts the mean of its days, for ratios that of all its
    /// days together.
    fn points<T: Daily>(
        &self,
        periods: Periods,
        unit: Unit,
        all: &[T],
        series: &[Series<'_>],
        things: &str,
        (values, words): (impl Fn(&T) -> Vec<Option<f64>>, impl Fn(&T) -> String),
    ) -> Vec<Point> {
        let points = periods.gather(all).map(|Gathered { period, days, sum }| {
            let parts = if unit == Unit::Ratio { 1.0 } else { days.len() as f64 };
            let values = values(&sum).into_iter().map(|value| value.map(|value| value / parts)).collect();
            let anomalies: Vec<_> = series
                .iter()
                .map(|(.., figure)| figure.map(|figure| (figure, self.notable.marks_of(figure, period))))
                .collect();
            let all_marks =
                || anomalies.iter().flatten().flat_map(|(figure, of)| of.iter().map(|anomaly| (*figure, anomaly)));
            let named = all_marks().take(NAMED_MAX).map(|(figure, anomaly)| match periods.are_days() {
                true => format!(". Marked: {}", figure.description(anomaly)),
                false => format!(". Marked: {}: {}", anomaly.day, figure.description(anomaly)),
            });
            let more = match all_marks().count().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(". {} more marks are in the table", count(more as u64)),
            };
            let of = match periods.are_days() {
                true => String::new(),
                false => format!(" ({} {things})", count(days.len() as u64)),
            };
            let tooltip = format!("{period}{of}: {}{}{more}", words(&sum), named.collect::<String>());
            let marked =
                anomalies.iter().map(|of| of.as_ref().is_some_and(|(_, anomalies)| !anomalies.is_empty())).collect();
            let (at, half) = period.at();
            Point { at, half, values, tooltip, marked }
        });
        points.collect()
    }

    /// Returns the table of a plot: a row for each period, with the figures of all its days together. After a period of
    /// several days, its marked days follow. `cells` receives figures, and their number of days.
    pub(super) fn table<'a, T: Daily>(
        &'a self,
        periods: Periods,
        all: &'a [T],
        (head, things): (&str, &str),
        columns: Vec<(String, String)>,
        figures: &'static [Figure],
        cells: impl Fn(&T, u64) -> Vec<Cell> + Copy + 'a,
    ) -> Table<'a> {
        let are_days = periods.are_days();
        let rows = periods.gather(all).flat_map(move |Gathered { period, days, sum }| {
            let of = Cell::count(days.len() as u64);
            let row = move |period, figures: &T, of: Option<Cell>, days| {
                let cells = of.into_iter().chain(cells(figures, days));
                [Cell::period(period)].into_iter().chain(cells)
            };
            if are_days {
                return vec![row(period, &sum, None, 1).chain([self.marked(period, figures)]).collect::<Vec<_>>()];
            }
            let whole = row(period, &sum, Some(of), days.len() as u64).chain([Cell::plain("")]).collect();
            let single = days.iter().map(|day| (Period { first: day.dt(), last: day.dt() }, day));
            let marked =
                single.filter(|(day, _)| figures.iter().any(|one| !self.notable.marks_of(*one, *day).is_empty()));
            let marked = marked
                .map(|(day, one)| row(day, one, Some(Cell::count(1)), 1).chain([self.marked(day, figures)]).collect());
            [whole].into_iter().chain(marked).collect()
        });
        let words = match are_days {
            true => String::new(),
            false => format!(
                "Each row covers the {things} of {} days; marked {things} follow separately.",
                periods.days_each()
            ),
        };
        let of = if are_days { Vec::new() } else { vec![(things.to_owned(), format!("Number of {things}"))] };
        let columns = heads(&[("dt", head)]).into_iter().chain(of).chain(columns).chain(heads(&[("marked", "Marked")]));
        Table { words, columns: columns.collect(), rows: Box::new(rows) }
    }

    /// Returns why a day is marked, if it is.
    fn marked(&self, day: Period, figures: &[Figure]) -> Cell {
        let anomalies = figures
            .iter()
            .flat_map(|figure| self.notable.marks_of(*figure, day).iter().map(|anomaly| (*figure, anomaly)));
        let (names, description): (Vec<&str>, Vec<String>) =
            anomalies.map(|(figure, anomaly)| (figure.name(), figure.description(anomaly))).unzip();
        Cell { value: names.join(" "), text: description.join("; ") }
    }
}

/// Returns a plot of days.
fn chart(periods: Periods, shape: Shape, unit: Unit, series: &[Series<'_>], points: Vec<Point>) -> Chart {
    let (first, last) = periods.ends();
    let ranges = series.iter().enumerate().filter_map(|(number, (name, ..))| {
        let values = points.iter().filter_map(|point| point.values.get(number).copied().flatten());
        let least = values.clone().min_by(f64::total_cmp)?;
        let most = values.max_by(f64::total_cmp)?;
        Some(format!("{name} from {} to {}", unit.in_words(least), unit.in_words(most)))
    });
    let description =
        format!("{first} to {last}{}: {}.", periods.in_words(unit), ranges.collect::<Vec<_>>().join("; "));
    Chart {
        places: Places::Days(first, last),
        shape,
        unit,
        series: series.iter().map(|(name, color, _)| ((*name).to_owned(), *color)).collect(),
        points,
        gaps: Vec::new(),
        description,
    }
}
