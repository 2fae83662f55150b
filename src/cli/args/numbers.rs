//! Numbers as they are typed: what is none of them is answered with what would be one.

use std::num::NonZeroU32;
use std::str::FromStr;

/// A number of things of which there has to be one.
pub fn at_least_one(text: &str) -> Result<NonZeroU32, String> {
    parsed(text, "give a whole number from 1 to 4294967295")
}

/// The number of one of several that count from one.
pub fn number(text: &str) -> Result<u32, String> {
    at_least_one(text).map(NonZeroU32::get)
}

/// A number of things of which there may be none.
pub fn whole(text: &str) -> Result<usize, String> {
    parsed(text, "give a whole number, 0 or more")
}

/// The same where it says which of them.
pub fn seed(text: &str) -> Result<u64, String> {
    parsed(text, "give a whole number, 0 or more")
}

/// The id of a customer or an item.
pub fn id(text: &str) -> Result<i64, String> {
    parsed(text, "an id is an integer below 2^63, such as 21193184998 or -7")
}

fn parsed<T: FromStr>(text: &str, wanted: &str) -> Result<T, String> {
    text.parse().map_err(|_| wanted.to_owned())
}
