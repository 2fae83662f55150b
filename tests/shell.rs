//! What surrounds the commands: completions in real shells, man pages, help, version, and how much is said on stderr.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::program::{Bench, TODAY, write_file};

/// Whether a program is on this machine; says so on stderr where it is not, and what is left unchecked then.
fn is_here(program: &str) -> bool {
    let is_here = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !is_here {
        eprintln!("{program} is not installed: what it would say is not looked at");
    }
    is_here
}

/// Runs a shell with a script in a folder; gives what it prints. Fails where it says anything on stderr.
fn shell(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && stderr.is_empty(), "{program}: {stderr}");
    String::from_utf8(ran.stdout).unwrap()
}

fn script(bench: &Bench, shell: &str) -> String {
    let script = bench.ok(&format!("completions {shell}")).stdout;
    for word in ["lookback", "backfill", "explain", "known-as-of"] {
        assert!(script.contains(word), "the script for {shell} knows no {word}");
    }
    write_file(&bench.path(&format!("script.{shell}")), script.as_bytes());
    script
}

#[test]
fn bash_completes_commands_and_options() {
    let bench = Bench::new();
    script(&bench, "bash");
    let complete = |words: &str| {
        let script = format!(
            "source script.bash; complete -p lookback > /dev/null; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _lookback lookback \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        shell(&bench.path(""), "bash", &["--norc", "-uec", &script])
    };
    assert_eq!(complete("lookback prod"), "produce\n");
    assert_eq!(complete("lookback ba"), "backfill\nbackup\n");
    assert_eq!(complete("lookback produce --lookb"), "--lookback-days\n");
    assert_eq!(complete("lookback produce --compression z"), "zstd\n");
}

#[test]
fn zsh_and_fish_take_their_scripts_and_complete() {
    let bench = Bench::new();
    for name in ["zsh", "fish", "elvish", "powershell"] {
        script(&bench, name);
    }
    if is_here("fish") {
        let complete = |line: &str| {
            let script = format!("source script.fish; complete --do-complete '{line}'");
            let home = bench.path("home").display().to_string();
            shell(&bench.path(""), "env", &[&format!("HOME={home}"), "fish", "--no-config", "-c", &script])
        };
        assert!(complete("lookback prod").starts_with("produce\t"), "{}", complete("lookback prod"));
        assert!(complete("lookback produce --lookb").starts_with("--lookback-days\t"));
    }
    if is_here("zsh") {
        // The functions parse, the program is bound to them, and the list of commands holds what it should.
        write_file(&bench.path("functions/_lookback"), &fs::read(bench.path("script.zsh")).unwrap());
        let script = "fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[lookback]; \
                      _describe() { print -l -- ${(P)4} }; autoload +X _lookback; _lookback 2> /dev/null; _lookback_commands";
        let printed = shell(&bench.path(""), "zsh", &["-f", "-c", script]);
        assert!(printed.starts_with("_lookback\n") && printed.contains("produce:Write the training rows"), "{printed}");
    }
    assert_eq!(bench.run("completions tcsh").code, 2);
}

#[test]
fn every_command_has_a_man_page_that_renders() {
    let bench = Bench::new();
    let summary = bench.json("man --dir man");
    let pages: Vec<_> = fs::read_dir(bench.path("man")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let names: Vec<String> = pages.into_iter().map(|name| name.into_string().unwrap()).collect();
    assert_eq!(summary["pages"], names.len());
    for name in ["lookback.1", "lookback-produce.1", "lookback-explain.1", "lookback-config-check.1", "lookback-man.1"]
    {
        assert!(names.iter().any(|there| there == name), "no {name} in {names:?}");
    }
    bench.ok("man --dir again");
    for name in &names {
        let page = fs::read_to_string(bench.path("man").join(name)).unwrap();
        assert!(page.contains(".TH ") && page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}");
        assert_eq!(fs::read_to_string(bench.path("again").join(name)).unwrap(), page, "{name} is another each time");
        if is_here("groff") {
            let text = shell(&bench.path("man"), "groff", &["-K", "utf8", "-man", "-Tutf8", "-ww", name]);
            assert!(text.contains("General Commands Manual"), "{name}: {text}");
        }
    }
    let page = fs::read_to_string(bench.path("man/lookback-produce.1")).unwrap();
    assert!(page.contains("Exit codes") && page.contains("lookback\\-days"), "{page}");
    assert!(page.contains(".SH EXAMPLES\n.nf\nlookback produce"), "{page}");
    let page = fs::read_to_string(bench.path("man/lookback.1")).unwrap();
    let groups = ["\"Fill a store\"", "\"Produce and check rows\"", "Inspect", "Maintain"];
    let places: Vec<usize> = groups.iter().map(|group| page.find(&format!(".SS {group}\n")).unwrap()).collect();
    assert!(places.is_sorted() && page.contains(".SH COMMANDS"), "{page}");
}

#[test]
fn help_tells_exit_codes_and_the_version_what_it_is_made_of() {
    let bench = Bench::new();
    let help = bench.ok("--help").stdout;
    assert!(help.contains("LOOKBACK_LOG=quiet") && help.contains("NO_COLOR"), "{help}");
    let of_groups = help.lines().take_while(|line| *line != "Options:");
    let commands: Vec<&str> = of_groups
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() >= 23, "{commands:?}");
    let groups = ["Fill a store:", "Produce and check rows:", "Inspect:", "Maintain:"];
    let places: Vec<usize> = groups.iter().map(|group| help.find(&format!("\n{group}\n")).unwrap()).collect();
    assert!(places.is_sorted() && help.lines().all(|line| line.chars().count() < 120), "{help}");
    assert!(help[places[0]..places[1]].contains("\n  ingest ") && help[places[3]..].contains("\n  remove "), "{help}");
    assert!(help.contains("\nExamples:\n  lookback backfill "), "{help}");
    for command in commands.into_iter().filter(|command| *command != "man") {
        let help = bench.ok(&format!("{command} --help")).stdout;
        assert!(help.contains(&format!("\nExamples:\n  lookback {command}")), "{command}: {help}");
    }
    for command in ["man", "stale", "config check"] {
        let help = bench.ok(&format!("{command} --help")).stdout;
        assert!(help.contains("Exit codes: 0 done, 1 refused or failed"), "{command}: {help}");
    }
    let short = bench.ok("-V").stdout;
    assert_eq!(short, format!("lookback {}\n", env!("CARGO_PKG_VERSION")));
    let version = bench.ok("--version").stdout;
    let made_of = version.strip_prefix(&format!("lookback {} (commit ", env!("CARGO_PKG_VERSION"))).unwrap();
    let (commit, rocksdb) = made_of.trim_end().strip_suffix(')').unwrap().split_once(", rocksdb ").unwrap();
    let hash = commit.split(' ').next().unwrap();
    assert!(
        commit == "unknown" || hash.len() == 12 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{version}"
    );
    let lock = include_str!("../Cargo.lock");
    assert!(lock.contains(&format!("+{rocksdb}\"")), "{version}");
}

/// The output of a run on a terminal.
fn on_a_terminal(bench: &Bench, setting: &str, arguments: &str) -> String {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_lookback"));
    let mut script = Command::new("env");
    script.env(TODAY.0, TODAY.1);
    // Programs that run under CI have colours on any terminal.
    script.args(["-u", "CI", "TERM=xterm-256color", setting, "script", "-qec", &command, "/dev/null"]);
    let ran = script.current_dir(bench.path("")).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn help_has_colours_on_a_terminal_unless_they_are_not_wanted() {
    let bench = Bench::new();
    assert!(on_a_terminal(&bench, "X=", "--help").contains("\u{1b}[1m\u{1b}[32mUsage:"));
    assert!(!on_a_terminal(&bench, "NO_COLOR=1", "--help").contains('\u{1b}'));
    assert!(!bench.ok("--help").stdout.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn errors_have_the_colours_of_wrong_usage() {
    let bench = Bench::new();
    let refused = "status --store nowhere";
    let coloured = |text: &str| text.contains("\u{1b}[1m\u{1b}[31merror:");
    let usage = on_a_terminal(&bench, "X=", "status");
    let error = on_a_terminal(&bench, "X=", refused);
    assert!(coloured(&usage) && coloured(&error) && error.contains("no store at nowhere; check"), "{error:?}");
    assert!(!error.contains("Usage") && error.trim_end().lines().count() == 1, "{error:?}");
    for setting in ["NO_COLOR=1", "TERM=dumb"] {
        assert!(!on_a_terminal(&bench, setting, refused).contains('\u{1b}'), "{setting}");
    }
    assert!(bench.run(refused).stderr.starts_with("error: there is no store"), "no colours in a pipe");
}

#[test]
fn as_much_is_said_as_is_wanted() {
    let bench = Bench::new();
    let click = RawAction { customer: 1, item: 1, time_us: us("2026-01-01T00:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[click], PLAIN);
    let ingest = |log: &str, day: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lookback"));
        command.args(["ingest", "--create", "--store", "store", "--input", "input", "--json", "--dt", day]);
        let ran = command.env(TODAY.0, TODAY.1).env("LOOKBACK_LOG", log).current_dir(bench.path("")).output().unwrap();
        (ran.status.code().unwrap(), String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap())
    };
    let (code, stdout, stderr) = ingest("quiet", "2026-01-01");
    assert!(code == 0 && stdout.starts_with('{') && stderr.is_empty(), "{stderr}");
    let (code, stdout, stderr) = ingest("quiet", "2026-01-02");
    assert!(code == 1 && stdout.is_empty() && stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
    let (code, _, stderr) = ingest("summary", "2026-01-01");
    assert!(code == 0 && stderr.starts_with("ingested 2026-01-01") && stderr.lines().count() == 1, "{stderr}");
    for normal in ["normal", ""] {
        let (code, _, stderr) = ingest(normal, "2026-01-01");
        assert!(code == 0 && stderr.starts_with("reading: ") && stderr.contains("\ningested 2026-01-01"), "{stderr}");
        assert!(!stderr.contains("debug: "), "{stderr}");
    }
    let (code, stdout, stderr) = ingest("debug", "2026-01-01");
    assert!(
        code == 0 && stdout.starts_with('{') && stderr.contains("debug: 0.") && stderr.contains("\ningested"),
        "{stderr}"
    );
    let (code, stdout, stderr) = ingest("loud", "2026-01-01");
    assert!(code == 2 && stdout.is_empty() && stderr.contains("quiet, summary, normal or debug"), "{stderr}");
}
