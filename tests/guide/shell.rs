//! A shell in a folder of its own, with the program on its path.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lookback_generate::{Plan, write_days};

use crate::support::program::TODAY;
use crate::support::zones::NO_ZONES;

/// Stands before the exit code behind what a command says.
const END: &str = "@@end of the command@@ ";

/// A running bash. Its variables and its folder outlast a command; the scratch folder does not outlast the shell.
///
/// Nothing of the machine gets in but the programs on its path: the time zone is an odd one, the language none, and
/// nothing is a terminal.
pub struct Shell {
    scratch: tempfile::TempDir,
    folder: PathBuf,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What a command said on both of its streams, and its exit code; none where it has ended the shell.
pub struct Said {
    pub text: String,
    pub code: Option<i32>,
}

impl Shell {
    /// One in a new folder that is like a clone: the repository's `tools` stand in it. `$CARGO_TARGET_DIR` is a folder
    /// of builds with the program and the tests' Python, and `$REPOSITORY` is the repository.
    pub fn new() -> Shell {
        let scratch = tempfile::tempdir().unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = scratch.path().join("clone");
        let programs = scratch.path().join("target/release");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(&programs).unwrap();
        let link = |from: &Path, to: PathBuf| std::os::unix::fs::symlink(from, to).unwrap();
        link(&repository.join("tools"), scratch.path().join("clone/tools"));
        link(Path::new(env!("CARGO_BIN_EXE_lookback")), programs.join("lookback"));
        if let Ok(python) = std::env::var("LOOKBACK_PYTHON") {
            let of_builds = Path::new(&python).parent().unwrap().parent().unwrap();
            link(of_builds, scratch.path().join("target/lookback-python"));
        }
        let python = scratch.path().join("target/lookback-python/bin");
        let path = std::env::var("PATH").unwrap();
        let mut process = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .env_clear()
            .env("PATH", format!("{}:{}:{path}", programs.display(), python.display()))
            .env("CARGO_TARGET_DIR", scratch.path().join("target"))
            .env("REPOSITORY", repository)
            .env("HOME", scratch.path())
            .env(TODAY.0, TODAY.1)
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "Pacific/Chatham")
            .env("TZDIR", NO_ZONES)
            // Without a line for each phase, which on a terminal there are none of.
            .env("LOOKBACK_LOG", "summary")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        writeln!(input, "exec 2>&1\nend_of_command() {{ local code=$?; printf '\\n{END}%d\\n' $code; return $code; }}")
            .unwrap();
        Shell { scratch, folder, process, input, output: BufReader::new(output) }
    }

    /// Runs a command, or some lines of a script; `generate` within the tests.
    pub fn run(&mut self, command: &str) -> Said {
        if let Some(arguments) = command.strip_prefix("generate ") {
            return Said { text: generate(&self.folder, &arguments.replace("\\\n", " ")), code: Some(0) };
        }
        let file = self.scratch.path().join("command");
        fs::write(&file, format!("{command}\n")).unwrap();
        let (file, end) = (file.display(), "end_of_command");
        if writeln!(self.input, "source '{file}' </dev/null; {end}").is_err() {
            return Said { text: String::new(), code: None };
        }
        let mut text = String::new();
        loop {
            let start = text.len();
            if self.output.read_line(&mut text).unwrap() == 0 {
                return Said { text, code: None };
            }
            if let Some(code) = text[start..].strip_prefix(END) {
                let code = code.trim().parse().unwrap();
                text.truncate(start);
                // The line end that the mark has brought.
                text.pop();
                return Said { text, code: Some(code) };
            }
        }
    }
}

/// Does what `generate ARGUMENTS` does in `folder`, with the generator's library: cargo builds no programs of other
/// packages for tests. Gives what it says, a line for each day.
fn generate(folder: &Path, arguments: &str) -> String {
    let there = arguments.replace("--out ", &format!("--out {}/", folder.display()));
    let plan = Plan::parse(["generate"].into_iter().chain(there.split_whitespace()));
    let plan = plan.unwrap_or_else(|error| panic!("generate {arguments}\n{error}"));
    let mut text = String::new();
    let written = write_days(&plan, |line| text += &format!("{line}\n"));
    written.unwrap_or_else(|failure| panic!("generate {arguments}\n{failure}"));
    text
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = writeln!(self.input, "exit");
        let _ = self.process.wait();
    }
}

#[test]
fn a_shell_keeps_what_commands_leave_and_tells_how_they_end() {
    let mut shell = Shell::new();
    assert_eq!(shell.run("x=7; printf one").text, "one");
    let said = shell.run("echo $x >&2; (exit 3)");
    assert_eq!((said.text.as_str(), said.code), ("7\n", Some(3)));
    let said = shell.run("set -e\nfalse\necho no");
    assert_eq!((said.text.as_str(), said.code), ("", None), "a script ends where a command fails");
    assert_eq!(shell.run("true").code, None);
}
