//! Cuts sorted rows into row groups.

use crate::error::Result;
use crate::model::Impression;

/// Chunks in flight for each thread: a finished one that waits to be written, and the one in work.
pub(super) const CHUNKS_AHEAD: usize = 2;

/// Rows that stay in one row group, such as those of an impression.
pub(crate) trait Rows {
    /// Returns the number of rows.
    fn rows(&self) -> usize;

    /// Whether they are of an impression equal to that of the rows before.
    fn repeats(&self, before: &Self) -> bool;
}

impl Rows for Impression {
    fn rows(&self) -> usize {
        self.elements.len()
    }

    fn repeats(&self, before: &Self) -> bool {
        self == before
    }
}

/// Cuts a sorted stream into chunks of at most `rows_max` rows. The cuts depend only on the rows, so equal streams are
/// cut alike.
///
/// Memory: one chunk.
pub(crate) struct Chunks<I: Iterator<Item = Result<R>>, R> {
    stream: I,
    rows_max: usize,
    /// The first element of the next chunk.
    next: Option<R>,
    repeats: u64,
}

impl<R: Rows, I: Iterator<Item = Result<R>>> Chunks<I, R> {
    pub(crate) fn new(stream: I, rows_max: usize) -> Self {
        Chunks { stream, rows_max, next: None, repeats: 0 }
    }

    /// Returns how many impressions so far were equal to the one before.
    pub(crate) fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Returns the next chunk, which is never empty; `None` at the end.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Vec<R>>> {
        let mut chunk: Vec<R> = self.next.take().into_iter().collect();
        let mut rows: usize = chunk.iter().map(R::rows).sum();
        while let Some(more) = self.stream.next().transpose()? {
            rows += more.rows();
            self.repeats += u64::from(chunk.last().is_some_and(|last| more.repeats(last)));
            if rows > self.rows_max && !chunk.is_empty() {
                self.next = Some(more);
                break;
            }
            chunk.push(more);
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}
