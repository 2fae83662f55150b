//! Streams the rows of a partition in order, file after file.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::path::Path;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::exact::Held;
use crate::output::{ProducedFile, ProducedRow, ProducedRows};
use crate::storage::PlacedFile;

/// A row, and the number of its part file.
#[derive(Debug)]
pub(super) struct FoundRow {
    pub part: usize,
    pub row: ProducedRow,
}

/// Streams the rows of the audited customers. Memory: 256 rows, decoded twice, and the rows looked ahead at.
pub(super) struct Rows<'a> {
    files: &'a [PlacedFile],
    /// `None`: rows of all customers.
    sample: Option<&'a BTreeSet<i64>>,
    cancel: &'a Cancel,
    open: Option<ProducedRows>,
    /// The number of the open file, or of the next file.
    part: usize,
    ahead: VecDeque<FoundRow>,
}

impl<'a> Rows<'a> {
    /// Returns the rows of these files, one file after the other; with a sample only those of its customers.
    pub(super) fn new(files: &'a [PlacedFile], sample: Option<&'a BTreeSet<i64>>, cancel: &'a Cancel) -> Self {
        Rows { files, sample, cancel, open: None, part: 0, ahead: VecDeque::new() }
    }

    /// Reads until this many rows are visible, or all that remain.
    pub(super) fn look(&mut self, rows: usize) -> Result<()> {
        while self.ahead.len() < rows {
            let Some(row) = self.read()? else { break };
            self.ahead.push_back(row);
        }
        Ok(())
    }

    /// Returns the row `place` positions ahead, 0 for the next; `None` after the last row or the rows that `look` read.
    pub(super) fn ahead(&self, place: usize) -> Option<&FoundRow> {
        self.ahead.get(place)
    }

    /// Advances by one row.
    pub(super) fn step(&mut self) {
        self.ahead.pop_front();
    }

    /// Returns the path of a part file.
    pub(super) fn path(&self, part: usize) -> Result<&Path> {
        self.files.get(part).map(PlacedFile::path).held("each row is in one of the part files")
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
            let Some(file) = self.files.get(self.part) else { return Ok(None) };
            let file = ProducedFile::open(file, self.cancel)?;
            let ranges = self.sample.map(|sample| ranges(&file, sample)).transpose()?;
            self.open = Some(file.read(ranges)?);
        }
    }
}

/// Returns the row ranges of some customers.
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
