//! The document of a version. docs/backups.md states it byte by byte.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::name::{Content, ObjectName, is_hex};
use crate::model::{Day, Ids};

/// The version of the document itself. A program refuses a newer one.
const DOCUMENT: u32 = 1;

/// What files are copied, and by whom.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Origin {
    /// The run that wrote the document, as 16 hexadecimal digits.
    pub run: String,
    /// The version of the program.
    pub lookback: String,
    /// The identity of the store: what RocksDB has drawn when the store was made.
    pub store: String,
    /// The format version of the store.
    pub format_version: u8,
}

/// One file of a version.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct StoredFile {
    /// The name in the store's folder, `/` between parts.
    pub name: String,
    /// The object that holds it.
    pub object: ObjectName,
    /// Where in the object it begins.
    pub offset: u64,
    pub bytes: u64,
    pub xxh3_128: String,
}

impl StoredFile {
    pub(super) fn content(&self) -> Content {
        Content { xxh3_128: self.xxh3_128.clone(), bytes: self.bytes }
    }
}

/// What a version of a sharded store says of all its shards.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sharded {
    /// Number of shards, a power of two.
    pub shards: u32,
    /// The zone in which days begin.
    pub time_zone: String,
    /// The most actions in a history.
    pub max_history: usize,
    /// What the version has done to the one before.
    pub change: String,
    /// The batches, by day.
    pub batches: Vec<ShardedBatch>,
    /// The identities of the latest batches that were given one, oldest first.
    pub batch_ids: Vec<BatchId>,
    /// The secret of the block lists of all shards, as 32 hexadecimal digits: there as soon as a customer has been
    /// forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What ids are in the input. The first documents did not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Ids>,
}

/// The identity that the source of a batch gave it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct BatchId {
    pub dt: Day,
    pub id: String,
}

/// One batch of a sharded store.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct ShardedBatch {
    pub dt: Day,
    /// The version that brought it as it is.
    pub version: u32,
    /// Its actions, before any cut.
    pub actions: u64,
}

/// A version.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Document {
    document: u32,
    pub number: u32,
    #[serde(flatten)]
    pub origin: Origin,
    /// There if the files are those of a sharded store; their names then begin with that of a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharded: Option<Sharded>,
    /// By name.
    pub files: Vec<StoredFile>,
}

/// The text around the checksum at the end.
const CHECKSUM_BEGINS: &str = ",\"checksum\":\"";
const CHECKSUM_ENDS: &str = "\"}\n";

impl Document {
    /// Returns the document of version `number` of some files.
    pub(crate) fn new(number: u32, origin: Origin, mut files: Vec<StoredFile>) -> Self {
        files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Document { document: DOCUMENT, number, origin, sharded: None, files }
    }

    /// Returns it as the document of a version of a sharded store.
    pub(crate) fn of_shards(self, sharded: Sharded) -> Self {
        Document { sharded: Some(sharded), ..self }
    }

    /// Returns the objects that it names.
    pub(crate) fn objects(&self) -> BTreeSet<ObjectName> {
        self.files.iter().map(|file| file.object.clone()).collect()
    }

    /// Returns the size of all files together.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Returns the bytes of the document: JSON on one line, the last value of which is the checksum of the text before.
    pub(super) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = serde_json::to_string(self)?;
        text.pop();
        let checksum = checksum_of(&text);
        Ok((text + CHECKSUM_BEGINS + &checksum + CHECKSUM_ENDS).into_bytes())
    }

    /// Reads the document of version `number`. Fails, saying why, if it is damaged, or none that this program can read.
    pub(super) fn from_bytes(bytes: &[u8], number: u32) -> Result<Self, String> {
        /// What documents of all versions have.
        #[derive(Deserialize)]
        struct Any {
            document: u32,
        }
        let unreadable = |error: serde_json::Error| format!("it cannot be read: {error}");
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
        let any: Any = serde_json::from_str(text).map_err(unreadable)?;
        if any.document > DOCUMENT {
            return Err(format!("it is of version {}, and this lookback reads up to {DOCUMENT}", any.document));
        }
        let checked = text.strip_suffix(CHECKSUM_ENDS).and_then(|text| text.rsplit_once(CHECKSUM_BEGINS));
        if checked.is_none_or(|(before, checksum)| checksum_of(before) != checksum) {
            return Err("it does not match its checksum".to_owned());
        }
        let document: Document = serde_json::from_str(text).map_err(unreadable)?;
        document.check(number).map(|()| document)
    }

    fn check(&self, number: u32) -> Result<(), String> {
        if self.number != number {
            return Err(format!("it is that of {}", self.number));
        }
        let is_plain = |part: &str| {
            let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.');
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_letter)
        };
        if !self.files.iter().all(|file| file.name.split('/').all(is_plain)) {
            return Err("a file in it has no name of a file of a store".to_owned());
        }
        if !self.files.is_sorted_by(|one, next| one.name < next.name) {
            return Err("its files are not in the order of their names".to_owned());
        }
        let lies_in = |file: &StoredFile| {
            is_hex(&file.xxh3_128, 32)
                && file.offset.checked_add(file.bytes).is_some_and(|end| end <= file.object.content.bytes)
        };
        if self.files.is_empty() || !self.files.iter().all(lies_in) {
            return Err("a file in it does not lie in its object".to_owned());
        }
        Ok(())
    }
}

