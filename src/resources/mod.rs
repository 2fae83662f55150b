//! Floor 1, the resources that a command may use: memory, threads, a folder for scratch files on disk, and a request to
//! stop.
//!
//! All of them are one value, [`Resources`], which options and the folder of a store carry. The value does not limit
//! the process: whoever runs the process sets the system's limit.

mod budgets;
pub mod memory;
mod scratch;
mod spool;
pub mod threads;

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

pub use crate::cancel::Cancel;
use crate::error::Result;
use crate::storage::{Kept, Local, Objects, Place, Requests, is_object_url};
pub use crate::storage::{RequestCounts, RequestLimits};
pub use scratch::Scratch;
pub use spool::{SharedBytes, Spool, SpoolContent};

/// The resources that work may use. Clones are cheap, and use the same threads and the same [`Cancel`].
///
/// ```
/// use lookback::resources::{Cancel, Resources};
///
/// let cancel = Cancel::default();
/// let resources = Resources::default().with_memory(1 << 30).with_threads(2).with_cancel(cancel.clone());
/// assert_eq!(resources.threads(), 2);
/// cancel.cancel();
/// assert!(resources.check().is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Resources {
    memory_bytes: u64,
    /// Memory for sorting or gathering, if it differs from the usual part of the memory limit.
    sort_bytes: Option<usize>,
    threads: usize,
    /// Created with the first work that needs it.
    pool: Arc<OnceLock<ThreadPool>>,
    scratch_folder: Arc<Path>,
    cancel: Cancel,
    /// The clients of object stores, made with the first place that needs one.
    requests: Arc<Requests>,
}

impl Default for Resources {
    /// Half of the memory of the machine or its control group, a thread for each core, the system's folder for
    /// temporary files (`TMPDIR`), and a request to stop that is never made.
    fn default() -> Self {
        Resources {
            memory_bytes: memory::half_of_the_machine(),
            sort_bytes: None,
            threads: threads::cores(),
            pool: Arc::default(),
            scratch_folder: scratch::system_folder().into(),
            cancel: Cancel::default(),
            requests: Arc::default(),
        }
    }
}

impl Resources {
    /// Sets the memory limit in bytes; methods such as [`Resources::sort_bytes`] return parts of it.
    pub fn with_memory(self, memory_bytes: u64) -> Self {
        Resources { memory_bytes, ..self }
    }

    /// Sets the bytes for sorting, for each spool, and for the data an audit gathers, independently of the memory
    /// limit.
    pub fn with_sort_bytes(self, sort_bytes: usize) -> Self {
        Resources { sort_bytes: Some(sort_bytes), ..self }
    }

    /// Sets the number of threads, at least one; they are new threads.
    pub fn with_threads(self, threads: usize) -> Self {
        Resources { threads: threads.max(1), pool: Arc::default(), ..self }
    }

    /// Sets the folder for scratch files, which is created when it is needed.
    pub fn with_scratch_folder(self, folder: &Path) -> Self {
        Resources { scratch_folder: folder.into(), ..self }
    }

    /// Sets the request to stop.
    pub fn with_cancel(self, cancel: Cancel) -> Self {
        Resources { cancel, ..self }
    }

    /// Sets how requests to object stores are bounded.
    pub fn with_request_limits(self, limits: RequestLimits) -> Self {
        Resources { requests: Arc::new(Requests::new(limits)), ..self }
    }

    /// Opens a folder, or connects to the store of a URL. Fails if there are no credentials for it.
    pub fn place(&self, path: &Path) -> Result<Place> {
        let local = || {
            let scratch = Mutex::new(self.scratch());
            let new_file = move || Ok(scratch.lock().unwrap_or_else(PoisonError::into_inner).file()?.1);
            let folder = self.scratch_folder.to_path_buf();
            Local { new_file: Arc::new(new_file), folder, part_bytes: self.upload_bytes() }
        };
        Place::open(path, |url| Objects::connect(url, &self.requests, &self.cancel), local)
    }

    /// Returns the place of kept files: a folder, or what lies below a URL. Fails if there are no credentials for it.
    pub(crate) fn kept(&self, place: &Path) -> Result<Kept> {
        if is_object_url(place) {
            return Ok(Kept::Objects(Objects::connect(place, &self.requests, &self.cancel)?));
        }
        Ok(Kept::Folder(place.to_owned()))
    }

    /// Returns how requests to object stores are bounded.
    pub(crate) fn request_limits(&self) -> RequestLimits {
        self.requests.limits()
    }

    /// Returns how many requests to object stores were made with this value and its clones.
    pub fn request_counts(&self) -> RequestCounts {
        self.requests.counts()
    }

    /// How many threads work at once.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work`, whose parallel parts run on these threads. Fails if the system refuses the threads.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        if self.pool.get().is_none() {
            let built = ThreadPoolBuilder::new().num_threads(self.threads).build();
            // Another thread may have created a pool first: then this pool ends again.
            let _ = self.pool.set(built.map_err(threads::cannot_start)?);
        }
        Ok(self.pool.wait().install(work))
    }

    /// Returns scratch files in the scratch folder, for commands that have no folder of their own.
    pub fn scratch(&self) -> Scratch {
        Scratch::new(self.scratch_folder.to_path_buf())
    }

    /// Returns the free bytes of the disk with the scratch folder.
    pub(crate) fn free_scratch_bytes(&self) -> u64 {
        scratch::free_bytes(&self.scratch_folder)
    }

    /// Returns the folder for scratch files.
    pub(crate) fn scratch_folder(&self) -> &Path {
        &self.scratch_folder
    }

    /// The request to stop.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Fails if the work was asked to stop.
    pub fn check(&self) -> Result<()> {
        self.cancel.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn work_runs_on_threads_of_its_own() {
        let resources = Resources::default().with_threads(3);
        let on = |resources: &Resources| resources.install(rayon::current_num_threads).unwrap();
        assert_eq!(on(&resources), 3);
        let other = resources.clone().with_threads(5);
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| assert_eq!(on(&other), 5)))));
        assert_eq!((on(&resources), other.threads()), (3, 5));
    }

    #[test]
    fn all_clones_are_asked_to_stop() {
        let resources = Resources::default();
        let (clone, other) = (resources.clone().with_threads(1), Resources::default());
        resources.cancel().cancel();
        assert_eq!(clone.check().unwrap_err().kind(), Kind::Cancelled);
        other.check().unwrap();
    }

    #[test]
    fn parts_follow_from_the_whole() {
        let resources = Resources::default().with_memory(128 << 20);
        assert_eq!(
            (resources.sort_bytes(), resources.page_bytes(), resources.line_bytes()),
            (16 << 20, 8 << 20, 2 << 20)
        );
        assert_eq!(resources.clone().with_sort_bytes(9).sort_bytes(), 9);
    }
}
