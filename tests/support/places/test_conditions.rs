//! Conditions and ranges of the S3 server.

use super::client::Client;
use super::test_server::refused;
use super::{ConditionalPuts, Endpoint, S3Server};

#[test]
fn an_object_is_created_once() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let create = |body: &[u8]| client.ask("PUT", "a", &[("If-None-Match", "*")], body);
    assert_eq!(create(b"1").status, 200);
    refused(&create(b"2"), 412, "PreconditionFailed");
    assert_eq!(server.objects()["a"], b"1");
    refused(&client.ask("PUT", "a", &[("If-None-Match", "\"x\"")], b"2"), 501, "NotImplemented");
}

#[test]
fn one_of_many_creates() {
    let server = S3Server::start();
    let address = server.address();
    let create = move |number: u8| Client::to(address).ask("PUT", "a", &[("If-None-Match", "*")], &[number]).status;
    let threads: Vec<_> = (0..8).map(|number| std::thread::spawn(move || create(number))).collect();
    let mut statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    statuses.sort();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}

#[test]
fn an_object_is_replaced_if_it_is_still_that() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    refused(&client.ask("PUT", "a", &[("If-Match", "\"x\"")], b"1"), 404, "NoSuchKey");
    let first = client.put("a", b"1").headers.get("etag").unwrap().to_owned();
    let replace = |etag: &str, body: &[u8]| client.ask("PUT", "a", &[("If-Match", etag)], body);
    assert_eq!(replace(&first, b"2").status, 200);
    refused(&replace(&first, b"3"), 412, "PreconditionFailed");
    assert_eq!(server.objects()["a"], b"2");
}

#[test]
fn conditions_can_be_refused_or_ignored() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    server.put("a", "1");
    server.set_conditional_puts(ConditionalPuts::Refused);
    refused(&client.ask("PUT", "a", &[("If-None-Match", "*")], b"2"), 501, "NotImplemented");
    refused(&client.ask("PUT", "b", &[("If-Match", "\"x\"")], b"2"), 501, "NotImplemented");
    assert_eq!(client.put("b", b"1").status, 200);
    assert_eq!((server.objects()["a"].as_slice(), server.objects().len()), (&b"1"[..], 2));
    server.set_conditional_puts(ConditionalPuts::Ignored);
    assert_eq!(client.ask("PUT", "a", &[("If-None-Match", "*")], b"2").status, 200);
    assert_eq!(server.objects()["a"], b"2");
}

#[test]
fn reading_has_conditions_too() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    let etag = client.put("a", b"1").headers.get("etag").unwrap().to_owned();
    let get = |name: &str, value: &str| client.ask("GET", "a", &[(name, value)], b"");
    assert_eq!(get("If-Match", &etag).status, 200);
    assert_eq!(get("If-Match", "\"x\", *").status, 200);
    refused(&get("If-Match", "\"x\""), 412, "PreconditionFailed");
    assert_eq!(client.ask("HEAD", "a", &[("If-Match", "\"x\"")], b"").status, 412);
    assert_eq!(get("If-None-Match", "\"x\"").status, 200);
    let same = get("If-None-Match", &etag);
    assert_eq!((same.status, same.text().as_str(), same.headers.get("etag")), (304, "", Some(etag.as_str())));
    refused(&get("If-Modified-Since", "Mon, 30 Nov 2026 12:00:00 GMT"), 501, "NotImplemented");
}

#[test]
fn ranges_are_given() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    server.put("a", "0123456789");
    server.put("empty", "");
    let get = |range: &str| client.ask("GET", "a", &[("Range", range)], b"");
    for (range, text, said) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=3-5", "345", "bytes 3-5/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-4", "6789", "bytes 6-9/10"),
        ("bytes=-99", "0123456789", "bytes 0-9/10"),
    ] {
        let got = get(range);
        assert_eq!((got.status, got.text().as_str(), got.headers.get("content-range")), (206, text, Some(said)));
        assert_eq!(got.headers.get("content-length"), Some(text.len().to_string().as_str()));
    }
    for range in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
        refused(&get(range), 416, "InvalidRange");
    }
    for range in ["bytes=5-3", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5"] {
        assert_eq!((get(range).status, get(range).text().as_str()), (200, "0123456789"), "{range}");
    }
    refused(&client.ask("GET", "empty", &[("Range", "bytes=0-0")], b""), 416, "InvalidRange");
    let head = client.ask("HEAD", "a", &[("Range", "bytes=3-5")], b"");
    assert_eq!((head.status, head.headers.get("content-length")), (206, Some("3")));
}
