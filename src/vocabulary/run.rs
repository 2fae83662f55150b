//! From options to a vocabulary: its ids in the order of their indices, in memory or in a file.

use std::path::Path;

use super::collisions::Collisions;
use super::id_count::{IdCount, Ranked};
use super::options::VocabularyOptions;
use super::read::read_days;
use super::summary::VocabularySummary;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::input::Written;
use crate::message::message;
use crate::model::{IdForm, IdKind};
use crate::output::{VocabularyBatch, VocabularyWriter, check_vocabulary_file};
use crate::progress::Progress;
use crate::resources::{Cancel, Resources};
use crate::sort::{Record, SharedSorter, Sorted, Sorter};
use crate::storage::keep_apart;
use crate::text::{Shown, counted};

/// Ids of a batch: 2 MB.
const BATCH_IDS: usize = 1 << 16;

/// A batch has fewer ids after so many bytes of texts.
const BATCH_TEXT_BYTES: usize = 4 << 20;

/// The ids of a vocabulary in the order of their indices, in batches of at most 65,536, or 4 MiB of texts. After an
/// error no batch follows.
///
/// Memory: a 16th of the limit, and a batch. Other ids are in scratch files, which go when it is dropped.
pub struct Vocabulary {
    summary: VocabularySummary,
    /// `None` at the end, or after an error.
    ranked: Option<Ranks>,
    /// The index of the last id so far.
    index: i64,
    cancel: Cancel,
}

/// An id with its counts, and with its text if it is one.
type CountedId = (IdCount<()>, Option<Box<str>>);

/// The sorted ids, as they are written.
enum Ranks {
    Integers(Sorted<Ranked<()>>),
    Texts(Sorted<Ranked<Box<str>>>),
}

impl Ranks {
    /// Returns the next id, with its text if it is one.
    fn next(&mut self) -> Result<Option<CountedId>> {
        Ok(match self {
            Ranks::Integers(ranked) => ranked.next().transpose()?.map(|ranked| split(ranked.count())),
            Ranks::Texts(ranked) => ranked.next().transpose()?.map(|ranked| split(ranked.count())),
        })
    }
}

fn split<T: Written>(IdCount { id, written, actions, impressions }: IdCount<T>) -> CountedId {
    (IdCount { id, written: (), actions, impressions }, written.text())
}

impl Vocabulary {
    /// Reads the input of all days, counts its ids, and sorts them by frequency. The summary names days
    /// without any file.
    ///
    /// Fails if the last day is before the first; if files cannot be read, are not what they should be, or change
    /// meanwhile; if there are bad rows and no quarantine; if there is no id at all; if two texts have one number; or
    /// after a request to stop.
    ///
    /// Memory: an eighth of the limit for sorting; for each thread a batch of rows, 1 MiB, and less than 1 MiB more.
    pub fn read(options: &VocabularyOptions, progress: &dyn Progress) -> Result<Self> {
        let VocabularyOptions { input, from, to, of, min_count, quarantine, resources, .. } = options;
        let (from, to, of, min_count) = (*from, *to, *of, *min_count);
        if to < from {
            return Err(Error::usage(
                message![To, " {to} is before ", From, " {from}"],
                message!["give the earlier day with ", From],
            ));
        }
        if let Some(quarantine) = quarantine {
            keep_apart(("the quarantine", quarantine), &[("the input root", input)])?;
        }
        let mut summary = VocabularySummary {
            of,
            from,
            to,
            min_count,
            days_without_files: Vec::new(),
            files: 0,
            bytes: 0,
            ids: 0,
            rare: 0,
            actions: 0,
            impressions: 0,
            ignored: 0,
            without_customer: 0,
            deduplicated: 0,
            empty_lists: 0,
            empty_impressions: 0,
            quarantined: 0,
            same_content: 0,
            same_content_files: Vec::new(),
        };
        let form = match of {
            IdKind::Items => options.sources.ids().item,
            IdKind::Customers => options.sources.ids().customer,
        };
        let ranked = match form {
            IdForm::Integer => Ranks::Integers(read(options, &mut summary, progress)?),
            IdForm::Text => Ranks::Texts(read(options, &mut summary, progress)?),
        };
        if summary.ids + summary.rare == 0 {
            return Err(nothing_found(options, &summary));
        }
        Ok(Vocabulary { summary, ranked: Some(ranked), index: 0, cancel: resources.cancel().clone() })
    }

    /// Returns the counts of the vocabulary, all of which are known before its first batch.
    pub fn summary(&self) -> &VocabularySummary {
        &self.summary
    }

    /// Returns the next ids; none at the end.
    fn batch(&mut self) -> Result<VocabularyBatch> {
        self.cancel.check()?;
        let mut batch = VocabularyBatch::empty(self.summary.of);
        let number = |count: u64| i64::try_from(count).held("a count fits an int64");
        let Some(ranked) = &mut self.ranked else { return Ok(batch) };
        if matches!(ranked, Ranks::Texts(_)) {
            batch.texts = Some(Vec::new());
        }
        let mut text_bytes = 0;
        while batch.ids.len() < BATCH_IDS && text_bytes < BATCH_TEXT_BYTES {
            let Some((IdCount { id, actions, impressions, .. }, text)) = ranked.next()? else { break };
            text_bytes += text.as_ref().map_or(0, |text| text.len());
            batch.texts.iter_mut().for_each(|texts| texts.extend(text.clone()));
            self.index += 1;
            batch.indices.push(self.index);
            batch.ids.push(id);
            batch.actions.push(number(actions)?);
            batch.impressions.push(number(impressions)?);
        }
        Ok(batch)
    }
}

