//! Progress bars on a terminal; in a log, only what must be read.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::progress::Progress;

/// Shows one bar for the phase that runs. Where stderr is no terminal, phases are silent.
pub(super) struct Bars {
    terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the phases belong to, such as `ingest 2026-01-02 (3 of 14)`.
    item: String,
    bar: Option<ProgressBar>,
}

impl Bars {
    pub fn new(terminal: bool) -> Self {
        Bars { terminal, state: Mutex::default() }
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
        self.line(&format!("note: {message}"));
    }
}
