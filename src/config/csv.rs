//! Reads the table `[csv]`.

use std::ops::Range;

use super::section::Section;
use crate::error::Result;
use crate::sources::CsvDialect;

const KEYS: [&str; 5] = ["separator", "quote", "escape", "header", "null"];

/// Returns the dialect that the table describes. Fails where a character is none or has two meanings.
pub(super) fn read_csv(section: &Section<'_>) -> Result<CsvDialect> {
    section.only(&KEYS)?;
    let mut csv = CsvDialect::default();
    let document = section.document;
    let separator = character(section, "separator")?;
    csv.separator = separator.as_ref().map(|(byte, _)| *byte);
    // An empty text is no character at all: no cell is quoted, nothing is escaped.
    let quote = character_or_none(section, "quote")?;
    if let Some((quote, _)) = &quote {
        csv.quote = *quote;
    }
    let escape = character_or_none(section, "escape")?;
    // A quote that escapes a quote is a doubled quote, which is always read.
    csv.escape = escape.as_ref().and_then(|(byte, _)| *byte).filter(|byte| csv.quote != Some(*byte));
    let separators = csv.separator.map_or(vec![b',', b'\t'], |separator| vec![separator]);
    for (key, byte, given) in
        [("quote", csv.quote, quote.map(|(_, span)| span)), ("escape", csv.escape, escape.map(|(_, span)| span))]
    {
        if byte.is_some_and(|byte| separators.contains(&byte)) {
            let span = given.or(separator.as_ref().map(|(_, span)| span.clone())).unwrap_or_default();
            let what = format!("{key} in [csv] is the same character as the separator");
            return Err(document.error(&span, &what, "give another character, or the right separator"));
        }
    }
    if let Some(value) = section.get("header") {
        csv.has_header = document.flag_of("header in [csv]", value)?;
    }
    if let Some(value) = section.get("null") {
        let texts = document.texts_of("null in [csv]", value)?;
        csv.nulls = texts.into_iter().map(|(text, _)| text.to_owned()).collect();
    }
    Ok(csv)
}

/// Returns the character of a key, with its position.
fn character(section: &Section<'_>, key: &str) -> Result<Option<(u8, Range<usize>)>> {
    let Some(value) = section.get(key) else { return Ok(None) };
    let text = section.document.text_of(&format!("{key} in [csv]"), value)?;
    match text.as_bytes() {
        [byte] if !b"\n\r\0".contains(byte) => Ok(Some((*byte, value.span()))),
        _ => {
            let what = format!("{key} in [csv] is {text:?}, not one character of ASCII");
            let remedy = "give one character that does not end a line, such as \";\", \"|\" or \"\\t\"";
            Err(section.document.error(&value.span(), &what, remedy))
        }
    }
}

/// The same, with `None` for an empty text.
fn character_or_none(section: &Section<'_>, key: &str) -> Result<Option<(Option<u8>, Range<usize>)>> {
    if let Some(value) = section.get(key)
        && section.document.text_of(&format!("{key} in [csv]"), value)?.is_empty()
    {
        return Ok(Some((None, value.span())));
    }
    Ok(character(section, key)?.map(|(byte, span)| (Some(byte), span)))
}
