//! Looks at the files of a day as `ingest` and `produce` would, and takes nothing.

use std::path::PathBuf;

use serde::Serialize;

use super::csv::PreviewedCsv;
use super::source::{FoundFiles, PreviewedSource};
use crate::error::Result;
use crate::ingest::{Outlines, check_types, source_names};
use crate::input::{DayFile, Lacking, LookedAt, batch_files, day_files, look_at_actions, look_at_impressions};
use crate::model::{Day, Ids, NamedCounts, TypeCounts};
use crate::progress::Progress;
use crate::resources::Resources;
use crate::sources::Sources;
use crate::storage::{Place, refuse_overlaps};
use crate::store::Store;
use crate::text::Shown;

/// The most files with problems that are named for each source.
const NAMED_FILES: usize = 5;

/// What to preview.
#[derive(Clone, Debug)]
pub struct PreviewOptions {
    input: PathBuf,
    sources: Sources,
    dt: Option<Day>,
    today: Option<Day>,
    resources: Resources,
}

impl PreviewOptions {
    /// Previews the description of the input below `input` alone.
    pub fn new(input: impl Into<PathBuf>, sources: Sources) -> Self {
        PreviewOptions { input: input.into(), sources, dt: None, today: None, resources: Resources::default() }
    }

    /// Previews the files of a day too. Default: no day.
    pub fn dt(self, dt: Option<Day>) -> Self {
        Self { dt, ..self }
    }

    /// Today's date: a store refuses a batch day later than tomorrow. Default: no such check.
    pub fn today(self, today: Option<Day>) -> Self {
        Self { today, ..self }
    }

    /// What the preview may use.
    pub fn resources(self, resources: Resources) -> Self {
        Self { resources, ..self }
    }
}

/// What would be read of an input.
#[derive(Clone, Debug, Serialize)]
pub struct Previewed {
    /// The configuration in use; `None` if there is none.
    pub config: Option<String>,
    /// Name and number of each action type.
    pub types: NamedCounts,
    /// What ids are.
    pub ids: Ids,
    /// How CSV files are written, as `[csv]` says; `None` for commas or tabs, quotes and a header.
    pub csv: Option<PreviewedCsv>,
    /// The sources of actions, then the impressions.
    pub sources: Vec<PreviewedSource>,
    /// The day that was looked at.
    pub dt: Option<Day>,
    /// The problems that would prevent reading the day.
    #[serde(rename = "missing")]
    pub problems: Vec<String>,
}

/// Returns what would be read, and what would be refused: the first rows of each file of the day are read, as `ingest`
/// and `produce` would; and `store`, where it is given, judges the day by the batches and types that it has. Fails if
/// two sources have the same file, if the store lies in the input, or if the system refuses to list a folder. Memory: a
/// thousand rows.
pub fn preview(options: &PreviewOptions, store: Option<&Store>, progress: &dyn Progress) -> Result<Previewed> {
    let PreviewOptions { input, sources, dt, .. } = options;
    store.map_or(Ok(()), |store| refuse_overlaps(Some(input), store.folder().path(), None, None))?;
    let mut previewed = Previewed {
        config: sources.file.as_ref().map(|file| file.plain()),
        types: TypeCounts::numbers_of(&sources.types).named(&sources.types),
        ids: sources.ids(),
        csv: PreviewedCsv::of(&sources.impressions.csv),
        sources: PreviewedSource::all_of(sources),
        dt: *dt,
        problems: Vec::new(),
    };
    if let Some(day) = *dt {
        let input = options.resources.place(input)?;
        let files = batch_files(&input, sources, day)?;
        look(&mut previewed, &input, options, day, progress)?;
        if let Some(store) = store {
            let outlines = Outlines::of(&store.batches()?);
            let judged = [
                check_types(store, sources),
                store.check_ids(sources.ids()),
                outlines.refuse_far_days(&[day], options.today),
                outlines.refuse_missing_sources(&[(day, source_names(&files))]),
            ];
            previewed.problems.extend(judged.into_iter().filter_map(Result::err).map(|problem| problem.to_string()));
        }
    }
    Ok(previewed)
}

fn look(
    previewed: &mut Previewed,
    input: &Place,
    options: &PreviewOptions,
    day: Day,
    progress: &dyn Progress,
) -> Result<()> {
    let PreviewOptions { sources, resources, .. } = options;
    let mut lacking = Lacking::default();
    let mut found_files = 0;
    for (place, source) in previewed.sources.iter_mut().zip(&sources.actions) {
        let files = day_files(input, &source.pattern, source.format, day)?;
        let looked = |file: &DayFile| look_at_actions(source, file, day, resources);
        let files = look_at_files(files, looked, &mut lacking, &mut previewed.problems)?;
        found_files += files.count;
        place.files = Some(files);
    }
    if found_files == 0 {
        let patterns = sources.actions.iter().map(|source| source.pattern.text_on(day)).collect::<Vec<_>>().join(", ");
        let input = input.path().shown();
        previewed.problems.push(format!("there is no file of actions in {input}: nothing matches {patterns}"));
    }
    let shown = &sources.impressions;
    let files = day_files(input, &shown.pattern, shown.format, day)?;
    let looked = |file: &DayFile| look_at_impressions(shown, file, day, resources);
    let files = look_at_files(files, looked, &mut lacking, &mut previewed.problems)?;
    if let Some(place) = previewed.sources.last_mut() {
        place.files = Some(files);
    }
    lacking.note(shown, progress);
    Ok(())
}

fn look_at_files(
    files: Vec<DayFile>,
    look: impl Fn(&DayFile) -> LookedAt,
    lacking: &mut Lacking,
    problems: &mut Vec<String>,
) -> Result<FoundFiles> {
    let (mut found, mut named) = (FoundFiles { count: files.len(), ..FoundFiles::default() }, 0);
    for (place, file) in files.iter().enumerate() {
        found.bytes += file.size()?;
        let LookedAt { columns, problem, read } = look(file);
        lacking.add(file, read);
        if place == 0 {
            found.columns = columns;
        }
        if let Some(problem) = problem.filter(|_| named < NAMED_FILES) {
            problems.push(problem.to_string());
            named += 1;
        }
    }
    Ok(found)
}
