//! Objects of the S3 server: put, given, copied, removed; and who may ask.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::client::Client;
use super::http::Response;
use super::test_uploads::begin;
use super::xml::texts;
use super::{ACCESS_KEY, BUCKET, Endpoint, Kind, REGION, S3Server, SECRET_KEY, clock};

/// Looks at the status and the code of an error.
pub fn refused(response: &Response, status: u16, code: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(texts(&response.text(), "Code"), [code], "{}", response.text());
    assert_eq!(response.headers.get("content-type"), Some("application/xml"));
}

#[test]
fn what_is_put_is_given_back() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let put =
        client.ask("PUT", "a/b%20c%C3%A9.txt", &[("Content-Type", "text/plain"), ("x-amz-meta-day", "1")], b"hello");
    assert_eq!(put.status, 200);
    assert_eq!(put.headers.get("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(server.objects(), BTreeMap::from([("a/b cé.txt".to_owned(), b"hello".to_vec())]));
    let got = client.get("a/b%20c%C3%A9.txt");
    assert_eq!((got.status, got.text().as_str()), (200, "hello"));
    let head = client.ask("HEAD", "a/b%20c%C3%A9.txt", &[], b"");
    assert_eq!((head.status, head.body.bytes().len()), (200, 0));
    for response in [got, head] {
        assert_eq!(response.headers.get("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
        assert_eq!(response.headers.get("content-length"), Some("5"));
        assert_eq!(response.headers.get("content-type"), Some("text/plain"));
        assert_eq!(response.headers.get("x-amz-meta-day"), Some("1"));
        let modified = response.headers.get("last-modified").unwrap();
        assert!(modified.ends_with(" GMT") && modified.len() == 29, "{modified}");
    }
    assert_eq!(client.put("a", b"old").status, 200);
    assert_eq!(client.put("a", b"").status, 200);
    assert_eq!(client.get("a").text(), "");
    assert_eq!(client.get("a").headers.get("content-type"), Some("binary/octet-stream"));
    assert_eq!(server.objects()["a"], b"");
    server.remove("a");
    refused(&client.get("a"), 404, "NoSuchKey");
}

#[test]
fn what_is_not_there_is_refused_with_its_code() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    refused(&client.get("none"), 404, "NoSuchKey");
    assert_eq!(texts(&client.get("none").text(), "Key"), ["none"]);
    let head = client.ask("HEAD", "none", &[], b"");
    assert_eq!((head.status, head.text().as_str()), (404, ""));
    let mut request = client.request("GET", "none", &[], b"");
    request.target = "/other/none".to_owned();
    refused(&client.send(&client.signed(request)).unwrap(), 404, "NoSuchBucket");
    refused(&client.ask("PATCH", "none", &[], b""), 405, "MethodNotAllowed");
}

#[test]
fn removing_what_is_not_there_succeeds() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    server.put("a", "1");
    for _ in 0..2 {
        assert_eq!(client.ask("DELETE", "a", &[], b"").status, 204);
        assert!(server.objects().is_empty());
    }
}

#[test]
fn several_are_removed_at_once() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    ["a", "b&c", "d"].into_iter().for_each(|key| server.put(key, "1"));
    let body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object><Object><Key>none</Key></Object></Delete>";
    refused(&client.ask("POST", "?delete", &[], body), 400, "InvalidRequest");
    refused(&client.ask("POST", "?delete", &[("Content-MD5", "AAAA")], body), 400, "BadDigest");
    let md5 = super::digest::base64(&super::digest::md5(body));
    let deleted = client.ask("POST", "?delete", &[("Content-MD5", &md5)], body);
    assert_eq!(deleted.status, 200);
    assert_eq!(texts(&deleted.text(), "Key"), ["a", "b&c", "none"]);
    assert_eq!(server.objects().into_keys().collect::<Vec<_>>(), ["d"]);
    server.deny(Kind::Delete);
    let sum = |body: &[u8]| super::digest::base64(&super::digest::sha256(body));
    let body = b"<Delete><Quiet>true</Quiet><Object><Key>d</Key></Object></Delete>";
    let denied = client.ask("POST", "?delete", &[("x-amz-checksum-sha256", &sum(body))], body);
    assert_eq!((denied.status, texts(&denied.text(), "Code")), (200, vec!["AccessDenied".to_owned()]));
    assert_eq!(server.objects().len(), 1);
    let body = b"<Delete></Delete>";
    refused(&client.ask("POST", "?delete", &[("x-amz-checksum-sha256", &sum(body))], body), 400, "MalformedXML");
}

