//! Where rows come from, as messages name it.

use std::fmt;
use std::path::Path;

use crate::text::Shown;

/// A file, or data that was given in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// The path of the file.
    File(&'a Path),
    /// The name of the source.
    Memory(&'a str),
}

impl Subject<'_> {
    /// What the remedy of a message tells to do with it.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Subject::File(_) => "write",
            Subject::Memory(_) => "give",
        }
    }

    /// What it is.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Subject::File(_) => "file",
            Subject::Memory(_) => "data",
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::File(path) => write!(f, "the file {}", path.shown()),
            Subject::Memory(name) => write!(f, "the data given as {name}"),
        }
    }
}

impl<'a> From<&'a Path> for Subject<'a> {
    fn from(path: &'a Path) -> Self {
        Subject::File(path)
    }
}
