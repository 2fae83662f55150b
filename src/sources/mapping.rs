//! The hash by which a batch tells whether a source is described as before.

use xxhash_rust::xxh3::Xxh3;

use crate::model::Ids;

/// A hash over the description's parts that determine a source's actions: XXH3-128, big-endian.
pub type Mapping = [u8; 16];

/// Appends a text after its length in 8 bytes.
pub(super) fn put(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Appends what ids are, unless they are integers that stay what they are.
pub(super) fn put_ids(ids: Ids, bytes: &mut Vec<u8>) {
    let Ids { customer, item, item_offset } = ids;
    if ids != Ids::default() {
        for text in ["ids", customer.name(), item.name(), &item_offset.to_string()] {
            put(text, bytes);
        }
    }
}

pub(super) fn hash(bytes: &[u8]) -> Mapping {
    let mut hasher = Xxh3::new();
    hasher.update(bytes);
    hasher.digest128().to_be_bytes()
}
