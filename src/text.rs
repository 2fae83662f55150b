//! Floor 0, numbers and sentences for people; and escaping of text from outside.
//!
//! A name of a file or a column can contain anything: a newline would start a second line that looks like one of the
//! program's own, an escape character would color or clear the terminal. So every output passes the whole line through
//! [`escaped`], or the whole document through [`escaped_json`]. Both are idempotent, so a text may pass several
//! outputs.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write};

/// Whether a character acts on its surroundings instead of being visible: controls (C0, DEL, C1), separators of lines
/// and paragraphs, and characters that change the direction of writing.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns a text on one line, with each such character written as `\n`, `\r`, `\t` or `\u{..}`. All other characters
/// stay, in any script.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_hidden(letter) { escaped.extend(letter.escape_debug()) } else { escaped.push(letter) }
    }
    Cow::Owned(escaped)
}

/// Returns a JSON document with these characters written as `\uXXXX`: another spelling of the same document. In JSON
/// written by serde they occur only within texts, except for the newlines of a document on several lines, which stay.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    let is_hidden = |letter: char| letter != '\n' && is_hidden(letter);
    if !json.contains(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for letter in json.chars() {
        if is_hidden(letter) {
            // All of them are below U+10000, so each is one unit of UTF-16. Writing to a text never fails.
            write!(escaped, "\\u{:04x}", u32::from(letter)).unwrap_or_default();
        } else {
            escaped.push(letter);
        }
    }
    Cow::Owned(escaped)
}

/// Formats paths and arguments for people: unlike [`std::path::Path::display`], it keeps bytes that are no text
/// distinguishable.
pub trait Shown: AsRef<OsStr> {
    /// Returns the text as [`escaped`] gives it, with each byte that is no UTF-8 written as `\xNN`.
    fn shown(&self) -> ShownText<'_> {
        ShownText(self.as_ref())
    }

    /// Returns the text unchanged, for a field of JSON; if it is no UTF-8, as [`Shown::shown`] gives it.
    fn plain(&self) -> String {
        self.as_ref().to_str().map_or_else(|| self.shown().to_string(), str::to_owned)
    }
}

impl<T: AsRef<OsStr> + ?Sized> Shown for T {}

/// Whether a text is a URL rather than a path: `scheme://` and any continuation.
pub fn is_url(text: &OsStr) -> bool {
    let text = text.as_encoded_bytes();
    let scheme = text.windows(3).position(|found| found == b"://").and_then(|end| text.get(..end));
    let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    scheme.is_some_and(|scheme| scheme.first().is_some_and(u8::is_ascii_alphabetic) && scheme.iter().all(is_of_scheme))
}

/// The result of [`Shown::shown`].
pub struct ShownText<'a>(&'a OsStr);

impl fmt::Display for ShownText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_encoded_bytes().utf8_chunks() {
            f.write_str(&escaped(chunk.valid()))?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Formats a count with thousands separators: 1,234,567.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// Formats a count with its noun, with an `s` unless the count is 1.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Formats the counts that are not 0: `; 12 late; 3 early`, each after a semicolon.
pub fn exceptions(counts: &[(u64, &str)]) -> String {
    let some = counts.iter().filter(|(number, _)| *number > 0);
    some.map(|(number, what)| format!("; {} {what}", count(*number))).collect()
}

/// Formats a size in the largest unit that leaves a number above 1.
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = bytes as f64 / 1_000.0;
    let mut unit = "kB";
    for larger in units {
        unit = larger;
        if value < 1_000.0 {
            break;
        }
        if larger != "TB" {
            value /= 1_000.0;
        }
    }
    if bytes < 1_000 { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// Formats a ratio in per cent: two decimals below 10 %, one from there on.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 9.995 { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn what_acts_is_seen_and_what_is_seen_stays() {
        for letter in ('\0'..=char::MAX).filter(|letter| is_hidden(*letter)) {
            let text = format!("a{letter}b");
            let once = escaped(&text).into_owned();
            assert!(!once.contains(is_hidden) && once.starts_with("a\\") && once.ends_with('b'), "{once}");
            assert_eq!(escaped(&once), once.as_str(), "it may pass several exits");
        }
        assert_eq!(
            escaped("p\nerror: \u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\t"),
            r"p\nerror: \u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\t"
        );
        for text in ["", "plain", r"C:\n \ 'quoted'", "Zoë – naïve … 日本語 עברית العربية 👩‍👩‍👧 é\u{a0}"]
        {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(('\0'..=char::MAX).filter(|letter| is_hidden(*letter)).count(), 65 + 3 + 7 + 4);
    }

    #[test]
    fn json_stays_the_same_document() {
        let all: String = ('\0'..='\u{2070}').chain(['👩', char::MAX]).collect();
        for json in [serde_json::to_string(&[&all]).unwrap(), serde_json::to_string_pretty(&[&all]).unwrap()] {
            let escaped = escaped_json(&json);
            assert!(!escaped.contains(|letter| letter != '\n' && is_hidden(letter)));
            assert_eq!(serde_json::from_str::<Vec<String>>(&escaped).unwrap(), [all.as_str()]);
        }
        assert!(matches!(escaped_json("[\n  \"é\"\n]"), Cow::Borrowed(_)));
    }

    #[test]
    fn urls_are_told_from_paths() {
        for url in ["s3://b/out", "gs://", "file:///data", "abfss://c@a.dfs.core.windows.net/x", "git+SSH.2://x"] {
            assert!(is_url(url.as_ref()), "{url}");
        }
        for path in ["", "s3:/b", "/s3://b", "./s3://b", "a/b://c", "://x", "3s://b", "a b://c", "é://x", "s3:"] {
            assert!(!is_url(path.as_ref()), "{path}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_apart() {
        let path = std::path::Path::new(OsStr::from_bytes(b"a\xff\xc3/\xc3\xa9\n"));
        assert_eq!(path.shown().to_string(), r"a\xFF\xC3/é\n");
        assert_eq!((path.plain(), "é\n".plain()), (r"a\xFF\xC3/é\n".to_owned(), "é\n".to_owned()));
    }

    #[test]
    fn counts_and_sizes() {
        assert_eq!(
            (count(0), count(999), count(1_000), count(12_345_678)),
            ("0".into(), "999".into(), "1,000".into(), "12,345,678".into())
        );
        assert_eq!((counted(1, "row"), counted(2_000, "row")), ("1 row".into(), "2,000 rows".into()));
        assert_eq!(exceptions(&[(0, "early"), (1_000, "late"), (2, "new")]), "; 1,000 late; 2 new");
        assert_eq!((size(999), size(1_500), size(2_500_000)), ("999 B".into(), "1.5 kB".into(), "2.5 MB".into()));
        assert_eq!(
            (percent(0.01234), percent(0.56789), percent(1.0)),
            ("1.23 %".into(), "56.8 %".into(), "100.0 %".into())
        );
        assert_eq!((size(7_000_000_000), size(8_000_000_000_000_000)), ("7.0 GB".into(), "8000.0 TB".into()));
    }
}
