//! Ids that are text, in JSON: strings, and numbers as their digits.

use std::borrow::Cow;

use super::json_object::scalar;
use crate::input::id_text::{INEXACT, parse_id};

/// Returns the text of an id in JSON that is text: the content of a string; the digits of a number, as a Parquet file
/// with the same number gives it; `None` for null. Fails with a phrase that follows the column's name.
pub(super) fn id_text(value: &str) -> Result<Option<Cow<'_, str>>, &'static str> {
    let is_number = value.starts_with(|letter: char| letter == '-' || letter.is_ascii_digit());
    match (scalar(value)?, value) {
        (_, "true" | "false") => Err("is a boolean"),
        (Some(_), "-0") => Ok(Some("0".into())),
        (Some(number), _) if is_number && number.contains(['.', 'e', 'E']) => {
            let whole = parse_id(&number).map_err(|_| INEXACT)?;
            Ok(Some(whole.to_string().into()))
        }
        (text, _) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_text_in_json() {
        for (value, expected) in [
            (r#""0042""#, "0042"),
            ("\"\"", ""),
            (r#""true""#, "true"),
            (r#""1e3""#, "1e3"),
            ("42", "42"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("18446744073709551615", "18446744073709551615"),
            ("7.0", "7"),
            ("1.2345678E7", "12345678"),
            ("-7.50e1", "-75"),
        ] {
            assert_eq!(id_text(value), Ok(Some(expected.into())), "{value}");
        }
        assert_eq!(id_text("null"), Ok(None));
        assert_eq!((id_text("true"), id_text("{}")), (Err("is a boolean"), Err("is an object")));
        for inexact in ["0.5", "1e3", "1e300", "9007199254740992.0"] {
            assert_eq!(id_text(inexact), Err(INEXACT), "{inexact}");
        }
    }
}
