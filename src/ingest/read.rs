//! Reading the files of a batch, several at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::admission::{Admission, LeftOut};
use super::dated_action::DatedAction;
use super::recorded::{Recorded, SourceFile};
use super::run::IngestOptions;
use crate::error::{Error, Kind, Result};
use crate::files::{BadRows, DayFile, Fingerprint, QuarantineFolder, read_actions};
use crate::format::{BatchRecord, FileRecord};
use crate::model::{Day, TypeCounts, Zone};
use crate::progress::Progress;
use crate::sort::{BLOCK_RECORDS, Sorter};
use crate::sources::ActionSource;

/// Blocks of actions that a reader hands over at once: 256 kB.
const BLOCKS_AT_ONCE: usize = 32;

/// What was in a file, besides its actions.
struct FileCounts {
    fingerprint: Fingerprint,
    taken: TypeCounts,
    ignored: u64,
    late: u64,
    early: u64,
    bad: u64,
    left_out: LeftOut,
}

/// What the readers share.
struct Shared<'sorter> {
    sorter: &'sorter mut Sorter<DatedAction>,
    /// Why the sorter takes no more.
    failed: Option<Error>,
    /// What came of each file that has been read.
    results: Vec<(usize, Result<FileCounts>)>,
}

/// Reads all files into the sorter, what the store admits of them, and gives the batch's record, but for the number of customers, and what was left
/// out.
///
/// Files are read on all cores; in which order their actions come does not matter, since the sorter's order is total. Where there are bad rows, the files
/// are read once more, one after the other, so that these are named and set aside in their order.
///
/// Memory: for each thread a record batch and 32 blocks of 256 actions.
pub(super) fn read_batch(
    files: &[SourceFile<'_>],
    options: &IngestOptions<'_>,
    zone: &Zone,
    admission: &Admission,
    sorter: &mut Sorter<DatedAction>,
    progress: &dyn Progress,
) -> Result<(BatchRecord, LeftOut)> {
    let sizes = files.iter().map(|(_, file)| Fingerprint::size_of(&file.path)).collect::<Result<Vec<_>>>()?;
    progress.begin("reading", "bytes", Some(sizes.iter().sum()));
    let next = AtomicUsize::new(0);
    let shared = Mutex::new(Shared { sorter, failed: None, results: Vec::with_capacity(files.len()) });
    let reader = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        for (number, (source, file)) in numbers.map_while(|number| Some((number, files.get(number)?))) {
            let result = read_file(source, file, options.dt, zone, admission, &shared);
            let mut shared = locked(&shared);
            shared.results.push((number, result));
            progress.advance(sizes.get(number).copied().unwrap_or(0));
            if shared.failed.is_some() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..rayon::current_num_threads().min(files.len()) {
            std::thread::Builder::new().spawn_scoped(scope, reader).map_err(|error| {
                Error::new(Kind::Io, format!("cannot start a thread ({error})"), "give a smaller --threads")
            })?;
        }
        reader();
        Ok(())
    })?;
    let counts = counts(shared.into_inner().unwrap_or_else(PoisonError::into_inner))?;
    let Recorded { sources, numbers } = Recorded::of(files);
    let (mut record, mut left_out) = (BatchRecord { sources, ..BatchRecord::default() }, LeftOut::default());
    let mut bad = BadRows::new(QuarantineFolder::Actions, options.dt, options.quarantine);
    let has_bad = counts.iter().any(|counts| counts.bad > 0);
    for (((source, file), number), counts) in files.iter().zip(numbers).zip(counts) {
        if has_bad {
            read_actions(source, file, zone, &mut bad, |_| Ok(()))?;
        }
        counts.fingerprint.check_unchanged(&file.path)?;
        add(&mut record, number, file, &counts);
        left_out.forgotten += counts.left_out.forgotten;
        left_out.pruned += counts.left_out.pruned;
    }
    record.quarantined = bad.finish()?;
    Ok((record, left_out))
}

fn read_file(
    source: &ActionSource,
    file: &DayFile,
    dt: Day,
    zone: &Zone,
    admission: &Admission,
    shared: &Mutex<Shared<'_>>,
) -> Result<FileCounts> {
    let fingerprint = Fingerprint::of(&file.path)?;
    let mut counts = FileCounts {
        fingerprint,
        taken: TypeCounts::default(),
        ignored: 0,
        late: 0,
        early: 0,
        bad: 0,
        left_out: LeftOut::default(),
    };
    // Looked up by the number alone: it is done for each action.
    let mut taken = [0_u64; 256];
    // Only counted here.
    let mut bad = BadRows::new(QuarantineFolder::Actions, dt, None);
    let mut full = Vec::with_capacity(BLOCKS_AT_ONCE);
    let mut block = Vec::with_capacity(BLOCK_RECORDS);
    let read = read_actions(source, file, zone, &mut bad, |action| {
        taken.get_mut(usize::from(action.action.action_type.number())).into_iter().for_each(|count| *count += 1);
        counts.late += u64::from(action.day < dt);
        counts.early += u64::from(action.day > dt);
        if !admission.admits(action.customer, action.day, &mut counts.left_out) {
            return Ok(());
        }
        block.push(DatedAction::from(action));
        if block.len() == BLOCK_RECORDS {
            full.push(std::mem::replace(&mut block, Vec::with_capacity(BLOCK_RECORDS)));
            if full.len() == BLOCKS_AT_ONCE {
                return hand_over(&mut full, shared);
            }
        }
        Ok(())
    })?;
    full.push(block);
    hand_over(&mut full, shared)?;
    counts.taken = (0..=u8::MAX).zip(taken).collect();
    counts.ignored = read.ignored;
    counts.bad = bad.count();
    Ok(counts)
}

/// Gives the blocks to the sorter. Fails where it has failed, in this thread or in another.
fn hand_over(blocks: &mut Vec<Vec<DatedAction>>, shared: &Mutex<Shared<'_>>) -> Result<()> {
    let mut shared = locked(shared);
    if shared.failed.is_none() {
        shared.failed = blocks.drain(..).try_for_each(|block| shared.sorter.append(block)).err();
    }
    match shared.failed {
        None => Ok(()),
        Some(_) => Err(Error::new(Kind::Io, "reading was stopped", "see the error before")),
    }
}

fn locked<'a, 'sorter>(shared: &'a Mutex<Shared<'sorter>>) -> MutexGuard<'a, Shared<'sorter>> {
    // Whoever panicked ends the whole command when the threads are joined.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was in the files, in their order. Of several errors, gives the sorter's, or that of the first file.
fn counts(shared: Shared<'_>) -> Result<Vec<FileCounts>> {
    let Shared { failed, mut results, .. } = shared;
    if let Some(error) = failed {
        return Err(error);
    }
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn add(record: &mut BatchRecord, source: u8, file: &DayFile, counts: &FileCounts) {
    record.actions.add_all(&counts.taken);
    record.ignored += counts.ignored;
    record.late += counts.late;
    record.early += counts.early;
    record.files.push(FileRecord {
        source,
        path: file.name.clone(),
        bytes: counts.fingerprint.bytes,
        xxh3_128: counts.fingerprint.xxh3_128,
    });
}
