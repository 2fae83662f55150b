//! Runs one report from its options to its summary.

use std::path::PathBuf;

use serde::Serialize;

use super::figures::StoreFigures;
use super::notable::Notable;
use super::page::write_page;
use super::partitions::{PartitionFigures, partition_figures};
use super::plots::Figures;
use crate::error::Result;
use crate::model::Day;
use crate::options::options;
use crate::output::put_report;
use crate::progress::Progress;
use crate::storage::keep_apart;
use crate::store::Store;
use crate::text::Shown;

options! {
    /// The options of a report: the file to write.
    ReportOptions(html: PathBuf) {
        /// The folder of partitions. Default: the store alone.
        out: Option<PathBuf> = None,
        /// The title of the page. Default: lookback report.
        title: String = "lookback report".to_owned(),
    }
}

/// A figure that deviates strongly from the seven days before.
#[derive(Clone, Debug, Serialize)]
pub struct Marked {
    /// The day.
    pub dt: Day,
    /// The name of the figure: `actions`, `late_share`, `customers`, `files`, `bytes`, `rows`, `label_rate`,
    /// `padding_share` or `cold_start_share`.
    pub figure: &'static str,
    /// Its value; ratios from 0 to 1.
    pub value: f64,
    /// The median of the seven days before.
    pub median: f64,
    /// The deviation in words.
    pub text: String,
}

/// The content of a report.
#[derive(Clone, Debug, Serialize)]
pub struct ReportSummary {
    /// The path of the page.
    pub html: String,
    /// Its size.
    pub html_bytes: u64,
    /// Batches held.
    pub batches: usize,
    /// Days between the first and the newest batch whose batches are missing.
    pub gaps: Vec<Day>,
    /// The partitions shown, days ascending; `None` if no output folder was given.
    pub partitions: Option<Vec<PartitionFigures>>,
    /// The deviations, the newest day first.
    pub marked: Vec<Marked>,
}

/// Writes a page about a store, and about the partitions below `out`. The page appears whole or not at all; the same
/// store and partitions give the same bytes.
///
/// Memory: one plot of the page, that of [`StoreFigures`], and about 100 bytes for each partition and 300 for each
/// mark. The page has at most 400 columns in a plot and rows in a table, plus the marked days.
pub fn report(store: &Store, options: &ReportOptions, progress: &dyn Progress) -> Result<ReportSummary> {
    keep_apart(("the page", &options.html), &[("the store", store.folder().path())])?;
    progress.begin("reading the store", "", None);
    let figures = StoreFigures::of(store)?;
    let partitions = options
        .out
        .as_ref()
        .map(|out| {
            partition_figures(&store.folder().resources().place(out)?, store.folder().resources().cancel(), progress)
        })
        .transpose()?;
    progress.begin("drawing", "", None);
    let notable = Notable::of(&figures, partitions.as_deref().unwrap_or_default());
    let all = Figures { store: &figures, partitions: partitions.as_deref(), notable: &notable };
    let html_bytes = put_report(&options.html, |put| write_page(&options.title, &all, put))?;
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
