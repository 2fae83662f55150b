//! The two streams: results on stdout, everything else on stderr.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use serde::Serialize;

use super::bars::{Bars, Log};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Where a command speaks.
pub(super) struct Console {
    json: bool,
    bars: Bars,
    started: Instant,
}

impl Console {
    pub fn new(json: bool, log: Log) -> Self {
        #[expect(clippy::disallowed_methods, reason = "how long a command took, for the person; no result rests on it")]
        let started = Instant::now();
        Console { json, bars: Bars::new(io::stderr().is_terminal(), log, started), started }
    }

    /// Who listens to the work.
    pub fn progress(&self) -> &dyn Progress {
        &self.bars
    }

    /// The end of a command whose result is what it did: `sentence` for people on stderr, or the summary as JSON on stdout.
    pub fn done(&self, summary: &impl Serialize, sentence: &str) -> Result<()> {
        self.bars.clear();
        let seconds = self.started.elapsed().as_secs_f64();
        self.message(&format!("{sentence} ({seconds:.1} s)"));
        if self.json { self.print_json(summary) } else { Ok(()) }
    }

    /// The end of a command whose result is a text, on stdout; or the same as JSON.
    pub fn result(&self, value: &impl Serialize, text: &str) -> Result<()> {
        self.bars.clear();
        if self.json { self.print_json(value) } else { print(text) }
    }

    /// Whether the result is one JSON summary.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line of a result that comes line by line, on stdout.
    pub fn result_line(&self, line: &str) -> Result<()> {
        self.bars.aside(|| print(&format!("{line}\n")))
    }

    /// A line on stderr, unless it is to be quiet there.
    pub fn message(&self, line: &str) {
        self.bars.message(line);
    }

    /// What went wrong, on stderr.
    pub fn error(&self, error: &Error) {
        self.bars.clear();
        self.bars.line(&format!("error: {error}"));
    }

    fn print_json(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::io("write", "the JSON summary".as_ref(), &io::Error::other(error)))?;
        print(&format!("{text}\n"))
    }
}

/// Writes to stdout. Whoever closed it, such as `head`, has what it wanted.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io("write to", "stdout".as_ref(), &error))
        }
        _ => Ok(()),
    }
}
