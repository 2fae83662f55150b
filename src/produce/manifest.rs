//! The manifest of a produced partition.

use super::day_input::DayInput;
use crate::format::FORMAT_VERSION;
use crate::input::DayFile;
use crate::manifest::{ImpressionFile, MANIFEST_VERSION, Manifest, PartFile, RestsOn, RowShape, RowTally};
use crate::model::RowColumns;
use crate::output::RowSettings;
use crate::storage::Fingerprint;

/// Returns the manifest of a partition with these parts.
pub(super) fn manifest(input: &DayInput, parts: Vec<PartFile>) -> Manifest {
    let DayInput { settings, summary, batches, known, files, mapping, inputs, wanted: _ } = input;
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
        duplicates,
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
            duplicates: *duplicates,
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
        shards: None,
        parts,
        action_types: action_types.clone(),
        impression_mapping: mapping.clone(),
        impression_files: files.iter().map(impression_file).collect(),
        inputs: inputs.clone(),
        batches: used.map(|(day, batch)| RestsOn { day, files: batch.fingerprint.clone() }).collect(),
        checksum: None,
    }
}
