//! The fingerprint of everything that a partition is made from.

use crate::format::Hasher;
use crate::input::DayFile;
use crate::model::{Day, Duplicates};
use crate::output::RowSettings;
use crate::storage::Fingerprint;
use crate::store::Batches;

/// Returns a hash of everything that determines the bytes of a partition: settings, program version, the files of the
/// batches up to `known`, the horizon, whether duplicates are dropped, and the impression files with their `mapping`
/// (see [`crate::sources::ImpressionSource::mapping`]). Partitions with equal hashes are identical in every byte,
/// except for rows of customers who were forgotten in between.
pub(crate) fn inputs_fingerprint(
    settings: &RowSettings,
    batches: &Batches,
    known: Option<Day>,
    (horizon, duplicates): (Option<Day>, Duplicates),
    mapping: Option<&str>,
    impressions: &[(DayFile, Fingerprint)],
) -> String {
    let mut hasher = Hasher::new();
    for (key, value) in settings.key_values() {
        hasher.add(key.as_bytes());
        hasher.add(value.as_bytes());
    }
    hasher.add(settings.compression.name().as_bytes());
    for rows in [settings.sizes.row_group_rows, settings.sizes.part_rows] {
        hasher.add(&(rows as u64).to_le_bytes());
    }
    for (day, batch) in batches.iter().filter(|(day, _)| known.is_none_or(|known| *day <= known)) {
        hasher.add(&day.number().to_le_bytes());
        hasher.add(batch.fingerprint.as_bytes());
    }
    if let Some(horizon) = horizon {
        hasher.add(b"horizon");
        hasher.add(&horizon.number().to_le_bytes());
    }
    if let Some(mapping) = mapping {
        hasher.add(b"mapping");
        hasher.add(mapping.as_bytes());
    }
    if duplicates == Duplicates::Drop {
        hasher.add(b"duplicates");
        hasher.add(duplicates.name().as_bytes());
    }
    hasher.add(b"impressions");
    for (file, fingerprint) in impressions {
        hasher.add(file.name.as_bytes());
        hasher.add(&fingerprint.bytes.to_le_bytes());
        hasher.add(&fingerprint.xxh3_128);
    }
    hasher.hex()
}
