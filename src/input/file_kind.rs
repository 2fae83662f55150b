//! The type of a data file, by the configuration or by its name.

use super::layout::DayFile;
use crate::message::named;
use crate::sources::FileFormat;
use crate::text::Shown;

named! {
    /// The format of the rows.
    pub(super) enum Content {
        Parquet = "Parquet",
        Csv = "CSV",
        JsonLines = "JSON lines",
    }
}

/// The compression of a text file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// Returns a name in small letters without the ending of a compression, and that compression.
    fn of(name: &str) -> (&str, Self) {
        let packed = [(".gz", Packing::Gzip), (".zst", Packing::Zstd)];
        let unpacked = packed.into_iter().find_map(|(ending, packing)| Some((name.strip_suffix(ending)?, packing)));
        unpacked.unwrap_or((name, Packing::Plain))
    }
}

const PARQUET: [&str; 3] = [".parquet", ".parq", ".pq"];
/// With commas or tabs, unless `lookback.toml` gives another separator.
const CSV: [&str; 2] = [".csv", ".tsv"];
const JSON_LINES: [&str; 3] = [".jsonl", ".ndjson", ".json"];

impl Content {
    /// The type by the end of a name, in any case. `None` for an unsupported file type.
    fn of(name: &str) -> Option<(Self, Packing)> {
        let name = name.to_lowercase();
        if PARQUET.iter().any(|ending| name.ends_with(ending)) {
            return Some((Content::Parquet, Packing::Plain));
        }
        let (name, packing) = Packing::of(&name);
        if CSV.iter().any(|ending| name.ends_with(ending)) {
            return Some((Content::Csv, packing));
        }
        JSON_LINES.iter().any(|ending| name.ends_with(ending)).then_some((Content::JsonLines, packing))
    }
}

impl DayFile {
    /// Returns the type and compression that the configuration says, else the name; `None` if neither says any.
    pub(super) fn named_kind(&self) -> Option<(Content, Packing)> {
        let content = match self.format {
            None => return Content::of(&self.name),
            Some(FileFormat::Parquet) => Content::Parquet,
            Some(FileFormat::Csv) => Content::Csv,
            Some(FileFormat::Json) => Content::JsonLines,
        };
        Some((content, Packing::of(&self.name.to_lowercase()).1))
    }

    /// Names a row by its number, from 1: `FILE row 5`, or in a text file `FILE line 5`; in memory `row 5 of SOURCE`.
    pub fn row(&self, number: u64) -> String {
        let (path, place) = (self.path.shown(), self.place(number));
        if self.rows.is_some() { format!("{place} of {path}") } else { format!("{path} {place}") }
    }

    /// Describes a row of the file by its number, from 1: `row 5`, or in a text file `line 5`.
    pub fn place(&self, number: u64) -> String {
        if self.is_text() { format!("line {number}") } else { format!("row {number}") }
    }

    /// Whether it is a text file. A file of which neither the configuration nor the name tells the type is none.
    pub(super) fn is_text(&self) -> bool {
        self.rows.is_none() && matches!(self.named_kind(), Some((Content::Csv | Content::JsonLines, _)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        for (name, expected) in [
            ("a.parquet", Some((Content::Parquet, Packing::Plain))),
            ("a.csv.snappy.PARQUET", Some((Content::Parquet, Packing::Plain))),
            ("deep/er/a.pq", Some((Content::Parquet, Packing::Plain))),
            ("a.csv", Some((Content::Csv, Packing::Plain))),
            ("A.CSV.GZ", Some((Content::Csv, Packing::Gzip))),
            ("a.csv.zst", Some((Content::Csv, Packing::Zstd))),
            ("a.tsv", Some((Content::Csv, Packing::Plain))),
            ("a.tsv.gz", Some((Content::Csv, Packing::Gzip))),
            ("a.jsonl", Some((Content::JsonLines, Packing::Plain))),
            ("a.ndjson.gz", Some((Content::JsonLines, Packing::Gzip))),
            ("part-0.c000.json.zst", Some((Content::JsonLines, Packing::Zstd))),
            ("a.parquet.gz", None),
            ("a.csv.gz.zst", None),
            ("a.csv.bz2", None),
            ("a.gz", None),
            ("csv", None),
            ("a.txt", None),
        ] {
            assert_eq!(Content::of(name), expected, "{name}");
        }
        let said = |name: &str, format| {
            let mut file = DayFile::new(name, name);
            file.format = Some(format);
            file.named_kind()
        };
        assert_eq!(said("a.csv", FileFormat::Parquet), Some((Content::Parquet, Packing::Plain)));
        assert_eq!(said("a.json", FileFormat::Csv), Some((Content::Csv, Packing::Plain)));
        assert_eq!(said("000000_0.GZ", FileFormat::Json), Some((Content::JsonLines, Packing::Gzip)));
    }
}
