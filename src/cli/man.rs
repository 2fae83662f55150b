//! The man pages: clap's description of each command, with examples, and the commands in groups.

use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::examples::{GROUPS, examples_of};

/// Writes the pages of a command and all its subcommands into a folder; returns their number. `path` follows
/// `lookback`.
pub(super) fn write_pages(command: &Command, path: &str, dir: &Path) -> io::Result<u64> {
    let man = Man::new(command.clone());
    std::fs::write(dir.join(man.get_filename()), page(&man, command, path)?)?;
    let mut pages = 1;
    for below in command.get_subcommands() {
        pages += write_pages(below, format!("{path} {}", below.get_name()).trim_start(), dir)?;
    }
    Ok(pages)
}

fn page(man: &Man, command: &Command, path: &str) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    match path {
        "" => groups(command).to_writer(&mut page)?,
        _ if command.has_subcommands() => man.render_subcommands_section(&mut page)?,
        _ => {}
    }
    man.render_options_section(&mut page)?;
    examples(path).to_writer(&mut page)?;
    if command.get_after_help().is_some() {
        man.render_extra_section(&mut page)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(&mut page)?;
    }
    page.flush()?;
    Ok(page)
}

/// Returns the commands, by purpose.
fn groups(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for (title, names) in GROUPS {
        roff.control("SS", [title]);
        for below in names.iter().filter_map(|name| command.find_subcommand(name)) {
            roff.control("TP", []);
            roff.text([bold(format!("lookback-{}(1)", below.get_name()))]);
            roff.text([roman(below.get_about().map(ToString::to_string).unwrap_or_default())]);
        }
    }
    roff
}

/// Returns the examples, each on its own line.
fn examples(path: &str) -> Roff {
    let mut roff = Roff::new();
    let examples = examples_of(path);
    if examples.is_empty() {
        return roff;
    }
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for example in examples {
        roff.text([roman(*example)]);
    }
    roff.control("fi", []);
    roff
}
