//! What can be sorted.

/// What can be sorted and spilled.
///
/// `Ord` must be total, with records that compare equal being the same in every byte; so the sorted sequence depends on
/// the set of records alone.
pub trait Record: Ord + Send + Sync + Sized {
    /// Appends the bytes of the record.
    fn encode(&self, bytes: &mut Vec<u8>);
    /// The record of these bytes; `None` for bytes that `encode` does not write.
    fn decode(bytes: &[u8]) -> Option<Self>;
    /// Memory that the record takes, itself, what it owns, and what sorting it takes.
    fn memory_bytes(&self) -> usize;
    /// A number that agrees with the order: of two records, the smaller has no larger one.
    fn sort_key(&self) -> u64;
    /// The same among records with equal sort keys; 0 where there is no such number.
    fn low_sort_key(&self) -> u64 {
        0
    }
}
