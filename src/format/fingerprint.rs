//! Hashes over several things, such as the files of a batch.

use xxhash_rust::xxh3::Xxh3;

use super::value::{BatchRecord, FileRecord};

/// One hash over source, path, size and content of each file of a batch, as 32 hexadecimal digits: two batches with the
/// same one are the same. A source that a configuration described counts by what its rows become.
pub fn files_fingerprint(record: &BatchRecord) -> String {
    let mut hasher = Hasher::new();
    for FileRecord { source, path, bytes, xxh3_128 } in &record.files {
        match record.sources.get(usize::from(*source).wrapping_sub(1)) {
            None => hasher.add(&[*source]),
            Some(described) => hasher.add(&described.mapping),
        }
        hasher.add(path.as_bytes());
        hasher.add(&bytes.to_le_bytes());
        hasher.add(xxh3_128);
    }
    hasher.hex()
}

/// Hashes several things into one: each is told apart from its neighbours by its length.
pub struct Hasher(Xxh3);

impl Hasher {
    /// A hash of nothing yet.
    pub fn new() -> Self {
        Hasher(Xxh3::new())
    }

    /// Adds one thing.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The hash.
    pub fn digest(&self) -> [u8; 16] {
        self.0.digest128().to_be_bytes()
    }

    /// The hash as 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}
