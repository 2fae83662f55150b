//! Finds the raw files that the rows rest on, and verifies them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::basis::Basis;
use super::kept::{BatchFiles, KeptFiles};
use super::options::AuditOptions;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::format::{BatchRecord, FileRecord};
use crate::input::{DayFile, day_files};
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::Day;
use crate::progress::Progress;
use crate::sources::{self, ActionSource, ImpressionSource};
use crate::storage::{Fingerprint, Place};
use crate::text::Shown;

/// All raw files. A raw file's number is its position among those of its kind: for actions, batch after batch.
///
/// Memory: about 200 bytes for each file of impressions, for each file of actions of one batch, and for each that is
/// kept.
pub(super) struct Sources<'a> {
    input: Place,
    kept: KeptFiles<'a>,
    described: &'a sources::Sources,
    /// The batches that the rows rest on, each with its number of files.
    batches: Vec<(Day, usize)>,
    pub impressions: Vec<DayFile>,
    /// Batches that the store holds and the rows do not rest on.
    pub not_used: Vec<Day>,
}

impl<'a> Sources<'a> {
    /// Finds the files and reads each once, for its hash. Fails if a file or its description has changed since the rows
    /// were made, or if the store does not hold the batches that they rest on.
    pub(super) fn find(
        AuditOptions { input, sources: described, resources, .. }: &'a AuditOptions,
        manifest: &Manifest,
        basis: &Basis<'_>,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let cancel = resources.cancel();
        basis.store.check_ids(described.ids())?;
        let shown = &described.impressions;
        let (batches, impressions, not_used) = (Vec::new(), Vec::new(), Vec::new());
        let input = resources.place(input)?;
        let kept = KeptFiles::of(&input, resources);
        let mut sources = Sources { input, kept, described, batches, impressions, not_used };
        progress.begin("comparing", "batches", Some(manifest.batches.len() as u64));
        for batch in &manifest.batches {
            let record = basis.batch(batch.day, &batch.files)?;
            let record = record.ok_or_else(|| not_held(manifest, batch.day))?;
            let files = check_batch(&sources.input, described, batch.day, &record, cancel)?;
            sources.kept.keep(batch.day, files)?;
            sources.batches.push((batch.day, record.files.len()));
            progress.advance(1);
        }
        if manifest.impression_mapping != shown.mapping() {
            return Err(otherwise(&format!("the impressions of {}", manifest.dt), described));
        }
        sources.impressions = impression_files(&sources.input, shown, manifest, cancel)?;
        let used = |day: &Day| manifest.batch(*day).is_some();
        sources.not_used = basis.store.batches()?.iter().map(|(day, _)| day).filter(|day| !used(day)).collect();
        Ok(sources)
    }

    /// Returns the source of the impressions.
    pub(super) fn shown(&self) -> &'a ImpressionSource {
        &self.described.impressions
    }

    /// Returns the number of files of actions.
    pub(super) fn action_files(&self) -> usize {
        self.batches.iter().map(|(_, files)| files).sum()
    }

    /// Whether any source has event ids.
    pub(super) fn has_event_ids(&self) -> bool {
        self.described.actions.iter().any(|source| source.distinct_by.is_some())
    }

    /// Calls `take` with each file of actions, its batch, its number and its source, listing the folders of what is not
    /// kept again. Fails if they hold more or fewer files than before.
    pub(super) fn each_action_file(
        &self,
        mut take: impl FnMut(Day, u32, &'a ActionSource, &DayFile) -> Result<()>,
    ) -> Result<()> {
        let mut number = 0;
        for (day, count) in &self.batches {
            let files = self.batch_files(*day)?;
            if files.len() != *count {
                return Err(changed(
                    self.input.path(),
                    &format!("has changed during the audit: its files of {day} are others"),
                ));
            }
            for (source, file) in files.iter() {
                take(*day, number, source, file)?;
                number += 1;
            }
        }
        Ok(())
    }

    /// Returns the files of a batch.
    fn batch_files(&self, day: Day) -> Result<Cow<'_, BatchFiles<'a>>> {
        match self.kept.batch(day) {
            Some(files) => Ok(Cow::Borrowed(files)),
            None => Ok(Cow::Owned(listed(&self.input, self.described, day)?)),
        }
    }

    /// Returns the file of actions with this number, if it still exists.
    pub(super) fn action_file(&self, number: u32) -> Option<DayFile> {
        let mut place = usize::try_from(number).ok()?;
        for (day, count) in &self.batches {
            if place < *count {
                return self.batch_files(*day).ok()?.get(place).map(|(_, file)| file.clone());
            }
            place -= count;
        }
        None
    }
}

/// Returns the files of a batch, source after source.
fn listed<'a>(input: &Place, described: &'a sources::Sources, day: Day) -> Result<BatchFiles<'a>> {
    let mut files = Vec::new();
    for source in &described.actions {
        files.extend(day_files(input, &source.pattern, source.format, day)?.into_iter().map(|file| (source, file)));
    }
    Ok(files)
}

