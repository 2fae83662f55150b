//! Hashes of several byte strings, such as those of a batch's files.

use xxhash_rust::xxh3::Xxh3;

use super::value::{BatchRecord, FileRecord};

/// Returns one hash of source, path, size and content of each file of a batch, as 32 hexadecimal digits: batches with
/// equal hashes are equal. A source from a configuration is hashed by its mapping.
pub(crate) fn files_fingerprint(record: &BatchRecord) -> String {
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

/// Hashes several byte strings into one hash; each string's length is hashed before it, as a separator.
pub(crate) struct Hasher(Xxh3);

impl Hasher {
    /// Returns a hasher without input.
    pub(crate) fn new() -> Self {
        Hasher(Xxh3::new())
    }

    /// Adds one byte string.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Returns the hash.
    pub(crate) fn digest(&self) -> [u8; 16] {
        self.0.digest128().to_be_bytes()
    }

    /// Returns the hash as 32 hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}
