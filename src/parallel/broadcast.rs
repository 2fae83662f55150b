//! Jobs run on several threads; each of several takers takes all results, in the order of the jobs.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::threads::{locked, run_all};
use crate::error::{Error, Result};
use crate::resources::Cancel;

/// Runs all jobs that `next` yields, with one thread for each of `workers` (the calling thread is the first), and
/// passes each result to every taker in `takers`: one at a time, in the order of the jobs. Several takers run at once.
///
/// A thread prefers taking to working, and the taker furthest behind comes first; so results do not pile up, and a
/// thread sleeps only if nothing can be done. In [`super::ordered_map()`], taking is only a small part of the work.
///
/// Of several errors, returns the error of the first job. After a request to stop, no further job starts. Memory:
/// `ahead` results, at least one for each thread.
pub(crate) fn broadcast<Job, Done: Send + Sync>(
    cancel: &Cancel,
    workers: Vec<impl FnMut(Job) -> Result<Done> + Send>,
    ahead: usize,
    mut next: impl FnMut() -> Result<Option<Job>> + Send,
    takers: Vec<impl FnMut(&Done) -> Result<()> + Send>,
) -> Result<()> {
    let next = || cancel.check().and_then(|()| next());
    let takers = takers.into_iter().map(|take| Taker { taken: 0, take: Some(take) }).collect();
    let state = State { next: Some(next), jobs: 0, is_last: false, waiting: BTreeMap::new(), takers, stopped: None };
    let shared = SharedState { state: Mutex::new(state), progress: Condvar::new(), ahead: ahead.max(workers.len()) };
    run_all(workers, |worker| shared.work(worker), |panicked| shared.stop(0, panicked));
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.stopped.map_or(Ok(()), |(_, error)| Err(error))
}

/// The state that the threads of one broadcast use together.
struct SharedState<Next, Done, Take> {
    state: Mutex<State<Next, Done, Take>>,
    /// Notified whenever there may be new work.
    progress: Condvar,
    ahead: usize,
}

struct State<Next, Done, Take> {
    /// `None` while a thread calls it.
    next: Option<Next>,
    /// How many jobs `next` has yielded.
    jobs: usize,
    is_last: bool,
    /// Results that at least one taker has yet to take, by job number.
    waiting: BTreeMap<usize, Arc<Done>>,
    takers: Vec<Taker<Take>>,
    /// The error that stopped the work, and the number of its job.
    stopped: Option<(usize, Error)>,
}

struct Taker<Take> {
    /// How many results this taker has taken.
    taken: usize,
    /// `None` while the taker runs.
    take: Option<Take>,
}

/// What a thread does next.
enum Step<Next, Done, Take> {
    Take(usize, Take, Arc<Done>),
    Ask(Next),
    End,
}

