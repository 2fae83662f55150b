//! Runs work without the interpreter's lock, on a thread of its own; the caller's thread looks for signals, passes
//! progress on, and runs what the work has an engine run. So no callback of Python runs on a thread of the library, and
//! a signal handler of the user's own keeps its meaning: what it raises ends the work.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use lookback::cli::words::typed;
use lookback::error::{Error, Kind, Result};
use lookback::message::Message;
use lookback::progress::Progress;
use lookback::resources::Cancel;
use lookback::shards::{Engine, Tasks};
use lookback::text::escaped;
use pyo3::prelude::*;

use crate::errors::Raised;

/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// What the work reports, in the order in which it was reported.
enum Event {
    Item(String, usize, usize),
    EndItems,
    Begin(String, &'static str, Option<u64>),
    Advance(u64),
    Note(String),
    /// Tasks, as JSON, whose answers the work waits for.
    Run(String),
}

/// The progress that nobody has been told of. Memory: steps of one phase are one number.
#[derive(Default)]
struct State {
    events: Vec<Event>,
    is_done: bool,
    /// The answers of the tasks that ran last, until the work takes them; `None` in it if they failed.
    answers: Option<Option<Vec<String>>>,
}

/// Where the work reports, and where the caller waits.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<(Mutex<State>, Condvar)>);

impl Reports {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, event: Event) {
        let mut state = self.lock();
        match (&event, state.events.last_mut()) {
            (Event::Advance(steps), Some(Event::Advance(before))) => *before += steps,
            _ => state.events.push(event),
        }
    }

    fn end(&self) {
        self.lock().is_done = true;
        self.0.1.notify_all();
    }

    fn answer(&self, answers: Option<Vec<String>>) {
        self.lock().answers = Some(answers);
        self.0.1.notify_all();
    }

    /// Waits a while, or until the work is done or has tasks to run; returns whether it is, and what it reported meanwhile.
    fn wait(&self) -> (bool, Vec<Event>) {
        let guard = self.0.1.wait_timeout_while(self.lock(), LOOK, |state| !state.is_done && !state.has_tasks());
        let mut state = guard.unwrap_or_else(PoisonError::into_inner).0;
        (state.is_done, mem::take(&mut state.events))
    }
}

impl State {
    fn has_tasks(&self) -> bool {
        matches!(self.events.last(), Some(Event::Run(_)))
    }
}

impl Engine for Reports {
    fn run(&self, tasks: &Tasks) -> Result<Vec<String>> {
        let json =
            serde_json::to_string(tasks).map_err(|error| Error::internal("tasks are no JSON").caused_by(error))?;
        self.add(Event::Run(json));
        self.0.1.notify_all();
        let mut state = self.lock();
        loop {
            match state.answers.take() {
                Some(Some(answers)) => return Ok(answers),
                // What was raised is what the caller sees.
                Some(None) => return Err(Error::new(Kind::Cancelled, "the tasks have failed", "")),
                None => state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Progress for Reports {
    fn item(&self, name: &str, position: usize, total: usize) {
        self.add(Event::Item(name.to_owned(), position, total));
    }

    fn end_items(&self) {
        self.add(Event::EndItems);
    }

    fn begin(&self, phase: &str, unit: &'static str, total: Option<u64>) {
        self.add(Event::Begin(phase.to_owned(), unit, total));
    }

    fn advance(&self, steps: u64) {
        self.add(Event::Advance(steps));
    }

    fn note(&self, message: &Message) {
        self.add(Event::Note(escaped(&typed(message)).into_owned()));
    }
}

/// Sets the end when dropped, also by a panic.
struct End<'a>(&'a Reports);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Runs `work` and returns its result. `report` is called with what it reports: a name and three values; for tasks it
/// returns their answers. If a signal handler or `report` raises, the work is asked to stop, and the exception follows
/// once it has.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    cancel: &Cancel,
    report: &Bound<'_, PyAny>,
    work: impl FnOnce(&Reports) -> T + Send,
) -> PyResult<T> {
    let reports = Reports::default();
    let mut raised = None;
    let result = thread::scope(|scope| {
        let running = thread::Builder::new().spawn_scoped(scope, || {
            let _end = End(&reports);
            work(&reports)
        });
        let running = running.map_err(|error| Error::io("start a thread of", "this process".as_ref(), error))?;
        loop {
            let (is_done, events) = py.detach(|| reports.wait());
            if raised.is_none() {
                let mut tell = |event: &Event| told(event, report, &reports);
                raised = events.iter().try_for_each(&mut tell).and_then(|()| py.check_signals()).err();
            }
            if raised.is_some() {
                cancel.cancel();
                // Nobody runs tasks any more.
                reports.answer(None);
            }
            if is_done {
                break;
            }
        }
        py.detach(|| running.join()).map_err(|_| Error::internal("a thread panicked"))
    });
    match raised {
        Some(raised) => Err(raised),
        None => result.raised(py),
    }
}

fn told(event: &Event, report: &Bound<'_, PyAny>, reports: &Reports) -> PyResult<()> {
    match event {
        Event::Item(name, position, total) => report.call1(("item", name, *position, *total)),
        Event::EndItems => report.call1(("end_items", py_none(report), 0, 0)),
        Event::Begin(phase, unit, total) => report.call1(("begin", phase, *unit, *total)),
        Event::Advance(steps) => report.call1(("advance", py_none(report), *steps, 0)),
        Event::Note(message) => report.call1(("note", message, 0, 0)),
        Event::Run(tasks) => {
            let answers = report.call1(("run", tasks, 0, 0))?.extract()?;
            reports.answer(Some(answers));
            return Ok(());
        }
    }
    .map(|_| ())
}

fn py_none<'py>(any: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    any.py().None().into_bound(any.py())
}

/// Does [`run`] for work of the library, which can fail itself.
pub(crate) fn try_run<T: Send>(
    py: Python<'_>,
    cancel: &Cancel,
    report: &Bound<'_, PyAny>,
    work: impl FnOnce(&Reports) -> Result<T> + Send,
) -> PyResult<T> {
    run(py, cancel, report, work)?.raised(py)
}
