//! The one error: a path, what was being done there, and why it did not work.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// A failure to read or write something, said in one sentence.
#[derive(Debug)]
pub struct Failure {
    doing: &'static str,
    path: PathBuf,
    cause: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// Wraps a cause with what was being done (an infinitive, such as `write`) and where; made for `map_err`.
    pub fn at<E>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        move |cause| Self { doing, path: path.to_owned(), cause: cause.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {} {}: {}", self.doing, self.path.display(), self.cause)
    }
}
