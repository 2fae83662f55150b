//! The two streams: results on stdout, everything else on stderr. What leaves here holds no character that acts,
//! whatever names of the input stand in it: see [`crate::text`].

use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::Instant;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::bars::{Bars, Log};
use super::lines::Lines;
use super::phases::{PhaseTime, named_rate_of, now, seconds};
use super::styles::print_error;
use super::waiting::Waiting;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::resources::{Cancel, Resources};
use crate::text::{escaped, escaped_json, exceptions};

/// A summary, and how long what it tells of took. The only part of a result that is another one in every run.
#[derive(Serialize)]
struct Timed<'a, S: Serialize> {
    #[serde(flatten)]
    summary: &'a S,
    timing: Timing,
}

#[derive(Serialize)]
struct Timing {
    /// From the start of the program to the end of its work.
    seconds: f64,
    /// The phases of the work, in the order in which they began.
    phases: Vec<PhaseTime>,
    /// Of a command that reads histories of many customers: how many it read through RocksDB. Here, since the batches
    /// of a store do not determine that.
    #[serde(skip_serializing_if = "Option::is_none")]
    histories_through_rocksdb: Option<u64>,
}

/// Where a command speaks.
pub(super) struct Console {
    json: bool,
    bars: Bars,
    started: Instant,
    resources: Resources,
}

impl Console {
    pub fn new(json: bool, log: Log) -> Self {
        let started = now();
        let bars = Bars::new(io::stderr().is_terminal(), log, started);
        Console { json, bars, started, resources: Resources::default() }
    }

    /// The same for a command that may take these resources.
    pub fn give(&mut self, resources: Resources) -> &Self {
        self.resources = resources;
        self
    }

    /// What the command may take.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Who listens to the work.
    pub fn progress(&self) -> &dyn Progress {
        &self.bars
    }

    /// The end of a command whose result is what it did: `sentence` for people on stderr, with how long that took, or
    /// the summary as JSON on stdout, with how long each phase took.
    pub fn done(&self, summary: &impl Serialize, sentence: &str) -> Result<()> {
        self.done_at(summary, sentence, &[])
    }

    /// The same, and how fast: `done` tells how many of what, such as `(600_000, "actions")`; those of which there are
    /// none are left out.
    pub fn done_at(&self, summary: &impl Serialize, sentence: &str, done: &[(u64, &'static str)]) -> Result<()> {
        self.end(summary, sentence, done, None)
    }

    /// The same of a command that has read histories, so many of them through RocksDB (see
    /// [`crate::store::Store::read_through_rocksdb`]).
    pub fn done_reading(
        &self,
        summary: &impl Serialize,
        sentence: &str,
        done: &[(u64, &'static str)],
        through_rocksdb: u64,
    ) -> Result<()> {
        let histories = if through_rocksdb == 1 { "history" } else { "histories" };
        let slow = exceptions(&[(through_rocksdb, &format!("{histories} read through RocksDB"))]);
        self.end(summary, &format!("{sentence}{slow}"), done, Some(through_rocksdb))
    }

    fn end(
        &self,
        summary: &impl Serialize,
        sentence: &str,
        done: &[(u64, &'static str)],
        through_rocksdb: Option<u64>,
    ) -> Result<()> {
        self.bars.finish();
        let took = self.started.elapsed().as_secs_f64();
        let rates = done.iter().filter(|(number, _)| *number > 0 && took > 0.0);
        let rates = rates.map(|(number, unit)| format!(", {}", named_rate_of(*number as f64 / took, unit)));
        self.message(&format!("{sentence} ({}{})", seconds(took), rates.collect::<String>()));
        if self.json { self.print_timed(summary, through_rocksdb) } else { Ok(()) }
    }

    /// The end of a command that did its work and fails for what it found: the summary as JSON likewise. To people the
    /// error says it.
    pub fn found(&self, summary: &impl Serialize) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        self.bars.finish();
        self.print_timed(summary, None)
    }

    fn print_timed(&self, summary: &impl Serialize, histories_through_rocksdb: Option<u64>) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        let timing = Timing { seconds, phases: self.bars.phases(), histories_through_rocksdb };
        self.print_json(&Timed { summary, timing })
    }

    /// The end of a command whose result is a text, on stdout; or the same as JSON.
    pub fn result(&self, value: &impl Serialize, lines: &Lines) -> Result<()> {
        self.bars.finish();
        if self.json { self.print_json(value) } else { self.print(lines.text()) }
    }

    /// Whether the result is one JSON summary.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line of a result that comes line by line, on stdout.
    pub fn result_line(&self, line: &str) -> Result<()> {
        self.bars.aside(|| self.print(&format!("{}\n", escaped(line))))
    }

    /// A line on stderr, unless it is to be quiet there.
    pub fn message(&self, line: &str) {
        self.bars.message(line);
    }

    /// What went wrong, on stderr.
    pub fn error(&self, error: &Error) {
        self.bars.abandon();
        print_error(error);
    }

    /// Writes it as it is made: a receipt may be larger than memory.
    fn print_json(&self, value: &impl Serialize) -> Result<()> {
        let cancel = self.resources.cancel();
        let mut stdout = BufWriter::new(stdout(cancel)?);
        let mut json = Serializer::with_formatter(&mut stdout, WithoutActing);
        let written = value.serialize(&mut json).map_err(io::Error::from);
        written_or_closed(written.and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()), cancel)
    }

    fn print(&self, text: &str) -> Result<()> {
        let cancel = self.resources.cancel();
        written_or_closed(stdout(cancel)?.write_all(text.as_bytes()), cancel)
    }
}

/// Where results go.
pub(super) fn stdout(cancel: &Cancel) -> Result<Waiting> {
    Waiting::stdout(cancel).map_err(|error| Error::io("write to", "stdout".as_ref(), error))
}

/// JSON on one line, whose texts hold no character that acts.
struct WithoutActing;

impl Formatter for WithoutActing {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        writer.write_all(escaped_json(fragment).as_bytes())
    }
}

/// Whoever closed stdout, such as `head`, has what it wanted.
fn written_or_closed(written: io::Result<()>, cancel: &Cancel) -> Result<()> {
    match written {
        Err(_) if cancel.is_cancelled() => cancel.check(),
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("write to", "stdout".as_ref(), error)),
        _ => Ok(()),
    }
}
