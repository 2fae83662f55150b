//! The figures that are compared with the days before, and the descriptions of deviations.

use std::collections::BTreeMap;

use super::axis::Unit;
use super::figures::{BatchFigures, StoreFigures};
use super::partitions::{PartitionFigures, ratio};
use super::periods::Period;
use crate::message::named;
use crate::model::{Anomaly, Day, anomaly};

named! {
    /// A figure of each batch or partition.
    #[derive(Ord, PartialOrd)]
    pub(super) enum Figure {
        Actions = "actions",
        LateShare = "late_share",
        Customers = "customers",
        Files = "files",
        Bytes = "bytes",
        Rows = "rows",
        LabelRate = "label_rate",
        PaddingShare = "padding_share",
        ColdStartShare = "cold_start_share",
    }
    ALL
}

/// The figures and their marks.
pub(super) struct Notable {
    anomalies: BTreeMap<Figure, Vec<Anomaly>>,
}

/// The minimum difference of a ratio: half a percentage point.
const RATIO_DIFFERENCE_MIN: f64 = 0.005;

impl Figure {
    /// Returns the name in a sentence, and the noun for what has the figure.
    fn in_words(self) -> (&'static str, &'static str) {
        match self {
            Figure::Actions => ("actions", "batches"),
            Figure::LateShare => ("share of late actions", "batches"),
            Figure::Customers => ("customers", "batches"),
            Figure::Files => ("files", "batches"),
            Figure::Bytes => ("size of the input files", "batches"),
            Figure::Rows => ("training rows", "partitions"),
            Figure::LabelRate => ("label rate", "partitions"),
            Figure::PaddingShare => ("padding share", "partitions"),
            Figure::ColdStartShare => ("cold-start share", "partitions"),
        }
    }

    pub(super) fn unit(self) -> Unit {
        match self {
            Figure::Actions | Figure::Customers | Figure::Files | Figure::Rows => Unit::Count,
            Figure::Bytes => Unit::Bytes,
            Figure::LateShare | Figure::LabelRate | Figure::PaddingShare | Figure::ColdStartShare => Unit::Ratio,
        }
    }

    fn least(self) -> f64 {
        if self.unit() == Unit::Ratio { RATIO_DIFFERENCE_MIN } else { 0.0 }
    }

    fn series(self, store: &StoreFigures, partitions: &[PartitionFigures]) -> Vec<(Day, f64)> {
        let of_batches = |figure: fn(&BatchFigures) -> Option<f64>| {
            store.batches.iter().filter_map(|one| Some((one.dt, figure(one)?))).collect()
        };
        let of_partitions = |figure: fn(&PartitionFigures) -> Option<f64>| {
            partitions.iter().filter_map(|one| Some((one.dt, figure(one)?))).collect()
        };
        match self {
            Figure::Actions => of_batches(|one| Some(one.actions as f64)),
            Figure::LateShare => of_batches(|one| ratio(one.late, one.actions)),
            Figure::Customers => of_batches(|one| Some(one.customers as f64)),
            Figure::Files => of_batches(|one| Some(one.files as f64)),
            Figure::Bytes => of_batches(|one| Some(one.bytes as f64)),
            Figure::Rows => of_partitions(|one| Some(one.rows as f64)),
            Figure::LabelRate => of_partitions(PartitionFigures::label_rate),
            Figure::PaddingShare => of_partitions(PartitionFigures::padding_ratio),
            Figure::ColdStartShare => of_partitions(PartitionFigures::cold_start_ratio),
        }
    }

    /// Describes a mark: `actions 812,345, 62.5 % above the median of the seven batches before (500,000)`.
    pub(super) fn description(self, anomaly: &Anomaly) -> String {
        let unit = self.unit();
        anomaly.description(self.in_words(), unit == Unit::Ratio, |value| unit.in_words(value))
    }
}

impl Notable {
    pub(super) fn of(store: &StoreFigures, partitions: &[PartitionFigures]) -> Self {
        let anomalies = |figure: Figure| anomaly(&figure.series(store, partitions), figure.least());
        Notable { anomalies: Figure::ALL.into_iter().map(|figure| (figure, anomalies(figure))).collect() }
    }

    /// Returns the marks of a figure on the days of a period.
    pub(super) fn marks_of(&self, figure: Figure, period: Period) -> &[Anomaly] {
        let anomalies = self.anomalies.get(&figure).map_or(&[][..], Vec::as_slice);
        let (until, _) = anomalies.split_at(anomalies.partition_point(|anomaly| anomaly.day <= period.last));
        until.split_at(until.partition_point(|anomaly| anomaly.day < period.first)).1
    }

    /// Returns all marks, the newest day first.
    pub(super) fn all(&self) -> Vec<(Figure, Anomaly)> {
        let anomalies =
            self.anomalies.iter().flat_map(|(figure, anomalies)| anomalies.iter().map(|anomaly| (*figure, *anomaly)));
        let mut all: Vec<_> = anomalies.collect();
        all.sort_by_key(|(figure, anomaly)| (std::cmp::Reverse(anomaly.day), *figure));
        all
    }
}
