//! Recognises files of histories that lookback wrote.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use arrow::ipc::reader::StreamReader;

use super::histories::{HistoryFormat, TEXT};
use crate::input::parquet::guard::guard;
use crate::input::parquet::metadata::{VERSION, column_names, has_version, metadata};
use crate::message::message;
use crate::storage::{OwnFile, beginning};

const COLUMNS: [&str; 4] = ["customer_id", "actions", "action_types", "action_times"];

/// Whether these are the columns of histories, with or without the customers as they were given.
fn are_columns<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let names: Vec<&str> = names.collect();
    names.strip_suffix(&[TEXT]).unwrap_or(&names) == COLUMNS
}

/// The first bytes of an Arrow IPC stream. After them comes the length of its schema, which for histories is at most
/// this many bytes.
const ARROW_BEGINS: [u8; 4] = [0xff; 4];
const ARROW_SCHEMA_BYTES_MAX: u32 = 64 << 10;

const ARROW: OwnFile = OwnFile {
    name: || message!["an output file of ", [Get], " in Arrow"],
    is_kind_of: |file| is_stream(file).unwrap_or(false),
};
const PARQUET: OwnFile = OwnFile {
    name: || message!["an output file of ", [Get], " in Parquet"],
    is_kind_of: |file| metadata(file).is_some_and(|found| has_version(&found) && are_columns(column_names(&found))),
};
const JSON_LINES: OwnFile = OwnFile {
    name: || message!["an output file of ", [Get], " in JSON lines"],
    is_kind_of: |file| is_line(&beginning(file)),
};

impl HistoryFormat {
    /// The kind of own file for histories in this format.
    pub(super) fn own_file(self) -> OwnFile {
        match self {
            HistoryFormat::Arrow => ARROW,
            HistoryFormat::Parquet => PARQUET,
            HistoryFormat::JsonLines => JSON_LINES,
        }
    }
}

/// Whether a text, which may be cut off, begins like the line of a history.
fn is_line(text: &str) -> bool {
    let number = text.strip_prefix("{\"customer_id\":").map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    let rest = number.map(|rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    rest.is_some_and(|rest| rest.starts_with(",\"actions\":["))
}

fn is_stream(mut file: &File) -> Option<bool> {
    let mut head = [0; 8];
    file.read_exact(&mut head).ok()?;
    let (begins, [a, b, c, d]) =
        head.split_first_chunk().and_then(|(begins, rest)| Some((*begins, rest.try_into().ok()?)))?;
    if begins != ARROW_BEGINS || u32::from_le_bytes([a, b, c, d]) > ARROW_SCHEMA_BYTES_MAX {
        return None;
    }
    file.rewind().ok()?;
    let reader = guard(|| StreamReader::try_new(BufReader::new(file), None)).ok()?.ok()?;
    let schema = reader.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    Some(schema.metadata().contains_key(VERSION) && are_columns(names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::BAD_ROWS;
    use crate::output::vocabulary::VOCABULARY;
    use std::fs;
    use std::path::Path;

    fn checked(kind: OwnFile, path: &Path) -> Result<(), String> {
        kind.check_replaceable(path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_of_somebody_else_is_told_from_each_kind() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        let formats = [HistoryFormat::Arrow, HistoryFormat::Parquet, HistoryFormat::JsonLines];
        let kinds = formats.map(HistoryFormat::own_file).into_iter().chain([BAD_ROWS, VOCABULARY]);
        #[cfg(feature = "report")]
        let kinds = kinds.chain([crate::output::report_file::REPORT]);
        // The last example announces a schema of 4 GiB.
        let others: [&[u8]; 6] = [
            b"notes",
            b"{\"customer_id\":1,\"item_id\":2}\n",
            b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Mine</title>",
            b"PAR1\x00\x00\x00\x00PAR1",
            b"\x00",
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        for kind in kinds {
            fs::write(&path, b"").unwrap();
            assert_eq!(checked(kind, &path), Ok(()));
            for other in others {
                fs::write(&path, other).unwrap();
                assert!(checked(kind, &path).unwrap_err().contains("exists already"), "{kind:?}");
            }
            assert_eq!(checked(kind, &place.path().join("new")), Ok(()));
            assert!(checked(kind, place.path()).unwrap_err().contains("a folder"), "{kind:?}");
            assert!(checked(kind, Path::new("/dev/null")).unwrap_err().contains("not a regular file"), "{kind:?}");
        }
    }
}
