//! A vocabulary as columns, as Arrow, and as one Parquet file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::error::Result;
use crate::exact::Held;
use crate::input::parquet::error::write_failed;
use crate::input::parquet::metadata::{column_names, has_version, metadata};
use crate::message::message;
use crate::model::IdKind;
use crate::storage::{OwnFile, StagedFile};

const INDEX: &str = "index";
const TEXT: &str = "text";
const ACTIONS: &str = "actions";
const IMPRESSIONS: &str = "impressions";

/// Rows of a row group: 4 MB decoded.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Fewer rows after so many bytes, where ids are long texts.
const ROW_GROUP_BYTES: usize = 8 << 20;

/// A vocabulary as a kind of own file.
pub(super) const VOCABULARY: OwnFile = OwnFile {
    name: || message!["an output file of ", [Vocabulary]],
    is_kind_of: |file| metadata(file).is_some_and(|found| has_version(&found) && is_vocabulary(column_names(&found))),
};

fn is_vocabulary<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let names: Vec<&str> = names.collect();
    let of_kind = |of: IdKind| {
        let id = of.column();
        names == [INDEX, id, ACTIONS, IMPRESSIONS] || names == [INDEX, id, TEXT, ACTIONS, IMPRESSIONS]
    };
    [IdKind::Items, IdKind::Customers].into_iter().any(of_kind)
}

/// Consecutive ids of a vocabulary. Element n of each column is of the same id.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VocabularyBatch {
    /// What the ids are of.
    pub of: IdKind,
    /// The index of each id: from 1, without gaps.
    pub indices: Vec<i64>,
    /// The ids.
    pub ids: Vec<i64>,
    /// The texts that they are the numbers of; `None` where ids are integers.
    pub texts: Option<Vec<Box<str>>>,
    /// How many actions each id has.
    pub actions: Vec<i64>,
    /// How often each item was shown; or how many impression lists each customer has.
    pub impressions: Vec<i64>,
}

impl VocabularyBatch {
    /// Returns a batch without ids: as Arrow, it has the schema of all batches whose ids are integers.
    pub fn empty(of: IdKind) -> Self {
        let (indices, ids, actions, impressions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        VocabularyBatch { of, indices, ids, texts: None, actions, impressions }
    }

    /// Returns the batch as Arrow, without copying its columns: `index`, `item_id` or `customer_id`, `actions`, and
    /// `impressions`, each an int64 without nulls; where ids are text, behind the id `text`.
    pub fn into_arrow(self) -> Result<RecordBatch> {
        let VocabularyBatch { of, indices, ids, texts, actions, impressions } = self;
        let numbers = |name, cells: Vec<i64>| (name, Arc::new(Int64Array::from(cells)) as ArrayRef, false);
        let texts = texts.map(|texts| {
            let texts: StringArray = texts.iter().map(|text| Some(&**text)).collect();
            (TEXT, Arc::new(texts) as ArrayRef, false)
        });
        let columns = [numbers(INDEX, indices), numbers(of.column(), ids)].into_iter().chain(texts);
        let columns = columns.chain([numbers(ACTIONS, actions), numbers(IMPRESSIONS, impressions)]);
        RecordBatch::try_from_iter_with_nullable(columns).held("the columns of a vocabulary are equally long")
    }
}

/// Fails unless a vocabulary may be written to `target`.
pub(crate) fn check_vocabulary_file(target: &Path) -> Result<()> {
    VOCABULARY.check_replaceable(target)
}

/// Writes a vocabulary as one Parquet file, which appears whole or not at all. Memory: the batch, and an encoded row
/// group of 131,072 ids, or of 8 MiB.
pub(crate) struct VocabularyWriter {
    path: PathBuf,
    staged: StagedFile,
    writer: ArrowWriter<File>,
}

impl VocabularyWriter {
    /// A writer to `path`; `metadata` are the names and values of the file's metadata.
    pub(crate) fn new(path: &Path, of: IdKind, has_texts: bool, metadata: Vec<(String, String)>) -> Result<Self> {
        let staged = StagedFile::create(path, VOCABULARY)?;
        let pairs = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // No value of these comes twice.
            .set_column_dictionary_enabled(ColumnPath::from(INDEX), false)
            .set_column_dictionary_enabled(ColumnPath::from(of.column()), false)
            .set_column_dictionary_enabled(ColumnPath::from(TEXT), false)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_key_value_metadata(Some(pairs.collect()));
        let texts = has_texts.then(Vec::new);
        let schema = VocabularyBatch { texts, ..VocabularyBatch::empty(of) }.into_arrow()?.schema();
        let writer = ArrowWriter::try_new(staged.file()?, schema, Some(properties.build()));
        let writer = writer.map_err(|error| write_failed(path, error))?;
        Ok(VocabularyWriter { path: path.to_owned(), staged, writer })
    }

    /// Writes the next ids.
    pub(crate) fn push(&mut self, batch: VocabularyBatch) -> Result<()> {
        let batch = batch.into_arrow()?;
        let written = self.writer.write(&batch).and_then(|()| match self.writer.in_progress_size() > ROW_GROUP_BYTES {
            true => self.writer.flush(),
            false => Ok(()),
        });
        written.map_err(|error| write_failed(&self.path, error))
    }

    /// Writes the rest, and moves the file into place.
    pub(crate) fn finish(self) -> Result<()> {
        let VocabularyWriter { path, staged, writer } = self;
        writer.close().map_err(|error| write_failed(&path, error))?;
        staged.publish()
    }
}
