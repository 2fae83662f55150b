//! The program as a person runs it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::zones::NO_ZONES;

/// A folder with an input root, a store and an output, and the program run in it. Removed when dropped.
pub struct Bench {
    folder: tempfile::TempDir,
}

/// What a run left.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The last line on stderr: what was done, or why it was not. Before it stand lines of phases and notes alone.
    pub fn said(&self) -> &str {
        let (before, said) = self.stderr.trim_end().rsplit_once('\n').unwrap_or(("", self.stderr.trim_end()));
        assert!(before.lines().all(|line| is_phase(line) || line.starts_with("note: ")), "{}", self.stderr);
        said
    }
}

/// Memory for sorting that no input of a test exceeds.
pub const AMPLE: usize = 256 << 20;

/// What the program takes for today, so that no test depends on the clock: later than all batches of the tests. To be
/// set wherever the program is run.
pub const TODAY: (&str, &str) = ("LOOKBACK_TODAY", "2027-12-31");

/// More threads than the program's limit on memory has room for. Rayon's global pool reads this variable, so that
/// whatever would start it, and not use the threads that it was given, fails.
pub const NO_GLOBAL_THREADS: (&str, &str) = ("RAYON_NUM_THREADS", "60000");

impl Bench {
    pub fn new() -> Self {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn input(&self) -> PathBuf {
        self.path("input")
    }

    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// The folder of time zones: `zones`, once there is one, and else one without any, so that rules are those of the
    /// program.
    fn zones(&self) -> PathBuf {
        let own = self.path("zones");
        if own.exists() { own } else { PathBuf::from(NO_ZONES) }
    }

    /// Runs `lookback` in the folder with arguments apart by spaces.
    pub fn run(&self, arguments: &str) -> Ran {
        self.run_with(arguments.split_whitespace())
    }

    /// The same with arguments of any bytes.
    pub fn run_with(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        self.run_in(&[], arguments)
    }

    /// Runs it with further variables of the environment.
    pub fn run_in(
        &self,
        environment: &[(String, String)],
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Ran {
        let environment = environment.iter().map(|(name, value)| (name, value));
        Ran::of(self.command().envs(environment).args(arguments).output().unwrap())
    }

    /// The program in the folder, to be given arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lookback"));
        command.env(TODAY.0, TODAY.1).env("TZDIR", self.zones());
        command.env(NO_GLOBAL_THREADS.0, NO_GLOBAL_THREADS.1).current_dir(self.folder.path());
        command
    }

    /// Runs and expects success.
    pub fn ok(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "lookback {arguments}\n{}", ran.stderr);
        ran
    }

    /// Runs with `--json`, expects success, and gives the summary.
    pub fn json(&self, arguments: &str) -> Value {
        let ran = self.ok(&format!("{arguments} --json"));
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Runs, expects a refusal of one clear sentence that holds all of `words`, and nothing on stdout.
    pub fn refused(&self, arguments: &str, words: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 1, "lookback {arguments}\n{}", ran.stderr);
        assert_one_sentence(&ran, words);
    }

    /// Takes a batch, into a new store where there is none.
    pub fn ingest(&self, day: &str) -> Ran {
        self.ok(&format!("ingest --create --store store --input input --dt {day}"))
    }

    pub fn produce(&self, day: &str) -> Ran {
        self.ok(&format!("produce --store store --input input --dt {day} --out out"))
    }
}

/// One line that begins with `error:` and says what to do behind a semicolon, after nothing but lines of phases that
/// were done.
pub fn assert_one_sentence(ran: &Ran, words: &[&str]) {
    let Ran { stdout, stderr, .. } = ran;
    assert_eq!(stdout, "", "a refusal prints no result");
    let error = ran.said();
    assert!(error.starts_with("error: ") && error.contains("; "), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    for word in words {
        assert!(error.contains(word), "no {word:?} in {stderr}");
    }
}

/// Whether a line tells of a phase that was done, as in `reading: 3.0 MB in 0.1 s, 30.0 MB/s` or `compacting: 0.1 s`.
pub fn is_phase(line: &str) -> bool {
    let took = |text: &str| {
        text.trim_end_matches("/s").ends_with(|end: char| end.is_ascii_digit()) || text.ends_with(['s', 'B'])
    };
    let (what, rest) = line.rsplit_once(": ").unwrap_or(("", ""));
    let time = rest.rsplit_once(" in ").map_or(rest, |(_, time)| time);
    !what.is_empty()
        && time.starts_with(|first: char| first.is_ascii_digit())
        && took(time)
        && !line.starts_with("error")
}

/// A file with this name and content, with the folders above it.
pub fn write_file(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
