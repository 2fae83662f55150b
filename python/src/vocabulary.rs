//! A vocabulary as a stream of record batches.

use std::path::PathBuf;

use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchIterator};
use lookback::config;
use lookback::error::{Error, Result};
use lookback::model::IdKind;
use lookback::output::VocabularyBatch;
use lookback::resources::{Cancel, Resources};
use lookback::vocabulary::{Vocabulary, VocabularyOptions};
use pyo3::prelude::*;

use crate::arrow_stream::ArrowStream;
use crate::errors::Raised;
use crate::own::Own;
use crate::resources::{Limits, day_of, named};
use crate::work::try_run;

/// Which ids are asked for. Each field has the name of the setting.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Asked {
    input: PathBuf,
    from_: String,
    to: String,
    of: String,
    config: Option<PathBuf>,
    min_count: Option<u64>,
    quarantine: Option<PathBuf>,
}

impl Asked {
    fn options(&self, resources: Resources) -> Result<VocabularyOptions> {
        let (from, to) = (day_of("from_", &self.from_)?, day_of("to", &self.to)?);
        let of = named("kind of ids", &IdKind::ALL, IdKind::name, &self.of)?;
        Ok(VocabularyOptions::new(&self.input, from, to, of)
            .sources(config::sources(Some(&self.input), self.config.as_deref(), &resources)?)
            .min_count(self.min_count.unwrap_or(1))
            .quarantine(self.quarantine.clone())
            .resources(resources))
    }
}

/// Returns the ids in the order of their indices.
#[pyfunction]
pub(crate) fn vocabulary(
    py: Python<'_>,
    asked: Asked,
    limits: Limits,
    report: &Bound<'_, PyAny>,
) -> PyResult<ArrowStream> {
    let cancel = Cancel::default();
    let resources = limits.resources(cancel.clone()).raised(py)?;
    let vocabulary = try_run(py, &cancel, report, |reports| {
        // Reads the configuration, which may lie at a URL: without the interpreter's lock.
        let options = asked.options(resources)?;
        Vocabulary::read(&options, reports)
    })?;
    let empty = VocabularyBatch::empty(vocabulary.summary().of).into_arrow().raised(py)?;
    Ok(ArrowStream::new(RecordBatchIterator::new(Batches(Own::new(vocabulary)), empty.schema())))
}

struct Batches(Own<Vocabulary>);

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next =
            self.0.get_mut().map(|vocabulary| vocabulary.next().transpose()).and_then(|next| next).transpose()?;
        let failed = |error: Error| ArrowError::from_external_error(Box::new(error));
        Some(next.and_then(VocabularyBatch::into_arrow).map_err(failed))
    }
}
