//! The records that a vocabulary sorts: counts by id, and then by frequency.

use std::cmp::Reverse;
use std::mem::size_of;

use crate::sort::{Fields, Record};

/// How often an id occurs. Ordered by id.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct IdCount {
    pub id: i64,
    pub actions: u64,
    pub impressions: u64,
}

impl IdCount {
    /// Adds the counts of the same id.
    pub(super) fn add(&mut self, other: &Self) {
        self.actions += other.actions;
        self.impressions += other.impressions;
    }

    pub(super) fn total(&self) -> u64 {
        self.actions + self.impressions
    }
}

impl Record for IdCount {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let IdCount { id, actions, impressions } = self;
        bytes.extend_from_slice(&id.to_le_bytes());
        bytes.extend_from_slice(&actions.to_le_bytes());
        bytes.extend_from_slice(&impressions.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let count = IdCount {
            id: i64::from_le_bytes(fields.take()?),
            actions: u64::from_le_bytes(fields.take()?),
            impressions: u64::from_le_bytes(fields.take()?),
        };
        fields.end(count)
    }

    fn absorb(&mut self, following: &Self) -> bool {
        let is_same = self.id == following.id;
        if is_same {
            self.add(following);
        }
        is_same
    }

    fn memory_bytes(&self) -> usize {
        // Spreading records over buckets takes a quarter more.
        size_of::<Self>() * 5 / 4
    }

    fn sort_key(&self) -> u64 {
        (self.id ^ i64::MIN).cast_unsigned()
    }
}

/// All counts of an id. Ordered by frequency, the most frequent one first, then by id.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Ranked(Reverse<u64>, IdCount);

impl Ranked {
    pub(super) fn count(self) -> IdCount {
        self.1
    }
}

impl From<IdCount> for Ranked {
    fn from(count: IdCount) -> Self {
        Ranked(Reverse(count.total()), count)
    }
}

impl Record for Ranked {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.1.encode(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        IdCount::decode(bytes).map(Self::from)
    }

    fn memory_bytes(&self) -> usize {
        size_of::<Self>() * 5 / 4
    }

    fn sort_key(&self) -> u64 {
        !self.1.total()
    }

    fn low_sort_key(&self) -> u64 {
        self.1.sort_key()
    }
}
