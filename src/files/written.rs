//! Files that lookback writes where somebody says so, and how each is told from a file of somebody else that stands
//! there already.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read, Seek};
use std::path::Path;

use arrow::ipc::reader::StreamReader;
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};

use super::footer::{DEPTH_MAX, schema_depth};
use super::guard::guard;
use super::histories::HistoryFormat;
use crate::error::{Error, Result};
use crate::regular_file;
use crate::text::Shown as _;

/// What every file of lookback that has metadata says of itself.
const VERSION: &str = "lookback.version";

/// Columns of histories, and of a quarantine.
const HISTORY_COLUMNS: [&str; 4] = ["customer_id", "actions", "action_types", "action_times"];
const BAD_ROW_COLUMNS: [&str; 5] = ["file", "row", "column", "reason", "cells"];

/// What is read of the beginning of a text, at most.
const BEGINNING_BYTES: u64 = 1 << 20;

/// An Arrow IPC stream begins with this, and with the length of its schema, which for histories is no more than this
/// many bytes.
const ARROW_BEGINS: [u8; 4] = [0xff; 4];
const ARROW_SCHEMA_BYTES_MAX: u32 = 64 << 10;

/// A kind of file that lookback writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    /// A page of `report`.
    Report,
    /// Histories of `get`.
    Histories(HistoryFormat),
    /// Bad rows that were set aside.
    BadRows,
}

impl Written {
    /// How a page begins.
    pub const REPORT_BEGINS: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>";
    /// What stands behind its title.
    pub const REPORT_POLICY: &str = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";

    /// Fails unless nothing stands at `target`, or an empty file, or one of this kind, which may be replaced. A link
    /// is none, wherever it leads.
    ///
    /// Memory: the schema of the file that stands there.
    pub fn check_replaceable(self, target: &Path) -> Result<()> {
        let metadata = match fs::symlink_metadata(target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("open", target, &error)),
        };
        if !metadata.is_file() {
            let kind = if metadata.is_dir() { "a folder" } else { "no regular file" };
            return Err(Error::refused(
                format!("{} is {kind}, where {} should be written", target.shown(), self.name()),
                "name a new file",
            ));
        }
        let file = regular_file::open(target).map_err(|error| Error::io("open", target, &error))?;
        if metadata.len() == 0 || self.is_kind_of(&file) {
            return Ok(());
        }
        Err(Error::refused(
            format!("{} is there already and is not {}", target.shown(), self.name()),
            "move it away or name another file",
        ))
    }

    fn name(self) -> &'static str {
        match self {
            Written::Report => "a page of `lookback report`",
            Written::Histories(HistoryFormat::Arrow) => "what `lookback get` writes as Arrow",
            Written::Histories(HistoryFormat::Parquet) => "what `lookback get` writes as Parquet",
            Written::Histories(HistoryFormat::JsonLines) => "what `lookback get` writes as JSON lines",
            Written::BadRows => "bad rows that lookback has set aside",
        }
    }

    fn is_kind_of(self, file: &File) -> bool {
        match self {
            Written::Report => {
                let text = beginning(file);
                text.starts_with(Self::REPORT_BEGINS) && text.contains(Self::REPORT_POLICY)
            }
            Written::Histories(HistoryFormat::JsonLines) => is_history_line(&beginning(file)),
            Written::Histories(HistoryFormat::Arrow) => is_history_stream(file).unwrap_or(false),
            Written::Histories(HistoryFormat::Parquet) => parquet_metadata(file)
                .is_some_and(|metadata| says_version(&metadata) && columns(&metadata).eq(HISTORY_COLUMNS)),
            Written::BadRows => parquet_metadata(file).is_some_and(|metadata| columns(&metadata).eq(BAD_ROW_COLUMNS)),
        }
    }
}

/// Whether a Parquet file says that lookback has written it, as a part file of rows does.
pub(super) fn is_of_lookback(file: &File) -> bool {
    parquet_metadata(file).is_some_and(|metadata| says_version(&metadata))
}

fn beginning(file: &File) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is nothing that lookback has written.
    let read = file.take(BEGINNING_BYTES).read_to_end(&mut bytes);
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a line begins as that of a history does; it may be cut off.
fn is_history_line(text: &str) -> bool {
    let number = text.strip_prefix("{\"customer_id\":").map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    let rest = number.map(|rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    rest.is_some_and(|rest| rest.starts_with(",\"actions\":["))
}

fn is_history_stream(mut file: &File) -> Option<bool> {
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
    Some(schema.metadata().contains_key(VERSION) && names.eq(HISTORY_COLUMNS))
}

fn parquet_metadata(file: &File) -> Option<ParquetMetaData> {
    if schema_depth(file).is_none_or(|depth| depth > DEPTH_MAX) {
        return None;
    }
    guard(|| ParquetMetaDataReader::new().parse_and_finish(file)).ok()?.ok()
}

fn says_version(metadata: &ParquetMetaData) -> bool {
    let pairs: &[KeyValue] = metadata.file_metadata().key_value_metadata().map_or(&[], Vec::as_slice);
    pairs.iter().any(|pair| pair.key == VERSION)
}

fn columns(metadata: &ParquetMetaData) -> impl Iterator<Item = &str> {
    metadata.file_metadata().schema().get_fields().iter().map(|field| field.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(written: Written, path: &Path) -> Result<(), String> {
        written.check_replaceable(path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_of_somebody_else_is_told_from_each_kind() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        let formats = [HistoryFormat::Arrow, HistoryFormat::Parquet, HistoryFormat::JsonLines];
        let kinds = formats.map(Written::Histories).into_iter().chain([Written::Report, Written::BadRows]);
        // The last announces a schema of 4 GiB.
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
                assert!(checked(kind, &path).unwrap_err().contains("is there already"), "{kind:?}");
            }
            assert_eq!(checked(kind, &place.path().join("new")), Ok(()));
            assert!(checked(kind, place.path()).unwrap_err().contains("a folder"), "{kind:?}");
            assert!(checked(kind, Path::new("/dev/null")).unwrap_err().contains("no regular file"), "{kind:?}");
        }
    }
}
