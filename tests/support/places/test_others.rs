//! The servers of others: that they start, answer and end; and that the server of this folder answers as Moto does.

use std::collections::BTreeMap;
use std::net::TcpStream;

use super::client::Client;
use super::http::Response;
use super::xml::texts;
use super::{Azurite, Endpoint, Fault, Kind, Moto, Proxy, S3Server, nth};

/// What of an answer has to be the same.
#[derive(Debug, Eq, PartialEq)]
struct Essence {
    status: u16,
    texts: Vec<Vec<String>>,
    headers: Vec<Option<String>>,
    body: Vec<u8>,
}

/// All of an answer but times, ids and messages.
fn essence(response: &Response, is_object: bool) -> Essence {
    let status = response.status;
    if status >= 400 {
        let texts = vec![texts(&response.text(), "Code")];
        return Essence { status, texts, headers: Vec::new(), body: Vec::new() };
    }
    let names = ["Key", "ETag", "Size", "Prefix", "KeyCount", "IsTruncated", "PartNumber", "MaxKeys"];
    let text = if is_object { String::new() } else { response.text() };
    let headers = ["etag", "content-range", "content-type", "x-amz-meta-day"];
    // Only objects have a type that matters; what tells the ETag in its body may tell it in its head too.
    let headers = headers.iter().filter(|name| is_object || **name == "etag" && !text.contains("<ETag>"));
    let headers = headers.map(|name| response.headers.get(name).map(str::to_owned)).collect();
    let body = if is_object { response.body.bytes().to_vec() } else { Vec::new() };
    Essence { status, texts: names.map(|name| texts(&text, name)).into(), headers, body }
}

const ONE: &str = "\"c4ca4238a0b923820dcc509a6f75849b\"";
const TWO: &str = "\"c81e728d9d4c2f636f067f89cc14862c\"";

#[test]
fn the_server_answers_as_moto_does() {
    let (own, moto) = (S3Server::start(), Moto::start());
    let clients = [&own as &dyn Endpoint, &moto].map(|endpoint| Client::to(endpoint.address()));
    let same = |method: &str, key: &str, headers: &[(&str, &str)], body: &[u8]| -> [Response; 2] {
        let [one, other] = clients.each_ref().map(|client| client.ask(method, key, headers, body));
        let is_object = method == "GET" && one.status < 300 && !key.contains('?');
        assert_eq!(
            essence(&one, is_object),
            essence(&other, is_object),
            "{method} {key} {headers:?}\n{}",
            other.text()
        );
        [one, other]
    };
    same("GET", "?list-type=2", &[], b"");
    same("PUT", "a", &[("Content-Type", "text/plain"), ("x-amz-meta-day", "1")], b"1");
    same("GET", "a", &[], b"");
    same("HEAD", "a", &[], b"");
    same("GET", "none", &[], b"");
    same("HEAD", "none", &[], b"");
    for headers in [("If-None-Match", "*"), ("If-Match", "\"x\""), ("If-Match", ONE), ("If-Match", ONE)] {
        same("PUT", "a", &[headers], b"2");
        same("GET", "a", &[], b"");
    }
    same("PUT", "none", &[("If-Match", ONE)], b"2");
    same("PUT", "b", &[("If-None-Match", "*")], b"2");
    for condition in [("If-Match", TWO), ("If-Match", ONE), ("If-None-Match", TWO), ("If-None-Match", ONE)] {
        same("GET", "a", &[condition], b"");
    }
    same("PUT", "digits", &[], b"0123456789");
    for range in ["3-5", "8-99", "7-", "-4", "-99", "10-", "-0", "5-3"] {
        same("GET", "digits", &[("Range", &format!("bytes={range}"))], b"");
    }
    for key in ["c/1", "c/2", "c/d/3", "c-", "e/4", "%C3%A9", "Z", "a%26%3Cb"] {
        same("PUT", key, &[], b"x");
    }
    for query in ["", "&prefix=c/", "&prefix=c", "&prefix=c/d", "&start-after=c/1", "&start-after=c/d", "&max-keys=0"] {
        same("GET", &format!("?list-type=2&max-keys=1000{query}"), &[], b"");
        same("GET", &format!("?list-type=2&max-keys=1000{query}&delimiter=/"), &[], b"");
    }
    for query in ["&max-keys=3", "&max-keys=1&delimiter=/", "&max-keys=2&delimiter=/&prefix=c/"] {
        let mut tokens = [String::new(), String::new()];
        loop {
            let more = tokens.each_ref().map(|token| format!("?list-type=2{query}{token}"));
            let pages = [0, 1].map(|i| clients[i].ask("GET", &more[i], &[], b""));
            assert_eq!(essence(&pages[0], false), essence(&pages[1], false), "{more:?}");
            let next = pages.each_ref().map(|page| texts(&page.text(), "NextContinuationToken").pop());
            let [Some(one), Some(other)] = next else {
                assert_eq!(next, [None, None]);
                break;
            };
            tokens = [one, other].map(|token| format!("&continuation-token={}", super::http::encode(&token)));
        }
    }
    same("PUT", "copy", &[("x-amz-copy-source", "bucket/digits")], b"");
    same("GET", "copy", &[("If-Match", "\"781e5e245d69b566979b86e28d23f2c7\"")], b"");
    same("DELETE", "a", &[], b"");
    same("DELETE", "a", &[], b"");
    let body = b"<Delete><Object><Key>b</Key></Object><Object><Key>none</Key></Object></Delete>";
    same("POST", "?delete", &[("Content-MD5", &super::digest::base64(&super::digest::md5(body)))], body);
    assert_eq!(own.objects(), moto.objects());
    assert!(own.objects().len() > 8);
}

