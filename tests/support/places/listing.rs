//! ListObjectsV2: keys in the order of their bytes, those below a delimiter as one, in pages.

use super::bucket::Bucket;
use super::clock;
use super::digest::hex;
use super::http::{Request, Response, encode};
use super::refusal::Refusal;
use super::xml::{document, element};

/// What stands in a list: an object, or the common beginning of several.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Entry {
    Object(String),
    Prefix(String),
}

impl Entry {
    fn text(&self) -> &str {
        let (Entry::Object(text) | Entry::Prefix(text)) = self;
        text
    }

    /// Whether a key comes behind this entry.
    fn is_before(&self, key: &str) -> bool {
        match self {
            Entry::Object(own) => key > own.as_str(),
            Entry::Prefix(own) => key > own.as_str() && !key.starts_with(own),
        }
    }

    /// Opaque to the client, as S3's is.
    fn token(&self) -> String {
        match self {
            Entry::Object(key) => "k".to_owned() + &hex(key.as_bytes()),
            Entry::Prefix(prefix) => "p".to_owned() + &hex(prefix.as_bytes()),
        }
    }

    fn of_token(token: &str) -> Option<Self> {
        let digits = token.get(1..)?;
        let bytes = (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok());
        let text = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
        match token.as_bytes()[0] {
            b'k' => Some(Entry::Object(text)),
            b'p' => Some(Entry::Prefix(text)),
            _ => None,
        }
    }
}

pub fn list(bucket: &Bucket, request: &Request) -> Result<Response, Refusal> {
    let invalid = |what: &str| Refusal::new(400, "InvalidArgument", what);
    let parameter = |name: &str| request.parameter(name);
    if parameter("list-type").as_deref() != Some("2") {
        return Err(Refusal::new(501, "NotImplemented", "Only version 2 of listing objects is here: list-type=2"));
    }
    let prefix = parameter("prefix").unwrap_or_default();
    let delimiter = parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let most = match parameter("max-keys") {
        Some(text) => text.parse().map_err(|_| invalid("max-keys is no number"))?,
        None => bucket.page,
    };
    let token = parameter("continuation-token");
    let mut last = match &token {
        Some(token) => {
            Some(Entry::of_token(token).ok_or_else(|| invalid("The continuation token provided is incorrect"))?)
        }
        None => None,
    };
    let start_after = parameter("start-after").filter(|_| token.is_none());
    let page = bucket.page.min(most);
    let (mut entries, mut is_truncated) = (Vec::new(), false);
    for key in bucket.objects.keys().filter(|key| key.starts_with(&prefix)) {
        if last.as_ref().is_some_and(|last| !last.is_before(key)) {
            continue;
        }
        let behind = &key[prefix.len()..];
        let end = delimiter.as_ref().and_then(|delimiter| Some(behind.find(delimiter)? + delimiter.len()));
        let entry = match end {
            Some(end) => Entry::Prefix(key[..prefix.len() + end].to_owned()),
            None => Entry::Object(key.clone()),
        };
        // What is gathered counts as one key here too: `a/` comes before `a/1`.
        if start_after.as_ref().is_some_and(|start| entry.text() <= start.as_str()) {
            continue;
        }
        if entries.len() == page {
            is_truncated = page > 0;
            break;
        }
        last = Some(entry.clone());
        entries.push(entry);
    }
    let is_encoded = parameter("encoding-type").as_deref() == Some("url");
    // S3 leaves the slash as it is.
    let shown = |text: &str| if is_encoded { encode(text).replace("%2F", "/") } else { text.to_owned() };
    let mut inner = element("Name", super::server::BUCKET) + &element("Prefix", shown(&prefix));
    inner += &element("KeyCount", entries.len());
    inner += &element("MaxKeys", most);
    inner += &element("IsTruncated", is_truncated);
    for (name, value) in
        [("Delimiter", &delimiter), ("ContinuationToken", &token), ("StartAfter", &parameter("start-after"))]
    {
        inner += &value.as_ref().map(|value| element(name, shown(value))).unwrap_or_default();
    }
    if is_encoded {
        inner += &element("EncodingType", "url");
    }
    if is_truncated {
        inner += &element("NextContinuationToken", last.map(|last| last.token()).unwrap());
    }
    for entry in &entries {
        inner += &match entry {
            Entry::Object(key) => {
                let object = &bucket.objects[key];
                let (modified, length) = (clock::iso(object.modified), object.bytes.len());
                let shown = element("Key", shown(key)) + &element("LastModified", modified);
                let shown = shown + &element("ETag", &object.etag) + &element("Size", length);
                format!("<Contents>{shown}{}</Contents>", element("StorageClass", "STANDARD"))
            }
            Entry::Prefix(prefix) => format!("<CommonPrefixes>{}</CommonPrefixes>", element("Prefix", shown(prefix))),
        };
    }
    Ok(Response::new(200, document("ListBucketResult", &inner)).with("Content-Type", "application/xml"))
}
