//! Reading the files of a batch, several at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::dated_action::DatedAction;
use super::run::IngestOptions;
use crate::error::{Error, Kind, Result};
use crate::files::{BadRows, DayFile, Fingerprint, QuarantineFolder, read_actions};
use crate::format::{BatchRecord, FileRecord, Source};
use crate::model::{Day, Zone};
use crate::progress::Progress;
use crate::sort::Sorter;

/// Actions that a reader hands over at once; as many again for each thread wait to be taken.
const ACTIONS_AT_ONCE: usize = 8_192;

/// What was in a file, besides its actions.
struct FileCounts {
    fingerprint: Fingerprint,
    taken: u64,
    late: u64,
    early: u64,
    bad: u64,
}

/// What a reader hands over.
enum Handed {
    Actions(Vec<DatedAction>),
    /// The number of a file and what came of reading it.
    File(usize, Result<FileCounts>),
}

/// Reads all files into the sorter and gives the batch's record, but for the number of customers.
///
/// Files are read on all cores; in which order their actions come does not matter, since the sorter's order is total. Where there are bad rows, the files
/// are read once more, one after the other, so that these are named and set aside in their order.
///
/// Memory: for each thread two record batches and two times 8,192 actions.
pub(super) fn read_batch(
    files: &[(Source, DayFile)],
    options: &IngestOptions<'_>,
    zone: &Zone,
    sorter: &mut Sorter<DatedAction>,
    progress: &dyn Progress,
) -> Result<BatchRecord> {
    progress.begin("reading", "files", Some(files.len() as u64));
    let threads = rayon::current_num_threads().clamp(1, files.len().max(1));
    let next = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel(threads);
    let counts = std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            let reader = move || {
                let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                for (number, (source, file)) in numbers.map_while(|number| Some((number, files.get(number)?))) {
                    let counts = read_file(*source, file, options.dt, zone, &sender);
                    // Nobody takes any more where the sorter has failed.
                    if sender.send(Handed::File(number, counts)).is_err() {
                        break;
                    }
                }
            };
            std::thread::Builder::new().spawn_scoped(scope, reader).map_err(|error| {
                Error::new(Kind::Io, format!("cannot start a thread ({error})"), "give a smaller --threads")
            })?;
        }
        drop(sender);
        take(receiver, files.len(), sorter, progress)
    })?;
    let mut record = BatchRecord::default();
    let mut bad = BadRows::new(QuarantineFolder::Actions, options.dt, options.quarantine);
    let has_bad = counts.iter().any(|counts| counts.bad > 0);
    for ((source, file), counts) in files.iter().zip(counts) {
        if has_bad {
            read_actions(*source, file, zone, &mut bad, |_| Ok(()))?;
        }
        counts.fingerprint.check_unchanged(&file.path)?;
        add(&mut record, *source, file, &counts);
    }
    record.quarantined = bad.finish()?;
    Ok(record)
}

fn read_file(source: Source, file: &DayFile, dt: Day, zone: &Zone, sender: &SyncSender<Handed>) -> Result<FileCounts> {
    let fingerprint = Fingerprint::of(&file.path)?;
    let mut counts = FileCounts { fingerprint, taken: 0, late: 0, early: 0, bad: 0 };
    // Only counted here.
    let mut bad = BadRows::new(QuarantineFolder::Actions, dt, None);
    let mut gathered = Vec::with_capacity(ACTIONS_AT_ONCE);
    let stopped = || Error::new(Kind::Io, "reading was stopped", "see the error before");
    read_actions(source, file, zone, &mut bad, |action| {
        counts.taken += 1;
        counts.late += u64::from(action.day < dt);
        counts.early += u64::from(action.day > dt);
        gathered.push(DatedAction(action));
        if gathered.len() < ACTIONS_AT_ONCE {
            return Ok(());
        }
        let full = std::mem::replace(&mut gathered, Vec::with_capacity(ACTIONS_AT_ONCE));
        sender.send(Handed::Actions(full)).map_err(|_| stopped())
    })?;
    sender.send(Handed::Actions(gathered)).map_err(|_| stopped())?;
    counts.bad = bad.count();
    Ok(counts)
}

/// Takes everything that readers hand over. Of several errors, gives that of the first file.
fn take(
    receiver: Receiver<Handed>,
    files: usize,
    sorter: &mut Sorter<DatedAction>,
    progress: &dyn Progress,
) -> Result<Vec<FileCounts>> {
    let mut results: Vec<Option<Result<FileCounts>>> = (0..files).map(|_| None).collect();
    for handed in receiver {
        match handed {
            Handed::Actions(actions) => actions.into_iter().try_for_each(|action| sorter.push(action))?,
            Handed::File(number, result) => {
                if let Some(place) = results.get_mut(number) {
                    *place = Some(result);
                }
                progress.advance(1);
            }
        }
    }
    results.into_iter().flatten().collect()
}

fn add(record: &mut BatchRecord, source: Source, file: &DayFile, counts: &FileCounts) {
    match source {
        Source::Clicks => record.clicks += counts.taken,
        Source::AddToCarts => record.add_to_carts += counts.taken,
        Source::Orders => record.orders += counts.taken,
    }
    record.late += counts.late;
    record.early += counts.early;
    record.files.push(FileRecord {
        source: source.action_type().number(),
        path: file.name.clone(),
        bytes: counts.fingerprint.bytes,
        xxh3_128: counts.fingerprint.xxh3_128,
    });
}
