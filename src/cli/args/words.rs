//! The values of the options that shape the rows.

use clap::ValueEnum;

use crate::model::{ExtraColumn, ItemType, OrderKind, TypeType};
use crate::output::Compression;

/// [`Compression`] as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Codec {
    /// Zstandard, level 1
    Zstd,
    /// Snappy
    Snappy,
    /// LZ4 (raw)
    Lz4,
    /// No compression
    None,
}

impl From<Codec> for Compression {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Zstd => Compression::Zstd,
            Codec::Snappy => Compression::Snappy,
            Codec::Lz4 => Compression::Lz4,
            Codec::None => Compression::None,
        }
    }
}

/// [`ExtraColumn`] as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Extra {
    /// The day, before the other columns: string. Without it, only the folder's name has the day
    Dt,
    /// Number of actions before the padding: int32
    HistoryLength,
    /// Days from each action to the day, at least 1; padding 0: list of int32
    ActionAges,
    /// Time of each action; padding 1970-01-01 00:00:00: list of timestamps (microseconds, UTC)
    ActionTimes,
}

impl From<Extra> for ExtraColumn {
    fn from(column: Extra) -> Self {
        match column {
            Extra::Dt => ExtraColumn::Dt,
            Extra::HistoryLength => ExtraColumn::HistoryLength,
            Extra::ActionAges => ExtraColumn::ActionAges,
            Extra::ActionTimes => ExtraColumn::ActionTimes,
        }
    }
}

/// [`ItemType`] as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Items {
    /// Signed, 64 bits
    Int64,
    /// Signed, 32 bits
    Int32,
}

impl From<Items> for ItemType {
    fn from(items: Items) -> Self {
        match items {
            Items::Int64 => ItemType::Int64,
            Items::Int32 => ItemType::Int32,
        }
    }
}

/// [`TypeType`] as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Types {
    /// Signed, 32 bits
    Int32,
    /// Unsigned, 8 bits
    Uint8,
}

impl From<Types> for TypeType {
    fn from(types: Types) -> Self {
        match types {
            Types::Int32 => TypeType::Int32,
            Types::Uint8 => TypeType::Uint8,
        }
    }
}

/// [`OrderKind`] as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Order {
    /// By customer, ranking id, list
    Customer,
    /// All rows shuffled
    Shuffled,
    /// Impressions shuffled; the rows of each stay together, in the order of its list
    Carousel,
}

impl From<Order> for OrderKind {
    fn from(order: Order) -> Self {
        match order {
            Order::Customer => OrderKind::Customer,
            Order::Shuffled => OrderKind::Shuffled,
            Order::Carousel => OrderKind::Carousel,
        }
    }
}
