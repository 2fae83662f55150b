//! One manifest for the parts of all shards.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::format::hex;
use crate::manifest::{Manifest, RowTally};
use crate::storage::hash_of_texts;

/// Returns the manifest of a partition that has the parts of all shards, given in the order of the shards.
///
/// Rows, impressions and customers are sums, since each customer is in one shard. Of action types it has the names that
/// any shard has. Its parts are those of the first: whoever puts them in place says which they are. Where shards rest
/// on other files of a batch or have other impressions, since each task was given its own rows, the manifest has a hash
/// over those of all shards.
pub(super) fn merged(manifests: Vec<Manifest>) -> Result<Manifest> {
    let mut manifests = manifests.into_iter();
    let Some(first) = manifests.next() else { return Err(Error::internal("no shard has rows")) };
    let others: Vec<Manifest> = manifests.collect();
    let all = || std::iter::once(&first).chain(&others);
    for other in &others {
        if (other.dt, &other.settings, other.newest_batch) != (first.dt, &first.settings, first.newest_batch) {
            return Err(Error::internal("shards have produced rows with other settings"));
        }
        if !other.batches.iter().map(|batch| batch.day).eq(first.batches.iter().map(|batch| batch.day)) {
            return Err(Error::internal("shards have other batches"));
        }
    }
    let mut merged = first.clone();
    merged.rows = all().map(|manifest| manifest.rows).sum();
    merged.impressions = all().map(|manifest| manifest.impressions).sum();
    merged.customers = all().map(|manifest| manifest.customers).sum();
    merged.tally = all().map(|manifest| manifest.tally).sum::<Option<RowTally>>();
    merged.shards = u32::try_from(all().count()).ok().filter(|shards| *shards > 1);
    merged.inputs = combined(all().map(|manifest| manifest.inputs.as_str()));
    for (index, batch) in merged.batches.iter_mut().enumerate() {
        batch.files = combined(all().filter_map(|manifest| Some(manifest.batches.get(index)?.files.as_str())));
    }
    for (index, file) in merged.impression_files.iter_mut().enumerate() {
        let of_shards = || all().filter_map(|manifest| manifest.impression_files.get(index));
        if of_shards().any(|other| other != file) {
            let hash = combined(of_shards().map(|file| file.xxh3_128.as_str()));
            (file.bytes, file.xxh3_128) = (of_shards().map(|file| file.bytes).sum(), hash);
        }
    }
    let types: BTreeSet<&str> =
        all().filter_map(|manifest| manifest.action_types.as_deref()).flat_map(|types| types.split(',')).collect();
    let numbered = |text: &&str| text.split_once('=').and_then(|(_, number)| number.parse::<u8>().ok());
    let mut types: Vec<&str> = types.into_iter().collect();
    types.sort_by_key(numbered);
    merged.action_types = (!types.is_empty()).then(|| types.join(","));
    Ok(merged)
}

/// Returns the hash that all shards have, or one over those of all, in their order.
///
/// Of a shard that has been dealt out to two, shard N and shard N plus half of their number have the same files; then
/// the hash is that of before.
pub(super) fn combined<'a>(hashes: impl Iterator<Item = &'a str>) -> String {
    let mut hashes: Vec<&str> = hashes.collect();
    while let (one, other) = hashes.split_at(hashes.len() / 2)
        && one == other
        && !one.is_empty()
    {
        hashes.truncate(one.len());
    }
    match hashes.as_slice() {
        [hash] => (*hash).to_owned(),
        all => hex(&hash_of_texts(all.iter().copied())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_changes_no_hash_over_those_of_all_shards() {
        let of = |hashes: &[&str]| combined(hashes.iter().copied());
        assert_eq!([of(&["a"]), of(&["a", "a"]), of(&["a"; 8])], ["a"; 3]);
        let two = of(&["a", "b"]);
        assert_eq!(two, hex(&hash_of_texts(["a", "b"].into_iter())));
        assert_eq!(
            [of(&["a", "b", "a", "b"]), of(&["a", "b", "a", "b", "a", "b", "a", "b"])],
            [two.clone(), two.clone()]
        );
        for other in [["a", "b", "b", "a"], ["a", "a", "b", "b"], ["a", "b", "a", "a"]] {
            assert_ne!(of(&other), two);
        }
    }
}
