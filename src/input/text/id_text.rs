//! Integers written as text.

use std::num::IntErrorKind;

use crate::input::column::Reason;
use crate::input::time_column::shortened;

/// Parses decimal digits, with or without a sign, and with spaces or tabs around them; never as a float, so `1.0` and
/// `1e3` are not integers. Fails with a phrase that follows the column's name.
pub(super) fn parse_id(text: &str) -> Result<i64, Reason> {
    let digits = text.trim_matches([' ', '\t']);
    digits.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "does not fit a signed 64-bit integer".to_owned(),
        _ => format!("is not an integer ({:?})", shortened(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_others() {
        for (text, expected) in [
            ("0", 0),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775807", i64::MAX),
            ("9007199254740993", 9_007_199_254_740_993),
            (" 007\t", 7),
            ("+5", 5),
            ("-0", 0),
        ] {
            assert_eq!(parse_id(text), Ok(expected), "{text}");
        }
        for text in [
            "", " ", "1.0", "1e3", "0x10", "1_000", "1,000", "- 1", "--1", "+", "١", "NaN", "null", "true", "1 2",
            "\u{a0}1",
        ] {
            assert_eq!(parse_id(text), Err(format!("is not an integer ({text:?})")));
        }
        for text in ["9223372036854775808", "-9223372036854775809", "123456789012345678901234567890"] {
            assert_eq!(parse_id(text), Err("does not fit a signed 64-bit integer".to_owned()));
        }
    }
}
