//! Several ascending streams as one.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::error::Result;
use crate::exact::Held;

/// Merges streams, each in the ascending order of a key. Of equal keys, that of the first stream comes first. Ends with
/// the first error.
///
/// Memory: one element of each stream.
pub(super) struct Merged<I, T, K> {
    streams: Vec<I>,
    key: fn(&T) -> K,
    heads: BinaryHeap<Reverse<Head<T, K>>>,
}

struct Head<T, K> {
    key: K,
    stream: usize,
    element: T,
}

impl<T, K: Ord> Ord for Head<T, K> {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.key, self.stream).cmp(&(&other.key, other.stream))
    }
}

impl<T, K: Ord> PartialOrd for Head<T, K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T, K: Ord> PartialEq for Head<T, K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T, K: Ord> Eq for Head<T, K> {}

impl<T, K: Ord, I: Iterator<Item = Result<T>>> Merged<I, T, K> {
    pub(super) fn new(streams: Vec<I>, key: fn(&T) -> K) -> Result<Self> {
        let mut merged = Merged { heads: BinaryHeap::with_capacity(streams.len()), streams, key };
        (0..merged.streams.len()).try_for_each(|stream| merged.advance(stream))?;
        Ok(merged)
    }

    fn advance(&mut self, stream: usize) -> Result<()> {
        let next = self.streams.get_mut(stream).held("a head is of one of the streams")?.next().transpose()?;
        let head = next.map(|element| Reverse(Head { key: (self.key)(&element), stream, element }));
        self.heads.extend(head);
        Ok(())
    }

    /// Returns the next element; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<T>> {
        let Some(Reverse(Head { stream, element, .. })) = self.heads.pop() else { return Ok(None) };
        self.advance(stream)?;
        Ok(Some(element))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn streams_are_merged_in_order_up_to_an_error() {
        let stream = |numbers: &[u32]| numbers.iter().copied().map(Ok).collect::<Vec<Result<u32>>>().into_iter();
        let mut merged =
            Merged::new(vec![stream(&[1, 4, 9]), stream(&[]), stream(&[2, 3, 4, 20])], |one| *one).unwrap();
        let all: Vec<u32> = std::iter::from_fn(|| merged.next().unwrap()).collect();
        assert_eq!(all, [1, 2, 3, 4, 4, 9, 20]);
        let failing = vec![Ok(1), Err(Error::corrupt("x")), Ok(3)].into_iter();
        let mut merged = Merged::new(vec![failing], |one: &u32| *one).unwrap();
        assert!(merged.next().is_err());
    }
}
