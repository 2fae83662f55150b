//! Actions and impressions as the raw files have them.

use std::cmp::Reverse;

/// A position in the raw files: the number of the file among its kind, and the position in it, as in
/// [`crate::input::DayFile::place`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    pub file: u32,
    pub number: u64,
}

/// An action of a raw file. Memory: 40 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawAction {
    pub time_us: i64,
    pub item: i64,
    /// The number of its type.
    pub kind: u8,
    pub place: Place,
}

impl RawAction {
    /// Returns the order of the contract: newest first, then the higher type, then the higher item; the position orders
    /// duplicates.
    pub(super) fn order(&self) -> impl Ord + use<> {
        (Reverse(self.time_us), Reverse(self.kind), Reverse(self.item), self.place)
    }
}

/// An impression of a raw file; the derived order is that of the output: ranking id (null first, then by bytes), then
/// the list.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct RawImpression {
    pub ranking_id: Option<String>,
    /// Items and labels.
    pub elements: Vec<(i64, i32)>,
    pub place: Place,
}
