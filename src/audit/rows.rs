//! The rows of a partition in their order, file after file.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::files::{ProducedFile, ProducedRow, ProducedRows};

/// A row, and the number of its part file.
#[derive(Debug)]
pub(super) struct FoundRow {
    pub part: usize,
    pub row: ProducedRow,
}

/// Streams the rows of the audited customers. Memory: 256 rows, decoded twice, and those looked at ahead.
pub(super) struct Rows {
    /// The files to come, each with the ranges of rows that are wanted.
    parts: std::vec::IntoIter<(ProducedFile, Option<Vec<Range<usize>>>)>,
    open: Option<ProducedRows>,
    paths: Vec<PathBuf>,
    /// The number of the open file.
    part: usize,
    ahead: VecDeque<FoundRow>,
}

impl Rows {
    /// The rows of these files; with a sample those of its customers, which all files are looked through for at once.
    pub fn new(files: Vec<ProducedFile>, sample: Option<&BTreeSet<i64>>) -> Result<Self> {
        let paths = files.iter().map(|file| file.path().to_owned()).collect();
        let mut parts = Vec::with_capacity(files.len());
        for file in files {
            let ranges = sample.map(|sample| ranges(&file, sample)).transpose()?;
            parts.push((file, ranges));
        }
        Ok(Rows { parts: parts.into_iter(), open: None, paths, part: 0, ahead: VecDeque::new() })
    }

    /// Reads on until so many rows can be seen, or all that there are.
    pub fn look(&mut self, rows: usize) -> Result<()> {
        while self.ahead.len() < rows {
            let Some(row) = self.read()? else { break };
            self.ahead.push_back(row);
        }
        Ok(())
    }

    /// The row so many places ahead, 0 for the next; `None` beyond the last, or beyond those that were looked at.
    pub fn ahead(&self, place: usize) -> Option<&FoundRow> {
        self.ahead.get(place)
    }

    /// Goes on to the row behind the next.
    pub fn step(&mut self) {
        self.ahead.pop_front();
    }

    /// Where a part file is.
    pub fn path(&self, part: usize) -> &Path {
        self.paths.get(part).map_or(Path::new(""), PathBuf::as_path)
    }

    fn read(&mut self) -> Result<Option<FoundRow>> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(row) = open.take()? {
                    return Ok(Some(FoundRow { part: self.part, row }));
                }
                self.part += 1;
                self.open = None;
            }
            let Some((file, ranges)) = self.parts.next() else { return Ok(None) };
            self.open = Some(file.read(ranges)?);
        }
    }
}

/// Where the rows of some customers are.
fn ranges(file: &ProducedFile, sample: &BTreeSet<i64>) -> Result<Vec<Range<usize>>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    file.customers(|index, customer| {
        if sample.contains(&customer) {
            match ranges.last_mut() {
                Some(last) if last.end == index => last.end += 1,
                _ => ranges.push(index..index + 1),
            }
        }
    })?;
    Ok(ranges)
}
