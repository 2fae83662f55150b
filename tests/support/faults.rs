//! The program with calls to the file system that go wrong: see faults.c, which stands between the two.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::program::{NO_GLOBAL_THREADS, Ran, TODAY};
use super::random::Random;
use super::zones::NO_ZONES;

/// How many moments of a command each signal is sent at.
const SIGNALS: usize = 6;

/// The exit code of a process that faults.c has ended.
pub const ENDED: i32 = 86;

/// What goes wrong; see faults.c.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The process ends.
    Kill,
    /// The process ends with half of a write done.
    Torn,
    /// The power fails: what was not synced is gone, names too.
    Power,
    /// The power fails: names are there, bytes that were not synced are not.
    PowerKeepingNames,
    /// The disk is full from then on.
    Full,
    /// One call fails with EIO.
    Broken,
    /// The process gets SIGINT, as of Ctrl-C.
    Interrupt,
    /// The process gets SIGTERM.
    Terminate,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::Kill => "kill",
            Fault::Torn => "torn",
            Fault::Power => "power",
            Fault::PowerKeepingNames => "data",
            Fault::Full => "full",
            Fault::Broken => "broken",
            Fault::Interrupt => "interrupt",
            Fault::Terminate => "terminate",
        }
    }
}

/// When it goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// At this call, from 1.
    Call(usize),
    /// When the process has ended by itself.
    End,
}

/// One call that changes files, as the trace tells it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// create, write, sync, rename, exchange, link, unlink, mkdir, rmdir, cut, reserve, copy, write-back; for signals
    /// also read.
    pub what: String,
    /// Below the ground.
    pub path: String,
}

impl Call {
    /// Whether a full disk can refuse it.
    fn needs_room(&self) -> bool {
        matches!(self.what.as_str(), "create" | "write" | "mkdir" | "link" | "copy")
    }
}

impl Fault {
    /// The places of the calls, from 1, at which this fault is worth a run: all but hints, and of writes, of which
    /// there are many alike, some by chance.
    pub fn points(self, calls: &[Call], random: &mut Random) -> BTreeSet<usize> {
        let numbers = |is_wanted: &dyn Fn(&Call) -> bool| -> Vec<usize> {
            let calls = calls.iter().enumerate().filter(|(_, call)| is_wanted(call));
            calls.map(|(index, _)| index + 1).collect()
        };
        let is_change = |call: &Call| !matches!(call.what.as_str(), "write" | "reserve" | "write-back");
        let mut writes = numbers(&|call| call.what == "write");
        random.shuffle(&mut writes);
        let some_writes = |count: usize| writes.iter().copied().take(count);
        match self {
            Fault::Kill => numbers(&is_change).into_iter().chain(some_writes(8)).collect(),
            Fault::Torn => some_writes(16).collect(),
            // What survives changes with each sync, and is seen at the next call.
            Fault::Power => numbers(&|call| call.what == "sync").into_iter().map(|number| number + 1).collect(),
            Fault::PowerKeepingNames => {
                let is_seen =
                    |call: &Call| is_change(call) && !matches!(call.what.as_str(), "create" | "cut" | "mkdir");
                numbers(&is_seen).into_iter().map(|number| number + 1).collect()
            }
            Fault::Full => {
                numbers(&|call| is_change(call) && call.needs_room()).into_iter().chain(some_writes(8)).collect()
            }
            Fault::Broken => numbers(&is_change).into_iter().chain(some_writes(8)).collect(),
            Fault::Interrupt | Fault::Terminate => {
                let mut all: Vec<usize> = (1..=calls.len()).collect();
                random.shuffle(&mut all);
                all.into_iter().take(SIGNALS).collect()
            }
        }
    }
}

/// A folder in which the program runs and whose calls are seen. In memory where that has room, since syncing is most of
/// the time otherwise.
pub struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let is_roomy = rustix::fs::statvfs(memory).is_ok_and(|found| found.f_bavail * found.f_frsize > 1 << 30);
        let folder = if is_roomy { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let ground = Ground { folder: folder.unwrap() };
        ground.clear();
        ground
    }

    /// Where the program runs.
    pub fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("ground")
    }

    /// Removes everything.
    pub fn clear(&self) {
        for name in ["ground", "save", "tmp"] {
            let folder = self.folder.path().join(name);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).unwrap();
        }
    }

    /// The folder for temporary files of what runs here.
    pub fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// Runs `lookback` with arguments apart by spaces, undisturbed or with a fault.
    pub fn run(&self, arguments: &str, fault: Option<(Fault, At)>) -> Ran {
        let trace = self.folder.path().join("trace");
        let _ = fs::remove_file(&trace);
        // Whoever hangs is killed.
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", "100", env!("CARGO_BIN_EXE_lookback")]);
        command.args(arguments.split_whitespace()).current_dir(self.path());
        command.env(TODAY.0, TODAY.1).env("TZDIR", NO_ZONES);
        command.env("LD_PRELOAD", library()).env("FAULTS_BELOW", self.path()).env("FAULTS_TRACE", &trace);
        command.env("FAULTS_SAVE", self.folder.path().join("save"));
        command.env("TMPDIR", self.tmp()).env(NO_GLOBAL_THREADS.0, NO_GLOBAL_THREADS.1);
        if let Some((fault, at)) = fault {
            if matches!(fault, Fault::Interrupt | Fault::Terminate) {
                command.env("FAULTS_READS", "yes");
            }
            let at = match at {
                At::Call(number) => number.to_string(),
                At::End => "end".to_owned(),
            };
            command.env("FAULTS_DO", fault.name()).env("FAULTS_AT", at);
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{arguments}, {fault:?}: {}", output.status));
        Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The calls of the last run, the one at which it ended included.
    pub fn trace(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.folder.path().join("trace")).unwrap_or_default();
        let calls = text.lines().map(|line| {
            let (what, path) = line.split_once(' ').unwrap();
            Call { what: what.to_owned(), path: path.to_owned() }
        });
        calls.collect()
    }
}

/// faults.c, compiled once. Whatever has built rocksdb has a C compiler.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/faults.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.so");
        // Put in place in one step, since two runs of the tests may do this at once.
        let aside = library.with_extension(std::process::id().to_string());
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let compiled = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
            .args([&aside, &source])
            .arg("-ldl")
            .output()
            .unwrap_or_else(|error| panic!("{compiler} does not run: {error}"));
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        fs::rename(&aside, &library).unwrap();
        library
    })
}
