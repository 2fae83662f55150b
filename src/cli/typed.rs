//! Parses the command line into [`Arguments`]. In errors, typed text can neither control the terminal nor start a new
//! line.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::error::{Error, ErrorKind};
use clap::{ArgMatches, Command, FromArgMatches};

use super::args::Arguments;
use super::help;
use lookback::text::{Shown, escaped, is_url};

/// Returns the arguments, with the error about their paths if there is one; or the exit code, after printing help,
/// version (0) or an error of usage (2).
pub(super) fn arguments(typed: &[OsString]) -> Result<(Arguments, lookback::error::Result<()>), u8> {
    parse(help::command(), typed).map_err(|error| {
        let exit_code = u8::try_from(error.exit_code()).unwrap_or(1);
        // If the stream itself is gone, there is nowhere to report it.
        let _ = match safe(error, typed) {
            Ok(error) => error.print(),
            Err(line) => writeln!(io::stderr(), "{line}"),
        };
        exit_code
    })
}

/// Returns the arguments of a call by another program, the first of which is the name of a command. Fails where the
/// command line would print an error, with the first sentence of it.
pub(super) fn arguments_of_call(typed: &[OsString]) -> lookback::error::Result<Arguments> {
    let line: Vec<OsString> = std::iter::once(OsString::from("lookback")).chain(typed.iter().cloned()).collect();
    let wrong = |error: Error| {
        lookback::error::Error::usage(
            format!("the call makes no sense: {}", first_sentence(&error)),
            "give it as the documentation of the function says",
        )
    };
    let optional = |command: Command| command.mut_arg("input", |argument| argument.required(false));
    let command = help::command().mut_subcommand("ingest", optional).mut_subcommand("produce", optional);
    let command = command.mut_subcommand("shards", |shards| {
        shards.mut_subcommand("ingest", optional).mut_subcommand("produce", optional)
    });
    let (arguments, places) = parse(command, &line).map_err(wrong)?;
    places.map(|()| arguments)
}

