//! Uploads in parts of the S3 server.

use super::client::Client;
use super::http::Response;
use super::test_server::refused;
use super::xml::texts;
use super::{Endpoint, S3Server};

pub fn begin(client: &Client, key: &str) -> String {
    let begun = client.ask("POST", &format!("{key}?uploads"), &[("Content-Type", "text/plain")], b"");
    assert_eq!((begun.status, texts(&begun.text(), "Key")), (200, vec![key.to_owned()]));
    texts(&begun.text(), "UploadId").remove(0)
}

fn part(client: &Client, key: &str, id: &str, number: u32, body: &[u8]) -> Response {
    client.ask("PUT", &format!("{key}?partNumber={number}&uploadId={id}"), &[], body)
}

fn complete(client: &Client, key: &str, id: &str, headers: &[(&str, &str)], parts: &[(u32, &str)]) -> Response {
    let parts = parts.iter().map(|(number, etag)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", super::xml::escape(etag))
    });
    let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>());
    client.ask("POST", &format!("{key}?uploadId={id}"), headers, body.as_bytes())
}

const ONE: &str = "\"c4ca4238a0b923820dcc509a6f75849b\"";
const TWO: &str = "\"c81e728d9d4c2f636f067f89cc14862c\"";

#[test]
fn an_object_is_put_in_parts() {
    let server = S3Server::start();
    server.set_least_part(1);
    let client = Client::to(server.address());
    let id = begin(&client, "a");
    assert_eq!(part(&client, "a", &id, 2, b"2").headers.get("etag"), Some(TWO));
    assert_eq!(part(&client, "a", &id, 1, b"x").status, 200);
    // The later one of a number counts.
    assert_eq!(part(&client, "a", &id, 1, b"1").headers.get("etag"), Some(ONE));
    assert_eq!((server.objects().len(), server.open_uploads()), (0, vec!["a".to_owned()]));
    let text = client.ask("GET", &format!("a?uploadId={id}"), &[], b"").text();
    assert_eq!(
        (texts(&text, "PartNumber"), texts(&text, "ETag")),
        (vec!["1".into(), "2".into()], vec![ONE.into(), TWO.into()])
    );
    let text = client.ask("GET", "?uploads&prefix=a", &[], b"").text();
    assert_eq!((texts(&text, "Key"), texts(&text, "UploadId")), (vec!["a".to_owned()], vec![id.clone()]));
    assert!(texts(&client.ask("GET", "?uploads&prefix=b", &[], b"").text(), "Key").is_empty());
    let done = complete(&client, "a", &id, &[], &[(1, ONE), (2, TWO)]);
    assert_eq!(done.status, 200, "{}", done.text());
    // The MD5 of the two MD5s.
    assert_eq!(texts(&done.text(), "ETag"), ["\"62be021ce84139205cdaf464abcd82ff-2\""]);
    assert_eq!((server.objects()["a"].as_slice(), server.open_uploads().len()), (&b"12"[..], 0));
    let got = client.get("a");
    assert_eq!(got.headers.get("etag").map(str::to_owned), texts(&done.text(), "ETag").pop());
    assert_eq!(got.headers.get("content-type"), Some("text/plain"));
    assert_eq!(part(&client, "a", &id, 1, b"1").status, 404);
    // The answer may have been lost.
    server.put("a", "newer");
    let again = complete(&client, "a", &id, &[], &[(1, ONE), (2, TWO)]);
    assert_eq!((again.status, again.text()), (200, done.text()));
    refused(&complete(&client, "a", &id, &[("If-None-Match", "*")], &[(1, ONE)]), 412, "PreconditionFailed");
    assert_eq!(server.objects()["a"], b"newer");
    server.set_remembers_completed(false);
    refused(&complete(&client, "a", &id, &[], &[(1, ONE), (2, TWO)]), 404, "NoSuchUpload");
}

#[test]
fn an_upload_that_is_not_right_stays_open() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let id = begin(&client, "a");
    part(&client, "a", &id, 1, b"1");
    part(&client, "a", &id, 2, b"2");
    refused(&complete(&client, "a", &id, &[], &[(1, ONE), (2, TWO)]), 400, "EntityTooSmall");
    server.set_least_part(1);
    refused(&complete(&client, "a", &id, &[], &[(2, TWO), (1, ONE)]), 400, "InvalidPartOrder");
    refused(&complete(&client, "a", &id, &[], &[(1, TWO)]), 400, "InvalidPart");
    refused(&complete(&client, "a", &id, &[], &[(3, ONE)]), 400, "InvalidPart");
    refused(&complete(&client, "a", &id, &[], &[]), 400, "MalformedXML");
    refused(&part(&client, "a", &id, 0, b"1"), 400, "InvalidArgument");
    refused(&part(&client, "a", &id, 10_001, b"1"), 400, "InvalidArgument");
    refused(&part(&client, "b", &id, 1, b"1"), 404, "NoSuchUpload");
    refused(&part(&client, "a", "none", 1, b"1"), 404, "NoSuchUpload");
    assert_eq!((server.objects().len(), server.open_uploads().len()), (0, 1));
    assert_eq!(complete(&client, "a", &id, &[], &[(1, ONE), (2, TWO)]).status, 200);
}

#[test]
fn the_last_of_the_parts_may_be_small() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let id = begin(&client, "a");
    let large = vec![b'x'; 5 << 20];
    let etag = part(&client, "a", &id, 1, &large).headers.get("etag").unwrap().to_owned();
    part(&client, "a", &id, 2, b"2");
    assert_eq!(complete(&client, "a", &id, &[], &[(1, &etag), (2, TWO)]).status, 200);
    assert_eq!(server.objects()["a"].len(), (5 << 20) + 1);
}

#[test]
fn an_upload_is_aborted_once() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let (one, other) = (begin(&client, "a"), begin(&client, "a"));
    let abort = |id: &str| client.ask("DELETE", &format!("a?uploadId={id}"), &[], b"");
    assert_eq!(abort(&one).status, 204);
    refused(&abort(&one), 404, "NoSuchUpload");
    refused(&part(&client, "a", &one, 1, b"1"), 404, "NoSuchUpload");
    assert_eq!(server.open_uploads(), ["a"]);
    assert_eq!(abort(&other).status, 204);
    assert!(server.open_uploads().is_empty());
}

#[test]
fn completing_has_conditions() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let id = begin(&client, "a");
    part(&client, "a", &id, 1, b"1");
    server.put("a", "2");
    refused(&complete(&client, "a", &id, &[("If-None-Match", "*")], &[(1, ONE)]), 412, "PreconditionFailed");
    assert_eq!((server.objects()["a"].as_slice(), server.open_uploads().len()), (&b"2"[..], 1));
    assert_eq!(complete(&client, "a", &id, &[("If-Match", TWO)], &[(1, ONE)]).status, 200);
    assert_eq!(server.objects()["a"], b"1");
}
