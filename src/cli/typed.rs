//! From what was typed to [`Arguments`]. What is wrong with it is said so that nothing that was typed acts on the
//! terminal or makes a line of its own.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{Error, ErrorKind};
use clap::{ArgMatches, Command, FromArgMatches};

use super::args::Arguments;
use super::help;
use crate::text::{Shown, escaped, is_url};

/// The arguments and what is wrong with their places, if anything; or, when --help, --version or what is wrong has been
/// printed, the exit code: 0 for the first two, 2 for wrong usage.
pub(super) fn arguments(typed: &[OsString]) -> Result<(Arguments, crate::error::Result<()>), ExitCode> {
    parse(typed).map_err(|error| {
        let exit_code = u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        // Nobody is left to tell where the stream itself is gone.
        let _ = match safe(error, typed) {
            Ok(error) => error.print(),
            Err(line) => writeln!(io::stderr(), "{line}"),
        };
        exit_code
    })
}

fn parse(typed: &[OsString]) -> Result<(Arguments, crate::error::Result<()>), Error> {
    let command = help::command();
    let matches = command.clone().try_get_matches_from(typed)?;
    Ok((Arguments::from_arg_matches(&matches)?, refuse_urls(&command, &matches)))
}

/// Fails where a path that was typed is a URL: as a path it would be a folder of that name below this one. Looks at
/// every argument whose value is a path, of whatever command.
fn refuse_urls(command: &Command, matches: &ArgMatches) -> crate::error::Result<()> {
    for argument in command.get_arguments() {
        let Ok(Some(mut paths)) = matches.try_get_many::<PathBuf>(argument.get_id().as_str()) else { continue };
        if let Some(path) = paths.find(|path| is_url(path.as_os_str())) {
            let name = argument.get_long().map_or_else(|| argument.get_id().to_string(), |long| format!("--{long}"));
            return Err(crate::error::Error::usage(
                format!("{name} {} is a URL, and only local folders and files are read and written", path.shown()),
                "name a local path; copy what is to be read there first, and what was written from there",
            ));
        }
    }
    match matches.subcommand() {
        Some((name, matches)) => command.find_subcommand(name).map_or(Ok(()), |command| refuse_urls(command, matches)),
        None => Ok(()),
    }
}

/// What clap says of the arguments as they are shown. It says it on several lines that it makes itself, so that the
/// message cannot be escaped as a whole. Where the arguments would be right as they are shown, what it says of them as
/// they are, as one line.
fn safe(error: Error, typed: &[OsString]) -> Result<Error, String> {
    let shown: Vec<OsString> = typed.iter().map(|argument| argument.shown().to_string().into()).collect();
    // Of bytes that are no text clap repeats nothing.
    if shown == typed || error.kind() == ErrorKind::InvalidUtf8 {
        return Ok(error);
    }
    parse(&shown).err().ok_or_else(|| escaped(error.render().to_string().trim_end()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn said(typed: &[&[u8]]) -> String {
        let typed: Vec<OsString> = typed.iter().map(|argument| OsString::from_vec(argument.to_vec())).collect();
        safe(parse(&typed).err().unwrap(), &typed).map_or_else(|line| line, |error| error.render().to_string())
    }

    #[test]
    fn nothing_typed_makes_a_line() {
        let odd = b"x\nerror: all is well\x1b[2J\xff";
        let with_day = [&b"--dt="[..], odd].concat();
        for typed in [
            vec![&b"lookback"[..], odd],
            vec![b"lookback", b"status", b"--store", b"s", odd],
            vec![b"lookback", b"ingest", b"--store", b"s", b"--input", b"i", &with_day],
            vec![b"lookback", b"--memory-limit", odd, b"status", b"--store", b"s"],
            vec![odd, b"status"],
            vec![b"lookback", b"completions", odd],
        ] {
            let said = said(&typed);
            assert!(!said.contains("\nerror: all") && !said.contains('\x1b'), "{said}");
            assert!(said.starts_with("error: ") || said.contains("Usage"), "{said}");
        }
        assert!(said(&[b"lookback", odd]).contains(r"x\nerror: all is well\u{1b}[2J\xFF"));
        assert!(said(&[b"lookback", b"statsu"]).contains("'status'"), "what is plain stays as clap says it");
    }
}
