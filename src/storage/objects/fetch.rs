//! Objects on the way in: each is fetched once into scratch files, several at once, and read from there like a file.
//!
//! So a reader may go to and fro in it without a request, and everything that guards against a hostile file holds.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetRange};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::attempts::Attempts;
use super::below::Objects;
use super::error::Failure;
use super::list::Found;
use super::scratch_files::{NewFile, ScratchFile};
use crate::error::{Error, Result};
use crate::exact::{at_most, usize_of};
use crate::storage::fingerprint::Fingerprint;
use crate::text::Shown as _;

/// The parts in which one object is fetched at the same time, and the least bytes that make a part of its own.
const PARTS_MAX: u64 = 3;
const PARTS_AT_ONCE: usize = PARTS_MAX as usize;
const PART_BYTES_MIN: u64 = 8 << 20;

/// How often a thread that waits for a file looks whether the work was asked to stop.
const CANCEL_CHECK: Duration = Duration::from_millis(50);

/// Several objects that are fetched together. The first that is asked for starts all of them, in their order.
///
/// Memory: what the network has delivered and the file has not taken. Scratch: the objects, each until it is dropped;
/// objects beyond what the limit on open files allows a second time while they are open.
pub(crate) struct Fetch {
    objects: Objects,
    new_file: Box<NewFile>,
    /// Whether each object has the very file that `new_file` gives for it.
    is_into_files: bool,
    files: Mutex<Vec<Arc<State>>>,
    started: OnceLock<Vec<JoinHandle<()>>>,
}

/// One object of a [`Fetch`].
#[derive(Clone)]
pub(crate) struct FetchedFile {
    fetch: Arc<Fetch>,
    state: Arc<State>,
}

/// The content of an object, or why it did not come.
type Arrived = Result<Arc<(ScratchFile, Fingerprint)>>;

struct State {
    found: Found,
    arrived: Mutex<Option<Arrived>>,
    changed: Condvar,
}

impl std::fmt::Debug for FetchedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FetchedFile").field(&self.state.found).finish()
    }
}

impl Fetch {
    /// Prepares to fetch objects; makes no request yet.
    pub(crate) fn of(
        objects: &Objects,
        found: impl IntoIterator<Item = Found>,
        new_file: Box<NewFile>,
    ) -> Vec<FetchedFile> {
        Self::with(objects, found, new_file, false)
    }

    /// The same, each into the very file that `new_file` gives for it, in the order of the objects. They are few: each
    /// is an open file of the process.
    pub(crate) fn into_files(
        objects: &Objects,
        found: impl IntoIterator<Item = Found>,
        new_file: Box<NewFile>,
    ) -> Vec<FetchedFile> {
        Self::with(objects, found, new_file, true)
    }

    fn with(
        objects: &Objects,
        found: impl IntoIterator<Item = Found>,
        new_file: Box<NewFile>,
        is_into_files: bool,
    ) -> Vec<FetchedFile> {
        let state = |found| Arc::new(State { found, arrived: Mutex::default(), changed: Condvar::new() });
        let states: Vec<Arc<State>> = found.into_iter().map(state).collect();
        let files = Mutex::new(states.clone());
        let fetch = Fetch { objects: objects.clone(), new_file, is_into_files, files, started: OnceLock::new() };
        let fetch = Arc::new(fetch);
        states.into_iter().map(|state| FetchedFile { fetch: Arc::clone(&fetch), state }).collect()
    }

    fn start(&self) -> Result<()> {
        let runtime = self.objects.requests.runtime()?;
        self.started.get_or_init(|| {
            let files = std::mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner));
            let permits = Arc::new(Semaphore::new(self.objects.requests.limits().at_once.get().into()));
            let tasks = files.into_iter().map(|state| {
                let (bytes, new_file) = (state.found.bytes, &*self.new_file);
                let file = match self.is_into_files {
                    true => ScratchFile::own(bytes, new_file, None),
                    false => self.objects.requests.scratch_files().next(bytes, new_file),
                };
                let (objects, permits) = (self.objects.clone(), Arc::clone(&permits));
                runtime.spawn(async move {
                    let arrived = match file {
                        Ok(file) => fetched(&objects, &state.found, file, &permits).await,
                        Err(error) => Err(error),
                    };
                    state.arrive(arrived);
                })
            });
            tasks.collect()
        });
        Ok(())
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.started.take().into_iter().flatten().for_each(|task| task.abort());
    }
}