impl<Job, Done, Next, Take> SharedState<Next, Done, Take>
where
    Next: FnMut() -> Result<Option<Job>>,
    Take: FnMut(&Done) -> Result<()>,
{
    fn work(&self, mut worker: impl FnMut(Job) -> Result<Done>) {
        loop {
            match self.step() {
                Step::Take(place, mut take, done) => {
                    let taken = take(&done);
                    drop(done);
                    self.put_back(place, take, taken);
                }
                Step::Ask(mut next) => {
                    let job = next();
                    if let Some((number, job)) = self.number(next, job) {
                        match worker(job) {
                            Ok(done) => drop(locked(&self.state).waiting.insert(number, Arc::new(done))),
                            Err(error) => self.stop(number, error),
                        }
                        self.progress.notify_all();
                    }
                }
                Step::End => return,
            }
        }
    }

    /// Waits until there is something to do, or until the work ends.
    fn step(&self) -> Step<Next, Done, Take> {
        let mut state = locked(&self.state);
        loop {
            match state.step(self.ahead) {
                Some(step) => return step,
                None => state = self.progress.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn put_back(&self, place: usize, take: Take, taken: Result<()>) {
        let mut state = locked(&self.state);
        if let Some(taker) = state.takers.get_mut(place) {
            let job = taker.taken;
            taker.taken += 1;
            taker.take = Some(take);
            if let Err(error) = taken {
                state.stop(job, error);
            }
        }
        let all_have = state.least_taken();
        state.waiting.retain(|number, _| *number >= all_have);
        drop(state);
        self.progress.notify_all();
    }

    /// Puts `next` back, and numbers the job that it yielded.
    fn number(&self, next: Next, job: Result<Option<Job>>) -> Option<(usize, Job)> {
        let mut state = locked(&self.state);
        let number = state.jobs;
        state.next = Some(next);
        let job = match job {
            Ok(job) => job,
            Err(error) => {
                state.stop(number, error);
                None
            }
        };
        state.is_last = job.is_none();
        state.jobs += usize::from(job.is_some());
        drop(state);
        self.progress.notify_all();
        job.map(|job| (number, job))
    }
}

impl<Next, Done, Take> SharedState<Next, Done, Take> {
    fn stop(&self, job: usize, error: Error) {
        locked(&self.state).stop(job, error);
        self.progress.notify_all();
    }
}

impl<Next, Done, Take> State<Next, Done, Take> {
    /// What the thread can do now; `None` if it must wait for other threads.
    fn step(&mut self, ahead: usize) -> Option<Step<Next, Done, Take>> {
        if self.stopped.is_some() {
            return Some(Step::End);
        }
        let ready = self.takers.iter().enumerate().filter(|(_, taker)| taker.take.is_some());
        let ready = ready.filter_map(|(place, taker)| Some((taker.taken, place, self.waiting.get(&taker.taken)?)));
        let furthest_behind = ready.min_by_key(|(taken, place, _)| (*taken, *place));
        if let Some((place, done)) = furthest_behind.map(|(_, place, done)| (place, Arc::clone(done))) {
            let take = self.takers.get_mut(place).and_then(|taker| taker.take.take());
            return take.map(|take| Step::Take(place, take, done));
        }
        if self.is_last {
            return (self.least_taken() == self.jobs).then_some(Step::End);
        }
        if self.jobs < self.least_taken() + ahead { self.next.take().map(Step::Ask) } else { None }
    }

    /// How many results all takers have taken.
    fn least_taken(&self) -> usize {
        self.takers.iter().map(|taker| taker.taken).min().unwrap_or(self.jobs)
    }

    fn stop(&mut self, job: usize, error: Error) {
        if self.stopped.as_ref().is_none_or(|(of, _)| job < *of) {
            self.stopped = Some((job, error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const JOBS: usize = 200;
    const AHEAD: usize = 6;

    fn failure(what: &str, job: usize) -> Error {
        Error::new(Kind::Io, format!("{what} {job}"), "nothing")
    }

    /// Runs jobs 0 to 199 past three takers of different speed, with errors at these numbers. Returns what each took.
    fn run(threads: usize, no_job: usize, failing: usize, not_taken: usize) -> (Result<()>, Vec<Vec<usize>>) {
        let mut jobs = 0..JOBS;
        let mut taken = vec![Vec::new(); 3];
        let slowest = AtomicUsize::new(0);
        let work = |job: usize| {
            assert!(job < slowest.load(Ordering::SeqCst) + AHEAD.max(threads), "job {job} is too far ahead");
            std::thread::sleep(Duration::from_micros(if job.is_multiple_of(10) { 300 } else { 5 }));
            if job == failing { Err(failure("failed", job)) } else { Ok(job) }
        };
        let slowest = &slowest;
        let takers = taken.iter_mut().enumerate().map(|(place, taken): (usize, &mut Vec<usize>)| {
            move |job: &usize| {
                std::thread::sleep(Duration::from_micros(20 * place as u64));
                taken.push(*job);
                if place == 2 {
                    // Usually the slowest taker; no other taker can be further behind than the bound allows for it.
                    slowest.store(taken.len(), Ordering::SeqCst);
                }
                if place == 1 && *job == not_taken { Err(failure("not taken", *job)) } else { Ok(()) }
            }
        });
        let takers: Vec<_> = takers.collect();
        let next = || match jobs.next() {
            Some(job) if job == no_job => Err(failure("no job", job)),
            job => Ok(job),
        };
        let result = broadcast(&Cancel::default(), vec![work; threads], AHEAD, next, takers);
        (result, taken)
    }

    #[test]
    fn every_taker_takes_everything_in_order() {
        for threads in [1, 2, 5] {
            let (result, taken) = run(threads, JOBS, JOBS, JOBS);
            result.unwrap();
            assert_eq!(taken, vec![(0..JOBS).collect::<Vec<_>>(); 3]);
        }
    }

    #[test]
    fn an_error_stops_everything_and_is_given() {
        for threads in [1, 2, 5] {
            let check = |(result, taken): (Result<()>, Vec<Vec<usize>>), message: &str, most: usize| {
                assert!(result.unwrap_err().to_string().contains(message), "{message}");
                for taken in taken {
                    assert_eq!(taken, (0..taken.len()).collect::<Vec<_>>());
                    assert!(taken.len() <= most, "{} taken after {message}", taken.len());
                }
            };
            check(run(threads, JOBS, 50, JOBS), "failed 50", 50);
            check(run(threads, 53, JOBS, JOBS), "no job 53", 53);
            check(run(threads, JOBS, JOBS, 20), "not taken 20", 21 + AHEAD);
        }
    }

    #[test]
    fn no_job_begins_after_it_is_asked_to_stop() {
        let (cancel, mut jobs) = (Cancel::default(), 0..JOBS);
        let work = |job: usize| {
            if job == 50 {
                cancel.cancel();
            }
            Ok(job)
        };
        let result = broadcast(&cancel, vec![work; 3], AHEAD, || Ok(jobs.next()), vec![|_: &usize| Ok(()); 2]);
        assert_eq!(result.unwrap_err().kind(), Kind::Cancelled);
        assert!(jobs.next().is_some_and(|next| next <= 50 + AHEAD));
    }

    #[test]
    fn without_jobs_or_takers_it_ends() {
        let taker = |_: &usize| Ok(());
        broadcast(&Cancel::default(), vec![|job: usize| Ok(job); 2], 2, || Ok(None), vec![taker; 2]).unwrap();
        let mut jobs = 0..9;
        let none: Vec<fn(&usize) -> Result<()>> = Vec::new();
        broadcast(&Cancel::default(), vec![|job: usize| Ok(job); 2], 2, || Ok(jobs.next()), none).unwrap();
        assert_eq!(jobs.next(), None);
    }

    #[test]
    fn a_panic_ends_all_threads() {
        let mut jobs = 0..JOBS;
        let mut run = || {
            let taker = |job: &usize| {
                assert!(*job != 70, "on purpose");
                Ok(())
            };
            broadcast(&Cancel::default(), vec![|job: usize| Ok(job); 3], AHEAD, || Ok(jobs.next()), vec![taker; 2])
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut run)).is_err());
    }
}
