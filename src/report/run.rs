//! One report from its options to its summary.

use std::path::Path;

use serde::Serialize;

use super::figures::StoreFigures;
use super::notable::Notable;
use super::page::write_page;
use super::partitions::{PartitionFigures, partition_figures};
use super::plots::Figures;
use crate::error::Result;
use crate::model::Day;
use crate::output::put_report;
use crate::progress::Progress;
use crate::storage::keep_apart;
use crate::store::Store;
use crate::text::Shown;

/// What to report.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions<'a> {
    /// The folder of partitions; `None`: of the store alone.
    pub out: Option<&'a Path>,
    /// The file to write.
    pub html: &'a Path,
    /// The title of the page.
    pub title: &'a str,
}

/// A figure that deviates strongly from the seven days before.
#[derive(Clone, Debug, Serialize)]
pub struct Marked {
    /// The day.
    pub dt: Day,
    /// Which figure: `actions`, `late_share`, `customers`, `files`, `bytes`, `rows`, `label_rate`, `padding_share` or
    /// `cold_start_share`.
    pub figure: &'static str,
    /// Its value; shares from 0 to 1.
    pub value: f64,
    /// The median of the seven days before.
    pub median: f64,
    /// The same in words.
    pub text: String,
}

/// What a report shows.
#[derive(Clone, Debug, Serialize)]
pub struct ReportSummary {
    /// The page.
    pub html: String,
    /// Its size.
    pub html_bytes: u64,
    /// Batches held.
    pub batches: usize,
    /// Days between the first and the newest batch whose batches are missing.
    pub gaps: Vec<Day>,
    /// The partitions shown, days ascending; `None` where no output folder was named.
    pub partitions: Option<Vec<PartitionFigures>>,
    /// What deviates, the newest day first.
    pub marked: Vec<Marked>,
}

/// Writes a page about a store, and about the partitions below `out`. It appears whole or not at all; the same store
/// and partitions give the same bytes.
///
/// Memory: one plot of the page, that of [`StoreFigures`], and some 100 bytes for each partition and 300 for each mark.
/// The page has 400 columns in a plot and rows in a table at most, but for what is odd.
pub fn report(store: &Store, options: &ReportOptions<'_>, progress: &dyn Progress) -> Result<ReportSummary> {
    keep_apart(("the page", options.html), &[("the store", store.folder().path())])?;
    progress.begin("reading the store", "", None);
    let figures = StoreFigures::of(store)?;
    let partitions =
        options.out.map(|out| partition_figures(out, store.folder().resources().cancel(), progress)).transpose()?;
    progress.begin("drawing", "", None);
    let notable = Notable::of(&figures, partitions.as_deref().unwrap_or_default());
    let all = Figures { store: &figures, partitions: partitions.as_deref(), notable: &notable };
    let html_bytes = put_report(options.html, |put| write_page(options.title, &all, put))?;
    let marked = notable.all().into_iter().map(|(figure, anomaly)| Marked {
        dt: anomaly.day,
        figure: figure.name(),
        value: anomaly.value,
        median: anomaly.median,
        text: figure.description(&anomaly),
    });
    Ok(ReportSummary {
        html: options.html.plain(),
        html_bytes,
        batches: figures.batches.len(),
        gaps: figures.gaps.clone(),
        marked: marked.collect(),
        partitions,
    })
}
