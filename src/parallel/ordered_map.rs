//! Jobs run on several threads; one taker takes the results in the order of the jobs.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

use super::threads::{locked, run_all};
use crate::error::{Error, Result};
use crate::resources::{Cancel, Resources};

/// Runs all jobs that `next` yields, with one thread for each of `workers` (the calling thread is the first), and
/// passes the results to `take`, one at a time, in the order of the jobs.
///
/// The thread that finishes the next job to be taken also takes it, and the finished jobs after it; so no thread sleeps
/// while there is work, which on a busy machine costs more than the work. For each thread, `ahead` jobs may wait to be
/// taken.
///
/// Of several errors, returns the error of the first job; nothing after that job is taken. After a request to stop, no
/// further job starts. Memory: for each thread `ahead` jobs, or their results.
pub(crate) fn ordered_map<Job, Done: Send>(
    cancel: &Cancel,
    workers: Vec<impl FnMut(Job) -> Result<Done> + Send>,
    ahead: usize,
    mut next: impl FnMut() -> Result<Option<Job>> + Send,
    take: impl FnMut(Done) -> Result<()> + Send,
) -> Result<()> {
    let next = || cancel.check().and_then(|()| next());
    let jobs = Mutex::new(Jobs { next, number: 0, is_last: false });
    let results = Mutex::new(Results { waiting: BTreeMap::new(), taken: 0, take: Some(take), stopped: None });
    let shared = SharedState { jobs, results, progress: Condvar::new(), ahead: workers.len() * ahead.max(1) };
    let stop = |panicked| {
        locked(&shared.results).stopped.get_or_insert(panicked);
        shared.progress.notify_all();
    };
    run_all(workers, |worker| shared.work(worker), stop);
    let results = shared.results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.stopped.map_or(Ok(()), Err)
}

/// Processes all items, several at once, and returns the results in the order of the items.
///
/// Of several errors, returns the error of the first item. Memory: the results of all items.
pub(crate) fn each<Item: Sync, Done: Send>(
    resources: &Resources,
    items: &[Item],
    work: impl Fn(&Item) -> Result<Done> + Sync,
) -> Result<Vec<Done>> {
    let mut done = Vec::with_capacity(items.len());
    each_in_order(resources, items, work, |result| {
        done.push(result);
        Ok(())
    })?;
    Ok(done)
}

/// Processes all items, several at once, and passes the results to `take` in the order of the items. Memory: the
/// results that wait for earlier ones.
pub(crate) fn each_in_order<Item: Sync, Done: Send>(
    resources: &Resources,
    items: &[Item],
    work: impl Fn(&Item) -> Result<Done> + Sync,
    take: impl FnMut(Done) -> Result<()> + Send,
) -> Result<()> {
    let threads = resources.threads().min(items.len()).max(1);
    let mut next = items.iter();
    // One thread for each worker; a large item delays only its own thread.
    ordered_map(resources.cancel(), vec![&work; threads], items.len(), || Ok(next.next()), take)
}

struct SharedState<Next, Done, Take> {
    jobs: Mutex<Jobs<Next>>,
    results: Mutex<Results<Done, Take>>,
    /// Notified when a result has been taken, and when the work stops.
    progress: Condvar,
    ahead: usize,
}

struct Jobs<Next> {
    next: Next,
    /// The number of the next job.
    number: usize,
    is_last: bool,
}

struct Results<Done, Take> {
    /// Results that wait for earlier ones, by job number.
    waiting: BTreeMap<usize, Result<Done>>,
    taken: usize,
    /// `None` while a thread is taking.
    take: Option<Take>,
    /// The error that stopped the work.
    stopped: Option<Error>,
}

impl<Job, Done, Next, Take> SharedState<Next, Done, Take>
where
    Next: FnMut() -> Result<Option<Job>>,
    Take: FnMut(Done) -> Result<()>,
{
    fn work(&self, mut worker: impl FnMut(Job) -> Result<Done>) {
        while let Some((number, job)) = self.job() {
            self.hand_in(number, job.and_then(&mut worker));
        }
    }

    /// Returns the next job with its number, or the error in its place. Waits while the threads are too far ahead.
    fn job(&self) -> Option<(usize, Result<Job>)> {
        let mut jobs = locked(&self.jobs);
        let mut results = locked(&self.results);
        while results.stopped.is_none() && jobs.number >= results.taken + self.ahead {
            results = self.progress.wait(results).unwrap_or_else(PoisonError::into_inner);
        }
        if results.stopped.is_some() || jobs.is_last {
            return None;
        }
        drop(results);
        let job = (jobs.next)();
        jobs.is_last = !matches!(job, Ok(Some(_)));
        let number = jobs.number;
        jobs.number += 1;
        job.transpose().map(|job| (number, job))
    }

    fn hand_in(&self, number: usize, result: Result<Done>) {
        let mut results = locked(&self.results);
        results.waiting.insert(number, result);
        // The thread that is taking will also take this result.
        let Some(mut take) = results.take.take() else { return };
        while let Some(next) = results.next() {
            drop(results);
            let taken = next.and_then(&mut take);
            results = locked(&self.results);
            results.taken += 1;
            if let Err(error) = taken {
                results.stopped.get_or_insert(error);
            }
            self.progress.notify_all();
        }
        results.take = Some(take);
    }
}

