//! Reads the impressions of a day, several files at once.

use super::day_options::DayOptions;
use super::summary::ProduceSummary;
use crate::error::Result;
use crate::input::{
    BadRows, DayFile, Lacking, QuarantineFolder, ReadImpressions, note_same_content, read_impressions, same_content,
};
use crate::model::Impression;
use crate::parallel::each;
use crate::progress::Progress;
use crate::resources::Resources;
use crate::sort::SharedSorter;
use crate::storage::Fingerprint;
use crate::store::BlockList;

/// An impression file, with its fingerprint from the beginning of the command.
pub(crate) type Fingerprinted = (DayFile, Fingerprint);

/// The counts of one file.
#[derive(Clone, Copy, Default)]
struct FileCounts {
    impressions: u64,
    forgotten: u64,
    bad: u64,
    read: ReadImpressions,
}

impl FileCounts {
    fn good(&self) -> u64 {
        self.impressions + self.forgotten + self.read.empty
    }
}

/// Computes the fingerprint of each file. Memory: 1 MiB for each thread.
pub(super) fn fingerprinted(files: Vec<DayFile>, resources: &Resources) -> Result<Vec<Fingerprinted>> {
    let fingerprints = each(resources, &files, |file| file.fingerprint(resources.cancel()))?;
    Ok(files.into_iter().zip(fingerprints).collect())
}

/// Reads all files into the sorter, except for impressions of forgotten customers, and adds the counts to the summary.
///
/// Files are read in parallel; the arrival order of impressions does not matter, since the sort order is total. If
/// there are bad rows, the files are read again, one after the other, to report and quarantine the bad rows in order.
///
/// Memory: for each thread a record batch and a [`crate::sort::Feed`].
pub(super) fn read(
    files: &[Fingerprinted],
    options: &DayOptions<'_>,
    block_list: &BlockList,
    sorter: &SharedSorter<Impression>,
    summary: &mut ProduceSummary,
    progress: &dyn Progress,
) -> Result<()> {
    progress.begin("reading", "bytes", Some(files.iter().map(|(_, fingerprint)| fingerprint.bytes).sum()));
    let counts = each(options.resources, files, |(file, fingerprint)| {
        let counts = read_file(file, options, block_list, sorter)?;
        progress.advance(fingerprint.bytes);
        Ok(counts)
    })?;
    let mut bad = BadRows::new(QuarantineFolder::Impressions, options.dt, options.quarantine);
    let has_bad = counts.iter().any(|counts| counts.bad > 0);
    let mut lacking = Lacking::default();
    let with_rows = files.iter().zip(&counts).filter(|(_, counts)| counts.good() + counts.bad > 0);
    let same = same_content(with_rows.map(|((file, fingerprint), _)| (file, fingerprint)));
    for ((file, fingerprint), counts) in files.iter().zip(counts) {
        if has_bad {
            read_impressions(options.impressions, file, options.resources, &mut bad, |_, _| Ok(()))?;
        }
        file.check_unchanged(fingerprint)?;
        summary.impressions += counts.impressions;
        summary.empty_impressions += counts.read.empty;
        summary.forgotten += counts.forgotten;
        lacking.add(file, counts.read);
    }
    summary.quarantined = bad.finish()?;
    lacking.note(options.impressions, progress);
    note_same_content(&same, progress);
    [summary.without_ranking_id, summary.without_label] = lacking.counts();
    (summary.same_content, summary.same_content_files) = (same.count, same.listed);
    Ok(())
}

fn read_file(
    file: &DayFile,
    options: &DayOptions<'_>,
    block_list: &BlockList,
    sorter: &SharedSorter<Impression>,
) -> Result<FileCounts> {
    let (mut feed, mut counts) = (sorter.feed()?, FileCounts::default());
    // Counts bad rows only; a second pass reports them.
    let mut bad = BadRows::new(QuarantineFolder::Impressions, options.dt, None);
    let read = read_impressions(options.impressions, file, options.resources, &mut bad, |_, impression| {
        if block_list.holds(impression.customer) {
            counts.forgotten += 1;
            return Ok(());
        }
        counts.impressions += 1;
        feed.push(impression)
    })?;
    feed.finish()?;
    let counts = FileCounts { read, bad: bad.count(), ..counts };
    if options.quarantine.is_some() {
        bad.refuse_whole(file, counts.good())?;
    }
    Ok(counts)
}
