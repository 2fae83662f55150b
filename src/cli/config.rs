//! `lookback config check`, and the parts of a configuration that other commands use.

use std::path::Path;

use super::args::{ConfigCheck, Configuration};
use super::clock;
use super::console::Console;
use super::lines::Lines;
use super::table::table;
use super::text::{count, counted, size};
use lookback::config;
use lookback::error::{Error, Result};
use lookback::input::Input;
use lookback::model::Ids;
use lookback::preview::{PreviewOptions, Previewed, PreviewedCsv, preview};
use lookback::sources::Sources;
use lookback::store::{Folder, Store};
use lookback::text::Shown;

/// Returns the description of an input root. A note on stderr names a configuration that was found and not given: the
/// user may not know of it, or may think that it is used.
pub(super) fn sources_of(input: &Path, named: &Configuration, console: &Console) -> Result<Sources> {
    let sources = config::sources(Some(input), named.config.as_deref(), console.resources())?;
    tell_unused(input, named, console)?;
    if let (None, Some(file)) = (&named.config, &sources.file) {
        console.message(&format!("note: the input is read by the configuration {}", file.shown()));
    }
    Ok(sources)
}

/// Returns the input of a command that takes rows in memory too, and its description.
pub(super) fn input_of(folder: Option<&Path>, named: &Configuration, console: &Console) -> Result<(Input, Sources)> {
    match (folder, console.take_rows()) {
        (Some(folder), None) => Ok((folder.into(), sources_of(folder, named, console)?)),
        (None, Some(rows)) => rows.read(named, false, console.resources()),
        (folder, _) => Err(Error::usage(
            format!("the call has {} input", if folder.is_none() { "no" } else { "two kinds of" }),
            "give either the root of the files as input, or rows in memory by the name of their source",
        )),
    }
}

/// Returns the rows of a task, which a call gives in memory, and their description.
pub(super) fn rows_of_task(named: &Configuration, console: &Console) -> Result<(Input, Sources)> {
    console.take_rows().unwrap_or_default().read(named, true, console.resources())
}

/// Names a configuration that lies beside the input root and is not used.
fn tell_unused(input: &Path, named: &Configuration, console: &Console) -> Result<()> {
    if let (None, Some(file)) = (&named.config, config::unused(input)?) {
        let file = file.shown();
        console.message(&format!(
            "note: the configuration {file} lies beside the input root and is not used; \
             type --config {file} to use it, or move it into the root"
        ));
    }
    Ok(())
}

pub(super) fn run(typed: &ConfigCheck, console: &Console) -> Result<()> {
    let sources = config::sources(Some(&typed.input), typed.config.config.as_deref(), console.resources())?;
    tell_unused(&typed.input, &typed.config, console)?;
    let folder = typed.dt.and(typed.store.as_ref()).map(|store| Folder::with(store, console.resources()));
    let store = folder.map(|folder| Store::open_reader(&folder)).transpose()?;
    let options = PreviewOptions::new(&typed.input, sources).dt(typed.dt).resources(console.resources().clone());
    let previewed = preview(&options.today(clock::today()?), store.as_ref(), console.progress())?;
    console.result(&previewed, &text(&previewed))?;
    match (previewed.problems.len(), previewed.dt) {
        (1.., Some(dt)) => Err(Error::input(
            format!("{dt} cannot be read ({})", counted(previewed.problems.len() as u64, "problem")),
            "solve the problems that the lines above name",
        )),
        _ => Ok(()),
    }
}

fn described(csv: &PreviewedCsv) -> String {
    let named = |what: &str, character: Option<char>| character.map(|character| format!("{what} {character:?}"));
    let mut parts: Vec<String> = named("separator", csv.separator).into_iter().collect();
    parts.push(named("quote", csv.quote).unwrap_or("no quotes".to_owned()));
    parts.extend(named("escape", csv.escape));
    parts.push(if csv.header { "a header" } else { "no header" }.to_owned());
    if !csv.null.is_empty() {
        parts
            .push(format!("null {}", csv.null.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" or ")));
    }
    parts.join(", ")
}

fn text(previewed: &Previewed) -> Lines {
    let none = "none; the default names and layouts".to_owned();
    let mut text = Lines::default();
    text.push(&format!("configuration  {}", previewed.config.clone().unwrap_or(none)));
    let types = previewed.types.iter().map(|(name, number)| format!("{name} {number}"));
    text.push(&format!("types          {}", types.collect::<Vec<_>>().join(", ")));
    if previewed.ids != Ids::default() {
        text.push(&format!("ids            {}", previewed.ids));
    }
    if let Some(csv) = &previewed.csv {
        text.push(&format!("CSV            {}", described(csv)));
    }
    for source in &previewed.sources {
        text.push("");
        text.push(&format!("{}  {}", source.name, source.pattern));
        let there = source.files.as_ref().map(|found| found.columns.as_slice()).unwrap_or_default();
        let rows = source.columns.iter().map(|(what, column)| {
            let found = there.iter().find(|(name, _)| name == column).map(|(_, data_type)| data_type.clone());
            vec![format!("  {what}"), column.clone(), found.unwrap_or_default()]
        });
        text.append(&table(&["  read as", "column", "found"], &[false; 3], &rows.collect::<Vec<_>>()));
        if let Some(format) = source.format {
            text.push(&format!("  files are {format}"));
        }
        if let Some(list) = &source.explode {
            text.push(&format!("  rows are the elements of {list}"));
        }
        if let Some(unit) = source.time_unit {
            text.push(&format!("  integer times count {unit}"));
        }
        if let Some(format) = &source.time_format {
            text.push(&format!("  times in text are {format}"));
        }
        if let Some(int96) = source.int96 {
            text.push(&format!("  INT96 times are {int96}"));
        }
        if source.without_customer == "leave_out" {
            text.push("  rows without a customer are left out");
        }
        if source.layout == Some("flat") {
            text.push("  a row is one item; rows equal in customer and ranking id are one list");
        }
        for (value, action_type) in &source.types {
            text.push(&match value {
                None => format!("  all rows are {action_type}"),
                Some(value) => format!("  {value:?} is {action_type}"),
            });
        }
        if let (Some(found), Some(dt)) = (&source.files, &previewed.dt) {
            text.push(&match found.count {
                0 => format!("  {dt}: no file"),
                files => format!("  {dt}: {} of {}", counted(files as u64, "file"), size(found.bytes)),
            });
        }
    }
    if !previewed.problems.is_empty() {
        text.push("");
        text.push(&format!("missing ({}):", count(previewed.problems.len() as u64)));
        previewed.problems.iter().for_each(|problem| text.push(&format!("  {problem}")));
    }
    text
}
