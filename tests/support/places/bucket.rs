//! What the S3 server holds and how it has been told to behave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::clock;
use super::digest::{hex, md5};
use super::kind::Kind;

/// What the server does with `If-None-Match` and `If-Match` on what writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConditionalPuts {
    /// As S3 does.
    Kept,
    /// Answers 501 NotImplemented, as older servers of S3's protocol do.
    Refused,
    /// Writes as if the header were not there, as others do.
    Ignored,
}

/// Whose headers the server speaks; both have the same operations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    Amazon,
    Google,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub bytes: Arc<Vec<u8>>,
    /// With its quotes.
    pub etag: String,
    /// Milliseconds since 1970.
    pub modified: i64,
    /// Content-Type and x-amz-meta-…
    pub headers: Vec<(String, String)>,
    /// Google's number of what has been written, never used twice.
    pub generation: u64,
}

#[derive(Clone, Debug)]
pub struct Upload {
    pub key: String,
    pub begun: i64,
    pub headers: Vec<(String, String)>,
    pub parts: BTreeMap<u16, Part>,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub bytes: Arc<Vec<u8>>,
    pub digest: [u8; 16],
    pub modified: i64,
}

impl Part {
    pub fn etag(&self) -> String {
        quoted(&hex(&self.digest))
    }
}

pub struct Bucket {
    pub dialect: Dialect,
    pub objects: BTreeMap<String, Object>,
    /// Begun, and neither completed nor aborted.
    pub uploads: BTreeMap<String, Upload>,
    /// Completed ones, with the ETag that came of each.
    pub completed: BTreeMap<String, String>,
    /// Whether an upload that is completed once more is found.
    pub remembers_completed: bool,
    /// Numbers that are never used twice: of uploads, of what was written, of ETags that are no digests.
    pub last_upload: u64,
    pub last_generation: u64,
    pub last_opaque: u64,
    pub has_opaque_etags: bool,
    /// The most entries in one answer to a list.
    pub page: usize,
    /// The fewest bytes of a part that is not the last.
    pub least_part: usize,
    pub conditional_puts: ConditionalPuts,
    pub denied: BTreeSet<Kind>,
    pub region: String,
    /// Milliseconds by which the server's clock is ahead.
    pub ahead: i64,
}

impl Bucket {
    pub fn new(dialect: Dialect) -> Self {
        Bucket {
            dialect,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            completed: BTreeMap::new(),
            remembers_completed: true,
            last_upload: 0,
            last_generation: 0,
            last_opaque: 0,
            has_opaque_etags: false,
            page: 1_000,
            least_part: 5 << 20,
            conditional_puts: ConditionalPuts::Kept,
            denied: BTreeSet::new(),
            region: super::server::REGION.to_owned(),
            ahead: 0,
        }
    }

    pub fn now(&self) -> i64 {
        clock::now() + self.ahead
    }

    /// What stands in the place of an MD5.
    pub fn next_opaque(&mut self) -> [u8; 16] {
        self.last_opaque += 1;
        (u128::from(self.last_opaque) | 0xee << 120).to_be_bytes()
    }

    /// Puts an object in place and gives it back.
    pub fn store(&mut self, key: &str, bytes: Arc<Vec<u8>>, etag: String, headers: Vec<(String, String)>) -> &Object {
        self.last_generation += 1;
        let (modified, generation) = (self.now(), self.last_generation);
        let object = Object { bytes, etag, modified, headers, generation };
        self.objects.insert(key.to_owned(), object);
        &self.objects[key]
    }
}

pub fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The ETag of an object that was put in one piece.
pub fn etag_of(bytes: &[u8]) -> String {
    quoted(&hex(&md5(bytes)))
}

/// The ETag of an object that was put in parts: the MD5 of their MD5s, and how many they are.
pub fn etag_of_parts<'a>(parts: impl Iterator<Item = &'a Part>) -> String {
    let digests: Vec<[u8; 16]> = parts.map(|part| part.digest).collect();
    quoted(&format!("{}-{}", hex(&md5(&digests.concat())), digests.len()))
}
