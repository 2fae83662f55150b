//! How the files of a source are read, apart from the names of their columns.

use crate::sources::{ActionSource, CsvDialect, ImpressionSource, Int96};

/// How to read a file. A setting for one kind of file means nothing to the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadOptions<'a> {
    /// The meaning of INT96 times; `None`: what the program that wrote them is known for.
    pub int96: Option<Int96>,
    /// How CSV is written.
    pub csv: &'a CsvDialect,
    /// The list in each record whose elements are the rows.
    pub explode: Option<&'a str>,
}

impl<'a> From<&'a ActionSource> for ReadOptions<'a> {
    fn from(source: &'a ActionSource) -> Self {
        ReadOptions { int96: source.int96, csv: &source.csv, explode: source.explode.as_deref() }
    }
}

impl<'a> From<&'a ImpressionSource> for ReadOptions<'a> {
    fn from(source: &'a ImpressionSource) -> Self {
        ReadOptions { int96: None, csv: &source.csv, explode: None }
    }
}
