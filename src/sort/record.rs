//! The trait of records that can be sorted.

/// A record that can be sorted and spilled to disk.
///
/// `Ord` must be total, and records that compare equal must be identical in every byte; so the sorted sequence depends
/// only on the set of records.
pub trait Record: Ord + Send + Sync + Sized {
    /// Appends the bytes of the record to `bytes`.
    fn encode(&self, bytes: &mut Vec<u8>);
    /// Returns the record with these bytes; `None` for bytes that `encode` does not write.
    fn decode(bytes: &[u8]) -> Option<Self>;
    /// Returns the memory that the record takes: its own, what it owns, and what sorting it needs.
    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>()
    }
    /// Takes up the record that follows in the order, if both can be one; so spilled records need less space. Whoever
    /// takes sorted records must take those that were not taken up as well. Default: no records can be one.
    fn absorb(&mut self, _following: &Self) -> bool {
        false
    }
    /// Returns a number that agrees with the order: the smaller of two records has the smaller number or the same one.
    fn sort_key(&self) -> u64;
    /// Returns such a number for records with equal sort keys; 0 if the record has none.
    fn low_sort_key(&self) -> u64 {
        0
    }
}

/// A number to sort by, a low one, and what is in neither.
#[cfg(test)]
impl Record for (u64, u64, u8) {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&self.1.to_le_bytes());
        bytes.push(self.2);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = super::Fields(bytes);
        Some((u64::from_le_bytes(fields.take()?), u64::from_le_bytes(fields.take()?), fields.take::<1>()?[0]))
    }

    fn sort_key(&self) -> u64 {
        self.0
    }

    fn low_sort_key(&self) -> u64 {
        self.1
    }
}