fn not_held(manifest: &Manifest, day: Day) -> Error {
    Error::refused(
        format!(
            "the rows of {} rest on a batch of {day} that the store has since replaced or removed: they cannot be derived again",
            manifest.dt
        ),
        message!["see ", [Stale], ", and produce the day again with ", [Backfill Stale]],
    )
}

/// Returns the files of a batch. Fails unless they are those that were ingested.
fn check_batch<'a>(
    input: &Place,
    described: &'a sources::Sources,
    day: Day,
    record: &BatchRecord,
    cancel: &Cancel,
) -> Result<BatchFiles<'a>> {
    let mut wanted: BTreeMap<(String, String), &FileRecord> = BTreeMap::new();
    if record.is_from_memory() {
        return Err(from_memory(&format!("the batch of {day}")));
    }
    let lacks = || Error::corrupt(format!("the record of the batch of {day} lacks the source of one of its files"));
    for file in &record.files {
        let source = record.source_of(file).ok_or_else(lacks)?;
        wanted.insert((source.to_owned(), file.path.clone()), file);
    }
    for name in wanted.keys().map(|(name, _)| name) {
        let is = described.named(name).map(ActionSource::mapping);
        if is.is_none() || is != record.mapping_of(name) {
            return Err(otherwise(&format!("the source {name} of the batch of {day}"), described));
        }
    }
    let files = listed(input, described, day)?;
    for (source, file) in &files {
        match wanted.remove(&(source.name.clone(), file.name.clone())) {
            None => {
                return Err(changed(&file.path, &format!("was not there when the batch of {day} was ingested")));
            }
            Some(record) if !is_same(file, record.bytes, cancel, |found| found.xxh3_128 == record.xxh3_128)? => {
                return Err(changed(&file.path, &format!("has changed since the batch of {day} was ingested")));
            }
            Some(_) => {}
        }
    }
    match wanted.first_key_value() {
        None => Ok(files),
        Some(((source, name), _)) => {
            let source = described.named(source).held("each source of the batch is described")?;
            let folder = input.path().join(source.pattern.text_on(day));
            Err(changed(&folder.join(name), &format!("has been removed since the batch of {day} was ingested")))
        }
    }
}

fn from_memory(what: &str) -> Error {
    Error::refused(
        format!("{what} came from memory, so no raw file has the rows that an audit would compare"),
        message!["audit rows that rest on files alone; ", [Verify], " proves the store itself"],
    )
}

fn otherwise(what: &str, described: &sources::Sources) -> Error {
    let as_said = match &described.file {
        Some(file) => format!("{} describes", file.shown()),
        None => "apply without a configuration".to_owned(),
    };
    Error::refused(
        format!("{what} were read with other columns or types than {as_said}"),
        message![
            "name the configuration of that time with ",
            Config,
            "; or ingest and produce again with the current one"
        ],
    )
}

fn changed(path: &Path, what: &str) -> Error {
    Error::input(
        format!("the raw file {} {what}", path.shown()),
        message![
            "restore the original file to audit these rows; or ingest the batch again, and then ",
            [Stale],
            " lists the partitions that rest on it"
        ],
    )
}

fn impression_files(
    input: &Place,
    shown: &ImpressionSource,
    manifest: &Manifest,
    cancel: &Cancel,
) -> Result<Vec<DayFile>> {
    if manifest.is_from_memory() {
        return Err(from_memory(&format!("the impressions of {}", manifest.dt)));
    }
    let files = day_files(input, &shown.pattern, shown.format, manifest.dt)?;
    let changed = |path: &Path, what: &str| {
        Error::input(
            format!("the impression file {} {what} since the rows of {} were produced", path.shown(), manifest.dt),
            message!["restore the original file to audit these rows, or produce the day again with ", [Produce]],
        )
    };
    for (file, recorded) in files.iter().zip(&manifest.impression_files) {
        if file.name != recorded.name {
            break;
        }
        if !is_same(file, recorded.bytes, cancel, |found| found.hex() == recorded.xxh3_128)? {
            return Err(changed(&file.path, "has changed"));
        }
    }
    let names = |name: &str| manifest.impression_files.iter().any(|recorded| recorded.name == name);
    if let Some(new) = files.iter().find(|file| !names(&file.name)) {
        return Err(changed(&new.path, "has been added"));
    }
    if let Some(gone) =
        manifest.impression_files.iter().find(|recorded| !files.iter().any(|file| file.name == recorded.name))
    {
        let folder = input.path().join(shown.pattern.text_on(manifest.dt));
        return Err(changed(&folder.join(&gone.name), "has been removed"));
    }
    Ok(files)
}

/// Whether a file has this size and content; reads the file only if the size matches.
fn is_same(file: &DayFile, bytes: u64, cancel: &Cancel, content: impl Fn(&Fingerprint) -> bool) -> Result<bool> {
    Ok(file.size()? == bytes && content(&file.fingerprint(cancel)?))
}