impl<Done, Take> Results<Done, Take> {
    fn next(&mut self) -> Option<Result<Done>> {
        if self.stopped.is_some() { None } else { self.waiting.remove(&self.taken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const JOBS: usize = 300;
    const AHEAD: usize = 3;

    fn failure(what: &str, job: usize) -> Error {
        Error::new(Kind::Io, format!("{what} {job}"), "nothing")
    }

    /// Runs jobs 0 to 299, the slowest first of each ten, with errors at these numbers. Returns what was taken.
    fn run(threads: usize, no_job: usize, failing: &[usize], not_taken: usize) -> (Result<()>, Vec<usize>) {
        let (mut jobs, mut taken) = (0..JOBS, Vec::new());
        let is_done = AtomicUsize::new(0);
        let work = |job: usize| {
            std::thread::sleep(Duration::from_micros(if job.is_multiple_of(10) { 900 } else { 5 }));
            let ahead = is_done.load(Ordering::SeqCst) + threads * AHEAD;
            assert!(job < ahead, "job {job} is too far ahead");
            if failing.contains(&job) { Err(failure("failed", job)) } else { Ok(job) }
        };
        let result = ordered_map(
            &Cancel::default(),
            vec![work; threads],
            AHEAD,
            || match jobs.next() {
                Some(job) if job == no_job => Err(failure("no job", job)),
                job => Ok(job),
            },
            |job| {
                taken.push(job);
                is_done.store(taken.len(), Ordering::SeqCst);
                if job == not_taken { Err(failure("not taken", job)) } else { Ok(()) }
            },
        );
        (result, taken)
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        for threads in [1, 2, 5] {
            let (result, taken) = run(threads, JOBS, &[], JOBS);
            result.unwrap();
            assert_eq!(taken, (0..JOBS).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_error_of_the_first_job_is_given_and_nothing_behind_it_is_taken() {
        for threads in [1, 2, 5] {
            let check = |(result, taken): (Result<()>, Vec<usize>), message: &str, count: usize| {
                assert!(result.unwrap_err().to_string().contains(message), "{message}");
                assert_eq!(taken, (0..count).collect::<Vec<_>>());
            };
            // The second failing job fails long before the first, which is slow.
            check(run(threads, JOBS, &[51, 50], JOBS), "failed 50", 50);
            check(run(threads, 53, &[50], JOBS), "failed 50", 50);
            check(run(threads, 53, &[], JOBS), "no job 53", 53);
            check(run(threads, 53, &[], 20), "not taken 20", 21);
        }
    }

    #[test]
    fn each_item_gives_its_result_or_the_first_error() {
        let (items, resources) = ((0..JOBS).collect::<Vec<usize>>(), Resources::default().with_threads(3));
        let twice = each(&resources, &items, |item| Ok(item * 2)).unwrap();
        assert_eq!(twice, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        let failing = |item: &usize| if [70, 71].contains(item) { Err(failure("failed", *item)) } else { Ok(()) };
        assert!(each(&resources, &items, failing).unwrap_err().to_string().contains("failed 70"));
        assert!(each(&resources, &[], failing).unwrap().is_empty());
    }

    #[test]
    fn no_job_begins_after_it_is_asked_to_stop() {
        for threads in [1, 3] {
            let (cancel, mut jobs, mut taken) = (Cancel::default(), 0..JOBS, Vec::new());
            let work = |job: usize| {
                if job == 50 {
                    cancel.cancel();
                }
                Ok(job)
            };
            let take = |job| {
                taken.push(job);
                Ok(())
            };
            let result = ordered_map(&cancel, vec![work; threads], AHEAD, || Ok(jobs.next()), take);
            assert_eq!(result.unwrap_err().kind(), Kind::Cancelled);
            // Other threads may have got later jobs before, and those are taken.
            assert!((51..=50 + threads * AHEAD).contains(&taken.len()), "{} of {threads} threads", taken.len());
            assert_eq!(jobs.next(), Some(taken.len()));
        }
    }

    #[test]
    fn a_panic_ends_all_threads() {
        let jobs = AtomicUsize::new(0);
        let run = || {
            let next = || Ok(Some(jobs.fetch_add(1, Ordering::SeqCst)));
            let work = |job: usize| {
                assert!(job != 70, "on purpose");
                Ok(job)
            };
            ordered_map(&Cancel::default(), vec![work; 3], AHEAD, next, |_| Ok(()))
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
