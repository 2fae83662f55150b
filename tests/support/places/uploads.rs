//! Objects put in parts: begun, sent in any order, completed in theirs, or aborted; and those that were left open.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bucket::{Bucket, Part, Upload, etag_of_parts};
use super::clock;
use super::condition;
use super::http::{Request, Response};
use super::refusal::Refusal;
use super::xml::{document, element, inside, texts};

fn answer(name: &str, inner: &str) -> Response {
    Response::new(200, document(name, inner)).with("Content-Type", "application/xml")
}

fn no_upload() -> Refusal {
    Refusal::new(
        404,
        "NoSuchUpload",
        "The specified multipart upload does not exist. It may have been aborted or completed.",
    )
}

/// The upload that a request names, of the key that it names.
fn open<'a>(
    uploads: &'a mut BTreeMap<String, Upload>,
    request: &Request,
    key: &str,
) -> Result<&'a mut Upload, Refusal> {
    let upload = request.parameter("uploadId").and_then(|id| uploads.get_mut(&id));
    upload.filter(|upload| upload.key == key).ok_or_else(no_upload)
}

pub fn create(bucket: &mut Bucket, key: &str, headers: Vec<(String, String)>) -> Response {
    bucket.last_upload += 1;
    // S3's are long and have no meaning.
    let id = format!("upload.{}_{:08}", "x".repeat(20), bucket.last_upload);
    let upload = Upload { key: key.to_owned(), begun: bucket.now(), headers, parts: BTreeMap::new() };
    bucket.uploads.insert(id.clone(), upload);
    let inner = element("Bucket", super::server::BUCKET) + &element("Key", key) + &element("UploadId", id);
    answer("InitiateMultipartUploadResult", &inner)
}

pub fn put_part(
    bucket: &mut Bucket,
    request: &Request,
    key: &str,
    bytes: Arc<Vec<u8>>,
    digest: [u8; 16],
) -> Result<Response, Refusal> {
    let number = request.parameter("partNumber").and_then(|number| number.parse().ok());
    let Some(number @ 1..=10_000) = number else {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        return Err(Refusal::new(400, "InvalidArgument", message));
    };
    let modified = bucket.now();
    let upload = open(&mut bucket.uploads, request, key)?;
    let part = Part { bytes, digest, modified };
    let mut response = Response::new(200, "").with("ETag", part.etag());
    for (name, value) in condition::checksums(request) {
        response = response.with(&format!("x-amz-checksum-{name}"), value);
    }
    upload.parts.insert(number, part);
    Ok(response)
}

/// Makes the object of the parts that are named. Conditions are looked at now, as S3 does; an upload whose condition
/// failed stays open. Completing once more what is completed gives the same answer, as with S3, unless the server has
/// been told to forget, as others do; its conditions are looked at again.
pub fn complete(bucket: &mut Bucket, request: &Request, key: &str) -> Result<Response, Refusal> {
    let malformed = || Refusal::new(400, "MalformedXML", "The XML you provided was not well-formed");
    let body = String::from_utf8(request.body.clone()).map_err(|_| malformed())?;
    let id = request.parameter("uploadId").unwrap_or_default();
    let done = |etag: &str| {
        let inner = element("Bucket", super::server::BUCKET) + &element("Key", key) + &element("ETag", etag);
        answer("CompleteMultipartUploadResult", &inner)
    };
    if let Some(etag) = bucket.completed.get(&id).filter(|_| bucket.remembers_completed) {
        condition::write(bucket, request, key)?;
        return Ok(done(etag));
    }
    let least = bucket.least_part;
    let upload = open(&mut bucket.uploads, request, key)?.clone();
    let mut parts: Vec<(u16, &Part)> = Vec::new();
    for named in inside(&body, "Part") {
        let text = |name: &str| texts(named, name).into_iter().next().ok_or_else(malformed);
        let (number, etag) = (text("PartNumber")?.parse::<u16>().map_err(|_| malformed())?, text("ETag")?);
        let part = upload.parts.get(&number).filter(|part| part.etag().trim_matches('"') == etag.trim_matches('"'));
        let message = "One or more of the specified parts could not be found.";
        let part = part.ok_or_else(|| Refusal::new(400, "InvalidPart", message))?;
        if parts.last().is_some_and(|(last, _)| *last >= number) {
            return Err(Refusal::new(400, "InvalidPartOrder", "The list of parts was not in ascending order."));
        }
        parts.push((number, part));
    }
    let Some((_, before)) = parts.split_last() else { return Err(malformed()) };
    if before.iter().any(|(_, part)| part.bytes.len() < least) {
        let message = "Your proposed upload is smaller than the minimum allowed object size.";
        return Err(Refusal::new(400, "EntityTooSmall", message));
    }
    condition::write(bucket, request, key)?;
    let etag = etag_of_parts(parts.iter().map(|(_, part)| *part));
    let bytes = parts.iter().map(|(_, part)| part.bytes.as_slice()).collect::<Vec<_>>().concat();
    bucket.uploads.remove(&id);
    bucket.completed.insert(id, etag.clone());
    let generation = bucket.store(key, Arc::new(bytes), etag.clone(), upload.headers.clone()).generation;
    Ok(done(&etag).with("x-goog-generation", generation))
}

pub fn abort(bucket: &mut Bucket, request: &Request, key: &str) -> Result<Response, Refusal> {
    open(&mut bucket.uploads, request, key)?;
    bucket.uploads.remove(&request.parameter("uploadId").ok_or_else(no_upload)?);
    Ok(Response::new(204, ""))
}

pub fn list_parts(bucket: &mut Bucket, request: &Request, key: &str) -> Result<Response, Refusal> {
    let upload = open(&mut bucket.uploads, request, key)?;
    let mut inner = element("Key", key) + &element("IsTruncated", false);
    for (number, part) in &upload.parts {
        let shown = element("PartNumber", number) + &element("LastModified", clock::iso(part.modified));
        let shown = shown + &element("ETag", part.etag()) + &element("Size", part.bytes.len());
        inner += &format!("<Part>{shown}</Part>");
    }
    Ok(answer("ListPartsResult", &inner))
}

/// All open uploads below a prefix, in one page.
pub fn list(bucket: &Bucket, request: &Request) -> Response {
    let prefix = request.parameter("prefix").unwrap_or_default();
    let mut inner = element("Bucket", super::server::BUCKET) + &element("IsTruncated", false);
    let mut uploads: Vec<_> = bucket.uploads.iter().filter(|(_, upload)| upload.key.starts_with(&prefix)).collect();
    uploads.sort_by_key(|(id, upload)| (&upload.key, *id));
    for (id, upload) in uploads {
        let shown = element("Key", &upload.key) + &element("UploadId", id);
        inner += &format!("<Upload>{shown}{}</Upload>", element("Initiated", clock::iso(upload.begun)));
    }
    answer("ListMultipartUploadsResult", &inner)
}
