//! One produce from its options to its summary.

use super::begun::{Beginning, Begun};
use super::by_chance::ByChance;
use super::histories::Histories;
use super::options::ProduceOptions;
use super::row_groups::{Joined, Joiner, Share};
use super::shares::{SHARES_AHEAD, Shares};
use super::summary::ProduceSummary;
use super::tally::Tally;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::model::{HistoryDetail, Impression, RowOrder};
use crate::output::{FileSizes, RowWriter};
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::sort::Sorted;
use crate::store::{AsOf, Store};

/// Writes the partition of one day, replacing the one that is there.
///
/// Memory: that for sorting, what the open store takes, and for each thread two row groups (see [`crate::output::RowGroup`]); with an order by chance, row
/// groups of four times that for sorting at once.
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
    let resources = options.resources;
    let mut writer = RowWriter::new(day.partition.parts(), &day.settings, &day.schema);
    match day.settings.order {
        RowOrder::Customer => {
            progress.begin("writing", "impressions", Some(day.summary.impressions));
            let joiners = Joiner::of_threads(store, &day, resources.threads())?;
            let shares = Shares::new(impressions, day.settings.sizes.row_group_rows);
            join(shares, joiners, &mut writer, &mut day.summary, resources.cancel(), progress)?;
        }
        RowOrder::Shuffled(_) | RowOrder::Carousel(_) => {
            let scratch = day.partition.scratch().with_file_name("by-chance");
            let by_chance = ByChance { settings: &day.settings, budget: day.budget, scratch, resources, progress };
            // Histories are put aside with their days.
            let wanted = AsOf { detail: day.wanted.detail.max(HistoryDetail::Days), ..day.wanted };
            let threads =
                Histories::of_threads(store, wanted, &day.settings, day.late_since(store)?, resources.threads());
            by_chance.write(impressions, threads, &day.schema, &mut writer, &mut day.summary)?;
        }
    }
    day.publish(writer.finish()?)
}

/// Joins on all cores, and writes in the order of the impressions.
fn join(
    mut shares: Shares<Sorted<Impression>, Impression>,
    joiners: Vec<Joiner<'_>>,
    writer: &mut RowWriter,
    summary: &mut ProduceSummary,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<()> {
    let mut tally = Tally::default();
    let joiners = joiners.into_iter().map(|mut joiner| move |share: Share| joiner.join(&share)).collect();
    let write = |joined: Joined| {
        tally.add(&joined.counts, summary);
        progress.advance(joined.counts.impressions);
        writer.append(joined.group)
    };
    ordered_map(cancel, joiners, SHARES_AHEAD, || shares.share(), write)?;
    summary.duplicates = shares.repeats();
    Ok(())
}
