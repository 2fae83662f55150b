//! The manifest of a produced partition.

use super::summary::ProduceSummary;
use crate::format::FORMAT_VERSION;
use crate::input::DayFile;
use crate::manifest::{ImpressionFile, MANIFEST_VERSION, Manifest, PartFile, RestsOn, RowShape, RowTally};
use crate::model::{Day, RowColumns};
use crate::output::RowSettings;
use crate::storage::Fingerprint;
use crate::store::Batches;

/// What the rows were made from.
pub(super) struct MadeFrom<'a> {
    pub settings: &'a RowSettings,
    pub batches: &'a Batches,
    /// Batches after this one were not used.
    pub known: Option<Day>,
    pub files: &'a [(DayFile, Fingerprint)],
    /// The mapping of their columns; `None` without a configuration.
    pub mapping: Option<String>,
}

/// Returns the manifest of a partition with these parts.
pub(super) fn manifest(
    made_from: &MadeFrom<'_>,
    inputs: String,
    summary: &ProduceSummary,
    parts: Vec<PartFile>,
) -> Manifest {
    let MadeFrom { settings, batches, known, files, mapping } = made_from;
    let RowSettings {
        dt,
        cut_off,
        time_zone,
        zone_rules,
        max_history,
        lookback_days,
        newest_batch,
        action_types,
        compression,
        sizes,
        columns: RowColumns { with, item_type, type_type },
        order,
    } = settings;
    let used = batches.iter().filter(|(day, _)| known.is_none_or(|known| *day <= known));
    let impression_file = |(file, fingerprint): &(DayFile, Fingerprint)| ImpressionFile {
        name: file.name.clone(),
        bytes: fingerprint.bytes,
        xxh3_128: fingerprint.hex(),
    };
    Manifest {
        manifest_version: MANIFEST_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        format_version: FORMAT_VERSION,
        dt: *dt,
        cut_off: cut_off.clone(),
        settings: RowShape {
            time_zone: time_zone.clone(),
            zone_rules: zone_rules.clone(),
            max_history: *max_history,
            lookback_days: *lookback_days,
            compression: compression.name().to_owned(),
            row_group_rows: sizes.row_group_rows,
            part_rows: sizes.part_rows,
            with: *with,
            item_type: *item_type,
            type_type: *type_type,
            order: order.kind(),
            seed: order.seed(),
        },
        newest_batch: *newest_batch,
        rows: summary.rows,
        impressions: summary.impressions,
        customers: summary.customers,
        tally: Some(RowTally {
            ordered: summary.ordered,
            rows_without_history: summary.rows_without_history,
            filled: summary.filled,
        }),
        parts,
        action_types: action_types.clone(),
        impression_mapping: mapping.clone(),
        impression_files: files.iter().map(impression_file).collect(),
        inputs,
        batches: used.map(|(day, batch)| RestsOn { day, files: batch.fingerprint.clone() }).collect(),
        checksum: None,
    }
}
