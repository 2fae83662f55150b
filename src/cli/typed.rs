//! From what was typed to [`Arguments`]. What is wrong with it is said so that nothing that was typed acts on the terminal or makes a line of its own.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::{Error, ErrorKind};

use super::args::Arguments;
use super::help;
use crate::text::{Shown, escaped};

/// The arguments; or, when --help, --version or what is wrong has been printed, the exit code: 0 for the first two, 2 for wrong usage.
pub(super) fn arguments(typed: &[OsString]) -> Result<Arguments, ExitCode> {
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

fn parse(typed: &[OsString]) -> Result<Arguments, Error> {
    let matches = help::command().try_get_matches_from(typed)?;
    Arguments::from_arg_matches(&matches)
}

/// What clap says of the arguments as they are shown. It says it on several lines that it makes itself, so that the message cannot be escaped as a whole.
/// Where the arguments would be right as they are shown, what it says of them as they are, as one line.
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
        safe(parse(&typed).unwrap_err(), &typed).map_or_else(|line| line, |error| error.render().to_string())
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
