//! Paths in a log, which are percent-encoded (RFC 2396).

/// Returns a decoded path; `None` if it is not one below the table, or not UTF-8.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut letters = path.bytes();
    while let Some(letter) = letters.next() {
        bytes.push(match letter {
            b'%' => {
                let digit = |letter: Option<u8>| char::from(letter?).to_digit(16);
                let (high, low) = (digit(letters.next())?, digit(letters.next())?);
                u8::try_from(16 * high + low).ok()?
            }
            letter => letter,
        });
    }
    let path = String::from_utf8(bytes).ok()?;
    let is_below = !path.starts_with('/') && !path.contains("://") && !path.split('/').any(|name| name == "..");
    is_below.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_or_none() {
        for (path, expected) in [
            ("dt=2026-01-01/part-00000.parquet", Some("dt=2026-01-01/part-00000.parquet")),
            ("dt=2026-01-01/a%20b%C3%A4.parquet", Some("dt=2026-01-01/a b\u{e4}.parquet")),
            ("dt%3D2026-01-01/x", Some("dt=2026-01-01/x")),
            ("a%2", None),
            ("a%zz", None),
            ("a%ff", None),
            ("/data/x", None),
            ("s3://other/x", None),
            ("dt=1/../../x", None),
            ("%2E%2E/x", None),
        ] {
            assert_eq!(decoded(path).as_deref(), expected, "{path}");
        }
    }
}
