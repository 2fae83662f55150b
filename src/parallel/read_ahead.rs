//! Jobs on threads in the background, whose results are pulled in the order of the jobs.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::ordered_map::ordered_map;
use super::threads::panicked;
use crate::error::{Error, Result};
use crate::resources::Cancel;
use crate::resources::threads::cannot_start;

/// Results of jobs, in order. After an error no result follows.
///
/// Memory: for each worker `ahead` jobs, or their results. Dropping it waits for the jobs in work.
pub struct ReadAhead<Done> {
    /// `None` once it is dropped.
    results: Option<Receiver<Done>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl<Done: Send + 'static> ReadAhead<Done> {
    /// Runs the jobs that `next` yields as [`ordered_map`] does, on threads of its own, and waits for the caller when
    /// `ahead` results for each worker are finished. Fails if the system refuses the first thread.
    pub fn start<Job: 'static>(
        cancel: Cancel,
        workers: Vec<impl FnMut(Job) -> Result<Done> + Send + 'static>,
        ahead: usize,
        next: impl FnMut() -> Result<Option<Job>> + Send + 'static,
    ) -> Result<Self> {
        // Without a buffer: a result that waits to be pulled counts among those ahead.
        let (sender, results) = sync_channel(0);
        let take = move |done| sender.send(done).map_err(|_| Error::cancelled());
        let work = move || ordered_map(&cancel, workers, ahead, next, take);
        let thread = Builder::new().spawn(work).map_err(cannot_start)?;
        Ok(ReadAhead { results: Some(results), thread: Some(thread) })
    }
}

impl<Done> Iterator for ReadAhead<Done> {
    type Item = Result<Done>;

    fn next(&mut self) -> Option<Result<Done>> {
        match self.results.as_ref()?.recv() {
            Ok(done) => Some(Ok(done)),
            Err(_) => match self.thread.take()?.join() {
                Ok(ended) => ended.err().map(Err),
                Err(_) => Some(Err(panicked())),
            },
        }
    }
}

impl<Done> Drop for ReadAhead<Done> {
    fn drop(&mut self) {
        // Without a receiver, the next result ends the work.
        self.results = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn failure(what: &str) -> Error {
        Error::new(Kind::Io, what, "nothing")
    }

    /// Jobs 0 to 99, and how many have begun.
    fn start(threads: usize, ahead: usize, failing: usize) -> (ReadAhead<usize>, Arc<AtomicUsize>) {
        let begun = Arc::new(AtomicUsize::new(0));
        let (counter, mut jobs) = (Arc::clone(&begun), 0..100);
        let next = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(jobs.next())
        };
        let work = move |job: usize| if job == failing { Err(failure("failed")) } else { Ok(job) };
        (ReadAhead::start(Cancel::default(), vec![work; threads], ahead, next).unwrap(), begun)
    }

    #[test]
    fn results_come_in_order_and_an_error_in_its_place() {
        for threads in [1, 2, 5] {
            let (all, _) = start(threads, 2, 100);
            assert!(all.map(|job| job.unwrap()).eq(0..100));
            let (mut some, _) = start(threads, 2, 7);
            assert!(some.by_ref().take(7).map(|job| job.unwrap()).eq(0..7));
            assert!(some.next().unwrap().unwrap_err().to_string().contains("failed"));
            assert!(some.next().is_none() && some.next().is_none());
        }
    }

    #[test]
    fn no_more_jobs_begin_than_are_ahead() {
        for (threads, ahead) in [(1, 1), (2, 2), (3, 1)] {
            let (mut results, begun) = start(threads, ahead, 100);
            for pulled in 1..50 {
                results.next().unwrap().unwrap();
                assert!(begun.load(Ordering::SeqCst) <= pulled + threads * ahead + 1);
            }
            drop(results);
            assert!(begun.load(Ordering::SeqCst) < 100, "dropping it ends the work");
        }
    }

    #[test]
    fn a_stop_and_a_panic_are_errors() {
        let cancel = Cancel::default();
        let mut results = ReadAhead::start(cancel.clone(), vec![Ok], 1, || Ok(Some(1))).unwrap();
        results.next().unwrap().unwrap();
        cancel.cancel();
        assert!(results.any(|result| result.is_err_and(|error| error.kind() == Kind::Cancelled)));
        let panics = |job: usize| if job == 3 { panic!("on purpose") } else { Ok(job) };
        let mut jobs = 0..9;
        let results = ReadAhead::start(Cancel::default(), vec![panics; 2], 1, move || Ok(jobs.next())).unwrap();
        let error = results.last().unwrap().unwrap_err();
        assert!(error.kind() == Kind::Internal && error.to_string().contains("panicked"));
    }
}
