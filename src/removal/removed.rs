//! The counts of what is removed from a history.

/// What is removed from one customer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Removed {
    pub deltas: u64,
    pub keyframes: u64,
    pub actions: u64,
}
