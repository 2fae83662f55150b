//! Progress: on a terminal a bar for the phase that runs; in a log one line when a phase is done.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::phases::{Phase, PhaseTime, Phases, amount, now, rate_of, seconds};
use super::text::count;
use super::words::typed;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::progress::Progress;
use crate::text::{Shown, escaped};

/// How much is said on stderr: the variable LOOKBACK_LOG.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Log {
    /// Errors.
    Quiet,
    /// What was done too.
    Summary,
    /// How far it is too: on a terminal a bar, in a log a line for each phase that is done.
    Normal,
    /// When each phase began too.
    Debug,
}

impl Log {
    /// What the environment asks for; without a word, `Normal`.
    pub fn of_environment() -> Result<Self> {
        let Some(asked) = std::env::var_os("LOOKBACK_LOG").filter(|asked| !asked.is_empty()) else {
            return Ok(Log::Normal);
        };
        match asked.to_str() {
            Some("quiet") => Ok(Log::Quiet),
            Some("summary") => Ok(Log::Summary),
            Some("normal") => Ok(Log::Normal),
            Some("debug") => Ok(Log::Debug),
            _ => Err(Error::usage(
                format!("LOOKBACK_LOG={} has no meaning", asked.shown()),
                "set it to quiet, summary, normal or debug",
            )),
        }
    }
}

/// Shows how far the phase that runs has come, and tells of those that are done.
pub(super) struct Bars {
    terminal: bool,
    log: Log,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the phases belong to, such as `ingest 2026-01-02`, and which of how many that is.
    item: Option<(String, String)>,
    phase: Option<Phase>,
    bar: Option<ProgressBar>,
    phases: Phases,
}

impl Bars {
    pub fn new(terminal: bool, log: Log, started: Instant) -> Self {
        Bars { terminal: terminal && log >= Log::Normal, log, started, state: Mutex::default() }
    }

    /// The phase that runs is done, and none follows.
    pub fn finish(&self) {
        self.end_phase();
        let untold = self.with(|state| state.phases.untold());
        self.tell(untold);
    }

    /// The phase that runs will not be done: removes its bar from the screen, and tells nothing of it.
    pub fn abandon(&self) {
        let bar = self.with(|state| {
            state.phase = None;
            state.bar.take()
        });
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    /// The phases that were done.
    pub fn phases(&self) -> Vec<PhaseTime> {
        self.with(|state| state.phases.ended().to_vec())
    }

    /// Prints a line above the bar: one, whatever stands in it.
    pub fn line(&self, line: &str) {
        // Nobody is left to tell where stderr itself is gone.
        self.aside(|| drop(writeln!(io::stderr(), "{}", escaped(line))));
    }

    /// The same, unless it is to be quiet.
    pub fn message(&self, line: &str) {
        if self.log > Log::Quiet {
            self.line(line);
        }
    }

    /// Does something while no bar is on the screen.
    pub fn aside<T>(&self, action: impl FnOnce() -> T) -> T {
        match self.with(|state| state.bar.clone()) {
            Some(bar) => bar.suspend(action),
            None => action(),
        }
    }

    fn end_phase(&self) {
        let told = self.with(|state| {
            let phase = state.phase.take()?;
            let item = state.item.as_ref().map(|(name, _)| name.as_str());
            state.phases.end(item, &phase)
        });
        self.abandon();
        self.tell(told.into_iter().collect());
    }

    /// In a log; on a terminal the bar was to be seen.
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
        self.end_phase();
        self.with(|state| state.item = Some((name.to_owned(), format!("{name} ({position} of {total})"))));
    }

    fn end_items(&self) {
        self.end_phase();
        self.with(|state| state.item = None);
    }

    fn begin(&self, phase: &str, unit: &'static str, total: Option<u64>) {
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
        self.message(&format!("note: {}", typed(message)));
    }
}

/// A terminal that does not tell its width has this one.
const COLUMNS_DEFAULT: usize = 80;

/// How wide the terminal is.
fn columns() -> usize {
    let told = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if told == 0 { COLUMNS_DEFAULT } else { told }
}

/// What a bar shows on a terminal of so many columns. The name of the phase gives way before the time left does: from
/// 60 columns on both are whole mostly.
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

/// A phase of known length has an end in sight; one of steps has a rate; one of a single step has only the time that it
/// has taken.
fn bar(unit: &'static str, total: Option<u64>) -> ProgressBar {
    let template = template(columns(), unit, total.is_some());
    // Writing to memory does not fail, and a bar has nobody to tell if it did.
    let put = |text: &mut dyn fmt::Write, what: String| text.write_str(&what).unwrap_or_default();
    // Of bytes each number has its unit; else both have that behind the total.
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
