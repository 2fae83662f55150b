//! Progress bars on a terminal; in a log, only what must be read.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::error::{Error, Result};
use crate::progress::Progress;

/// How much is said on stderr: the variable LOOKBACK_LOG.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Log {
    /// Errors.
    Quiet,
    /// What was done too, and on a terminal how far it is.
    Normal,
    /// The phases with their times too.
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
            Some("normal") => Ok(Log::Normal),
            Some("debug") => Ok(Log::Debug),
            _ => Err(Error::usage(
                format!("LOOKBACK_LOG={} has no meaning", asked.display()),
                "set it to quiet, normal or debug",
            )),
        }
    }
}

/// Shows one bar for the phase that runs. Where stderr is no terminal, phases are silent.
pub(super) struct Bars {
    terminal: bool,
    log: Log,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the phases belong to, such as `ingest 2026-01-02 (3 of 14)`.
    item: String,
    bar: Option<ProgressBar>,
}

impl Bars {
    pub fn new(terminal: bool, log: Log, started: Instant) -> Self {
        Bars { terminal: terminal && log != Log::Quiet, log, started, state: Mutex::default() }
    }

    /// Removes the bar from the screen.
    pub fn clear(&self) {
        let bar = self.with(|state| state.bar.take());
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    /// Prints a line above the bar.
    pub fn line(&self, line: &str) {
        // Nobody is left to tell where stderr itself is gone.
        self.aside(|| drop(writeln!(io::stderr(), "{line}")));
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

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Bars {
    fn item(&self, name: &str, position: usize, total: usize) {
        self.with(|state| state.item = format!("{name} ({position} of {total})"));
    }

    fn begin(&self, phase: &str, unit: &'static str, total: Option<u64>) {
        if self.log == Log::Debug {
            let item = self.with(|state| state.item.clone());
            let item = if item.is_empty() { item } else { format!("{item}: ") };
            let steps = total.map_or_else(String::new, |total| format!(", {total} {unit}"));
            self.line(&format!("debug: {:.3} s: {item}{phase}{steps}", self.started.elapsed().as_secs_f64()));
        }
        if !self.terminal {
            return;
        }
        self.clear();
        // A phase of known length has an end in sight; one of steps has a rate; one of a single step has only the time that it has taken.
        let template = match (total, unit) {
            (Some(_), _) => "{msg} [{bar:24}] {human_pos}/{human_len} {unit}, {rate}, {eta} left",
            (None, "") => "{msg} {spinner} {elapsed}",
            (None, _) => "{msg} {spinner} {human_pos} {unit}, {rate}",
        };
        let style = ProgressStyle::with_template(&template.replace("{unit}", unit))
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
                // Writing to memory does not fail, and a bar has nobody to tell if it did.
                let _ = write!(text, "{:.0}/s", state.per_sec());
            });
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style.progress_chars("=> "));
        self.with(|state| {
            bar.set_message(if state.item.is_empty() { phase.to_owned() } else { format!("{}: {phase}", state.item) });
            state.bar = Some(bar);
        });
    }

    fn advance(&self, steps: u64) {
        if let Some(bar) = self.with(|state| state.bar.clone()) {
            bar.inc(steps);
        }
    }

    fn note(&self, message: &str) {
        self.message(&format!("note: {message}"));
    }
}
