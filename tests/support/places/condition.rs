//! The conditions and checksums that come in headers: whether a request is done at all.

use super::bucket::{Bucket, ConditionalPuts, Dialect, Object};
use super::digest::{base64, checksum, hex, md5, sha256};
use super::http::{Request, read_chunks};
use super::refusal::Refusal;

/// Whether a header with ETags, or `*` for any, has that of an object.
fn names(header: &str, object: &Object) -> bool {
    let bare = |etag: &str| etag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    header.split(',').any(|etag| etag.trim() == "*" || bare(etag) == bare(&object.etag))
}

/// Whether an object may be written: `If-None-Match: *` where there must be none yet, `If-Match` with the ETag of the
/// one that it replaces; Google's by the generation.
pub fn write(bucket: &Bucket, request: &Request, key: &str) -> Result<(), Refusal> {
    let object = bucket.objects.get(key);
    let header = |name: &str| request.headers.get(name);
    let conditions = ["If-None-Match", "If-Match", "x-goog-if-generation-match"];
    match bucket.conditional_puts {
        ConditionalPuts::Kept => {}
        ConditionalPuts::Ignored => return Ok(()),
        ConditionalPuts::Refused => {
            let named = conditions.into_iter().find(|name| header(name).is_some());
            return named.map_or(Ok(()), |name| Err(Refusal::not_implemented(name)));
        }
    }
    if let (Some(generation), Dialect::Google) = (header("x-goog-if-generation-match"), bucket.dialect) {
        let own = object.map_or(0, |object| object.generation).to_string();
        return if generation == own { Ok(()) } else { Err(Refusal::precondition("generation")) };
    }
    match header("If-None-Match") {
        // S3 takes nothing else there.
        Some(etag) if etag != "*" => return Err(Refusal::not_implemented("If-None-Match with an ETag")),
        Some(_) if object.is_some() => return Err(Refusal::precondition("If-None-Match")),
        _ => {}
    }
    match (header("If-Match"), object) {
        (Some(_), None) => Err(Refusal::no_key(key)),
        (Some(etag), Some(object)) if !names(etag, object) => Err(Refusal::precondition("If-Match")),
        _ => Ok(()),
    }
}

/// Whether an object is given: false, and the answer 304, where `If-None-Match` has its ETag; an error where `If-Match`
/// has another.
pub fn read(request: &Request, object: &Object) -> Result<bool, Refusal> {
    for name in ["If-Modified-Since", "If-Unmodified-Since", "If-Range"] {
        if request.headers.get(name).is_some() {
            return Err(Refusal::not_implemented(name));
        }
    }
    if request.headers.get("If-Match").is_some_and(|etag| !names(etag, object)) {
        return Err(Refusal::precondition("If-Match"));
    }
    Ok(!request.headers.get("If-None-Match").is_some_and(|etag| names(etag, object)))
}

/// The part of an object that is asked for, as its first and one behind its last byte; `None` where it is asked for
/// whole.
pub fn range(request: &Request, length: usize) -> Result<Option<(usize, usize)>, Refusal> {
    let Some(text) = request.headers.get("Range").and_then(|range| range.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let Some((first, last)) = text.split_once('-').filter(|_| !text.contains(',')) else { return Ok(None) };
    let range = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => (first, length.min(last + 1)),
        (Ok(first), Err(_)) if last.is_empty() => (first, length),
        (Err(_), Ok(last)) if first.is_empty() && last > 0 => (length.saturating_sub(last), length),
        (Err(_), Ok(_)) if first.is_empty() => (length, length),
        // What is no range is as if it were not there (RFC 9110).
        _ => return Ok(None),
    };
    if range.0 >= length {
        return Err(Refusal::new(416, "InvalidRange", "The requested range is not satisfiable"));
    }
    Ok(Some(range))
}

/// A body in chunks of S3's own, with its checksum behind it.
const STREAMING: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// The request with its body as it is meant, and what stood behind it among its headers.
pub fn unpacked(mut request: Request) -> Result<Request, Refusal> {
    if request.headers.get("x-amz-content-sha256") == Some(STREAMING) {
        let message = "The body is not in the chunks that it should be in";
        let refusal = |_| Refusal::new(400, "IncompleteBody", message);
        let (body, trailers) = read_chunks(&mut request.body.as_slice()).map_err(refusal)?;
        request.body = body;
        request.headers.0.extend(trailers.0);
    }
    Ok(request)
}

/// The names and values of `x-amz-checksum-…`.
pub fn checksums(request: &Request) -> impl Iterator<Item = (&str, &str)> {
    let headers = request.headers.0.iter().filter_map(|(name, value)| {
        let begin = name.get(..15).filter(|begin| begin.eq_ignore_ascii_case("x-amz-checksum-"))?;
        Some((&name[begin.len()..], value.as_str()))
    });
    // Which one is meant, not one itself.
    headers.filter(|(name, _)| !["algorithm", "mode", "type"].contains(name))
}

/// Whether a body is the one that its checksums were made of.
pub fn body(request: &Request) -> Result<(), Refusal> {
    let bad = |what: &str| {
        Refusal::new(400, "BadDigest", format!("The {what} you specified did not match what we received."))
    };
    let header = |name: &str| request.headers.get(name);
    if header("Content-MD5").is_some_and(|given| given != base64(&md5(&request.body))) {
        return Err(bad("Content-MD5"));
    }
    for (name, given) in checksums(request) {
        match checksum(name, &request.body) {
            None => return Err(Refusal::not_implemented(&format!("x-amz-checksum-{name}"))),
            Some(own) if own != given => return Err(bad(name)),
            Some(_) => {}
        }
    }
    match header("x-amz-content-sha256") {
        Some("UNSIGNED-PAYLOAD" | STREAMING) => Ok(()),
        Some(given) if given.starts_with("STREAMING-") => Err(Refusal::not_implemented(given)),
        Some(given) if given != hex(&sha256(&request.body)) => Err(Refusal::new(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )),
        _ => Ok(()),
    }
}
