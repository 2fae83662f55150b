//! Reads the ids of a range of days, several files at once.

use super::id_count::IdCount;
use super::options::VocabularyOptions;
use super::summary::VocabularySummary;
use crate::error::Result;
use crate::exact::Held;
use crate::input::{
    BadRows, DayFile, QuarantineFolder, batch_files, day_files, note_same_content, read_actions, read_impressions,
    same_content,
};
use crate::model::{Day, IdKind, Zone};
use crate::parallel::each;
use crate::progress::Progress;
use crate::sort::{Feed, SharedSorter};
use crate::sources::{ActionSource, ImpressionSource};
use crate::storage::Fingerprint;

/// Ids that a thread gathers before it counts the equal ones: half a megabyte.
const GATHERED_IDS: usize = 1 << 16;

/// The most files with the content of another that the summary lists.
const LISTED_FILES: usize = 100;

/// What the rows of a file are.
#[derive(Clone, Copy)]
enum Rows<'a> {
    Actions(&'a ActionSource),
    Impressions(&'a ImpressionSource),
}

/// The counts of one file.
#[derive(Clone, Copy, Default)]
struct RowCounts {
    /// Good rows, also those without an id.
    good: u64,
    ignored: u64,
    empty: u64,
}

/// The same with what is known once the file is read.
struct ReadFile {
    fingerprint: Fingerprint,
    rows: RowCounts,
    bad: u64,
}

/// Reads the ids of all days into the sorter, and adds the counts of files to the summary.
///
/// Memory: for each thread a record batch, 65,536 ids and a [`Feed`]; some 300 bytes for each file of a day.
pub(super) fn read_days(
    options: &VocabularyOptions,
    sorter: &SharedSorter<IdCount>,
    summary: &mut VocabularySummary,
    progress: &dyn Progress,
) -> Result<()> {
    let VocabularyOptions { input, sources, from, to, .. } = options;
    progress.begin("reading", "days", Some(from.through(*to).count() as u64));
    for day in from.through(*to) {
        options.resources.check()?;
        let actions = batch_files(input, sources, day)?;
        let actions: Vec<_> = actions.into_iter().map(|(source, file)| (Rows::Actions(source), file)).collect();
        let impressions = day_files(input, &sources.impressions.pattern, day)?;
        let of_impressions = |file| (Rows::Impressions(&sources.impressions), file);
        let impressions: Vec<_> = impressions.into_iter().map(of_impressions).collect();
        if actions.is_empty() && impressions.is_empty() {
            summary.days_without_files.push(day);
        }
        for (folder, files) in [(QuarantineFolder::Actions, actions), (QuarantineFolder::Impressions, impressions)] {
            // A day without such files leaves the quarantine as it is, as in other commands.
            if !files.is_empty() {
                read_files(options, (folder, day), &files, sorter, summary, progress)?;
            }
        }
        progress.advance(1);
    }
    Ok(())
}

/// Reads files of one kind. If there are bad rows, the files are read again, one after the other, to report and
/// quarantine the bad rows in order.
fn read_files(
    options: &VocabularyOptions,
    (folder, day): (QuarantineFolder, Day),
    files: &[(Rows<'_>, DayFile)],
    sorter: &SharedSorter<IdCount>,
    summary: &mut VocabularySummary,
    progress: &dyn Progress,
) -> Result<()> {
    let read = each(&options.resources, files, |(rows, file)| {
        let fingerprint = file.fingerprint(options.resources.cancel())?;
        // Counts bad rows only; a second pass reports them.
        let mut bad = BadRows::new(folder, day, None);
        let mut gathered = Gathered { rows: *rows, ids: Vec::new(), feed: sorter.feed()? };
        let rows = read_rows(options, *rows, file, &mut bad, &mut |id| gathered.push(id))?;
        gathered.finish()?;
        if options.quarantine.is_some() {
            bad.refuse_whole(file, rows.good)?;
        }
        Ok(ReadFile { fingerprint, rows, bad: bad.count() })
    })?;
    let both = || files.iter().zip(&read);
    let with_rows = both().filter(|(_, read)| read.rows.good + read.bad > 0);
    let same = same_content(with_rows.map(|((_, file), read)| (file, &read.fingerprint)));
    let mut bad = BadRows::new(folder, day, options.quarantine.as_deref());
    let has_bad = read.iter().any(|read| read.bad > 0);
    for ((rows, file), read) in both() {
        if has_bad {
            read_rows(options, *rows, file, &mut bad, &mut |_| Ok(()))?;
        }
        file.check_unchanged(&read.fingerprint)?;
        summary.files += 1;
        summary.bytes += read.fingerprint.bytes;
        summary.ignored += read.rows.ignored;
        summary.empty_impressions += read.rows.empty;
    }
    summary.quarantined += bad.finish()?;
    note_same_content(&same, progress);
    summary.same_content += same.count;
    let room = LISTED_FILES.saturating_sub(summary.same_content_files.len());
    summary.same_content_files.extend(same.listed.into_iter().take(room));
    Ok(())
}

/// Passes each id of a file to `take`.
fn read_rows(
    options: &VocabularyOptions,
    rows: Rows<'_>,
    file: &DayFile,
    bad: &mut BadRows,
    take: &mut dyn FnMut(i64) -> Result<()>,
) -> Result<RowCounts> {
    let (of, resources) = (options.of, &options.resources);
    let mut counts = RowCounts::default();
    match rows {
        Rows::Actions(source) => {
            // No id depends on the zone.
            let read = read_actions(source, file, &Zone::utc(), resources, bad, |_, action| {
                counts.good += 1;
                take(match of {
                    IdKind::Items => action.action.item_id,
                    IdKind::Customers => action.customer.0,
                })
            })?;
            counts.ignored = read.ignored;
            counts.good += read.ignored;
        }
        Rows::Impressions(source) => {
            let read = read_impressions(source, file, resources, bad, |_, impression| {
                counts.good += 1;
                match of {
                    IdKind::Items => impression.elements.iter().try_for_each(|element| take(element.item_id)),
                    IdKind::Customers => take(impression.customer.0),
                }
            })?;
            counts.empty = read.empty;
            counts.good += read.empty;
        }
    }
    Ok(counts)
}

/// Counts the equal ids among those that one file has one after the other.
struct Gathered<'a> {
    rows: Rows<'a>,
    ids: Vec<i64>,
    feed: Feed<'a, IdCount>,
}

impl Gathered<'_> {
    fn push(&mut self, id: i64) -> Result<()> {
        self.ids.push(id);
        if self.ids.len() < GATHERED_IDS { Ok(()) } else { self.hand_over() }
    }

    fn finish(mut self) -> Result<()> {
        self.hand_over()?;
        self.feed.finish()
    }

    fn hand_over(&mut self) -> Result<()> {
        self.ids.sort_unstable();
        for equal in self.ids.chunk_by(|one, other| one == other) {
            let id = *equal.first().held("a chunk of equal ids has one")?;
            let times = equal.len() as u64;
            let (actions, impressions) = match self.rows {
                Rows::Actions(_) => (times, 0),
                Rows::Impressions(_) => (0, times),
            };
            self.feed.push(IdCount { id, actions, impressions })?;
        }
        self.ids.clear();
        Ok(())
    }
}
