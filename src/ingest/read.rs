//! Reads the files of a batch, several at once.

use super::admission::{Admission, LeftOut};
use super::dated_action::DatedAction;
use super::far::{Far, refuse_far};
use super::options::IngestOptions;
use super::recorded::Recorded;
use crate::error::Result;
use crate::exact::{Held, of_byte_mut};
use crate::format::{BatchRecord, FileRecord, ZoneUse};
use crate::input::{BadRows, DayFile, QuarantineFolder, SameContents, SourceFile, read_actions, same_content};
use crate::model::{TypeCounts, Zone};
use crate::parallel::each_in_order;
use crate::progress::Progress;
use crate::sort::SharedSorter;
use crate::sources::ActionSource;
use crate::storage::Fingerprint;

/// The counts of one file.
struct FileCounts {
    fingerprint: Fingerprint,
    taken: TypeCounts,
    ignored: u64,
    late: u64,
    early: u64,
    bad: u64,
    far: Far,
    has_wall_times: bool,
    left_out: LeftOut,
}

/// The part of a file's counts that is kept until all files have been read.
struct ReadFile {
    fingerprint: Fingerprint,
    far: Far,
    has_rows: bool,
}

impl FileCounts {
    fn good(&self) -> u64 {
        self.taken.sum() + self.ignored
    }
}

/// Reads the admitted actions of all files into the sorter. Returns the batch's record, still without the number of
/// customers, the counts of actions left out, and the files with the same content.
///
/// Files are read in parallel; the arrival order of actions does not matter, since the sort order is total. If there
/// are bad rows, the files are read again, one after the other, to report and quarantine the bad rows in order.
///
/// Memory: for each thread a record batch and a [`crate::sort::Feed`], and some 200 bytes for each file.
pub(super) fn read_batch(
    files: &[SourceFile<'_>],
    options: &IngestOptions,
    zone: &Zone,
    admission: &Admission,
    sorter: &SharedSorter<DatedAction>,
    progress: &dyn Progress,
) -> Result<(BatchRecord, LeftOut, SameContents)> {
    let sizes = files.iter().map(|(_, file)| file.size()).collect::<Result<Vec<_>>>()?;
    progress.begin("reading", "bytes", Some(sizes.iter().sum()));
    let Recorded { sources, numbers } = Recorded::of(files)?;
    let (mut record, mut left_out) = (BatchRecord { sources, ..BatchRecord::default() }, LeftOut::default());
    record.files.reserve_exact(files.len());
    let (mut read_files, mut has_bad) = (Vec::with_capacity(files.len()), false);
    let read = |(source, file): &SourceFile<'_>| {
        let counts = read_file(source, file, options, zone, admission, sorter)?;
        progress.advance(counts.fingerprint.bytes);
        Ok(counts)
    };
    let mut named = files.iter().zip(numbers);
    each_in_order(&options.resources, files, read, |counts: FileCounts| {
        let ((_, file), number) = named.next().held("each file is read once")?;
        add(&mut record, number, file, &counts);
        left_out.forgotten += counts.left_out.forgotten;
        left_out.pruned += counts.left_out.pruned;
        has_bad |= counts.bad > 0;
        let has_rows = counts.good() + counts.bad > 0;
        read_files.push(ReadFile { fingerprint: counts.fingerprint, far: counts.far, has_rows });
        Ok(())
    })?;
    let both = || files.iter().zip(&read_files);
    let with_rows = both().filter(|(_, read)| read.has_rows);
    let same = same_content(with_rows.map(|((_, file), read)| (file, &read.fingerprint)));
    if !options.allow_far_actions {
        // Before any row is quarantined.
        refuse_far(options, record.actions.sum(), both().map(|(file, read)| (file, &read.far)), zone)?;
    }
    let mut bad = BadRows::new(QuarantineFolder::Actions, options.dt, options.quarantine.as_deref());
    for ((source, file), read) in both() {
        if has_bad {
            read_actions(source, file, zone, &options.resources, &mut bad, |_, _| Ok(()))?;
        }
        file.check_unchanged(&read.fingerprint)?;
    }
    record.quarantined = bad.finish()?;
    Ok((record, left_out, same))
}

fn read_file(
    source: &ActionSource,
    file: &DayFile,
    options: &IngestOptions,
    zone: &Zone,
    admission: &Admission,
    sorter: &SharedSorter<DatedAction>,
) -> Result<FileCounts> {
    let dt = options.dt;
    let mut feed = sorter.feed()?;
    let fingerprint = file.fingerprint(options.resources.cancel())?;
    let mut counts = FileCounts {
        fingerprint,
        taken: TypeCounts::default(),
        ignored: 0,
        late: 0,
        early: 0,
        bad: 0,
        far: Far::default(),
        has_wall_times: false,
        left_out: LeftOut::default(),
    };
    // An array indexed by the type's number, since each action is counted in it.
    let mut taken = [0_u64; 256];
    // Counts bad rows only; a second pass reports them.
    let mut bad = BadRows::new(QuarantineFolder::Actions, dt, None);
    let read = read_actions(source, file, zone, &options.resources, &mut bad, |_, action| {
        *of_byte_mut(&mut taken, action.action.action_type.number()) += 1;
        if action.day != dt {
            counts.late += u64::from(action.day < dt);
            counts.early += u64::from(action.day > dt);
            counts.far.add(action.day, action.action.time_us, dt);
        }
        if !admission.admits(action.customer, action.day, &mut counts.left_out) {
            return Ok(());
        }
        feed.push(DatedAction::from(action))
    })?;
    feed.finish()?;
    counts.taken = (0..=u8::MAX).zip(taken).collect();
    counts.ignored = read.ignored;
    // The rules of UTC never change.
    counts.has_wall_times = read.has_wall_times && !zone.is_utc();
    counts.bad = bad.count();
    if options.quarantine.is_some() {
        counts.far.outside = read.outside;
        bad.refuse_whole(file, counts.good())?;
    }
    Ok(counts)
}

fn add(record: &mut BatchRecord, source: u8, file: &DayFile, counts: &FileCounts) {
    record.actions.add_all(&counts.taken);
    record.ignored += counts.ignored;
    if counts.has_wall_times {
        record.zone_use = ZoneUse::WallTimes;
    }
    record.late += counts.late;
    record.early += counts.early;
    record.files.push(FileRecord {
        source,
        path: file.name.clone(),
        bytes: counts.fingerprint.bytes,
        xxh3_128: counts.fingerprint.xxh3_128,
    });
}
