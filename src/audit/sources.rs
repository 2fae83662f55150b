//! The raw files that the rows rest on, made sure to be those.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::files::{DayFile, Fingerprint, day_files, files_fingerprint};
use crate::format::{BatchRecord, FileRecord};
use crate::manifest::Manifest;
use crate::model::Day;
use crate::progress::Progress;
use crate::sources::{self, ActionSource, ImpressionSource};
use crate::store::Batches;
use crate::text::Shown;

/// One raw file of actions.
pub(super) struct ActionFile<'a> {
    pub source: &'a ActionSource,
    pub file: DayFile,
}

/// All raw files. A number of a raw file is its place here.
pub(super) struct Sources<'a> {
    pub actions: Vec<ActionFile<'a>>,
    pub impressions: Vec<DayFile>,
    /// What the columns of the impressions are.
    pub shown: &'a ImpressionSource,
    /// Batches that the store holds and the rows do not rest on.
    pub not_used: Vec<Day>,
}

impl<'a> Sources<'a> {
    /// Finds the files and reads each once, for its hash. Fails where one is not as it was when the rows were made, or is described otherwise, or where
    /// the store does not hold the batches that they rest on.
    pub fn find(
        input: &Path,
        described: &'a sources::Sources,
        manifest: &Manifest,
        held: &Batches,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let shown = &described.impressions;
        let mut sources = Sources { actions: Vec::new(), impressions: Vec::new(), shown, not_used: Vec::new() };
        progress.begin("comparing", "batches", Some(manifest.batches.len() as u64));
        for batch in &manifest.batches {
            let record = held.get(batch.day).filter(|record| files_fingerprint(record) == batch.files);
            let record = record.ok_or_else(|| not_held(manifest, batch.day))?;
            sources.actions.extend(batch_files(input, described, batch.day, record)?);
            progress.advance(1);
        }
        if manifest.impression_mapping != shown.mapping() {
            return Err(otherwise(&format!("the impressions of {}", manifest.dt), described));
        }
        sources.impressions = impression_files(input, shown, manifest)?;
        let used = |day: &Day| manifest.batch(*day).is_some();
        sources.not_used = held.iter().map(|(day, _)| day).filter(|day| !used(day)).collect();
        Ok(sources)
    }
}

fn not_held(manifest: &Manifest, day: Day) -> Error {
    Error::refused(
        format!(
            "the rows of {} rest on a batch of {day} that the store no longer holds as it was: they cannot be derived again",
            manifest.dt
        ),
        "see `lookback stale`, and produce the day again with `lookback backfill --stale`",
    )
}

fn batch_files<'a>(
    input: &Path,
    described: &'a sources::Sources,
    day: Day,
    record: &BatchRecord,
) -> Result<Vec<ActionFile<'a>>> {
    let mut files = Vec::new();
    let named = |file: &FileRecord| record.source_of(file).unwrap_or_default().to_owned();
    let mut wanted: BTreeMap<(String, String), &FileRecord> =
        record.files.iter().map(|file| ((named(file), file.path.clone()), file)).collect();
    for name in wanted.keys().map(|(name, _)| name) {
        let is = described.named(name).map(ActionSource::mapping);
        if is.is_none() || is != record.mapping_of(name) {
            return Err(otherwise(&format!("the source {name} of the batch of {day}"), described));
        }
    }
    for source in &described.actions {
        for file in day_files(input, &source.pattern, day)? {
            match wanted.remove(&(source.name.clone(), file.name.clone())) {
                None => {
                    return Err(changed(&file.path, &format!("was not there when the batch of {day} was ingested")));
                }
                Some(record) if !is_same(&file.path, record.bytes, |found| found.xxh3_128 == record.xxh3_128)? => {
                    return Err(changed(&file.path, &format!("has changed since the batch of {day} was ingested")));
                }
                Some(_) => files.push(ActionFile { source, file }),
            }
        }
    }
    match wanted.first_key_value() {
        None => Ok(files),
        Some(((source, name), _)) => {
            let pattern = described.named(source).map(|source| source.pattern.text_on(day));
            let folder = input.join(pattern.unwrap_or_default());
            Err(changed(&folder.join(name), &format!("is gone since the batch of {day} was ingested")))
        }
    }
}

fn otherwise(what: &str, described: &sources::Sources) -> Error {
    let as_said = match &described.file {
        Some(file) => format!("{} describes them", file.shown()),
        None => "they are described without a configuration".to_owned(),
    };
    Error::refused(
        format!("{what} were read with other columns or types than {as_said}"),
        "give the configuration that they were read with by --config; or ingest and produce again with this one",
    )
}

fn changed(path: &Path, what: &str) -> Error {
    Error::input(
        format!("the raw file {} {what}", path.shown()),
        "bring it back as it was to audit these rows; or ingest the batch again, and then `lookback stale` names the partitions that rest on it",
    )
}

fn impression_files(input: &Path, shown: &ImpressionSource, manifest: &Manifest) -> Result<Vec<DayFile>> {
    let files = day_files(input, &shown.pattern, manifest.dt)?;
    let changed = |path: &Path, what: &str| {
        Error::input(
            format!("the impression file {} {what} since the rows of {} were produced", path.shown(), manifest.dt),
            "bring it back as it was to audit these rows, or produce the day again with `lookback produce`",
        )
    };
    for (file, said) in files.iter().zip(&manifest.impression_files) {
        if file.name != said.name {
            break;
        }
        if !is_same(&file.path, said.bytes, |found| found.hex() == said.xxh3_128)? {
            return Err(changed(&file.path, "has changed"));
        }
    }
    let names = |name: &str| manifest.impression_files.iter().any(|said| said.name == name);
    if let Some(new) = files.iter().find(|file| !names(&file.name)) {
        return Err(changed(&new.path, "has come"));
    }
    if let Some(gone) = manifest.impression_files.iter().find(|said| !files.iter().any(|file| file.name == said.name)) {
        let folder = input.join(shown.pattern.text_on(manifest.dt));
        return Err(changed(&folder.join(&gone.name), "is gone"));
    }
    Ok(files)
}

/// Whether a file has this size and content; reads it only where the size is right.
fn is_same(path: &Path, bytes: u64, content: impl Fn(&Fingerprint) -> bool) -> Result<bool> {
    Ok(Fingerprint::size_of(path)? == bytes && content(&Fingerprint::of(path)?))
}
