//! Histories of many customers as a stream of record batches.

use std::io::{self, BufReader, BufWriter, PipeReader, Read};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::record_batch::RecordBatchReader;
use lookback::error::{Error, Result};
use lookback::histories::{AskedCustomer, Question, get};
use lookback::model::{CustomerId, IdForm};
use lookback::output::{HistoryFormat, HistoryTarget};
use lookback::progress::Silent;
use lookback::resources::Cancel;
use lookback::store::{Folder, Store};
use pyo3::prelude::*;

use crate::arrow_stream::ArrowStream;
use crate::errors::Raised;
use crate::own::Own;
use crate::resources::{Limits, day_of};
use crate::work::try_run;

/// What a stream of histories asks for: day, length, days back, batches up to, and whether gaps and pruned actions are
/// allowed.
#[derive(FromPyObject)]
pub(crate) struct Asked(String, Option<usize>, Option<u32>, Option<String>, bool, bool);

impl Asked {
    fn question(&self) -> Result<Question> {
        let Asked(dt, max_history, lookback_days, known_as_of, allow_gaps, allow_pruned) = self;
        Ok(Question::new(day_of("dt", dt)?)
            .max_history(*max_history)
            .lookback_days(*lookback_days)
            .known_as_of(known_as_of.as_deref().map(|day| day_of("known_as_of", day)).transpose()?)
            .allow_gaps(*allow_gaps)
            .allow_pruned(*allow_pruned))
    }
}

/// Returns the histories of these customers: a row each, customers ascending.
#[pyfunction]
pub(crate) fn histories(
    py: Python<'_>,
    store: PathBuf,
    customers: Vec<String>,
    asked: Asked,
    limits: Limits,
    report: &Bound<'_, PyAny>,
) -> PyResult<ArrowStream> {
    let cancel = Cancel::default();
    let question = asked.question().raised(py)?;
    let resources = limits.resources(cancel.clone()).raised(py)?;
    let stream = try_run(py, &cancel, report, |_| {
        let store = Store::open_reader(&Folder::with(&store, &resources))?;
        let form = store.settings().ids.customer;
        let asked = |typed: String| {
            let customer = form.id_of(&typed).map(CustomerId).ok_or_else(|| {
                Error::usage(format!("there is no customer {typed:?}"), "give ids of the kind that the store has")
            })?;
            Ok(AskedCustomer { customer, text: (form == IdForm::Text).then(|| typed.into()) })
        };
        let customers = customers.into_iter().map(asked).collect::<Result<_>>()?;
        Histories::begin(store, question, customers, cancel.clone())
    })?;
    Ok(ArrowStream::new(stream))
}

/// The record batches that another thread writes to a pipe. Memory: that of [`get`], and a record batch.
struct Histories(Own<Reading>);

struct Reading {
    batches: StreamReader<Checked>,
}

impl Histories {
    /// Waits for the first record batch: what is refused is refused here.
    fn begin(store: Store, question: Question, customers: Vec<AskedCustomer>, cancel: Cancel) -> Result<Self> {
        let failed = |error| Error::io("open a pipe of", "this process".as_ref(), error);
        let (reader, writer) = io::pipe().map_err(failed)?;
        let target = HistoryTarget::Stream(Box::new(BufWriter::new(writer)));
        let customers = customers.into_iter().map(Ok);
        let work = move || get(&store, &question, customers, (target, HistoryFormat::Arrow), &Silent).map(|_| ());
        let working = thread::Builder::new().spawn(work);
        let working = working.map_err(|error| Error::io("start a thread of", "this process".as_ref(), error))?;
        let checked = Checked { pipe: Some(BufReader::new(reader)), working: Some(working), cancel };
        match StreamReader::try_new(checked, None) {
            Ok(batches) => Ok(Histories(Own::new(Reading { batches }))),
            Err(error) => Err(error_in(error)),
        }
    }
}

/// Returns the error of the library that a reader passes on.
fn error_in(error: ArrowError) -> Error {
    let inside = match error {
        ArrowError::IoError(_, error) => error.downcast::<Error>().map_err(|error| error.to_string()),
        ArrowError::ExternalError(error) => {
            error.downcast::<Error>().map(|error| *error).map_err(|error| error.to_string())
        }
        other => Err(other.to_string()),
    };
    inside.unwrap_or_else(|other| Error::internal(format!("histories cannot be passed on: {other}")))
}

impl Iterator for Histories {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.get_mut() {
            Ok(reading) => reading.batches.next(),
            Err(error) => Some(Err(ArrowError::from_external_error(Box::new(error)))),
        }
    }
}

impl RecordBatchReader for Histories {
    fn schema(&self) -> SchemaRef {
        match self.0.get() {
            Ok(reading) => reading.batches.schema(),
            Err(_) => arrow::datatypes::Schema::empty().into(),
        }
    }
}

/// The reading end of the pipe; at its end, the error of the thread that writes, if it has failed.
struct Checked {
    pipe: Option<BufReader<PipeReader>>,
    working: Option<JoinHandle<Result<()>>>,
    cancel: Cancel,
}

impl Read for Checked {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(bytes))?;
        if read > 0 || bytes.is_empty() {
            return Ok(read);
        }
        match self.working.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => Err(io::Error::other(error)),
            Some(Err(_)) => Err(io::Error::other(Error::internal("a thread panicked"))),
            Some(Ok(Ok(()))) | None => Ok(0),
        }
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        // A pipe without a reader ends the thread that writes to it.
        self.pipe = None;
        self.cancel.cancel();
        if let Some(working) = self.working.take() {
            // Whether it failed for want of a reader does not matter any more.
            let _ = working.join();
        }
    }
}
