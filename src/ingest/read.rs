//! Reads the files of a batch, several at once.

use std::collections::BTreeSet;

use super::admission::{Admission, LeftOut};
use super::dated_action::DatedAction;
use super::far::{Far, FarActions};
use super::options::IngestOptions;
use super::recorded::Recorded;
use super::taken::{Destination, Taken, Taking};
use crate::error::Result;
use crate::exact::Held;
use crate::format::{BatchRecord, FileRecord, LeftOutRows, ZoneUse};
use crate::input::{
    BadRows, DayFile, IdentifiedAction, QuarantineFolder, SameContents, SourceFile, each_distinct, read_actions,
    read_actions_with_event_ids, same_content,
};
use crate::model::{TypeCounts, Zone};
use crate::parallel::each_in_order;
use crate::progress::Progress;
use crate::sort::{Feed, SharedSorter};
use crate::sources::ActionSource;
use crate::storage::Fingerprint;

/// The counts of one file.
struct FileCounts {
    fingerprint: Fingerprint,
    types: TypeCounts,
    taken: Taken,
    /// Actions with an event id: which of them are taken shows when all files are read.
    identified: u64,
    ignored: u64,
    bad: u64,
    far: Far,
    has_wall_times: bool,
}

/// The part of a file's counts that is kept until all files have been read.
struct ReadFile {
    fingerprint: Fingerprint,
    far: Far,
    has_rows: bool,
}

/// What was read of a batch, beside its actions.
pub(super) struct Read {
    /// Complete except for the number of customers.
    pub record: BatchRecord,
    pub left_out: LeftOut,
    pub same: SameContents,
    pub far: FarActions,
    /// The sources that have a row.
    pub with_rows: BTreeSet<String>,
}

impl FileCounts {
    fn good(&self) -> u64 {
        let left_out = &self.taken.left_out;
        self.types.sum() + self.identified + self.ignored + left_out.without_customer + left_out.empty_lists
    }
}