#[test]
fn objects_are_copied() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    server.put("a b", "1");
    let copied = client.ask("PUT", "c", &[("x-amz-copy-source", "bucket/a%20b")], b"");
    assert_eq!(copied.status, 200);
    assert_eq!(texts(&copied.text(), "ETag"), ["\"c4ca4238a0b923820dcc509a6f75849b\""]);
    assert_eq!(server.objects()["c"], b"1");
    refused(&client.ask("PUT", "c", &[("x-amz-copy-source", "bucket/none")], b""), 404, "NoSuchKey");
}

#[test]
fn requests_are_signed_with_the_key_for_the_region_and_now() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    server.put("a", "1");
    let told = server.environment();
    for (name, value) in
        [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY), ("AWS_REGION", REGION)]
    {
        assert!(told.contains(&(name.to_owned(), value.to_owned())), "{told:?}");
    }
    let request = client.request("GET", "a", &[], b"");
    refused(&client.send(&request).unwrap(), 403, "AccessDenied");
    let signed = client.signed(request.clone());
    assert_eq!(client.send(&signed).unwrap().status, 200);
    let changed = |from: &str, to: &str| {
        let mut request = signed.clone();
        let fields = request.headers.get("Authorization").unwrap().replace(from, to);
        request.headers.set("Authorization", fields);
        client.send(&request).unwrap()
    };
    refused(&changed("AKIA", "AKIB"), 403, "InvalidAccessKeyId");
    refused(&changed("Signature=", "Signature=0"), 403, "SignatureDoesNotMatch");
    refused(&changed(", Signature=", ", Sign="), 400, "AuthorizationHeaderMalformed");
    let other_target = super::http::Request { target: format!("/{BUCKET}/b"), ..signed.clone() };
    refused(&client.send(&other_target).unwrap(), 403, "SignatureDoesNotMatch");
    server.set_region("us-east-1");
    let wrong = client.send(&signed).unwrap();
    refused(&wrong, 400, "AuthorizationHeaderMalformed");
    assert_eq!(texts(&wrong.text(), "Region"), ["us-east-1"]);
    server.set_region(REGION);
    server.set_clock_ahead(Duration::from_secs(16 * 60));
    refused(&client.send(&signed).unwrap(), 403, "RequestTimeTooSkewed");
}

#[test]
fn a_body_that_is_not_the_one_of_its_checksum_is_refused() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let signed = client.signed(client.request("PUT", "a", &[], b"1"));
    let changed = super::http::Request { body: b"2".to_vec(), ..signed };
    refused(&client.send(&changed).unwrap(), 400, "XAmzContentSHA256Mismatch");
    refused(&client.ask("PUT", "a", &[("Content-MD5", "AAAA")], b"1"), 400, "BadDigest");
    refused(&client.ask("PUT", "a", &[("x-amz-checksum-sha256", "AAAA")], b"1"), 400, "BadDigest");
    refused(&client.ask("PUT", "a", &[("x-amz-checksum-crc32", "AAAA")], b"1"), 400, "BadDigest");
    refused(&client.ask("PUT", "a", &[("x-amz-checksum-sha1", "AAAA")], b"1"), 501, "NotImplemented");
    assert!(server.objects().is_empty());
    assert_eq!(client.ask("PUT", "a", &[("x-amz-checksum-crc32", "g9zvtw==")], b"1").status, 200);
    let part = client.ask(
        "PUT",
        &format!("b?partNumber=1&uploadId={}", begin(&client, "b")),
        &[("x-amz-checksum-crc32", "g9zvtw==")],
        b"1",
    );
    assert_eq!(part.headers.get("x-amz-checksum-crc32"), Some("g9zvtw=="));
}

/// As Amazon's own clients send it.
#[test]
fn a_body_comes_with_its_checksum_behind_it() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let put = |body: &[u8], coding: &str| {
        let mut request = client.request("PUT", "a", &[], body);
        request.headers.set("x-amz-content-sha256", coding);
        client.send(&client.signed(request)).unwrap()
    };
    let streaming = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    let (right, wrong) = ("g9zvtw==", "AAAAAA==");
    let body = |sum: &str| format!("1\r\n1\r\n0\r\nx-amz-checksum-crc32:{sum}\r\n\r\n").into_bytes();
    refused(&put(&body(wrong), streaming), 400, "BadDigest");
    refused(&put(b"1\r\n1", streaming), 400, "IncompleteBody");
    refused(&put(b"1", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), 501, "NotImplemented");
    assert!(server.objects().is_empty());
    assert_eq!(put(&body(right), streaming).status, 200);
    assert_eq!(server.objects()["a"], b"1");
}

#[test]
fn etags_may_be_no_digests() {
    let server = S3Server::start();
    server.set_opaque_etags();
    let client = Client::to(server.address());
    let put = || client.ask("PUT", "a", &[("Content-MD5", "AAAA")], b"1").headers.get("etag").unwrap().to_owned();
    let (one, other) = (put(), put());
    assert!(one != other && one.len() == 34, "{one} {other}");
    let got = client.ask("GET", "a", &[("If-Match", &other)], b"");
    assert_eq!((got.status, got.text().as_str(), got.headers.get("etag")), (200, "1", Some(other.as_str())));
    refused(&client.ask("GET", "a", &[("If-Match", &one)], b""), 412, "PreconditionFailed");
}

