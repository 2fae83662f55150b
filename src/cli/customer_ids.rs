//! Lists of customer ids, one a line.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::waiting::Waiting;
use lookback::error::{Error, Result};
use lookback::histories::AskedCustomer;
use lookback::model::{CustomerId, IdForm};
use lookback::resources::Cancel;
use lookback::storage::regular_file;
use lookback::text::Shown;

/// The longest line accepted; a line with one id is longer only if it is mostly spaces.
const LINE_BYTES_MAX: u64 = 4_096;

/// Reads ids line by line; empty lines are skipped. The iterator ends after an error. Memory: one line of 4 kB.
pub(super) struct CustomerIds {
    lines: Box<dyn BufRead>,
    path: String,
    number: u64,
    /// What ids are.
    form: IdForm,
    /// The advice for a line that is not an id.
    remedy: &'static str,
    ended: bool,
    cancel: Cancel,
}

impl CustomerIds {
    /// Returns the ids in a file, or with `-` those on stdin.
    pub(super) fn open(path: &Path, form: IdForm, remedy: &'static str, cancel: &Cancel) -> Result<Self> {
        let failed = |error: io::Error| Error::io("read", path, error);
        let lines: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(Waiting::stdin(cancel).map_err(failed)?))
        } else {
            Box::new(BufReader::new(regular_file::open(path).map_err(failed)?))
        };
        let path = if path == Path::new("-") { "stdin".to_owned() } else { path.shown().to_string() };
        Ok(CustomerIds { lines, path, number: 0, form, remedy, ended: false, cancel: cancel.clone() })
    }

    fn line(&mut self) -> Result<Option<AskedCustomer>> {
        loop {
            let mut line = Vec::new();
            let read = self.lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
            self.cancel.check()?;
            read.map_err(|error| Error::io("read", self.path.as_ref(), error))?;
            self.number += 1;
            if line.is_empty() {
                return Ok(None);
            }
            let is_whole = line.ends_with(b"\n") || (line.len() as u64) < LINE_BYTES_MAX;
            let Ok(text) = std::str::from_utf8(&line) else { return Err(self.no_id()) };
            // Spaces are a part of a text, but not of an integer.
            let text = match self.form {
                IdForm::Integer => text.trim(),
                IdForm::Text => text.trim_end_matches(['\n', '\r']),
            };
            if text.is_empty() && is_whole {
                continue;
            }
            let id = self.form.id_of(text).filter(|_| is_whole).ok_or_else(|| self.no_id())?;
            let text = (self.form == IdForm::Text).then(|| text.into());
            return Ok(Some(AskedCustomer { customer: CustomerId(id), text }));
        }
    }

    fn no_id(&self) -> Error {
        Error::input(format!("line {} of {} is not a customer's id", self.number, self.path), self.remedy)
    }
}

impl Iterator for CustomerIds {
    type Item = Result<AskedCustomer>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.line().transpose();
        self.ended = !matches!(line, Some(Ok(_)));
        line
    }
}