impl State {
    fn arrive(&self, arrived: Result<(ScratchFile, Fingerprint)>) {
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner) = Some(arrived.map(Arc::new));
        self.changed.notify_all();
    }
}

impl FetchedFile {
    /// Opens the content of the object, once all of it has arrived.
    pub(crate) fn open(&self) -> Result<File> {
        let (fetch, found) = (&self.fetch, &self.state.found);
        self.arrived()?.0.open(&*fetch.new_file, &found.path, &fetch.objects.cancel)
    }

    /// Returns the size of the object; makes no request.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.found.bytes
    }

    /// Returns the fingerprint of the content, once all of it has arrived.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(self.arrived()?.1)
    }

    fn arrived(&self) -> Result<Arc<(ScratchFile, Fingerprint)>> {
        self.fetch.start()?;
        let mut arrived = self.state.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match &*arrived {
                Some(Ok(file)) => return Ok(Arc::clone(file)),
                Some(Err(error)) => return Err(error.again()),
                None => {}
            }
            self.fetch.objects.cancel.check()?;
            let waited = self.state.changed.wait_timeout(arrived, CANCEL_CHECK);
            arrived = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Fetches an object in parts, and hashes it.
async fn fetched(
    objects: &Objects,
    found: &Found,
    file: ScratchFile,
    permits: &Semaphore,
) -> Result<(ScratchFile, Fingerprint)> {
    let part_bytes = found.bytes.div_ceil(PARTS_MAX).max(PART_BYTES_MIN);
    let parts = (0..found.bytes.div_ceil(part_bytes)).map(|part| {
        let range = part * part_bytes..((part + 1) * part_bytes).min(found.bytes);
        fetch_part(objects, found, &file, range, permits)
    });
    futures_util::stream::iter(parts).buffer_unordered(PARTS_AT_ONCE).try_collect::<()>().await?;
    let cancel = objects.cancel.clone();
    let (path, bytes) = (found.path.clone(), found.bytes);
    let hashed = tokio::task::spawn_blocking(move || {
        let content = file.content().map_err(|error| Error::io("read", &path, error))?;
        let fingerprint = Fingerprint::of_content(content.take(bytes), &path, &cancel)?;
        Ok((file, fingerprint))
    });
    match hashed.await {
        Ok(hashed) => hashed,
        Err(_) => Err(Error::internal(format!("the hash of {} was given up", found.path.shown()))),
    }
}

/// Fetches a range of an object; goes on where it was cut.
async fn fetch_part(
    objects: &Objects,
    found: &Found,
    scratch: &ScratchFile,
    range: std::ops::Range<u64>,
    permits: &Semaphore,
) -> Result<()> {
    let _permit = permits.acquire().await.map_err(|_| Error::internal("requests were closed"))?;
    let mut attempts = Attempts::new(objects.requests.limits());
    let mut from = range.start;
    while from < range.end {
        let options = GetOptions {
            range: Some(GetRange::Bounded(from..range.end)),
            if_match: found.etag.clone(),
            ..GetOptions::default()
        };
        let part = async {
            let mut stream = objects.store.get_opts(&found.key, options).await?.into_stream();
            while let Some(bytes) = stream.next().await {
                let bytes = bytes?;
                let fits = usize_of(range.end - from);
                let bytes = at_most(&bytes, fits);
                if let Err(error) = scratch.file.write_all_at(bytes, scratch.from + from) {
                    return Ok(Err(Error::io("write", Path::new("a scratch file"), error)));
                }
                from += bytes.len() as u64;
            }
            Ok(Ok(()))
        };
        let error = match part.await {
            Ok(written) => {
                written?;
                if from == range.end {
                    return Ok(());
                }
                let what = "the connection was cut";
                object_store::Error::Generic { store: "", source: what.into() }
            }
            Err(error) => error,
        };
        let failure = Failure::of(&error);
        if failure == Failure::Condition || failure == Failure::Missing {
            return Err(Error::input(
                format!("the object {} was changed or removed while it was being read", found.path.shown()),
                "run the same command again when it is complete",
            ));
        }
        if !attempts.again(failure).await {
            return Err(objects.failed("read", &found.path, &error, attempts.made()));
        }
        objects.cancel.check()?;
    }
    Ok(())
}
