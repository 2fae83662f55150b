//! What `--help` and `--version` say beyond the single options, and what is made of it all: completions and man pages.

use std::fs;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Command, CommandFactory};

use super::args::{Arguments, Completions, Man};
use super::console::Console;
use super::lines::Lines;
use super::text::counted;
use crate::error::{Error, Result};
use crate::text::Shown;

/// What the program is made of.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("LOOKBACK_COMMIT"),
    ", rocksdb ",
    env!("LOOKBACK_ROCKSDB"),
    ")"
);

const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused or failed (one sentence on stderr), 2 wrong usage.";

const ENVIRONMENT: &str = "Environment: LOOKBACK_LOG=quiet leaves only errors on stderr, summary also what was done, normal (the default) also how far the work \
                           is (on a terminal a bar, in a log a line for each phase that is done), debug also when each phase begins. NO_COLOR=1 takes the \
                           colours from this help. TMPDIR is where `get`, `diff` and `audit` spill what does not fit in memory.";

/// The command line, with exit codes in the help of every command.
pub(super) fn command() -> Command {
    let styles = Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default());
    let command = Arguments::command().styles(styles).long_version(VERSION).mut_subcommands(with_exit_codes);
    command.after_help(format!("{EXIT_CODES}\n\n{ENVIRONMENT}"))
}

/// A command and those below it, with exit codes in their help.
fn with_exit_codes(command: Command) -> Command {
    let after = match command.get_after_help() {
        Some(own) => format!("{own}\n\n{EXIT_CODES}"),
        None => EXIT_CODES.to_owned(),
    };
    command.after_help(after).mut_subcommands(with_exit_codes)
}

/// `lookback completions`.
pub(super) fn completions(typed: &Completions, console: &Console) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(typed.shell, &mut command(), "lookback", &mut script);
    let script = String::from_utf8_lossy(&script);
    let summary = serde_json::json!({ "shell": typed.shell.to_string(), "script": script });
    console.result(&summary, &Lines::own(script.into_owned()))
}

/// `lookback man`.
pub(super) fn man(typed: &Man, console: &Console) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("write", &typed.dir, &error);
    fs::create_dir_all(&typed.dir).map_err(failed)?;
    clap_mangen::generate_to(command(), &typed.dir).map_err(failed)?;
    let pages = pages(&command());
    let dir = typed.dir.shown();
    console.done(
        &serde_json::json!({ "dir": typed.dir.plain(), "pages": pages }),
        &format!("wrote {} to {dir}", counted(pages, "page")),
    )
}

/// How many man pages a command has: its own, and those of the commands below it.
fn pages(command: &Command) -> u64 {
    command.get_subcommands().map(pages).sum::<u64>() + 1
}
