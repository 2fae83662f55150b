//! The records that a vocabulary sorts: counts by id, and then by frequency.

use std::cmp::Reverse;
use std::mem::size_of;

use crate::input::Written;
use crate::sort::{Fields, Record};

/// How often an id occurs. Ordered by id, then by text.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct IdCount<T> {
    pub id: i64,
    pub written: T,
    pub actions: u64,
    pub impressions: u64,
}

impl<T: Written> IdCount<T> {
    /// Whether both count the same id, written alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.written == other.written
    }

    /// Adds the counts of the same id.
    pub(super) fn add(&mut self, other: &Self) {
        self.actions += other.actions;
        self.impressions += other.impressions;
    }

    pub(super) fn total(&self) -> u64 {
        self.actions + self.impressions
    }
}

impl<T: Written> Record for IdCount<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let IdCount { id, written, actions, impressions } = self;
        bytes.extend_from_slice(&id.to_le_bytes());
        bytes.extend_from_slice(&actions.to_le_bytes());
        bytes.extend_from_slice(&impressions.to_le_bytes());
        written.put(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let id = i64::from_le_bytes(fields.take()?);
        let (actions, impressions) = (u64::from_le_bytes(fields.take()?), u64::from_le_bytes(fields.take()?));
        let written = T::take(&mut fields)?;
        fields.end(IdCount { id, written, actions, impressions })
    }

    fn absorb(&mut self, following: &Self) -> bool {
        let is_same = self.is_same(following);
        if is_same {
            self.add(following);
        }
        is_same
    }

    fn memory_bytes(&self) -> usize {
        // Spreading records over buckets takes a quarter more.
        size_of::<Self>() * 5 / 4 + self.written.len()
    }

    fn sort_key(&self) -> u64 {
        (self.id ^ i64::MIN).cast_unsigned()
    }
}

/// All counts of an id. Ordered by frequency, the most frequent one first, then by id.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Ranked<T>(Reverse<u64>, IdCount<T>);

impl<T> Ranked<T> {
    pub(super) fn count(self) -> IdCount<T> {
        self.1
    }
}

impl<T: Written> From<IdCount<T>> for Ranked<T> {
    fn from(count: IdCount<T>) -> Self {
        Ranked(Reverse(count.total()), count)
    }
}

impl<T: Written> Record for Ranked<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.1.encode(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        IdCount::decode(bytes).map(Self::from)
    }

    fn memory_bytes(&self) -> usize {
        size_of::<Self>() * 5 / 4 + self.1.written.len()
    }

    fn sort_key(&self) -> u64 {
        !self.1.total()
    }

    fn low_sort_key(&self) -> u64 {
        self.1.sort_key()
    }
}
