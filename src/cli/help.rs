//! The text of `--help` and `--version` beyond single options; and completions and man pages, made from all help.

use std::fs;

use clap::Command;

use super::args::{Completions, Man};
use super::console::Console;
use super::examples::{GROUPS, examples_of};
use super::lines::Lines;
use super::man::write_pages;
use super::styles::{base, heading, styles};
use super::text::counted;
use lookback::error::{Error, Result};
use lookback::text::Shown;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused or failed (one sentence on stderr), 2 wrong usage, 3 different (`diff`, and `stale --exit-code`), 130 stopped by Ctrl-C, 143 by SIGTERM.";

const ENVIRONMENT: &str = "Environment: LOOKBACK_LOG=quiet leaves only errors on stderr; summary adds what was done; normal (the default) adds the progress \
                           (on a terminal a bar, in a log a line for each finished phase); debug adds a line when a phase begins. NO_COLOR=1 removes the \
                           colours of help and errors. TMPDIR is where `get`, `diff`, `audit` and `vocabulary` spill data that does not fit in memory. \
                           TZDIR names the folder of time zones, instead of /usr/share/zoneinfo.";

/// Columns of the list of commands: the first column of descriptions, and the end of lines.
const DESCRIPTIONS_FROM: usize = 15;
const LINE_END: usize = 80;

/// Returns the command line, with the commands in groups, and with examples and exit codes in the help of each.
pub(super) fn command() -> Command {
    let command = described(base(), "");
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{}\n{{options}}{{after-help}}",
        groups(&command),
        heading("Options:"),
    );
    command.help_template(template)
}

/// Returns the commands by purpose, each with its description.
fn groups(command: &Command) -> String {
    let styles = styles();
    let literal = styles.get_literal();
    let mut text = String::new();
    for (title, names) in GROUPS {
        text += &format!("{}\n", heading(&format!("{title}:")));
        for below in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let name = below.get_name();
            let about = below.get_about().map(ToString::to_string).unwrap_or_default();
            let indent = " ".repeat(DESCRIPTIONS_FROM);
            let about = wrapped(&about, LINE_END - DESCRIPTIONS_FROM).join(&format!("\n{indent}"));
            let gap = " ".repeat(DESCRIPTIONS_FROM.saturating_sub(2 + name.len()));
            text += &format!("  {literal}{name}{literal:#}{gap}{about}\n");
        }
        text.push('\n');
    }
    text
}

/// Wraps a text into lines of at most this many letters, unless a word is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Returns a command and its subcommands, with examples and exit codes in their help. `path` follows `lookback`.
fn described(command: Command, path: &str) -> Command {
    let examples = examples_of(path);
    let examples = match examples {
        [] => None,
        some => Some(format!("{}\n  {}", heading("Examples:"), some.join("\n  "))),
    };
    let own = command.get_after_help().map(ToString::to_string);
    let environment = path.is_empty().then(|| ENVIRONMENT.to_owned());
    let parts: Vec<String> =
        own.into_iter().chain(examples).chain([EXIT_CODES.to_owned()]).chain(environment).collect();
    let path = path.to_owned();
    command.after_help(parts.join("\n\n")).mut_subcommands(move |below| {
        let path = format!("{path} {}", below.get_name());
        described(below, path.trim_start())
    })
}

/// Returns the same for man pages, which have sections for examples and commands.
fn command_of_pages() -> Command {
    fn with_exit_codes(command: Command) -> Command {
        let own = command.get_after_help().map(ToString::to_string);
        let after = own.into_iter().chain([EXIT_CODES.to_owned()]).collect::<Vec<_>>().join("\n\n");
        command.after_help(after).mut_subcommands(with_exit_codes)
    }
    let mut command = base()
        .disable_help_subcommand(true)
        .mut_subcommands(with_exit_codes)
        .after_help(format!("{EXIT_CODES}\n\n{ENVIRONMENT}"));
    command.build();
    command
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
    let failed = |error: std::io::Error| Error::io("write", &typed.dir, error);
    fs::create_dir_all(&typed.dir).map_err(failed)?;
    let pages = write_pages(&command_of_pages(), "", &typed.dir).map_err(failed)?;
    let dir = typed.dir.shown();
    console.done(
        &serde_json::json!({ "dir": typed.dir.plain(), "pages": pages }),
        &format!("wrote {} to {dir}", counted(pages, "page")),
    )
}
