//! Colours and headings of what a person reads.

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};

use super::args::Arguments;
use super::words::error_line;
use crate::error::Error;

/// What the program is made of.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("LOOKBACK_COMMIT"),
    ", rocksdb ",
    env!("LOOKBACK_ROCKSDB"),
    ")"
);

pub(super) fn styles() -> Styles {
    Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default())
}

/// Coloured where the rest of the help is.
pub(super) fn heading(text: &str) -> String {
    let styles = styles();
    let style = styles.get_header();
    format!("{style}{text}{style:#}")
}

/// The command line without what help says beyond the single options.
pub(super) fn base() -> Command {
    Arguments::command().styles(styles()).long_version(VERSION)
}

/// An error as the parser of the command line writes its own: on a terminal in colour, unless that is not wanted.
pub(super) fn print_error(error: &Error) {
    let raw = clap::Error::raw(ErrorKind::Io, format!("{}\n", error_line(error))).with_cmd(&base());
    // Nobody is left to tell where stderr itself is gone.
    let _ = raw.print();
}
