//! Numbers on the command line; an error gives the numbers that are allowed.

use std::num::NonZeroU32;
use std::str::FromStr;

/// Parses a number of things, at least one.
pub(super) fn at_least_one(text: &str) -> Result<NonZeroU32, String> {
    parsed(text, "give a whole number from 1 to 4294967295")
}

/// Parses a number that counts from one.
pub(super) fn number(text: &str) -> Result<u32, String> {
    at_least_one(text).map(NonZeroU32::get)
}

/// Parses a number of things, which may be zero.
pub(super) fn whole(text: &str) -> Result<usize, String> {
    parsed(text, "give a whole number, 0 or more")
}

/// Parses a seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    parsed(text, "give a whole number, 0 or more")
}

fn parsed<T: FromStr>(text: &str, wanted: &str) -> Result<T, String> {
    text.parse().map_err(|_| wanted.to_owned())
}