/// Reads the admitted actions of all files into the sorter. Actions with event ids are sorted by `identified` first,
/// and only the earliest of each id is taken.
///
/// Files are read in parallel; the arrival order of actions does not matter, since the sort order is total. If there
/// are bad rows, the files are read again, one after the other, to report and quarantine the bad rows in order.
///
/// Memory: for each thread a record batch and a [`crate::sort::Feed`], and some 200 bytes for each file.
pub(super) fn read_batch(
    files: &[SourceFile<'_>],
    options: &IngestOptions,
    (zone, admission): (&Zone, &Admission),
    (sorter, identified): (&SharedSorter<DatedAction>, Option<SharedSorter<IdentifiedAction>>),
    progress: &dyn Progress,
) -> Result<Read> {
    let quarantine = options.quarantine.as_deref().map(|path| options.resources.place(path)).transpose()?;
    let sizes = files.iter().map(|(_, file)| file.size()).collect::<Result<Vec<_>>>()?;
    progress.begin("reading", "bytes", Some(sizes.iter().sum()));
    let Recorded { sources, numbers } = Recorded::of(files)?;
    let destination = Destination { dt: options.dt, admission, sorter };
    let (mut record, mut left_out) = (BatchRecord { sources, ..BatchRecord::default() }, LeftOut::default());
    record.files.reserve_exact(files.len());
    let (mut read_files, mut has_bad, mut actions) = (Vec::with_capacity(files.len()), false, 0);
    let numbered: Vec<_> = files.iter().zip(&numbers).collect();
    let read = |((source, file), number): &(&SourceFile<'_>, &u8)| {
        let counts = read_file((source, **number), file, options, zone, &destination, identified.as_ref())?;
        progress.advance(counts.fingerprint.bytes);
        Ok(counts)
    };
    let mut named = numbered.iter();
    let all_read = each_in_order(&options.resources, &numbered, read, |counts: FileCounts| {
        let ((_, file), number) = named.next().held("each file is read once")?;
        add_file(&mut record, **number, file, &counts);
        add_taken(&mut record, &mut left_out, &counts.types, &counts.taken);
        has_bad |= counts.bad > 0;
        actions += counts.types.sum() + counts.identified;
        let has_rows = counts.good() + counts.bad > 0;
        read_files.push(ReadFile { fingerprint: counts.fingerprint, far: counts.far, has_rows });
        Ok(())
    });
    // A failed sorter is the cause of the reading error, so its error is returned first.
    let identified = identified.map(SharedSorter::into_sorter).transpose()?;
    all_read?;
    let both = || files.iter().zip(&read_files);
    let filled = both().filter(|(_, read)| read.has_rows);
    let same = same_content(filled.map(|((_, file), read)| (file, &read.fingerprint)));
    let far = FarActions::of(options.dt, actions, both().map(|(file, read)| (file, &read.far)), zone);
    if !options.allow_far_actions {
        // Before any row is quarantined.
        far.refuse_most(options.dt)?;
    }
    let with_rows = both().filter(|(_, read)| read.has_rows).map(|((source, _), _)| source.name.clone()).collect();
    let mut bad = BadRows::new(QuarantineFolder::Actions, options.dt, quarantine);
    for ((source, file), read) in both() {
        if has_bad {
            read_actions(source, file, zone, &options.resources, &mut bad, |_, _| Ok(()))?;
        }
        file.check_unchanged(&read.fingerprint)?;
    }
    record.quarantined = bad.finish()?;
    if let Some(identified) = identified {
        let mut taking = Taking::begin(&destination)?;
        left_out.deduplicated = each_distinct(identified, |action, ()| taking.take(action))?;
        let (types, taken) = taking.finish()?;
        add_taken(&mut record, &mut left_out, &types, &taken);
    }
    let LeftOut { without_customer, deduplicated, empty_lists, .. } = left_out;
    record.left_out = LeftOutRows { without_customer, deduplicated, empty_lists };
    Ok(Read { record, left_out, same, far, with_rows })
}

fn read_file(
    (source, number): (&ActionSource, u8),
    file: &DayFile,
    options: &IngestOptions,
    zone: &Zone,
    destination: &Destination<'_>,
    identified: Option<&SharedSorter<IdentifiedAction>>,
) -> Result<FileCounts> {
    let mut taking = Taking::begin(destination)?;
    let mut with_ids = identified.map(SharedSorter::feed).transpose()?;
    let fingerprint = file.fingerprint(options.resources.cancel())?;
    let (mut far, mut identified) = (Far::default(), 0);
    // Counts bad rows only; a second pass reports them.
    let mut bad = BadRows::new(QuarantineFolder::Actions, options.dt, None);
    let read = read_actions_with_event_ids(source, file, zone, &options.resources, &mut bad, |_, action, id| {
        if action.day != options.dt {
            far.add(action.day, action.action.time_us, options.dt);
        }
        match (id, &mut with_ids) {
            (Some(id), Some(feed)) => {
                identified += 1;
                feed.push(IdentifiedAction::new(number, id, action, ()))
            }
            _ => taking.take(action),
        }
    })?;
    with_ids.map_or(Ok(()), Feed::finish)?;
    let (types, taken) = taking.finish()?;
    let mut counts = FileCounts {
        fingerprint,
        types,
        taken,
        identified,
        ignored: read.ignored,
        bad: bad.count(),
        far,
        // The rules of UTC never change.
        has_wall_times: read.has_wall_times && !zone.is_utc(),
    };
    counts.taken.left_out.without_customer = read.without_customer;
    counts.taken.left_out.empty_lists = read.empty;
    if options.quarantine.is_some() {
        counts.far.outside = read.outside;
        bad.refuse_whole(file, counts.good())?;
    }
    Ok(counts)
}

fn add_taken(record: &mut BatchRecord, left_out: &mut LeftOut, types: &TypeCounts, taken: &Taken) {
    record.actions.add_all(types);
    record.late += taken.late;
    record.early += taken.early;
    let LeftOut { of_other_shards, forgotten, pruned, without_customer, deduplicated, empty_lists } = taken.left_out;
    left_out.of_other_shards += of_other_shards;
    left_out.forgotten += forgotten;
    left_out.pruned += pruned;
    left_out.without_customer += without_customer;
    left_out.deduplicated += deduplicated;
    left_out.empty_lists += empty_lists;
}

fn add_file(record: &mut BatchRecord, source: u8, file: &DayFile, counts: &FileCounts) {
    record.ignored += counts.ignored;
    if counts.has_wall_times {
        record.zone_use = ZoneUse::WallTimes;
    }
    record.files.push(FileRecord {
        source,
        path: file.name.clone(),
        bytes: counts.fingerprint.bytes,
        xxh3_128: counts.fingerprint.xxh3_128,
    });
}
