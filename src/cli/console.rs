//! The two streams: results on stdout, everything else on stderr; or the caller, who gets the result instead. Output
//! holds no control characters, whatever names of the input it contains: see [`lookback::text`].

use std::io::{self, BufWriter, IsTerminal, Write};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::bars::{Bars, Listener, Log};
use super::given::{Given, RowsInMemory};
use super::lines::Lines;
use super::phases::{PhaseTime, named_rate_of, now, seconds};
use super::styles::print_error;
use super::waiting::Waiting;
use lookback::error::{Error, Result};
use lookback::progress::Progress;
use lookback::resources::{Cancel, RequestCounts, Resources};
use lookback::shards::Engine;
use lookback::text::{escaped, escaped_json, exceptions};

/// A summary with its times, which are the only part of a result that differs between runs.
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
    /// For a command that reads histories of many customers: the number read through RocksDB. The number is here
    /// because the batches of a store do not determine it.
    #[serde(skip_serializing_if = "Option::is_none")]
    histories_through_rocksdb: Option<u64>,
    /// For a command that has used an object store: the requests that it made, each attempt counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<RequestCounts>,
}

/// The streams of a command.
pub(super) struct Console {
    json: bool,
    bars: Bars,
    started: Instant,
    resources: Resources,
    /// The result for the caller, if there is one.
    for_caller: Option<Mutex<Vec<u8>>>,
    /// The rows that the caller gives the command in memory.
    rows: Mutex<RowsInMemory>,
    /// What runs tasks for the caller.
    engine: Option<Box<dyn Engine>>,
}

impl Console {
    pub(super) fn new(json: bool, log: Log) -> Self {
        let started = now();
        let bars = Bars::new(io::stderr().is_terminal(), log, started);
        let (rows, engine) = (Mutex::default(), None);
        Console { json, bars, started, resources: Resources::default(), for_caller: None, rows, engine }
    }

    /// Returns a console that prints nothing: the result is JSON, and is kept for the caller.
    pub(super) fn for_caller(progress: Arc<Listener>, Given { rows, engine, .. }: Given) -> Self {
        let started = now();
        let bars = Bars::for_caller(progress, started);
        Console {
            json: true,
            bars,
            started,
            resources: Resources::default(),
            for_caller: Some(Mutex::default()),
            rows: Mutex::new(rows),
            engine,
        }
    }

    /// Returns the result for the caller, which is empty if the command has none.
    pub(super) fn into_result(self) -> Vec<u8> {
        self.for_caller.map(|kept| kept.into_inner().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// Returns the same console for a command that may use these resources.
    pub(super) fn give(&mut self, resources: Resources) -> &Self {
        self.resources = resources;
        self
    }

    /// Returns the resources that the command may use.
    pub(super) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Takes the rows that the caller gives in memory, if there are any.
    pub(super) fn take_rows(&self) -> Option<RowsInMemory> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        Some(mem::take(&mut *rows)).filter(|rows| !rows.is_empty())
    }

    /// Returns what runs tasks for the caller, if anything does.
    pub(super) fn engine(&self) -> Option<&dyn Engine> {
        self.engine.as_deref()
    }

    /// Returns the listener for the progress of the work.
    pub(super) fn progress(&self) -> &dyn Progress {
        &self.bars
    }

    /// Ends a command whose result is its work: prints `sentence` with the time taken on stderr; with `--json` also the
    /// summary, with the time of each phase, on stdout.
    pub(super) fn done(&self, summary: &impl Serialize, sentence: &str) -> Result<()> {
        self.done_at(summary, sentence, &[])
    }

    /// Like [`Self::done`], with rates: `done` has counts and units, such as `(600_000, "actions")`; zero counts are
    /// left out.
    pub(super) fn done_at(&self, summary: &impl Serialize, sentence: &str, done: &[(u64, &'static str)]) -> Result<()> {
        self.end(summary, sentence, done, None)
    }

    /// Does the same for a command that has read histories, with the number read through RocksDB (see
    /// [`lookback::store::Store::read_through_rocksdb`]).
    pub(super) fn done_reading(
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

    /// Ends a command that did its work and fails because of its findings: prints the summary as JSON. People read the
    /// error.
    pub(super) fn found(&self, summary: &impl Serialize) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        self.bars.finish();
        self.print_timed(summary, None)
    }

    fn print_timed(&self, summary: &impl Serialize, histories_through_rocksdb: Option<u64>) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        let requests = Some(self.resources.request_counts()).filter(|counts| *counts != RequestCounts::default());
        let timing = Timing { seconds, phases: self.bars.phases(), histories_through_rocksdb, requests };
        self.print_json(&Timed { summary, timing })
    }

    /// Ends a command whose result is a text: prints the text, or the same content as JSON, on stdout.
    pub(super) fn result(&self, value: &impl Serialize, lines: &Lines) -> Result<()> {
        self.bars.finish();
        if self.json { self.print_json(value) } else { self.print(lines.text()) }
    }

    /// Returns whether the result is one JSON summary.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line of a result on stdout, for results that are printed line by line.
    pub(super) fn result_line(&self, line: &str) -> Result<()> {
        self.bars.aside(|| self.print(&format!("{}\n", escaped(line))))
    }

    /// Prints a line on stderr, unless the level is `Quiet`.
    pub(super) fn message(&self, line: &str) {
        self.bars.message(line);
    }

    /// Prints an error on stderr.
    pub(super) fn error(&self, error: &Error) {
        self.bars.abandon();
        print_error(error);
    }

    /// Writes JSON while it is serialised: a receipt may be larger than memory.
    fn print_json(&self, value: &impl Serialize) -> Result<()> {
        let cancel = self.resources.cancel();
        if let Some(kept) = &self.for_caller {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            return written_or_closed(write_json(&mut *kept, value), cancel);
        }
        let mut stdout = BufWriter::new(stdout(cancel)?);
        written_or_closed(write_json(&mut stdout, value).and_then(|()| stdout.flush()), cancel)
    }

    fn print(&self, text: &str) -> Result<()> {
        let cancel = self.resources.cancel();
        written_or_closed(stdout(cancel)?.write_all(text.as_bytes()), cancel)
    }
}

fn write_json(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *to, WithoutActing)).map_err(io::Error::from)?;
    to.write_all(b"\n")
}

/// Returns the stream for results.
pub(super) fn stdout(cancel: &Cancel) -> Result<Waiting> {
    Waiting::stdout(cancel).map_err(|error| Error::io("write to", "stdout".as_ref(), error))
}

/// Writes JSON on one line, whose texts hold no control characters.
struct WithoutActing;

impl Formatter for WithoutActing {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        writer.write_all(escaped_json(fragment).as_bytes())
    }
}

/// Ignores a closed stdout: a reader such as `head` has all it wanted.
fn written_or_closed(written: io::Result<()>, cancel: &Cancel) -> Result<()> {
    match written {
        Err(_) if cancel.is_cancelled() => cancel.check(),
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("write to", "stdout".as_ref(), error)),
        _ => Ok(()),
    }
}
