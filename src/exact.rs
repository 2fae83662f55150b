//! Floor 0, above errors: invariants as types or errors, never as substitute values.
//!
//! Numbers that must fit and indices that must be in range are converted here, so that a violated invariant never
//! yields a default value, from which rows would be written. `tests/tidy.rs` enforces that.

use crate::error::{Cause, Error, Result};

const _: () = assert!(usize::BITS == u64::BITS, "sizes of files and sizes in memory are one kind of number");

/// Returns a number as a size in memory, on machines where every number fits.
#[inline]
pub fn usize_of(number: impl Into<u64>) -> usize {
    number.into() as usize
}

/// Returns the first `count` elements, or all if there are fewer.
#[inline]
pub fn at_most<T>(all: &[T], count: usize) -> &[T] {
    all.split_at_checked(count).map_or(all, |(first, _)| first)
}

/// Returns the table's entry for a byte.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a table of 256 has a place for every byte")]
pub fn of_byte<T>(table: &[T; 256], byte: u8) -> &T {
    &table[byte as usize]
}

/// Returns the table's entry for a byte, mutable.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a table of 256 has a place for every byte")]
pub fn of_byte_mut<T>(table: &mut [T; 256], byte: u8) -> &mut T {
    &mut table[byte as usize]
}

/// A value that must exist.
pub trait Held<T> {
    /// Returns the value. Fails with an internal error: `what` is the violated sentence, after "that".
    fn held(self, what: &str) -> Result<T>;
}

impl<T> Held<T> for Option<T> {
    #[inline]
    fn held(self, what: &str) -> Result<T> {
        self.ok_or_else(|| broken(what))
    }
}

impl<T, E: Into<Cause>> Held<T> for Result<T, E> {
    #[inline]
    fn held(self, what: &str) -> Result<T> {
        self.map_err(|cause| broken(what).caused_by(cause))
    }
}

#[cold]
fn broken(what: &str) -> Error {
    Error::internal(format!("this does not hold: {what}"))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn what_does_not_hold_is_a_fault_of_our_own() {
        assert_eq!(Some(7).held("there is one").unwrap(), 7);
        let error = None::<u8>.held("there is one").unwrap_err();
        assert_eq!(
            (error.kind(), error.what().to_string()),
            (Kind::Internal, "this does not hold: there is one".to_owned())
        );
        let error = u8::try_from(256).held("a byte is below 256").unwrap_err();
        assert!(error.kind() == Kind::Internal && error.source().is_some());
    }

    #[test]
    fn nothing_is_cut() {
        assert_eq!((usize_of(u32::MAX), usize_of(u64::MAX)), (4_294_967_295, usize::MAX));
        assert_eq!((at_most(&[1, 2], 1), at_most(&[1, 2], 3)), (&[1][..], &[1, 2][..]));
        let mut table: [u8; 256] = std::array::from_fn(|place| place as u8);
        *of_byte_mut(&mut table, 7) = 0;
        assert!((0..=255).all(|byte| *of_byte(&table, byte) == if byte == 7 { 0 } else { byte }));
    }
}
