//! The type of a file by its first bytes, whatever its name is.

use std::io::Read;

use super::file_kind::{Content, Packing};
use super::layout::DayFile;
use crate::error::{Error, Result};
use crate::exact::at_most;
use crate::text::Shown;

/// How many of the first bytes are compared.
pub(super) const LOOKED_AT: usize = 64;

/// The types that the first bytes can show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Magic {
    /// Compressed; the type of the content is unknown.
    Packed(Packing),
    Parquet,
    /// An unsupported file type.
    Other(&'static str),
}

const ORC: Magic = Magic::Other("ORC");

/// Magic numbers that no text begins with.
const MAGICS: [(&[u8], Magic); 10] = [
    (b"\x1f\x8b", Magic::Packed(Packing::Gzip)),
    (b"\x28\xb5\x2f\xfd", Magic::Packed(Packing::Zstd)),
    (b"Obj\x01", Magic::Other("Avro")),
    (b"ARROW1\0\0", Magic::Other("an Arrow file")),
    (b"\xff\xff\xff\xff", Magic::Other("an Arrow stream")),
    (b"PK\x03\x04", Magic::Other("a zip archive")),
    (b"\xfd7zXZ\0", Magic::Other("xz")),
    (b"\x04\x22\x4d\x18", Magic::Other("LZ4")),
    (b"\xff\x06\x00\x00sNaPpY", Magic::Other("Snappy")),
    (b"SQLite format 3\0", Magic::Other("an SQLite database")),
];

/// Magic numbers that may begin a text too, for example in the name of a column; they count only if no text follows.
const WORDS: [(&[u8], Magic); 4] =
    [(b"PAR1", Magic::Parquet), (b"PARE", Magic::Parquet), (b"ORC", ORC), (b"BZh", Magic::Other("bzip2"))];

impl Magic {
    /// Returns the type by the first bytes of a file, [`LOOKED_AT`] or all if it has fewer; `None` for possible text
    /// and unknown types.
    pub(super) fn of(beginning: &[u8]) -> Option<Self> {
        let beginning = at_most(beginning, LOOKED_AT);
        let matching = |kinds: &[(&[u8], Magic)]| {
            kinds.iter().find(|(magic, _)| beginning.starts_with(magic)).map(|(_, kind)| *kind)
        };
        matching(&MAGICS).or_else(|| matching(&WORDS).filter(|_| is_no_text(beginning)))
    }

    /// Its name in a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Magic::Packed(Packing::Zstd) => "Zstandard",
            Magic::Packed(_) => "gzip",
            Magic::Parquet => "Parquet",
            Magic::Other(name) => name,
        }
    }
}

/// Whether bytes are not the beginning of a text: they hold control characters, or invalid UTF-8 before the end, which
/// may cut a character.
fn is_no_text(beginning: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' && !b"\t\n\r".contains(byte);
    let is_broken = std::str::from_utf8(beginning).is_err_and(|error| error.error_len().is_some());
    is_broken || beginning.iter().any(is_control)
}

impl DayFile {
    /// Returns its type and compression. The configuration or its name says the type, and its first bytes the
    /// compression, whatever its name says; where neither says a type, its first bytes tell Parquet. Fails if they show
    /// another type than was said, and for types that are not supported.
    pub(super) fn kind(&self) -> Result<(Content, Packing)> {
        let path = &self.path;
        let mut beginning = Vec::with_capacity(LOOKED_AT);
        let file = self.open()?;
        file.take(LOOKED_AT as u64).read_to_end(&mut beginning).map_err(|error| Error::io("read", path, error))?;
        match (Magic::of(&beginning), self.named_kind()) {
            (None | Some(Magic::Parquet), Some((Content::Parquet, _))) | (Some(Magic::Parquet), None) => {
                Ok((Content::Parquet, Packing::Plain))
            }
            (None, Some(named)) => Ok(named),
            (Some(Magic::Packed(packing)), Some((content @ (Content::Csv | Content::JsonLines), _))) => {
                Ok((content, packing))
            }
            (Some(ORC), _) => Err(self.is_orc()),
            (None, None) if self.name.to_lowercase().ends_with(".orc") => Err(self.is_orc()),
            (Some(found), Some((content, _))) => Err(Error::input(
                format!(
                    "the file {} is {}, but its {} says {}",
                    path.shown(),
                    found.name(),
                    if self.format.is_some() { "format in the configuration" } else { "name" },
                    content.name()
                ),
                "rename it by its content if that type is supported, or write it again; begin its name with _ if it is \
                 not data",
            )),
            (Some(found @ Magic::Packed(_)), None) => Err(Error::input(
                format!("the file {} is {}, and its name does not say of what", path.shown(), found.name()),
                "rename it to end in .csv.gz or .jsonl.gz, or say the format of its source in lookback.toml",
            )),
            (_, None) => Err(Error::input(
                format!(
                    "the file {} has an unsupported type (supported are .parquet, .csv, .tsv, .jsonl, .ndjson \
                     and .json, and the last five with .gz or .zst)",
                    path.shown()
                ),
                "rename it if it has one of these types, or say the format of its source in lookback.toml; begin its \
                 name with _ or . if it is not data",
            )),
        }
    }

    fn is_orc(&self) -> Error {
        Error::input(
            format!("the file {} is ORC, which is read through Python only", self.path.shown()),
            "give its rows from memory: lookback.ingest(store, dt=..., clicks=pyarrow.orc.read_table(...)), or write it \
             as Parquet",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_from_text() {
        for (beginning, expected) in [
            (&b"\x1f\x8b\x08\0\0"[..], Some(Magic::Packed(Packing::Gzip))),
            (b"\x28\xb5\x2f\xfd\x04", Some(Magic::Packed(Packing::Zstd))),
            (b"PAR1\x15\x04\x15\x10", Some(Magic::Parquet)),
            (b"ORC\n\x0b\n\x03", Some(ORC)),
            (b"BZh91AY&SY\xd5\x02", Some(Magic::Other("bzip2"))),
            (b"Obj\x01\x04\x14avro", Some(Magic::Other("Avro"))),
            (b"PAR1,customer_id\r\n1,2\r\n", None),
            ("ORC\tBZé\n1\t2\n".as_bytes(), None),
            (b"{\"a\":1}\n", None),
            (b"", None),
        ] {
            assert_eq!(Magic::of(beginning), expected, "{}", String::from_utf8_lossy(beginning));
        }
    }
}
