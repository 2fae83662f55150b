//! Lists of customer ids, one a line.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::waiting::Waiting;
use lookback::error::{Error, Result};
use lookback::model::CustomerId;
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
    /// The advice for a line that is not an id.
    remedy: &'static str,
    ended: bool,
    cancel: Cancel,
}

impl CustomerIds {
    /// Returns the ids in a file, or with `-` those on stdin.
    pub(super) fn open(path: &Path, remedy: &'static str, cancel: &Cancel) -> Result<Self> {
        let failed = |error: io::Error| Error::io("read", path, error);
        let lines: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(Waiting::stdin(cancel).map_err(failed)?))
        } else {
            Box::new(BufReader::new(regular_file::open(path).map_err(failed)?))
        };
        let path = if path == Path::new("-") { "stdin".to_owned() } else { path.shown().to_string() };
        Ok(CustomerIds { lines, path, number: 0, remedy, ended: false, cancel: cancel.clone() })
    }

    fn line(&mut self) -> Result<Option<CustomerId>> {
        loop {
            let mut line = Vec::new();
            let read = self.lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
            self.cancel.check()?;
            read.map_err(|error| Error::io("read", self.path.as_ref(), error))?;
            self.number += 1;
            if line.is_empty() {
                return Ok(None);
            }
            let text = std::str::from_utf8(&line).map(str::trim);
            match text {
                Ok("") if (line.len() as u64) < LINE_BYTES_MAX => {}
                Ok(text) => return text.parse().map(|id| Some(CustomerId(id))).map_err(|_| self.no_id()),
                Err(_) => return Err(self.no_id()),
            }
        }
    }

    fn no_id(&self) -> Error {
        Error::input(format!("line {} of {} is not a customer's id", self.number, self.path), self.remedy)
    }
}

impl Iterator for CustomerIds {
    type Item = Result<CustomerId>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.line().transpose();
        self.ended = !matches!(line, Some(Ok(_)));
        line
    }
}
