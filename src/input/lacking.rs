//! Files of impressions without ranking ids or labels: they are read, with a note, since a name may be misspelt.

use super::impressions::ReadImpressions;
use super::layout::DayFile;
use crate::progress::Progress;
use crate::sources::{ImpressionLayout, ImpressionSource};
use crate::text::Shown;

/// Counts the files that lack ranking ids or labels.
#[derive(Default)]
pub(crate) struct Lacking {
    ranking_ids: Files,
    labels: Files,
}

#[derive(Default)]
struct Files {
    first: Option<String>,
    count: u64,
}

impl Lacking {
    /// Records what a file lacks.
    pub(crate) fn add(&mut self, file: &DayFile, read: ReadImpressions) {
        self.ranking_ids.add(file, read.lacks_ranking_id);
        self.labels.add(file, read.lacks_label);
    }

    /// Returns how many files have no ranking ids, and how many no labels.
    pub(crate) fn counts(&self) -> [u64; 2] {
        [self.ranking_ids.count, self.labels.count]
    }

    /// Writes a note with the names of the column or field and of the first file.
    pub(crate) fn note(&self, source: &ImpressionSource, progress: &dyn Progress) {
        let ImpressionSource { layout, ranking_id, impressions: list, is_order: label, .. } = source;
        if let Some(files) = self.ranking_ids.named() {
            progress.note(
                &format!("there is no column {ranking_id} in {files}: the ranking ids of its rows are null").into(),
            );
        }
        if let Some(files) = self.labels.named() {
            match layout {
                ImpressionLayout::Lists => progress
                    .note(&format!("there is no field {list}.{label} in {files}: all labels of its rows are 0").into()),
                ImpressionLayout::Flat => progress
                    .note(&format!("there is no column {label} in {files}: all labels of its rows are 0").into()),
            }
        }
    }
}

impl Files {
    fn add(&mut self, file: &DayFile, lacks: bool) {
        if lacks {
            self.first.get_or_insert_with(|| file.path.shown().to_string());
            self.count += 1;
        }
    }

    fn named(&self) -> Option<String> {
        let first = self.first.as_ref()?;
        Some(match self.count {
            1 => first.clone(),
            more => format!("{first} and {} more", more - 1),
        })
    }
}
