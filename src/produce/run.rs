//! One produce from its options to its summary.

use std::path::Path;

use serde::Serialize;

use super::begun::{Beginning, Begun};
use super::by_chance::ByChance;
use super::histories::Histories;
use super::row_groups::{Joined, Joiner, Share};
use super::shares::{SHARES_AHEAD, Shares};
use super::tally::Tally;
use crate::error::Result;
use crate::input::SameContent;
use crate::model::{Day, HistoryDetail, Impression, RowColumns, RowOrder};
use crate::output::{Compression, FileSizes, RowWriter};
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::sort::Sorted;
use crate::sources::ImpressionSource;
use crate::store::{AsOf, Store};

/// What to produce.
#[derive(Clone, Copy, Debug)]
pub struct ProduceOptions<'a> {
    /// The input root.
    pub input: &'a Path,
    /// Which of its files are impressions, and what their columns are called.
    pub impressions: &'a ImpressionSource,
    /// The day. Every action in its rows is from strictly before it.
    pub dt: Day,
    /// Where the partition goes.
    pub out: &'a Path,
    /// Length of the padded arrays; `None` for the store's.
    pub max_history: Option<usize>,
    /// Only actions of this many days before `dt`; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// Only batches up to and including this one; `None` for all.
    pub known_as_of: Option<Day>,
    /// How pages are compressed.
    pub compression: Compression,
    /// Which columns the rows have.
    pub columns: RowColumns,
    /// In which order they stand.
    pub order: RowOrder,
    /// Whether missing batches are accepted.
    pub allow_gaps: bool,
    /// Whether rows are accepted that lack what has been pruned.
    pub allow_pruned: bool,
    /// Where bad rows go; `None`: impressions with a bad row are refused.
    pub quarantine: Option<&'a Path>,
    /// Memory for impressions being sorted, some 250 bytes for one of 10 items. Beyond it, sorted runs go to disk. Orders by chance share it out (see
    /// [`super::by_chance`]).
    pub sort_bytes: usize,
    /// Whether a partition that was produced from the same inputs is left as it is.
    pub keep_current: bool,
}

/// What a produce did.
#[derive(Clone, Debug, Serialize)]
pub struct ProduceSummary {
    /// The day.
    pub dt: String,
    /// Every action in the rows is earlier than this instant.
    pub cut_off: String,
    /// Length of the padded arrays.
    pub max_history: usize,
    /// How many days back actions may lie, if that is limited.
    pub lookback_days: Option<u32>,
    /// The newest batch used.
    pub newest_batch: Option<String>,
    /// Whether the partition was there already, produced from the same inputs, and was left; then the counts below are 0.
    pub kept: bool,
    /// Impressions that became rows.
    pub impressions: u64,
    /// Impressions whose list was null or empty.
    pub empty_impressions: u64,
    /// Of the impressions that became rows, those equal to another in customer, ranking id and list: of n equal ones, n - 1. They stay.
    pub duplicates: u64,
    /// Impressions set aside in the quarantine.
    pub quarantined: u64,
    /// Files without a column of ranking ids, so that all of these are null.
    pub without_ranking_id: u64,
    /// Files whose lists have no labels, so that all of these are 0.
    pub without_label: u64,
    /// Files with the content of another one of the day. The impressions of both are taken.
    pub same_content: u64,
    /// The first hundred of them.
    pub same_content_files: Vec<SameContent>,
    /// Impressions left out since their customers have been forgotten.
    pub forgotten: u64,
    /// Training rows.
    pub rows: u64,
    /// Rows with label 1.
    pub ordered: u64,
    /// Rows of customers without any history: all padding.
    pub rows_without_history: u64,
    /// Rows whose history holds an action that was not known on the morning of the day, since a batch of the day or later brought it.
    pub rows_with_late_actions: u64,
    /// Places in the rows' `actions` that hold an action. The others, of `rows` times `max_history`, are padding.
    pub filled: u64,
    /// Customers with a row.
    pub customers: u64,
    /// Of them, those without any history.
    pub without_history: u64,
    /// Of them, those whose history has `max_history` actions, so that older ones were cut if there are any.
    pub customers_at_cap: u64,
    /// Part files.
    pub parts: usize,
    /// A partition of the same output, the newest other one or this one as it was before, that rests on batches from before the store's first one: most
    /// likely this is not the store that the output was made from. `None` where there is no such sign.
    pub older_partition: Option<Day>,
}

/// Writes the partition of one day, replacing the one that is there.
///
/// Memory: `sort_bytes`, what the open store takes, and for each thread two row groups (see [`crate::output::RowGroup`]); with an order by chance, row
/// groups of four times `sort_bytes` at once.
pub fn produce(store: &Store, options: &ProduceOptions<'_>, progress: &dyn Progress) -> Result<ProduceSummary> {
    produce_sized(store, options, FileSizes::default(), progress)
}

/// The same with row groups and parts of other sizes than the default.
pub fn produce_sized(
    store: &Store,
    options: &ProduceOptions<'_>,
    sizes: FileSizes,
    progress: &dyn Progress,
) -> Result<ProduceSummary> {
    let (mut day, impressions) = match Begun::begin(store, options, sizes, progress)? {
        Beginning::Kept(summary) => return Ok(summary),
        Beginning::Begun(day, impressions) => (*day, impressions),
    };
    let mut writer = RowWriter::new(day.partition.parts(), &day.settings, &day.schema);
    match day.settings.order {
        RowOrder::Customer => {
            progress.begin("writing", "impressions", Some(day.summary.impressions));
            let joiners = Joiner::of_threads(store, &day)?;
            let row_group_rows = day.settings.sizes.row_group_rows;
            join(impressions, joiners, &mut writer, &mut day.summary, row_group_rows, progress)?;
        }
        RowOrder::Shuffled(_) | RowOrder::Carousel(_) => {
            let scratch = day.partition.scratch().with_file_name("by-chance");
            let by_chance = ByChance { settings: &day.settings, budget: day.budget, scratch, progress };
            // Histories are put aside with their days.
            let wanted = AsOf { detail: day.wanted.detail.max(HistoryDetail::Days), ..day.wanted };
            let threads = Histories::of_threads(store, wanted, &day.settings, day.late_since(store)?);
            by_chance.write(impressions, threads, &day.schema, &mut writer, &mut day.summary)?;
        }
    }
    day.publish(writer.finish()?)
}

/// Joins on all cores, and writes in the order of the impressions.
fn join(
    impressions: Sorted<Impression>,
    joiners: Vec<Joiner<'_>>,
    writer: &mut RowWriter,
    summary: &mut ProduceSummary,
    row_group_rows: usize,
    progress: &dyn Progress,
) -> Result<()> {
    let (mut shares, mut tally) = (Shares::new(impressions, row_group_rows), Tally::default());
    let joiners = joiners.into_iter().map(|mut joiner| move |share: Share| joiner.join(&share)).collect();
    let write = |joined: Joined| {
        tally.add(&joined.counts, summary);
        progress.advance(joined.counts.impressions);
        writer.append(joined.group)
    };
    ordered_map(joiners, SHARES_AHEAD, || shares.share(), write)?;
    summary.duplicates = shares.repeats();
    Ok(())
}