/// Returns what clap says first, on one line: usage and hints follow behind an empty line.
fn first_sentence(error: &Error) -> String {
    let said = error.render().to_string();
    let first = said.strip_prefix("error: ").unwrap_or(&said).split("\n\n").next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse(command: Command, typed: &[OsString]) -> Result<(Arguments, lookback::error::Result<()>), Error> {
    let matches = command.clone().try_get_matches_from(with_paths(typed))?;
    Ok((Arguments::from_arg_matches(&matches)?, refuse_urls("", &command, &matches)))
}

/// The arguments of each command, given by its words, that take the URL of an object store as well as a path.
const PLACES: [(&str, &[&str]); 30] = [
    ("ingest", &["input", "quarantine"]),
    ("produce", &["input", "out", "quarantine"]),
    ("backfill", &["input", "out", "quarantine"]),
    ("report", &["out"]),
    ("forget", &["out"]),
    ("audit", &["input", "out"]),
    ("stale", &["out"]),
    ("manifest", &["out"]),
    ("diff", &["one", "other"]),
    ("vocabulary", &["input", "quarantine"]),
    ("backup", &["to"]),
    ("restore", &["from"]),
    ("verify", &["backup"]),
    ("config check", &["input"]),
    ("shards init", &["store"]),
    ("shards status", &["store"]),
    ("shards ingest", &["store", "input", "quarantine"]),
    ("shards produce", &["store", "input", "out", "quarantine"]),
    ("shards backfill", &["store", "input", "out", "quarantine"]),
    ("shards remove", &["store"]),
    ("shards forget", &["store", "out"]),
    ("shards audit", &["store", "input", "out"]),
    ("shards stale", &["store", "out"]),
    ("shards verify", &["store"]),
    ("shards checkout", &["store"]),
    ("shards migrate", &["store"]),
    ("shards split", &["store"]),
    ("shards import", &["store"]),
    ("shards export", &["store"]),
    ("shards gc", &["store"]),
];

/// Returns the arguments with the path in place of each `file://` URL.
fn with_paths(typed: &[OsString]) -> Vec<OsString> {
    let path_of = |url: &str| url::Url::parse(url).ok()?.to_file_path().ok();
    let with_path = |argument: &OsString| -> Option<OsString> {
        let text = argument.to_str()?;
        let (name, url) = match text.split_once("=file://") {
            Some((name, _)) => text.split_at_checked(name.len() + 1)?,
            None => ("", text),
        };
        let path = url.starts_with("file://").then(|| path_of(url)).flatten()?;
        let mut argument = OsString::from(name);
        argument.push(path);
        Some(argument)
    };
    typed.iter().map(|argument| with_path(argument).unwrap_or_else(|| argument.clone())).collect()
}

/// Fails if a typed path is a URL, which as a path would be a folder of that name below the current one, and the
/// argument takes none. Checks every path argument of every command; `words` are those before the command.
fn refuse_urls(words: &str, command: &Command, matches: &ArgMatches) -> lookback::error::Result<()> {
    for argument in command.get_arguments() {
        let Ok(Some(mut paths)) = matches.try_get_many::<PathBuf>(argument.get_id().as_str()) else { continue };
        let places = PLACES.iter().find(|(name, _)| *name == words);
        let is_place = places.is_some_and(|(_, places)| places.contains(&argument.get_id().as_str()));
        if let Some(path) = paths.find(|path| !is_place && is_url(path.as_os_str())) {
            let name = argument.get_long().map_or_else(|| argument.get_id().to_string(), |long| format!("--{long}"));
            return Err(lookback::error::Error::usage(
                format!("{name} {} is a URL, but only local folders and files are supported", path.shown()),
                "name a local path",
            ));
        }
    }
    match matches.subcommand() {
        Some((name, matches)) => {
            let words = format!("{words} {name}");
            command.find_subcommand(name).map_or(Ok(()), |command| refuse_urls(words.trim_start(), command, matches))
        }
        None => Ok(()),
    }
}

/// Returns clap's error for the escaped arguments. clap's message has several lines, so it cannot be escaped as a
/// whole. If the escaped arguments are valid, fails with clap's error for the original arguments, as one line.
fn safe(error: Error, typed: &[OsString]) -> Result<Error, String> {
    let shown: Vec<OsString> = typed.iter().map(|argument| argument.shown().to_string().into()).collect();
    // clap does not repeat bytes that are not text.
    if shown == typed || error.kind() == ErrorKind::InvalidUtf8 {
        return Ok(error);
    }
    parse(help::command(), &shown).err().ok_or_else(|| escaped(error.render().to_string().trim_end()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn said(typed: &[&[u8]]) -> String {
        let typed: Vec<OsString> = typed.iter().map(|argument| OsString::from_vec(argument.to_vec())).collect();
        safe(parse(help::command(), &typed).err().unwrap(), &typed)
            .map_or_else(|line| line, |error| error.render().to_string())
    }

    #[test]
    fn nothing_typed_makes_a_line() {
        let escapes = b"x\nerror: all is well\x1b[2J\xff";
        let with_day = [&b"--dt="[..], escapes].concat();
        for typed in [
            vec![&b"lookback"[..], escapes],
            vec![b"lookback", b"status", b"--store", b"s", escapes],
            vec![b"lookback", b"ingest", b"--store", b"s", b"--input", b"i", &with_day],
            vec![b"lookback", b"--memory-limit", escapes, b"status", b"--store", b"s"],
            vec![escapes, b"status"],
            vec![b"lookback", b"completions", escapes],
        ] {
            let said = said(&typed);
            assert!(!said.contains("\nerror: all") && !said.contains('\x1b'), "{said}");
            assert!(said.starts_with("error: ") || said.contains("Usage"), "{said}");
        }
        assert!(said(&[b"lookback", escapes]).contains(r"x\nerror: all is well\u{1b}[2J\xFF"));
        assert!(said(&[b"lookback", b"statsu"]).contains("'status'"), "what is plain stays as clap says it");
    }
}
