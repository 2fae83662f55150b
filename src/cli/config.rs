//! `lookback config check`, and the parts of a configuration that other commands use.

use std::path::Path;

use serde::Serialize;

use super::args::{ConfigCheck, Configuration};
use super::clock;
use super::console::Console;
use super::lines::Lines;
use super::table::table;
use super::text::{count, counted, size};
use crate::config;
use crate::error::{Error, Result};
use crate::ingest::{Outlines, batch_files, check_types, source_names};
use crate::input::{DayFile, Lacking, LookedAt, day_files, look_at_actions, look_at_impressions};
use crate::model::{Day, NamedCounts, TypeCounts, TypeTable};
use crate::sources::{Pattern, Sources, TypeRule};
use crate::storage::Fingerprint;
use crate::store::{Folder, Store};
use crate::text::Shown;

/// The most files with problems that are named for each source.
const NAMED_FILES: usize = 5;

#[derive(Serialize)]
struct Checked {
    /// The configuration in use; `null` if there is none.
    config: Option<String>,
    /// Name and number of each action type.
    types: NamedCounts,
    /// The sources of actions, then the impressions.
    sources: Vec<CheckedSource>,
    /// The day checked.
    dt: Option<String>,
    /// The problems that would prevent reading the day.
    missing: Vec<String>,
}

