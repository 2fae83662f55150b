//! Cutting sorted rows into row groups.

use crate::error::Result;
use crate::model::Impression;

/// How many chunks of each thread may wait to be written: one that is done, while another is worked on.
pub(super) const CHUNKS_AHEAD: usize = 2;

/// What stands for rows that stay together.
pub(super) trait Rows {
    /// How many they are.
    fn rows(&self) -> usize;

    /// Whether they are the same impression once more as those that come before.
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

/// Cuts a sorted stream into chunks of at most `rows_max` rows. By the rows alone, so that the same rows are always cut
/// the same.
///
/// Memory: one chunk.
pub(super) struct Chunks<I: Iterator<Item = Result<R>>, R> {
    stream: I,
    rows_max: usize,
    /// What the next chunk begins with.
    next: Option<R>,
    repeats: u64,
}

impl<R: Rows, I: Iterator<Item = Result<R>>> Chunks<I, R> {
    pub fn new(stream: I, rows_max: usize) -> Self {
        Chunks { stream, rows_max, next: None, repeats: 0 }
    }

    /// How many so far were the same impression as the one before.
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// The next chunk, never an empty one; `None` at the end.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<R>>> {
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
