//! Colours and headings of text for people.

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};

use super::args::Arguments;
use super::words::error_line;
use lookback::error::Error;

/// The program's components and their versions.
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

/// A heading, coloured if the rest of the help is.
pub(super) fn heading(text: &str) -> String {
    let styles = styles();
    let style = styles.get_header();
    format!("{style}{text}{style:#}")
}

/// Returns the command line without the help texts beyond single options.
pub(super) fn base() -> Command {
    Arguments::command().styles(styles()).long_version(VERSION)
}

/// Prints an error in the style of the command line parser: in colour on a terminal, unless colour is disabled.
pub(super) fn print_error(error: &Error) {
    let raw = clap::Error::raw(ErrorKind::Io, format!("{}\n", error_line(error))).with_cmd(&base());
    // If stderr itself is gone, there is nowhere to report it.
    let _ = raw.print();
}