#[derive(Serialize)]
struct CheckedSource {
    name: String,
    pattern: String,
    /// Each value that is read, with the name of its column or field.
    columns: Vec<(&'static str, String)>,
    /// The unit of integer times.
    time_unit: Option<&'static str>,
    /// The configured meaning of INT96 times.
    int96: Option<&'static str>,
    /// The type of all its actions, or the values of the column of types, each with its type or `ignored`.
    types: Vec<(Option<String>, String)>,
    /// The files of the source on the day.
    found: Option<Found>,
}

#[derive(Default, Serialize)]
struct Found {
    files: usize,
    bytes: u64,
    /// The columns of the first file, each with its type.
    columns: Vec<(String, String)>,
}

/// Returns the description of an input root. A note on stderr names a configuration that was found and not given: the
/// user may not know of it.
pub(super) fn sources_of(input: &Path, named: &Configuration, console: &Console) -> Result<Sources> {
    let sources = config::sources(Some(input), named.config.as_deref())?;
    if let (None, Some(file)) = (&named.config, &sources.file) {
        console.message(&format!("note: the input is read by the configuration {}", file.shown()));
    }
    Ok(sources)
}

pub(super) fn run(typed: &ConfigCheck, console: &Console) -> Result<()> {
    let sources = config::sources(Some(&typed.input), typed.config.config.as_deref())?;
    let mut checked = Checked {
        config: sources.file.as_ref().map(|file| file.plain()),
        types: TypeCounts::numbers_of(&sources.types).named(&sources.types),
        sources: described(&sources),
        dt: typed.dt.map(|day| day.to_string()),
        missing: Vec::new(),
    };
    if let Some(day) = typed.dt {
        look(&mut checked, &sources, typed, day, console)?;
        if let Some(store) = &typed.store {
            judge(&mut checked, &sources, typed, day, &Folder::with(store, console.resources()))?;
        }
    }
    console.result(&checked, &text(&checked))?;
    match checked.missing.as_slice() {
        [] => Ok(()),
        missing => Err(Error::input(
            format!("{} cannot be read ({})", checked.dt.unwrap_or_default(), counted(missing.len() as u64, "problem")),
            "solve the problems that the lines above name",
        )),
    }
}

fn described(sources: &Sources) -> Vec<CheckedSource> {
    let owned =
        |columns: &[(&'static str, &str)]| columns.iter().map(|(what, name)| (*what, (*name).to_owned())).collect();
    let actions = sources.actions.iter().map(|source| CheckedSource {
        name: source.name.clone(),
        pattern: source.pattern.text().to_owned(),
        columns: owned(&source.columns()),
        time_unit: source.time_unit.map(|unit| unit.name()),
        int96: source.int96.map(|int96| int96.name()),
        types: types_of(&source.types, &sources.types),
        found: None,
    });
    let impressions = CheckedSource {
        name: "impressions".to_owned(),
        pattern: sources.impressions.pattern.text().to_owned(),
        columns: owned(&sources.impressions.columns()),
        time_unit: None,
        int96: None,
        types: Vec::new(),
        found: None,
    };
    actions.chain([impressions]).collect()
}

fn types_of(rule: &TypeRule, types: &TypeTable) -> Vec<(Option<String>, String)> {
    match rule {
        TypeRule::Constant(action_type) => vec![(None, types.name(action_type.number()))],
        TypeRule::Column { values, .. } => {
            let of = |action_type: Option<_>| match action_type {
                Some(action_type) => types.name(crate::model::ActionType::number(action_type)),
                None => "ignored".to_owned(),
            };
            values.iter().map(|(value, action_type)| (Some(value.clone()), of(*action_type))).collect()
        }
    }
}

/// Checks the files of a day: reads the first rows of each, as `ingest` and `produce` would.
fn look(checked: &mut Checked, sources: &Sources, typed: &ConfigCheck, day: Day, console: &Console) -> Result<()> {
    // Fails if two sources find the same file.
    batch_files(&typed.input, sources, day)?;
    let mut lacking = Lacking::default();
    let mut found = |pattern: &Pattern, look: &dyn Fn(&DayFile) -> LookedAt| -> Result<(Found, Vec<String>)> {
        let files = day_files(&typed.input, pattern, day)?;
        let (mut found, mut problems) = (Found { files: files.len(), ..Found::default() }, Vec::new());
        for (place, file) in files.iter().enumerate() {
            found.bytes += Fingerprint::size_of(&file.path)?;
            let LookedAt { columns, problem, read } = look(file);
            lacking.add(file, read);
            if place == 0 {
                found.columns = columns;
            }
            problems.extend(problem.filter(|_| problems.len() < NAMED_FILES).map(|problem| problem.to_string()));
        }
        Ok((found, problems))
    };
    let mut actions = 0;
    let places = checked.sources.iter_mut();
    for (place, source) in places.zip(&sources.actions) {
        let (there, problems) =
            found(&source.pattern, &|file| look_at_actions(source, file, day, console.resources()))?;
        actions += there.files;
        place.found = Some(there);
        checked.missing.extend(problems);
    }
    if actions == 0 {
        let patterns = sources.actions.iter().map(|source| source.pattern.text_on(day));
        let patterns = patterns.collect::<Vec<_>>().join(", ");
        checked
            .missing
            .push(format!("there is no file of actions in {}: nothing matches {patterns}", typed.input.shown()));
    }
    let shown = &sources.impressions;
    let (there, problems) = found(&shown.pattern, &|file| look_at_impressions(shown, file, day, console.resources()))?;
    if let Some(place) = checked.sources.last_mut() {
        place.found = Some(there);
    }
    checked.missing.extend(problems);
    lacking.note(shown, console.progress());
    Ok(())
}

/// Returns what `ingest` into a store would refuse about the batch of a day, regardless of the content of its files.
fn judge(checked: &mut Checked, sources: &Sources, typed: &ConfigCheck, day: Day, store: &Folder) -> Result<()> {
    let store = Store::open_reader(store)?;
    let outlines = Outlines::of(&store.batches()?);
    let files = batch_files(&typed.input, sources, day)?;
    let found = [
        check_types(&store, sources),
        outlines.refuse_far_days(&[day], clock::today()?),
        outlines.refuse_missing_sources(&[(day, source_names(&files))]),
    ];
    checked.missing.extend(found.into_iter().filter_map(Result::err).map(|problem| problem.to_string()));
    Ok(())
}

fn text(checked: &Checked) -> Lines {
    let none = "none; the default names and layouts".to_owned();
    let mut text = Lines::default();
    text.push(&format!("configuration  {}", checked.config.clone().unwrap_or(none)));
    let types = checked.types.iter().map(|(name, number)| format!("{name} {number}"));
    text.push(&format!("types          {}", types.collect::<Vec<_>>().join(", ")));
    for source in &checked.sources {
        text.push("");
        text.push(&format!("{}  {}", source.name, source.pattern));
        let there = source.found.as_ref().map(|found| found.columns.as_slice()).unwrap_or_default();
        let rows = source.columns.iter().map(|(what, column)| {
            let found = there.iter().find(|(name, _)| name == column).map(|(_, data_type)| data_type.clone());
            vec![format!("  {what}"), column.clone(), found.unwrap_or_default()]
        });
        text.append(&table(&["  read as", "column", "found"], &[false; 3], &rows.collect::<Vec<_>>()));
        if let Some(unit) = source.time_unit {
            text.push(&format!("  integer times count {unit}"));
        }
        if let Some(int96) = source.int96 {
            text.push(&format!("  INT96 times are {int96}"));
        }
        for (value, action_type) in &source.types {
            text.push(&match value {
                None => format!("  all rows are {action_type}"),
                Some(value) => format!("  {value:?} is {action_type}"),
            });
        }
        if let (Some(found), Some(dt)) = (&source.found, &checked.dt) {
            text.push(&match found.files {
                0 => format!("  {dt}: no file"),
                files => format!("  {dt}: {} of {}", counted(files as u64, "file"), size(found.bytes)),
            });
        }
    }
    if !checked.missing.is_empty() {
        text.push("");
        text.push(&format!("missing ({}):", count(checked.missing.len() as u64)));
        checked.missing.iter().for_each(|problem| text.push(&format!("  {problem}")));
    }
    text
}
