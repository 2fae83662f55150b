//! Progress: on a terminal a bar for the running phase; in a log one line for each finished phase; or what a caller
//! makes of it.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::phases::{Phase, PhaseTime, Phases, amount, now, rate_of, seconds};
use super::text::count;
use super::words::typed;
use lookback::error::{Error, Result};
use lookback::message::Message;
use lookback::progress::{Progress, Silent};
use lookback::text::{Shown, escaped};

/// How much is printed on stderr: the variable LOOKBACK_LOG.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Log {
    /// Errors only.
    Quiet,
    /// Also summaries.
    Summary,
    /// Also progress: on a terminal a bar, in a log a line for each finished phase.
    Normal,
    /// Also the start of each phase.
    Debug,
}

impl Log {
    /// Returns the level that the environment sets; `Normal` if unset.
    pub(super) fn of_environment() -> Result<Self> {
        let Some(asked) = std::env::var_os("LOOKBACK_LOG").filter(|asked| !asked.is_empty()) else {
            return Ok(Log::Normal);
        };
        match asked.to_str() {
            Some("quiet") => Ok(Log::Quiet),
            Some("summary") => Ok(Log::Summary),
            Some("normal") => Ok(Log::Normal),
            Some("debug") => Ok(Log::Debug),
            _ => Err(Error::usage(
                format!("LOOKBACK_LOG={} is not a log level", asked.shown()),
                "set it to quiet, summary, normal or debug",
            )),
        }
    }
}

/// Shows the progress of the running phase, and reports finished phases.
pub(super) struct Bars {
    terminal: bool,
    log: Log,
    started: Instant,
    /// Who is told of all progress.
    caller: Arc<Listener>,
    state: Mutex<State>,
}

/// A listener to the progress of a command, whichever thread works.
pub type Listener = dyn Progress + Send + Sync;

#[derive(Default)]
struct State {
    /// The item that the phases belong to, such as `ingest 2026-01-02`, and its number among all items.
    item: Option<(String, String)>,
    phase: Option<Phase>,
    bar: Option<ProgressBar>,
    phases: Phases,
}

impl Bars {
    pub(super) fn new(terminal: bool, log: Log, started: Instant) -> Self {
        let caller = Arc::new(Silent);
        Bars { terminal: terminal && log >= Log::Normal, log, started, caller, state: Mutex::default() }
    }

    /// Returns bars that print nothing and tell `caller` of all progress.
    pub(super) fn for_caller(caller: Arc<Listener>, started: Instant) -> Self {
        Bars { caller, ..Bars::new(false, Log::Quiet, started) }
    }

    /// Ends the running phase, after which no other follows.
    pub(super) fn finish(&self) {
        self.end_phase();
        let untold = self.with(|state| state.phases.untold());
        self.tell(untold);
    }

