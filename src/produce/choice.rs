//! The settings of rows that the user chose.

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::message::{Setting, message};
use crate::model::{ExtraColumns, ItemType, OrderKind, RowColumns, RowOrder, TypeType};
use crate::options::options;
use crate::output::{Compression, FileSizes, RowSettings};

options! {
    /// The settings of rows that can be chosen.
    #[derive(Copy, Eq, PartialEq)]
    RowChoice() {
        /// Length of the padded arrays. Default: the store's `max_history`.
        max_history: Option<usize> = None,
        /// Only actions of this many days before the day. Default: no limit.
        lookback_days: Option<u32> = None,
        /// How pages are compressed. Default: Zstandard.
        compression: Option<Compression> = None,
        /// Rows in a row group. Default: see [`FileSizes`].
        row_group_rows: Option<usize> = None,
        /// Rows in a part file. Default: see [`FileSizes`].
        part_rows: Option<usize> = None,
        /// Columns added to those that all rows have. Default: none.
        with: Option<ExtraColumns> = None,
        /// The integer type of items. Default: the widest.
        item_type: Option<ItemType> = None,
        /// The integer type of action types. Default: the widest.
        type_type: Option<TypeType> = None,
        /// The order of the rows. Default: by customer.
        order: Option<OrderKind> = None,
        /// The seed of a shuffled order. Default: 0.
        seed: Option<u64> = None,
    }
}

impl Default for RowChoice {
    fn default() -> Self {
        Self::new()
    }
}

impl RowChoice {
    /// Returns how pages are compressed.
    pub(crate) fn page_compression(&self) -> Compression {
        self.compression.unwrap_or(Compression::Zstd)
    }

    /// Returns the sizes of row groups and part files.
    pub(crate) fn file_sizes(&self) -> FileSizes {
        let FileSizes { row_group_rows, part_rows } = FileSizes::default();
        FileSizes {
            row_group_rows: self.row_group_rows.unwrap_or(row_group_rows),
            part_rows: self.part_rows.unwrap_or(part_rows),
        }
    }

    /// Returns the columns of the rows.
    pub(crate) fn row_columns(&self) -> RowColumns {
        RowColumns {
            with: self.with.unwrap_or_default(),
            item_type: self.item_type.unwrap_or_default(),
            type_type: self.type_type.unwrap_or_default(),
        }
    }

    /// Returns the order of the rows. Fails if there is a seed but the order uses none.
    pub(crate) fn row_order(&self) -> Result<RowOrder> {
        let kind = self.order.unwrap_or_default();
        RowOrder::of(kind, self.seed).ok_or_else(|| {
            Error::usage(
                message![Seed, (" {} has no use with ", self.seed.unwrap_or(0)), Order, (" {}", kind.name())],
                message!["use ", Order, " shuffled or ", Order, " carousel, or leave the seed out"],
            )
        })
    }

    /// Returns all settings of an existing partition. Fails if a setting was chosen that differs from the partition's:
    /// reproducing a partition and changing its settings exclude each other.
    pub fn kept(&self, manifest: &Manifest) -> Result<Self> {
        let settings = RowSettings::of(manifest)?;
        let kept = RowChoice {
            max_history: Some(settings.max_history),
            lookback_days: settings.lookback_days,
            compression: Some(settings.compression),
            row_group_rows: Some(settings.sizes.row_group_rows),
            part_rows: Some(settings.sizes.part_rows),
            with: Some(settings.columns.with),
            item_type: Some(settings.columns.item_type),
            type_type: Some(settings.columns.type_type),
            order: Some(settings.order.kind()),
            seed: settings.order.seed(),
        };
        for ((option, chosen), (_, was)) in self.typed().into_iter().zip(kept.typed()) {
            if let Some(chosen) = chosen.filter(|chosen| Some(chosen) != was.as_ref()) {
                let was = was.map_or_else(|| message!["no ", { option }], |was| message![{ option }, " {was}"]);
                return Err(Error::refused(
                    message![
                        { option },
                        (" {chosen} was given, but the partition of {} was produced with ", manifest.dt),
                        { was }
                    ],
                    message![
                        "leave the option out to keep the settings of each partition, or produce with ",
                        [Backfill],
                        " without ",
                        Stale
                    ],
                ));
            }
        }
        Ok(kept)
    }

    /// Returns each option with the value that was chosen.
    fn typed(&self) -> [(Setting, Option<String>); 10] {
        let RowChoice { max_history, lookback_days, compression, row_group_rows, part_rows, .. } = *self;
        let RowChoice { with, item_type, type_type, order, seed, .. } = *self;
        let text = |number: Option<usize>| number.map(|number| number.to_string());
        let name = |name: Option<&str>| name.map(str::to_owned);
        [
            (Setting::MaxHistory, text(max_history)),
            (Setting::LookbackDays, lookback_days.map(|days| days.to_string())),
            (Setting::Compression, name(compression.map(Compression::name))),
            (Setting::RowGroupRows, text(row_group_rows)),
            (Setting::PartRows, text(part_rows)),
            (Setting::With, with.map(|with| if with.is_empty() { "nothing".to_owned() } else { with.name() })),
            (Setting::ItemType, name(item_type.map(ItemType::name))),
            (Setting::TypeType, name(type_type.map(TypeType::name))),
            (Setting::Order, name(order.map(OrderKind::name))),
            (Setting::Seed, seed.map(|seed| seed.to_string())),
        ]
    }
}
