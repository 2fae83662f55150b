//! Numbers written as text, read digit by digit, so that nothing is rounded.

use crate::sources::TimeUnit;

/// A number as a text writes it: an optional sign, digits with or without a point, and an optional exponent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct WrittenNumber<'a> {
    is_negative: bool,
    /// The digits before the point.
    pub whole: &'a str,
    /// The digits after the point.
    fraction: &'a str,
    exponent: i32,
    /// Whether there is a point.
    pub has_point: bool,
    /// Whether there is an exponent.
    pub has_exponent: bool,
}

impl<'a> WrittenNumber<'a> {
    /// Parses a number. `None` for any other text, also for blanks around a number, `NaN` and infinities.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let (has_point, has_exponent) = (whole.len() < digits.len(), digits.len() < unsigned.len());
        let is_negative = text.starts_with('-');
        let number = WrittenNumber { is_negative, whole, fraction, exponent, has_point, has_exponent };
        (is_digits && whole.len() + fraction.len() > 0).then_some(number)
    }

    /// Returns the number if it is whole: `Some(None)` beyond 64 bits.
    pub(super) fn integer(&self) -> Option<Option<i64>> {
        let (magnitude, has_fraction) = self.magnitude(0);
        (!has_fraction).then(|| self.signed(magnitude))
    }

    /// Returns a count of a unit in microseconds, rounded down (towards the past). `None` beyond 64 bits.
    pub(super) fn microseconds(&self, unit: TimeUnit) -> Option<i64> {
        let (magnitude, has_fraction) = self.magnitude(unit.power_of_microseconds());
        self.signed(magnitude)?.checked_sub(i64::from(self.is_negative && has_fraction))
    }

    /// Returns the whole part of the magnitude times ten to the power of `power`, `None` beyond 64 bits; and whether a
    /// fraction is left.
    fn magnitude(&self, power: i32) -> (Option<u64>, bool) {
        let with_digit = |number: u64, digit: u8| number.checked_mul(10)?.checked_add(digit.into());
        let digits = self.whole.bytes().chain(self.fraction.bytes()).map(|byte| byte - b'0');
        let point = self.whole.len() as i128 + i128::from(self.exponent) + i128::from(power);
        let (mut magnitude, mut has_fraction, mut place) = (Some(0), false, 0_i128);
        for digit in digits {
            if place < point {
                magnitude = magnitude.and_then(|number| with_digit(number, digit));
            } else {
                has_fraction |= digit != 0;
            }
            place += 1;
        }
        while place < point && magnitude.is_some_and(|number| number > 0) {
            magnitude = magnitude.and_then(|number| with_digit(number, 0));
            place += 1;
        }
        (magnitude, has_fraction)
    }

    fn signed(&self, magnitude: Option<u64>) -> Option<i64> {
        let magnitude = magnitude?;
        if self.is_negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn integer(text: &str) -> Option<Option<i64>> {
        WrittenNumber::parse(text)?.integer()
    }

    #[test]
    fn whole_numbers_in_every_form() {
        for (text, expected) in [
            ("7", 7),
            ("7.0", 7),
            ("7.", 7),
            ("+7.000", 7),
            ("-7.0", -7),
            ("1.2345678E7", 12_345_678),
            ("0.7e1", 7),
            ("700e-2", 7),
            ("1e18", 1_000_000_000_000_000_000),
            ("0e999999999", 0),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer(text), Some(Some(expected)), "{text}");
        }
        for text in ["9223372036854775808", "-9223372036854775809", "1e19", "1e999999999", "99999999999999999999.0"] {
            assert_eq!(integer(text), Some(None), "{text}");
        }
        for text in ["7.5", "7.00000000000000000000000001", "1e-1", "4503599627370496.5"] {
            assert!(WrittenNumber::parse(text).is_some() && integer(text).is_none(), "{text}");
        }
        for text in ["", "-", ".", "e1", "1e", "1e1.5", "NaN", "inf", "0x10", "1_000", " 1", "1 ", "+-1", "1.2.3", "١"]
        {
            assert_eq!(WrittenNumber::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn counts_are_cut_down_to_microseconds() {
        let [s, ms, us, ns] = TimeUnit::ALL;
        let read = |text: &str, unit| WrittenNumber::parse(text).unwrap().microseconds(unit);
        assert_eq!(read("1767323045.123456", s), Some(1_767_323_045_123_456));
        assert_eq!(read("1767323045.1234569", s), Some(1_767_323_045_123_456));
        assert_eq!(read("1.767323045123456E9", s), Some(1_767_323_045_123_456));
        assert_eq!(read("1767323045123.9999", ms), Some(1_767_323_045_123_999));
        assert_eq!((read("5.9", us), read("-5.9", us), read("-5.0", us)), (Some(5), Some(-6), Some(-5)));
        assert_eq!((read("5999", ns), read("-1", ns), read("-0.1", ns)), (Some(5), Some(-1), Some(-1)));
        assert_eq!((read("9223372036854.775807", s), read("9223372036854.775808", s)), (Some(i64::MAX), None));
    }

    proptest! {
        #[test]
        fn integers_are_as_rust_reads_them(number: i64, zeros in 0_usize..9) {
            prop_assert_eq!(integer(&number.to_string()), Some(Some(number)));
            prop_assert_eq!(integer(&format!("{number}.{}", "0".repeat(zeros))), Some(Some(number)));
            for unit in TimeUnit::ALL {
                let text = number.to_string();
                let read = WrittenNumber::parse(&text).unwrap().microseconds(unit);
                prop_assert_eq!(read, unit.microseconds(number));
            }
        }
    }
}