#[test]
fn what_is_denied_is_denied_and_nothing_else() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    server.put("a", "1");
    server.deny(Kind::List);
    refused(&client.ask("GET", "?list-type=2", &[], b""), 403, "AccessDenied");
    assert_eq!(client.get("a").status, 200);
    server.deny(Kind::Put);
    refused(&client.put("a", b"2"), 403, "AccessDenied");
    assert_eq!(server.objects()["a"], b"1");
}

#[test]
fn objects_can_be_made_older() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    server.put("a", "1");
    client.ask("POST", "b?uploads", &[], b"");
    let modified = |target: &str, name: &str| texts(&client.ask("GET", target, &[], b"").text(), name)[0].clone();
    let before = (modified("?list-type=2", "LastModified"), modified("?uploads", "Initiated"));
    assert!(before.0 <= clock::iso(clock::now()) && before.0 >= clock::iso(clock::now() - 60_000), "{before:?}");
    server.age(Duration::from_secs(86_400));
    let after = (modified("?list-type=2", "LastModified"), modified("?uploads", "Initiated"));
    assert_eq!(before.0[10..], after.0[10..]);
    assert_eq!(before.1[10..], after.1[10..]);
    assert!(after.0 < before.0 && after.1 < before.1);
}

#[test]
fn the_bucket_is_found() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let head = client.ask("HEAD", "", &[], b"");
    assert_eq!((head.status, head.headers.get("x-amz-bucket-region")), (200, Some(REGION)));
    assert_eq!(texts(&client.ask("GET", "?location", &[], b"").text(), "LocationConstraint"), [REGION]);
    refused(&client.ask("PUT", "", &[], b""), 409, "BucketAlreadyOwnedByYou");
}

/// One connection, two requests, the first in chunks and waiting until it may send them.
#[test]
fn a_connection_serves_several_requests() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let mut put = client.signed(client.request("PUT", "a", &[], b"hello"));
    put.headers.set("Transfer-Encoding", "chunked");
    put.headers.set("Expect", "100-continue");
    let lines: String = put.headers.0.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "PUT /{BUCKET}/a HTTP/1.1\r\n{lines}\r\n").unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    write!(stream, "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n").unwrap();
    let mut from = std::io::BufReader::new(stream);
    assert_eq!(Response::read(&mut from, "PUT").unwrap().status, 200);
    let get = client.signed(client.request("GET", "a", &[], b""));
    get.write(from.get_mut()).unwrap();
    assert_eq!(Response::read(&mut from, "GET").unwrap().text(), "hello");
}

#[test]
fn nothing_answers_after_the_end() {
    let server = S3Server::start();
    let address = server.address();
    let mut idle = TcpStream::connect(address).unwrap();
    drop(server);
    assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0);
    TcpStream::connect(address).unwrap_err();
}

#[test]
fn google_has_its_own_headers() {
    let server = S3Server::google();
    let client = Client::to(server.address());
    assert!(server.environment().contains(&("GOOGLE_BASE_URL".to_owned(), format!("http://{}", server.address()))));
    assert_eq!(server.url("a"), "gs://bucket/a");
    let ask = |method: &str, key: &str, headers: &[(&str, &str)], body: &[u8]| {
        let bearer = format!("Bearer {}", super::server::TOKEN);
        let headers = [headers, &[("Authorization", &bearer)]].concat();
        client.send(&client.request(method, key, &headers, body)).unwrap()
    };
    refused(&client.get("a"), 401, "AuthenticationRequired");
    let created = ask("PUT", "a%2Fb", &[("x-goog-if-generation-match", "0")], b"1");
    assert_eq!((created.status, created.headers.get("x-goog-generation")), (200, Some("1")));
    refused(&ask("PUT", "a%2Fb", &[("x-goog-if-generation-match", "0")], b"2"), 412, "PreconditionFailed");
    let replaced = ask("PUT", "a%2Fb", &[("x-goog-if-generation-match", "1")], b"2");
    assert_eq!((replaced.status, replaced.headers.get("x-goog-generation")), (200, Some("2")));
    assert_eq!(ask("PUT", "c", &[("x-goog-copy-source", "bucket/a%2Fb")], b"").status, 200);
    assert_eq!(ask("DELETE", "a/b", &[], b"").status, 204);
    refused(&ask("DELETE", "a/b", &[], b""), 404, "NoSuchKey");
    assert_eq!(server.objects(), BTreeMap::from([("c".to_owned(), b"2".to_vec())]));
}