impl Iterator for Vocabulary {
    type Item = Result<VocabularyBatch>;

    fn next(&mut self) -> Option<Result<VocabularyBatch>> {
        self.ranked.as_ref()?;
        let batch = self.batch();
        if batch.as_ref().map_or(true, |batch| batch.ids.is_empty()) {
            self.ranked = None;
        }
        Some(batch).filter(|batch| batch.as_ref().map_or(true, |batch| !batch.ids.is_empty()))
    }
}

/// Writes a vocabulary as one Parquet file at `out`, which replaces a vocabulary there and no other file. The same rows
/// give the same bytes, in whatever files and order they come, with any threads and memory.
///
/// Fails as [`Vocabulary::read`] does, and if `out` holds another file or lies in the input. After an error the file is
/// as it was before. Memory: that of reading; then that of the vocabulary, of a batch, and of an encoded row group of
/// 131,072 ids or 8 MiB of texts.
pub fn vocabulary(options: &VocabularyOptions, out: &Path, progress: &dyn Progress) -> Result<VocabularySummary> {
    keep_apart(("the file", out), &[("the input root", &options.input)])?;
    if let Some(quarantine) = &options.quarantine {
        keep_apart(("the quarantine", quarantine), &[("the file", out)])?;
    }
    check_vocabulary_file(out)?;
    let mut vocabulary = Vocabulary::read(options, progress)?;
    let VocabularySummary { of, from, to, min_count, ids, .. } = vocabulary.summary;
    progress.begin("writing", "ids", Some(ids));
    let metadata = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("of", of.name().to_owned()),
        ("from", from.to_string()),
        ("to", to.to_string()),
        ("min_count", min_count.to_string()),
    ];
    let metadata = metadata.map(|(name, value)| (format!("lookback.{name}"), value));
    let has_texts = matches!(vocabulary.ranked, Some(Ranks::Texts(_)));
    let mut writer = VocabularyWriter::new(out, of, has_texts, metadata.into())?;
    for batch in &mut vocabulary {
        let batch = batch?;
        let written = batch.ids.len() as u64;
        writer.push(batch)?;
        progress.advance(written);
    }
    writer.finish()?;
    Ok(vocabulary.summary)
}

/// Reads the ids of all days, and returns those that are frequent enough, the most frequent first.
fn read<T: Written>(
    options: &VocabularyOptions,
    summary: &mut VocabularySummary,
    progress: &dyn Progress,
) -> Result<Sorted<Ranked<T>>> {
    let resources = &options.resources;
    let sorter = SharedSorter::new(sorter(resources));
    let read = read_days(options, &sorter, summary, progress);
    // A failed sorter is the cause of the reading error, so its error is returned first.
    let sorter = sorter.into_sorter()?;
    read?;
    ranked(sorter.finish()?, summary, resources, progress)
}

/// Two sorts are there at once, each with half of the memory for sorting.
fn sorter<R: Record>(resources: &Resources) -> Sorter<R> {
    Sorter::new(resources.sort_bytes() / 2, resources.scratch(), resources)
}

/// Adds up the counts of each id, and returns those that are frequent enough, the most frequent first. Fails if an id
/// has two texts.
fn ranked<T: Written>(
    mut counts: Sorted<IdCount<T>>,
    summary: &mut VocabularySummary,
    resources: &Resources,
    progress: &dyn Progress,
) -> Result<Sorted<Ranked<T>>> {
    progress.begin("counting", "ids", None);
    let mut ranked = sorter(resources);
    let mut end = |whole: IdCount<T>| {
        summary.actions += whole.actions;
        summary.impressions += whole.impressions;
        progress.advance(1);
        if whole.total() < summary.min_count {
            summary.rare += 1;
            return Ok(());
        }
        summary.ids += 1;
        ranked.push(Ranked::from(whole))
    };
    let (mut current, mut collisions) = (None::<IdCount<T>>, Collisions::default());
    // By reference: its scratch folder must stay until the other sort has spilled all that it will.
    for count in counts.by_ref() {
        resources.check()?;
        let count = count?;
        match &mut current {
            Some(whole) if whole.is_same(&count) => whole.add(&count),
            Some(whole) if whole.id == count.id => {
                collisions.add(whole.clone(), count.clone());
                current.replace(count).map_or(Ok(()), &mut end)?;
            }
            _ => current.replace(count).map_or(Ok(()), &mut end)?,
        }
    }
    current.map_or(Ok(()), end)?;
    collisions.refuse(summary.of)?;
    ranked.finish()
}

fn nothing_found(options: &VocabularyOptions, summary: &VocabularySummary) -> Error {
    let VocabularyOptions { input, sources, from, to, of, .. } = options;
    let patterns = sources.actions.iter().map(|source| &source.pattern).chain([&sources.impressions.pattern]);
    let patterns = patterns.map(|pattern| pattern.text()).collect::<Vec<_>>().join(", ");
    let (input, files) = (input.shown(), counted(summary.files, "file"));
    Error::input(
        format!("there are no {} in {input} from {from} to {to}, in {files} of {patterns}", of.name()),
        message!["check ", Input, ", ", From, " and ", To],
    )
}
