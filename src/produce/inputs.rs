//! What a partition is made from, as one fingerprint.

use crate::format::Hasher;
use crate::input::DayFile;
use crate::model::Day;
use crate::output::RowSettings;
use crate::storage::Fingerprint;
use crate::store::Batches;

/// A hash over everything that the bytes of a partition follow from: settings, program version, the files of the
/// batches that count, the horizon, and the impression files with their `mapping` (see
/// [`crate::sources::ImpressionSource::mapping`]). Two partitions with the same one are the same in every byte, but for
/// the rows of customers who have been forgotten between the two.
pub fn inputs_fingerprint(
    settings: &RowSettings,
    batches: &Batches,
    known: Option<Day>,
    horizon: Option<Day>,
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
    hasher.add(b"impressions");
    for (file, fingerprint) in impressions {
        hasher.add(file.name.as_bytes());
        hasher.add(&fingerprint.bytes.to_le_bytes());
        hasher.add(&fingerprint.xxh3_128);
    }
    hasher.hex()
}
