//! The settings of a partition.

use super::codec::Compression;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::{Day, Duplicates, RowColumns, RowOrder};

/// How many rows go into a row group and into a part file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileSizes {
    /// Rows of a row group, at least 1. The rows of one impression stay together, so an impression with more elements
    /// has a larger group of its own.
    pub row_group_rows: usize,
    /// Rows of a part file, in whole row groups.
    pub part_rows: usize,
}

impl Default for FileSizes {
    /// Row groups of 10,000 rows: 120 MB decoded with 1,000 actions a row, which a training reader loads at once. A
    /// part has a hundred row groups.
    fn default() -> Self {
        FileSizes { row_group_rows: 10_000, part_rows: 1_000_000 }
    }
}

/// The metadata of each part file, and how the rows are cut. Nothing here depends on how or when the store was filled.
#[derive(Clone, Debug)]
pub struct RowSettings {
    /// The day of the rows.
    pub dt: Day,
    /// All actions in the rows are earlier: ISO 8601.
    pub cut_off: String,
    /// The zone of the days.
    pub time_zone: String,
    /// The fingerprint of the zone's rules up to the day; `None` for UTC.
    pub zone_rules: Option<String>,
    /// Length of the padded arrays.
    pub max_history: usize,
    /// How many days back actions may lie; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// The newest batch used; `None` if there was none.
    pub newest_batch: Option<Day>,
    /// The names of the action types of the batches used, such as `view=1,buy=2`; `None` if they are click 1,
    /// add_to_cart 2, order 3.
    pub action_types: Option<String>,
    /// The compression of the pages.
    pub compression: Compression,
    /// The sizes of row groups and parts.
    pub sizes: FileSizes,
    /// Which columns the rows have.
    pub columns: RowColumns,
    /// The order of the rows.
    pub order: RowOrder,
    /// What became of equal actions in the store.
    pub duplicates: Duplicates,
}

/// Metadata of the settings that a part file omits if they have their defaults: each key, and the value if it is not
/// the default.
pub(crate) fn metadata_if_chosen(
    columns: RowColumns,
    order: RowOrder,
    duplicates: Duplicates,
) -> [(&'static str, Option<String>); 6] {
    let RowColumns { with, item_type, type_type } = columns;
    let unless_default = |is_default: bool, name: &str| (!is_default).then(|| name.to_owned());
    [
        ("lookback.with", unless_default(with.is_empty(), &with.name())),
        ("lookback.item_type", unless_default(item_type == Default::default(), item_type.name())),
        ("lookback.type_type", unless_default(type_type == Default::default(), type_type.name())),
        ("lookback.order", unless_default(order == RowOrder::default(), order.kind().name())),
        ("lookback.seed", order.seed().map(|seed| seed.to_string())),
        ("lookback.duplicates", unless_default(duplicates == Default::default(), duplicates.name())),
    ]
}

impl RowSettings {
    /// Returns the settings of an existing partition. Fails if its pages use a codec that this program cannot write.
    pub fn of(manifest: &Manifest) -> Result<Self> {
        let shape = &manifest.settings;
        let compression = Compression::named(&shape.compression).ok_or_else(|| {
            let codec = &shape.compression;
            Error::input(
                format!("the partition of {} has pages in {codec:?}, which this program does not write", manifest.dt),
                message!["produce it with ", [Backfill], " without ", Stale],
            )
        })?;
        Ok(RowSettings {
            dt: manifest.dt,
            cut_off: manifest.cut_off.clone(),
            time_zone: shape.time_zone.clone(),
            zone_rules: shape.zone_rules.clone(),
            max_history: shape.max_history,
            lookback_days: shape.lookback_days,
            newest_batch: manifest.newest_batch,
            action_types: manifest.action_types.clone(),
            compression,
            sizes: FileSizes { row_group_rows: shape.row_group_rows, part_rows: shape.part_rows },
            columns: shape.columns(),
            order: shape.row_order()?,
            duplicates: shape.duplicates,
        })
    }

    /// Returns names and values for the key-value metadata of a Parquet file.
    pub fn key_values(&self) -> Vec<(String, String)> {
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        let always = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("dt", self.dt.to_string()),
            ("cut_off", self.cut_off.clone()),
            ("time_zone", self.time_zone.clone()),
            ("max_history", self.max_history.to_string()),
            ("lookback_days", or_none(self.lookback_days.map(|days| days.to_string()))),
            ("newest_batch", or_none(self.newest_batch.map(|day| day.to_string()))),
        ];
        let always = always.map(|(name, value)| (format!("lookback.{name}"), value));
        let rules = self.zone_rules.clone().map(|rules| ("lookback.zone_rules".to_owned(), rules));
        let types = self.action_types.clone().map(|types| ("lookback.action_types".to_owned(), types));
        let chosen = metadata_if_chosen(self.columns, self.order, self.duplicates).into_iter();
        let chosen = chosen.filter_map(|(key, value)| Some((key.to_owned(), value?)));
        always.into_iter().chain(rules).chain(types).chain(chosen).collect()
    }
}
