//! Reads the impressions of a day, several files at once.

use super::day_options::DayOptions;
use super::summary::ProduceSummary;
use crate::error::Result;
use crate::input::{
    BadRows, DayFile, FlatLists, FlatRow, Lacking, QuarantineFolder, ReadImpressions, note_same_content, read_shown,
    same_content,
};
use crate::model::{Impression, Shard};
use crate::parallel::each;
use crate::progress::Progress;
use crate::resources::Resources;
use crate::sort::{Feed, SharedSorter};
use crate::storage::Fingerprint;
use crate::store::BlockList;

/// An impression file, with its fingerprint from the beginning of the command.
pub(crate) type Fingerprinted = (DayFile, Fingerprint);

/// The counts of one file.
#[derive(Clone, Copy, Default)]
struct FileCounts {
    /// Of the flat layout, none yet: how many impressions the rows are shows when all files are read.
    taken: Taken,
    /// Rows that are not bad.
    good: u64,
    bad: u64,
    read: ReadImpressions,
}

/// Impressions on their way to the sorter.
#[derive(Clone, Copy, Default)]
struct Taken {
    /// Those of other shards are left out.
    shard: Option<Shard>,
    of_other_shards: u64,
    impressions: u64,
    forgotten: u64,
}

impl Taken {
    /// Takes an impression, unless its customer has been forgotten.
    fn take(&mut self, impression: Impression, block_list: &BlockList, feed: &mut Feed<'_, Impression>) -> Result<()> {
        if self.shard.is_some_and(|shard| !shard.holds(impression.customer)) {
            self.of_other_shards += 1;
            return Ok(());
        }
        if block_list.holds(impression.customer) {
            self.forgotten += 1;
            return Ok(());
        }
        self.impressions += 1;
        feed.push(impression)
    }

    fn add_to(self, summary: &mut ProduceSummary) {
        summary.impressions += self.impressions;
        summary.forgotten += self.forgotten;
        summary.of_other_shards += self.of_other_shards;
    }
}

/// Computes the fingerprint of each file. Memory: 1 MiB for each thread.
pub(super) fn fingerprinted(files: Vec<DayFile>, resources: &Resources) -> Result<Vec<Fingerprinted>> {
    let fingerprints = each(resources, &files, |file| file.fingerprint(resources.cancel()))?;
    Ok(files.into_iter().zip(fingerprints).collect())
}

/// Reads all files into the sorter, except for impressions of forgotten customers, and adds the counts to the summary.
/// Rows of the flat layout are sorted by `flat` before they are impressions.
///
/// Files are read in parallel; the arrival order of impressions does not matter, since the sort order is total. If
/// there are bad rows, the files are read again, one after the other, to report and quarantine the bad rows in order.
///
/// Memory: for each thread a record batch and a [`crate::sort::Feed`]; for the flat layout that of [`FlatLists`].
pub(super) fn read(
    files: &[Fingerprinted],
    options: &DayOptions<'_>,
    block_list: &BlockList,
    (sorter, flat): (&SharedSorter<Impression>, Option<SharedSorter<FlatRow>>),
    summary: &mut ProduceSummary,
    progress: &dyn Progress,
) -> Result<()> {
    let quarantine = options.quarantine.map(|path| options.resources.place(path)).transpose()?;
    progress.begin("reading", "bytes", Some(files.iter().map(|(_, fingerprint)| fingerprint.bytes).sum()));
    let counts = each(options.resources, files, |(file, fingerprint)| {
        let mut taken = Taken { shard: options.shard, ..Taken::default() };
        let counts = match &flat {
            None => {
                let mut feed = sorter.feed()?;
                let counts = read_file(file, options, |shown, _| taken.take(shown, block_list, &mut feed))?;
                feed.finish()?;
                counts
            }
            Some(flat) => {
                let mut feed = flat.feed()?;
                let mut push = |shown, position| FlatRow::of(shown, position, ()).try_for_each(|row| feed.push(row));
                let counts = read_file(file, options, &mut push)?;
                feed.finish()?;
                counts
            }
        };
        let counts = FileCounts { taken, ..counts };
        progress.advance(fingerprint.bytes);
        Ok(counts)
    });
    // A failed sorter is the cause of the reading error, so its error is returned first.
    let flat = flat.map(SharedSorter::into_sorter).transpose()?;
    let counts = counts?;
    let mut bad = BadRows::new(QuarantineFolder::Impressions, options.dt, quarantine);
    let has_bad = counts.iter().any(|counts| counts.bad > 0);
    let mut lacking = Lacking::default();
    let with_rows = files.iter().zip(&counts).filter(|(_, counts)| counts.good + counts.bad > 0);
    let same = same_content(with_rows.map(|((file, fingerprint), _)| (file, fingerprint)));
    for ((file, fingerprint), counts) in files.iter().zip(counts) {
        if has_bad {
            read_shown(options.impressions, file, options.resources, &mut bad, |_, _, _| Ok(()))?;
        }
        file.check_unchanged(fingerprint)?;
        counts.taken.add_to(summary);
        summary.empty_impressions += counts.read.empty;
        summary.without_customer += counts.read.without_customer;
        lacking.add(file, counts.read);
    }
    summary.quarantined = bad.finish()?;
    if let Some(flat) = flat {
        let (mut feed, mut taken) = (sorter.feed()?, Taken { shard: options.shard, ..Taken::default() });
        for impression in FlatLists::of(flat, options.resources)? {
            options.resources.check()?;
            let (impression, ()) = impression?;
            taken.take(impression, block_list, &mut feed)?;
        }
        feed.finish()?;
        taken.add_to(summary);
    }
    lacking.note(options.impressions, progress);
    note_same_content(&same, progress);
    [summary.without_ranking_id, summary.without_label] = lacking.counts();
    (summary.same_content, summary.same_content_files) = (same.count, same.listed);
    Ok(())
}

/// Reads one file and passes its rows to `take`.
fn read_file(
    file: &DayFile,
    options: &DayOptions<'_>,
    mut take: impl FnMut(Impression, Option<i64>) -> Result<()>,
) -> Result<FileCounts> {
    let mut good = 0;
    // Counts bad rows only; a second pass reports them.
    let mut bad = BadRows::new(QuarantineFolder::Impressions, options.dt, None);
    let read = read_shown(options.impressions, file, options.resources, &mut bad, |_, impression, position| {
        good += 1;
        take(impression, position)
    })?;
    let good = good + read.empty + read.without_customer;
    if options.quarantine.is_some() {
        bad.refuse_whole(file, good)?;
    }
    Ok(FileCounts { taken: Taken::default(), good, bad: bad.count(), read })
}
