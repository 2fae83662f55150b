//! The values of options that are words.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use lookback::model::{Duplicates, ExtraColumn, IdKind, ItemType, OrderKind, TableFormat, TypeType};
use lookback::output::Compression;

/// Takes the names of some values; each with what the help says of it.
fn words<T: Copy + Send + Sync + 'static>(
    all: &'static [(T, &'static str)],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let words = all.iter().map(move |(value, help)| PossibleValue::new(name(*value)).help(*help));
    let named = move |typed: String| all.iter().find(|(value, _)| name(*value) == typed).map(|(value, _)| *value);
    PossibleValuesParser::new(words).try_map(move |typed| named(typed).ok_or("is not one of the values"))
}

/// A codec.
pub(super) fn codec() -> impl TypedValueParser<Value = Compression> {
    let all = &[
        (Compression::Zstd, "Zstandard, level 1"),
        (Compression::Snappy, "Snappy"),
        (Compression::Lz4, "LZ4 (raw)"),
        (Compression::None, "No compression"),
    ];
    words(all, Compression::name)
}

/// What becomes of equal actions.
pub(super) fn duplicates() -> impl TypedValueParser<Value = Duplicates> {
    let all = &[(Duplicates::Keep, "Histories hold all of them"), (Duplicates::Drop, "Histories hold one of them")];
    words(all, Duplicates::name)
}

/// A column that rows have on request.
pub(super) fn extra() -> impl TypedValueParser<Value = ExtraColumn> {
    let all = &[
        (ExtraColumn::Dt, "The day, before the other columns: string. Without it, only the folder's name has the day"),
        (ExtraColumn::HistoryLength, "Number of actions before the padding: int32"),
        (ExtraColumn::ActionAges, "Days from each action to the day, at least 1; padding 0: list of int32"),
        (
            ExtraColumn::ActionTimes,
            "Time of each action; padding 1970-01-01 00:00:00: list of timestamps (microseconds, UTC)",
        ),
    ];
    words(all, ExtraColumn::name)
}

/// The type of items.
pub(super) fn item_type() -> impl TypedValueParser<Value = ItemType> {
    words(&[(ItemType::Int64, "Signed, 64 bits"), (ItemType::Int32, "Signed, 32 bits")], ItemType::name)
}

/// The type of action types.
pub(super) fn type_type() -> impl TypedValueParser<Value = TypeType> {
    words(&[(TypeType::Int32, "Signed, 32 bits"), (TypeType::Uint8, "Unsigned, 8 bits")], TypeType::name)
}

/// An order of rows.
pub(super) fn order() -> impl TypedValueParser<Value = OrderKind> {
    let all = &[
        (OrderKind::Customer, "By customer, ranking id, list"),
        (OrderKind::Shuffled, "All rows shuffled"),
        (OrderKind::Carousel, "Impressions shuffled; the rows of each stay together, in the order of its list"),
    ];
    words(all, OrderKind::name)
}

/// A kind of table.
pub(super) fn table() -> impl TypedValueParser<Value = TableFormat> {
    words(&[(TableFormat::Delta, "Delta Lake")], TableFormat::name)
}

/// What the ids of a vocabulary are of.
pub(super) fn id_kind() -> impl TypedValueParser<Value = IdKind> {
    let all = &[
        (IdKind::Items, "Items of actions and of impression lists"),
        (IdKind::Customers, "Customers of actions and impressions"),
    ];
    words(all, IdKind::name)
}