#[test]
fn the_server_takes_parts_as_moto_does() {
    let (own, moto) = (S3Server::start(), Moto::start());
    let clients = [&own as &dyn Endpoint, &moto].map(|endpoint| Client::to(endpoint.address()));
    let ids = clients.each_ref().map(|client| {
        let ids = ["a", "b"].map(|key| client.ask("POST", &format!("{key}?uploads"), &[], b""));
        ids.map(|begun| texts(&begun.text(), "UploadId").pop().unwrap())
    });
    let same = |method: &str, key: &str, query: &str, headers: &[(&str, &str)], body: &[u8]| -> u16 {
        let place = usize::from(key == "b");
        let answers = [0, 1].map(|i| {
            let target = format!("{key}?{query}uploadId={}", ids[i][place]);
            clients[i].ask(method, &target, headers, body)
        });
        let [one, other] = answers.each_ref().map(|answer| essence(answer, false));
        assert_eq!(one, other, "{method} {key} {query}\n{}", answers[1].text());
        one.status
    };
    let large = vec![b'x'; 5 << 20];
    let etag = super::bucket::etag_of(&large);
    let parts = |etags: &[&str]| {
        let part = |number: usize| {
            format!("<PartNumber>{}</PartNumber><ETag>{}</ETag>", number + 1, super::xml::escape(etags[number]))
        };
        let parts: String = (0..etags.len()).map(|number| format!("<Part>{}</Part>", part(number))).collect();
        format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>").into_bytes()
    };
    same("PUT", "a", "partNumber=2&", &[], b"2");
    same("PUT", "a", "partNumber=1&", &[], b"1");
    same("GET", "a", "", &[], b"");
    assert_eq!(same("POST", "a", "", &[], &parts(&[ONE, TWO])), 400);
    same("PUT", "a", "partNumber=1&", &[], &large);
    assert_eq!(same("POST", "a", "", &[], &parts(&[ONE, TWO])), 400);
    assert_eq!(clients.each_ref().map(|client| client.put("a", b"old").status), [200, 200]);
    assert_eq!(same("POST", "a", "", &[("If-None-Match", "*")], &parts(&[&etag, TWO])), 412);
    assert_eq!((own.open_uploads(), moto.open_uploads()), (vec!["a".into(), "b".into()], vec!["a".into(), "b".into()]));
    assert_eq!(same("POST", "a", "", &[], &parts(&[&etag, TWO])), 200);
    assert_eq!(same("POST", "a", "", &[], &parts(&[&etag, TWO])), 200);
    assert_eq!(same("DELETE", "b", "", &[], b""), 204);
    assert_eq!(same("DELETE", "b", "", &[], b""), 404);
    assert_eq!((own.open_uploads(), moto.open_uploads()), (vec![], vec![]));
    assert_eq!(own.objects(), moto.objects());
}

#[test]
fn moto_stands_behind_a_proxy_and_ends() {
    let moto = Moto::start();
    let address = moto.address();
    let proxy = Proxy::to(&moto);
    proxy.fail(nth(2).of(Kind::Put), Fault::LostAnswer);
    let client = Client::to(proxy.address());
    assert_eq!(client.put("a", b"1").status, 200);
    client.send(&client.signed(client.request("PUT", "a", &[], b"2"))).unwrap_err();
    assert_eq!(client.get("a").text(), "2");
    assert_eq!(proxy.url("a"), "s3://bucket/a");
    assert!(proxy.environment().contains(&("AWS_ENDPOINT".to_owned(), format!("http://{}", proxy.address()))));
    drop(proxy);
    drop(moto);
    TcpStream::connect(address).unwrap_err();
}

#[test]
fn azurite_keeps_conditions_and_ends() {
    let azurite = Azurite::start();
    let address = azurite.address();
    let blob = ("x-ms-blob-type", "BlockBlob");
    let create = || azurite.ask("PUT", "a%2Fb", &[blob, ("If-None-Match", "*")], b"1");
    assert_eq!(create().status, 201);
    let again = create();
    assert_eq!((again.status, texts(&again.text(), "Code")), (409, vec!["BlobAlreadyExists".to_owned()]));
    let etag = azurite.ask("HEAD", "a%2Fb", &[], b"").headers.get("etag").unwrap().to_owned();
    let replace = |etag: &str| azurite.ask("PUT", "a%2Fb", &[blob, ("If-Match", etag)], b"2").status;
    assert_eq!((replace(&etag), replace(&etag)), (201, 412));
    assert_eq!(azurite.ask("PUT", "c?comp=block&blockid=AAAA", &[], b"3").status, 201);
    let blocks = b"<BlockList><Latest>AAAA</Latest></BlockList>";
    let complete = || azurite.ask("PUT", "c?comp=blocklist", &[("If-None-Match", "*")], blocks).status;
    assert_eq!((complete(), complete()), (201, 409));
    let expected = [("a/b", "2"), ("c", "3")].map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    assert_eq!(azurite.objects(), BTreeMap::from(expected));
    let unsigned = Client::to(address).ask("GET", "a%2Fb", &[("x-ms-version", "2023-11-03")], b"");
    assert!(unsigned.status >= 400, "{}", unsigned.status);
    let proxy = Proxy::to(&azurite);
    assert_eq!(proxy.url("a"), "az://bucket/a");
    let endpoint = ("AZURE_STORAGE_ENDPOINT".to_owned(), format!("http://{}/lookback", proxy.address()));
    assert!(proxy.environment().contains(&endpoint));
    assert_eq!(Client::to(proxy.address()).ask("GET", "a%2Fb", &[], b"").status, unsigned.status);
    drop(proxy);
    drop(azurite);
    TcpStream::connect(address).unwrap_err();
}
