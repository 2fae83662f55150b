//! Reads the ids of a range of days, several files at once.

use super::id_count::IdCount;
use super::options::VocabularyOptions;
use super::summary::VocabularySummary;
use crate::error::Result;
use crate::exact::Held;
use crate::input::{
    BadRows, DayFile, FlatLists, FlatRow, IdTexts, IdentifiedAction, QuarantineFolder, ReadAction, Written,
    batch_files, day_files, each_distinct, note_same_content, read_actions_with_texts, read_shown_with_texts,
    same_content,
};
use crate::model::{Day, IdKind, Impression, Zone};
use crate::parallel::each;
use crate::progress::Progress;
use crate::sort::{Feed, Record, SharedSorter, Sorter};
use crate::sources::{ActionSource, ImpressionLayout, ImpressionSource};
use crate::storage::Fingerprint;

/// Ids that a thread gathers before it counts the equal ones: half a megabyte, or two where they are text.
const GATHERED_IDS: usize = 1 << 16;

/// Bytes of texts after which it does, too.
const GATHERED_TEXT_BYTES: usize = 4 << 20;

/// The most files with the content of another that the summary lists.
const LISTED_FILES: usize = 100;

/// What the rows of a file are.
#[derive(Clone, Copy)]
enum Rows<'a> {
    /// Of a source with this number.
    Actions(&'a ActionSource, u8),
    Impressions(&'a ImpressionSource),
}

/// A row whose id is known to count only when all files of the day are read.
enum Pending<T> {
    /// An action whose event id another row may have too.
    Identified(IdentifiedAction<T>),
    /// An item of a list, which counts its customer once.
    Flat(FlatRow<T>),
}

/// Sorts the pending rows of a day: actions, or rows of impressions.
struct PendingRows<T: Written> {
    identified: SharedSorter<IdentifiedAction<T>>,
    flat: SharedSorter<FlatRow<T>>,
}

/// The counts of one file.
#[derive(Clone, Copy, Default)]
struct RowCounts {
    /// Good rows, also those without an id.
    good: u64,
    ignored: u64,
    without_customer: u64,
    empty: u64,
    empty_lists: u64,
}

/// The same with what is known once the file is read.
struct ReadFile {
    fingerprint: Fingerprint,
    rows: RowCounts,
    bad: u64,
}

/// Reads the ids of all days into the sorter, and adds the counts of files to the summary.
///
/// Memory: for each thread a record batch, 65,536 ids (of 4 MiB where they are text) and a [`Feed`]; some 300 bytes for
/// each file of a day.
pub(super) fn read_days<T: Written>(
    options: &VocabularyOptions,
    sorter: &SharedSorter<IdCount<T>>,
    summary: &mut VocabularySummary,
    progress: &dyn Progress,
) -> Result<()> {
    let VocabularyOptions { input, sources, from, to, .. } = options;
    let input = options.resources.place(input)?;
    progress.begin("reading", "days", Some(from.through(*to).count() as u64));
    for day in from.through(*to) {
        options.resources.check()?;
        let actions = batch_files(&input, sources, day)?;
        let number = |source: &ActionSource| sources.actions.iter().position(|one| one.name == source.name);
        let numbered = |(source, file)| -> Result<(Rows<'_>, DayFile)> {
            let number = number(source).and_then(|number| u8::try_from(number).ok());
            Ok((Rows::Actions(source, number.held("each file is of one of at most 255 sources")?), file))
        };
        let actions = actions.into_iter().map(numbered).collect::<Result<Vec<_>>>()?;
        let impressions = day_files(&input, &sources.impressions.pattern, sources.impressions.format, day)?;
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
fn read_files<T: Written>(
    options: &VocabularyOptions,
    (folder, day): (QuarantineFolder, Day),
    files: &[(Rows<'_>, DayFile)],
    sorter: &SharedSorter<IdCount<T>>,
    summary: &mut VocabularySummary,
    progress: &dyn Progress,
) -> Result<()> {
    let quarantine = options.quarantine.as_deref().map(|path| options.resources.place(path)).transpose()?;
    let pending = PendingRows::<T> { identified: pending_sorter(options), flat: pending_sorter(options) };
    let read = each(&options.resources, files, |(rows, file)| {
        let fingerprint = file.fingerprint(options.resources.cancel())?;
        // Counts bad rows only; a second pass reports them.
        let mut bad = BadRows::new(folder, day, None);
        let mut gathered = Gathered::new(options, *rows, sorter)?;
        let (mut identified, mut flat) = (pending.identified.feed()?, pending.flat.feed()?);
        let mut put_off = |row| match row {
            Pending::Identified(action) => identified.push(action),
            Pending::Flat(row) => flat.push(row),
        };
        let mut take = |id, written| gathered.push(id, written);
        let rows = read_rows(options, *rows, file, &mut bad, (&mut take, &mut put_off))?;
        gathered.finish()?;
        identified.finish()?;
        flat.finish()?;
        if options.quarantine.is_some() {
            bad.refuse_whole(file, rows.good)?;
        }
        Ok(ReadFile { fingerprint, rows, bad: bad.count() })
    });
    // A failed sorter is the cause of the reading error, so its error is returned first.
    let (identified, flat) = (pending.identified.into_sorter()?, pending.flat.into_sorter()?);
    let read = read?;
    let both = || files.iter().zip(&read);
    let with_rows = both().filter(|(_, read)| read.rows.good + read.bad > 0);
    let same = same_content(with_rows.map(|((_, file), read)| (file, &read.fingerprint)));
    let mut bad = BadRows::new(folder, day, quarantine);
    let has_bad = read.iter().any(|read| read.bad > 0);
    for ((rows, file), read) in both() {
        if has_bad {
            read_rows::<T>(options, *rows, file, &mut bad, (&mut |_, _| Ok(()), &mut |_| Ok(())))?;
        }
        file.check_unchanged(&read.fingerprint)?;
        summary.files += 1;
        summary.bytes += read.fingerprint.bytes;
        summary.ignored += read.rows.ignored;
        summary.without_customer += read.rows.without_customer;
        summary.empty_impressions += read.rows.empty;
        summary.empty_lists += read.rows.empty_lists;
    }
    summary.quarantined += bad.finish()?;
    if let Some((rows, _)) = files.first() {
        let mut gathered = Gathered::new(options, *rows, sorter)?;
        let mut take = |action, written| gathered.push(id_of_action(options.of, action), written);
        summary.deduplicated += each_distinct(identified, &mut take)?;
        for list in FlatLists::of(flat, &options.resources)? {
            options.resources.check()?;
            let (impression, written) = list?;
            gathered.push(impression.customer.0, written)?;
        }
        gathered.finish()?;
    }
    note_same_content(&same, progress);
    summary.same_content += same.count;
    let room = LISTED_FILES.saturating_sub(summary.same_content_files.len());
    summary.same_content_files.extend(same.listed.into_iter().take(room));
    Ok(())
}

/// The counts of ids are in memory at the same time, with the other half of the memory for sorting.
fn pending_sorter<R: Record>(options: &VocabularyOptions) -> SharedSorter<R> {
    let resources = &options.resources;
    SharedSorter::new(Sorter::new(resources.sort_bytes() / 2, resources.scratch(), resources))
}

fn id_of_action(of: IdKind, read: ReadAction) -> i64 {
    match of {
        IdKind::Items => read.action.item_id,
        IdKind::Customers => read.customer.0,
    }
}

/// What takes ids, and what takes rows whose ids are not known to count yet.
type Takers<'a, T> = (&'a mut dyn FnMut(i64, T) -> Result<()>, &'a mut dyn FnMut(Pending<T>) -> Result<()>);

/// Passes each id of a file to `take`, with what it is written as, or its row to `put_off`.
fn read_rows<T: Written>(
    options: &VocabularyOptions,
    rows: Rows<'_>,
    file: &DayFile,
    bad: &mut BadRows,
    (take, put_off): Takers<'_, T>,
) -> Result<RowCounts> {
    let (of, resources) = (options.of, &options.resources);
    let mut counts = RowCounts::default();
    match rows {
        Rows::Actions(source, number) => {
            // No id depends on the zone.
            let zone = Zone::utc();
            let each = |_, action, event_id: Option<&str>, texts: IdTexts<'_>| {
                counts.good += 1;
                let written = T::of(match of {
                    IdKind::Items => texts.item(0),
                    IdKind::Customers => texts.customer(),
                })?;
                match event_id {
                    Some(id) => put_off(Pending::Identified(IdentifiedAction::new(number, id, action, written))),
                    None => take(id_of_action(of, action), written),
                }
            };
            let read = read_actions_with_texts(source, file, &zone, resources, bad, each)?;
            counts.ignored = read.ignored;
            counts.without_customer = read.without_customer;
            counts.empty_lists = read.empty;
        }
        Rows::Impressions(source) => {
            let is_flat = source.layout == ImpressionLayout::Flat;
            let each = |_, impression: Impression, position, texts: IdTexts<'_>| {
                counts.good += 1;
                let mut elements = impression.elements.iter().enumerate();
                match of {
                    IdKind::Items => {
                        elements.try_for_each(|(place, shown)| take(shown.item_id, T::of(texts.item(place))?))
                    }
                    IdKind::Customers => {
                        let written = T::of(texts.customer())?;
                        if is_flat {
                            let mut rows = FlatRow::of(impression, position, written);
                            rows.try_for_each(|row| put_off(Pending::Flat(row)))
                        } else {
                            take(impression.customer.0, written)
                        }
                    }
                }
            };
            let read = read_shown_with_texts(source, file, resources, bad, each)?;
            counts.empty = read.empty;
            counts.without_customer = read.without_customer;
        }
    }
    counts.good += counts.ignored + counts.empty + counts.without_customer + counts.empty_lists;
    Ok(counts)
}

/// Counts the equal ids among those that one file has one after the other.
struct Gathered<'a, T> {
    rows: Rows<'a>,
    text_id: fn(&str) -> i64,
    ids: Vec<(i64, T)>,
    text_bytes: usize,
    feed: Feed<'a, IdCount<T>>,
}

impl<'a, T: Written> Gathered<'a, T> {
    fn new(options: &VocabularyOptions, rows: Rows<'a>, sorter: &'a SharedSorter<IdCount<T>>) -> Result<Self> {
        let (text_id, feed) = (options.text_id, sorter.feed()?);
        Ok(Gathered { rows, text_id, ids: Vec::new(), text_bytes: 0, feed })
    }

    fn push(&mut self, id: i64, written: T) -> Result<()> {
        self.text_bytes += written.len();
        self.ids.push((written.number(id, self.text_id), written));
        let is_full = self.ids.len() >= GATHERED_IDS || self.text_bytes >= GATHERED_TEXT_BYTES;
        if is_full { self.hand_over() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<()> {
        self.hand_over()?;
        self.feed.finish()
    }

    fn hand_over(&mut self) -> Result<()> {
        self.ids.sort_unstable();
        for equal in self.ids.chunk_by(|one, other| one == other) {
            let (id, written) = equal.first().held("a chunk of equal ids has one")?.clone();
            let times = equal.len() as u64;
            let (actions, impressions) = match self.rows {
                Rows::Actions(..) => (times, 0),
                Rows::Impressions(_) => (0, times),
            };
            self.feed.push(IdCount { id, written, actions, impressions })?;
        }
        self.ids.clear();
        self.text_bytes = 0;
        Ok(())
    }
}
