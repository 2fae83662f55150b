//! Numbers on the command line; an error gives the numbers that are allowed.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use lookback::model::Shards;

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

/// Parses a number of shards.
pub(super) fn shards(text: &str) -> Result<Shards, String> {
    let wanted = || format!("give a power of two, from 1 to {}", Shards::MAX);
    text.parse().ok().and_then(Shards::new).ok_or_else(wanted)
}

/// Parses a seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    parsed(text, "give a whole number, 0 or more")
}

/// Parses how old files at a URL must be before they are removed.
pub(super) fn grace(text: &str) -> Result<Duration, String> {
    let wanted = || "give a whole number with s, min, h or d behind it, at least 1h".to_owned();
    let unit = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wanted)?;
    let (number, unit) = text.split_at_checked(unit).ok_or_else(wanted)?;
    let unit_seconds: u64 = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wanted()),
    };
    let seconds = number.parse::<u32>().map_err(|_| wanted())?;
    let seconds = u64::from(seconds) * unit_seconds;
    Some(seconds).filter(|seconds| *seconds >= 3_600).map(Duration::from_secs).ok_or_else(wanted)
}

fn parsed<T: FromStr>(text: &str, wanted: &str) -> Result<T, String> {
    text.parse().map_err(|_| wanted.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_has_a_unit_and_is_an_hour_or_more() {
        for (text, seconds) in [("1h", 3_600), ("24h", 86_400), ("3600s", 3_600), ("90min", 5_400), ("7d", 604_800)] {
            assert_eq!(grace(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "24", "h", "0h", "59min", "3599s", "-1h", "1.5h", "1 h", "1w", "99999999999h", "1hh", "１h"] {
            assert!(grace(text).is_err(), "{text}");
        }
    }
}