    /// Abandons the running phase: removes its bar from the screen without a report.
    pub(super) fn abandon(&self) {
        let bar = self.with(|state| {
            state.phase = None;
            state.bar.take()
        });
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    /// Returns the finished phases.
    pub(super) fn phases(&self) -> Vec<PhaseTime> {
        self.with(|state| state.phases.ended().to_vec())
    }

    /// Prints one line above the bar; line ends in the text are escaped.
    pub(super) fn line(&self, line: &str) {
        // If stderr itself is gone, there is nowhere to report it.
        self.aside(|| drop(writeln!(io::stderr(), "{}", escaped(line))));
    }

    /// Prints a line above the bar, unless the level is `Quiet`.
    pub(super) fn message(&self, line: &str) {
        if self.log > Log::Quiet {
            self.line(line);
        }
    }

    /// Runs an action while no bar is on the screen.
    pub(super) fn aside<T>(&self, action: impl FnOnce() -> T) -> T {
        match self.with(|state| state.bar.clone()) {
            Some(bar) => bar.suspend(action),
            None => action(),
        }
    }

    fn end_phase(&self) {
        let line = self.with(|state| {
            let phase = state.phase.take()?;
            let item = state.item.as_ref().map(|(name, _)| name.as_str());
            state.phases.end(item, &phase)
        });
        self.abandon();
        self.tell(line.into_iter().collect());
    }

    /// Prints lines in a log only: on a terminal the bar has shown the same.
    fn tell(&self, lines: Vec<String>) {
        if !self.terminal && self.log >= Log::Normal {
            lines.iter().for_each(|line| self.line(line));
        }
    }

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Bars {
    fn item(&self, name: &str, position: usize, total: usize) {
        self.caller.item(name, position, total);
        self.end_phase();
        self.with(|state| state.item = Some((name.to_owned(), format!("{name} ({position} of {total})"))));
    }

    fn end_items(&self) {
        self.caller.end_items();
        self.end_phase();
        self.with(|state| state.item = None);
    }

    fn begin(&self, phase: &str, unit: &'static str, total: Option<u64>) {
        self.caller.begin(phase, unit, total);
        self.end_phase();
        if self.log == Log::Debug {
            let item = self.with(|state| state.item.clone());
            let item = item.map(|(name, _)| format!("{name}: ")).unwrap_or_default();
            let steps = total.map_or_else(String::new, |total| format!(", {}", amount(total, unit)));
            self.line(&format!("debug: {:.3} s: {item}{phase}{steps}", self.started.elapsed().as_secs_f64()));
        }
        let bar = self.terminal.then(|| bar(unit, total));
        self.with(|state| {
            state.phase = Some(Phase { name: phase.to_owned(), unit, done: 0, started: now() });
            state.bar = bar.inspect(|bar| {
                let message = match &state.item {
                    Some((_, item)) => format!("{item}: {phase}"),
                    None => phase.to_owned(),
                };
                bar.set_message(escaped(&message).into_owned());
                bar.tick();
            });
        });
    }

    fn advance(&self, steps: u64) {
        self.caller.advance(steps);
        let bar = self.with(|state| {
            if let Some(phase) = &mut state.phase {
                phase.done += steps;
            }
            state.bar.clone()
        });
        if let Some(bar) = bar {
            bar.inc(steps);
        }
    }

    fn note(&self, message: &Message) {
        self.caller.note(message);
        self.message(&format!("note: {}", typed(message)));
    }
}

/// Assumed width of a terminal that does not report one.
const COLUMNS_DEFAULT: usize = 80;

/// Returns the width of the terminal, in columns.
fn columns() -> usize {
    let columns = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { COLUMNS_DEFAULT } else { columns }
}

/// Returns the template of a bar for a terminal of this width. On narrow terminals the name of the phase is cut before
/// the time left; from 60 columns on both usually fit.
fn template(columns: usize, unit: &str, has_end: bool) -> &'static str {
    match (has_end, unit, columns) {
        (true, _, 120..) => "{msg} [{wide_bar}] {done} of {all}, {rate}, {left} left",
        (true, _, 90..) => "{wide_msg} {done} of {all}, {left} left",
        (true, ..) => "{wide_msg} {percent} %, {left} left",
        (false, "", _) => "{wide_msg} {spinner} {elapsed}",
        (false, _, 90..) => "{wide_msg} {spinner} {done}, {rate}",
        (false, ..) => "{wide_msg} {spinner} {done}",
    }
}

/// Returns the bar of a phase: with the time left if its length is known, else with a rate, or with the elapsed time if
/// it is a single step.
fn bar(unit: &'static str, total: Option<u64>) -> ProgressBar {
    let template = template(columns(), unit, total.is_some());
    // Writing to memory does not fail, and a bar could not report a failure.
    let put = |text: &mut dyn fmt::Write, what: String| text.write_str(&what).unwrap_or_default();
    // For bytes each number has its unit; otherwise the unit follows the total only.
    let done = move |state: &ProgressState| match (total, unit) {
        (Some(_), "bytes") | (None, _) => amount(state.pos(), unit),
        (Some(_), _) => count(state.pos()),
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("done", move |state: &ProgressState, text: &mut dyn fmt::Write| put(text, done(state)))
        .with_key("all", move |state: &ProgressState, text: &mut dyn fmt::Write| {
            put(text, amount(state.len().unwrap_or(0), unit));
        })
        .with_key("rate", move |state: &ProgressState, text: &mut dyn fmt::Write| {
            put(text, rate_of(state.per_sec(), unit));
        })
        .with_key("left", move |state: &ProgressState, text: &mut dyn fmt::Write| {
            put(text, seconds(state.eta().as_secs_f64()));
        });
    total.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style.progress_chars("=> "))
}