fn checksum_of(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let origin = Origin {
            run: "00000000deadbeef".to_owned(),
            lookback: "0.5.0".to_owned(),
            store: "1f0c".to_owned(),
            format_version: 6,
        };
        let file = |name: &str, offset: u64| StoredFile {
            name: name.to_owned(),
            object: format!("{}-42-00000000deadbeef", "ab".repeat(16)).parse().unwrap(),
            offset,
            bytes: 21,
            xxh3_128: "cd".repeat(16),
        };
        Document::new(7, origin, vec![file("db/IDENTITY", 21), file("db/CURRENT", 0)])
    }

    /// The bytes are those that docs/backups.md states.
    #[test]
    fn a_document_has_these_bytes() {
        let object = format!("{}-42-00000000deadbeef", "ab".repeat(16));
        let file = |name: &str, offset: u64| {
            let hash = "cd".repeat(16);
            format!(r#"{{"name":"{name}","object":"{object}","offset":{offset},"bytes":21,"xxh3_128":"{hash}"}}"#)
        };
        let before = format!(
            r#"{{"document":1,"number":7,"run":"00000000deadbeef","lookback":"0.5.0","store":"1f0c","format_version":6,"files":[{},{}]"#,
            file("db/CURRENT", 0),
            file("db/IDENTITY", 21),
        );
        let text = format!("{before},\"checksum\":\"{:032x}\"}}\n", xxh3_128(before.as_bytes()));
        assert_eq!(String::from_utf8(document().to_bytes().unwrap()).unwrap(), text);
        assert_eq!(Document::from_bytes(text.as_bytes(), 7).unwrap(), document());
    }

    #[test]
    fn a_document_with_any_byte_changed_or_missing_is_refused() {
        let bytes = document().to_bytes().unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(Document::from_bytes(&changed, 7).is_err(), "{place}");
            assert!(Document::from_bytes(&bytes[..place], 7).is_err(), "{place}");
        }
        assert_eq!(Document::from_bytes(&bytes, 8).unwrap_err(), "it is that of 7");
    }

    #[test]
    fn what_a_later_program_writes_is_told_from_damage_and_keys_may_be_added() {
        let text = String::from_utf8(document().to_bytes().unwrap()).unwrap();
        let newer = Document::from_bytes(text.replacen(":1,", ":2,", 1).as_bytes(), 7).unwrap_err();
        assert_eq!(newer, "it is of version 2, and this lookback reads up to 1");
        let (before, _) = text.rsplit_once(CHECKSUM_BEGINS).unwrap();
        let before = format!("{before},\"later\":[1]");
        let later = format!("{before}{CHECKSUM_BEGINS}{}{CHECKSUM_ENDS}", checksum_of(&before));
        assert_eq!(Document::from_bytes(later.as_bytes(), 7).unwrap(), document());
    }

    #[test]
    fn a_document_leads_to_no_file_elsewhere() {
        for name in ["../x", "/etc/x", "db//x", "db/", "", "db/..", ".x", "db/a b", "db/ä", "db\\x"] {
            let mut document = document();
            document.files[0].name = name.to_owned();
            let refused = Document::from_bytes(&document.to_bytes().unwrap(), 7).unwrap_err();
            assert_eq!(refused, "a file in it has no name of a file of a store", "{name}");
        }
        for (offset, bytes) in [(22, 21), (u64::MAX, 21), (0, 43)] {
            let mut document = document();
            (document.files[0].offset, document.files[0].bytes) = (offset, bytes);
            let refused = Document::from_bytes(&document.to_bytes().unwrap(), 7).unwrap_err();
            assert_eq!(refused, "a file in it does not lie in its object");
        }
    }
}
