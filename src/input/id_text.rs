//! Ids that are numbers, written as text.

use super::cells::{Reason, shortened};
use super::number_text::WrittenNumber;
use crate::model::IdKind;

/// From this magnitude on, different whole numbers are the same 64-bit float.
pub(super) const FLOAT_MAX: u64 = 1 << 53;

/// The reason for a number that is no id where ids are text.
pub(super) const INEXACT: &str = "is a number that is not whole, or too large to be exact";

/// Why a cell is no id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum IdFault {
    /// No whole number.
    NotInteger,
    /// A whole number beyond 64 bits with a sign.
    TooLarge,
    /// Digits that the number would lose.
    LeadingZeros,
    /// A float so large that it may have been rounded.
    Rounded,
}

/// Parses a whole number: decimal digits, or a float below 2^53 such as `7.0` or `1.2345678E7`, with or without a sign,
/// and with spaces or tabs around them. An exponent without a point is more likely a code, such as `12E5`, or a number
/// cut to a few digits, such as `1e+06`.
pub(super) fn parse_id(text: &str) -> Result<i64, IdFault> {
    let text = text.trim_matches([' ', '\t']);
    let has_zeros = |whole: &str| whole.len() > 1 && whole.starts_with('0');
    match text.parse() {
        Ok(id) if !has_zeros(text.strip_prefix(['+', '-']).unwrap_or(text)) => return Ok(id),
        _ => {}
    }
    let number = WrittenNumber::parse(text).ok_or(IdFault::NotInteger)?;
    match number.integer() {
        None => Err(IdFault::NotInteger),
        Some(_) if has_zeros(number.whole) => Err(IdFault::LeadingZeros),
        Some(id) if number.has_point || number.has_exponent => {
            let id = id.filter(|id| id.unsigned_abs() < FLOAT_MAX).ok_or(IdFault::Rounded)?;
            if number.has_point { Ok(id) } else { Err(IdFault::NotInteger) }
        }
        Some(id) => id.ok_or(IdFault::TooLarge),
    }
}

impl IdFault {
    /// Returns the reason as a phrase that follows the column's name. `text` is the cell; `of` says whose ids the
    /// column has, `None` for other integers.
    pub(super) fn reason(self, text: &str, of: Option<IdKind>) -> Reason {
        let way_out = |what: &str| match of {
            Some(of) => format!(": [ids] {} = \"text\" in lookback.toml {what}", of.key()),
            None => String::new(),
        };
        let shown = shortened(text);
        match self {
            IdFault::NotInteger if is_code(text) => format!("is not an integer ({shown:?}){}", way_out("takes it")),
            IdFault::NotInteger => format!("is not an integer ({shown:?})"),
            IdFault::TooLarge => {
                format!("does not fit a signed 64-bit integer ({shown:?}){}", way_out("takes it"))
            }
            IdFault::LeadingZeros => {
                format!("has leading zeros that an integer loses ({shown:?}){}", way_out("keeps them"))
            }
            IdFault::Rounded => {
                format!("is a float so large that it may have been rounded ({shown:?}): write it as an integer")
            }
        }
    }
}

/// Whether a text that is no integer is no other number and no flag either, so that it may be meant as an id.
fn is_code(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    !text.is_empty() && text.parse::<f64>().is_err() && text.parse::<bool>().is_err()
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
            (" 7\t", 7),
            ("+5", 5),
            ("-0", 0),
            ("7.0", 7),
            ("-7.00", -7),
            ("1.2345678E7", 12_345_678),
            ("9007199254740991.0", 9_007_199_254_740_991),
        ] {
            assert_eq!(parse_id(text), Ok(expected), "{text}");
        }
        for text in [
            "", " ", "1.5", "1e-3", "0x10", "1_000", "1,000", "- 1", "--1", "+", "١", "NaN", "inf", "null", "true",
            "12E5", "1e+06", "1 2", "\u{a0}1", "0042.5",
        ] {
            assert_eq!(parse_id(text), Err(IdFault::NotInteger), "{text:?}");
        }
        for text in ["0042", "007 ", "-01", "00", "+00", "07.0", "00000000000000000000000001"] {
            assert_eq!(parse_id(text), Err(IdFault::LeadingZeros), "{text:?}");
        }
        for text in ["9223372036854775808", "-9223372036854775809", "123456789012345678901234567890"] {
            assert_eq!(parse_id(text), Err(IdFault::TooLarge), "{text:?}");
        }
        for text in ["9007199254740992.0", "-9007199254740992.0", "1e16", "9223372036854775807.0", "1e30"] {
            assert_eq!(parse_id(text), Err(IdFault::Rounded), "{text:?}");
        }
    }
}
