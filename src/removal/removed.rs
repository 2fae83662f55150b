//! What of a history goes, counted.

/// What of one customer goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Removed {
    pub deltas: u64,
    pub keyframes: u64,
    pub actions: u64,
}
