//! Lists of the S3 server.

use super::client::Client;
use super::http::encode;
use super::test_server::refused;
use super::xml::{inside, texts};
use super::{Endpoint, S3Server};

/// Keys and prefixes of all pages, and how many entries each had.
fn pages(client: &Client, query: &str) -> (Vec<String>, Vec<String>, Vec<usize>) {
    let (mut keys, mut prefixes, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    let mut token: Option<String> = None;
    loop {
        let more = token.map_or(String::new(), |token| format!("&continuation-token={}", encode(&token)));
        let page = client.ask("GET", &format!("?list-type=2{query}{more}"), &[], b"");
        let text = page.text();
        assert_eq!(page.status, 200, "{text}");
        let before = keys.len() + prefixes.len();
        keys.extend(texts(&text, "Key"));
        prefixes.extend(inside(&text, "CommonPrefixes").iter().flat_map(|inner| texts(inner, "Prefix")));
        lengths.push(keys.len() + prefixes.len() - before);
        assert_eq!(texts(&text, "KeyCount"), [lengths.last().unwrap().to_string()]);
        token = texts(&text, "NextContinuationToken").pop();
        assert_eq!(texts(&text, "IsTruncated"), [token.is_some().to_string()]);
        if token.is_none() {
            return (keys, prefixes, lengths);
        }
    }
}

fn of(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn keys_come_in_the_order_of_their_bytes() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    assert_eq!(pages(&client, ""), (vec![], vec![], vec![0]));
    ["b", "a/2", "a/1", "a-", "é", "Z", "a&<b"].into_iter().for_each(|key| server.put(key, key));
    let (keys, _, _) = pages(&client, "");
    assert_eq!(keys, of(&["Z", "a&<b", "a-", "a/1", "a/2", "b", "é"]));
    let text = client.ask("GET", "?list-type=2&prefix=a%2F1", &[], b"").text();
    assert_eq!(texts(&text, "Size"), ["3"]);
    assert_eq!(texts(&text, "ETag"), [super::bucket::etag_of(b"a/1")]);
    assert!(texts(&text, "LastModified")[0].ends_with('Z'));
    let encoded = client.ask("GET", "?list-type=2&encoding-type=url&prefix=a", &[], b"").text();
    assert_eq!(texts(&encoded, "Key"), ["a%26%3Cb", "a-", "a/1", "a/2"]);
}

#[test]
fn a_delimiter_gathers_what_is_below() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    ["a/1", "a/2", "a/b/3", "b", "c/4", "c"].into_iter().for_each(|key| server.put(key, key));
    assert_eq!(pages(&client, "&delimiter=%2F"), (of(&["b", "c"]), of(&["a/", "c/"]), vec![4]));
    assert_eq!(pages(&client, "&delimiter=/&prefix=a/"), (of(&["a/1", "a/2"]), of(&["a/b/"]), vec![3]));
    assert_eq!(pages(&client, "&delimiter=/&prefix=a").1, of(&["a/"]));
    assert_eq!(pages(&client, "&prefix=none").2, [0]);
}

#[test]
fn lists_come_in_pages() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    ["a/1", "a/2", "a/b/3", "b", "c/4", "c/5", "d"].into_iter().for_each(|key| server.put(key, key));
    server.set_page(2);
    let (keys, _, lengths) = pages(&client, "");
    assert_eq!((keys, lengths), (server.objects().into_keys().collect(), vec![2, 2, 2, 1]));
    assert_eq!(pages(&client, "&delimiter=/"), (of(&["b", "d"]), of(&["a/", "c/"]), vec![2, 2]));
    assert_eq!(pages(&client, "&max-keys=1&delimiter=/").2, [1, 1, 1, 1]);
    assert_eq!(pages(&client, "&max-keys=50").2, [2, 2, 2, 1]);
    server.set_page(1_000);
    assert_eq!(pages(&client, "&max-keys=3").2, [3, 3, 1]);
    assert_eq!(pages(&client, "&max-keys=0").2, [0]);
}

#[test]
fn lists_begin_behind_a_key() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    ["a", "b", "c"].into_iter().for_each(|key| server.put(key, key));
    server.set_page(1);
    assert_eq!(pages(&client, "&start-after=a").0, of(&["b", "c"]));
    assert_eq!(pages(&client, "&start-after=aa").0, of(&["b", "c"]));
    assert_eq!(pages(&client, "&start-after=c").0, of(&[]));
    ["a/1", "a/2", "b/1"].into_iter().for_each(|key| server.put(key, key));
    assert_eq!(pages(&client, "&start-after=a/1&delimiter=/"), (of(&["b", "c"]), of(&["b/"]), vec![1, 1, 1]));
}

#[test]
fn what_a_list_cannot_be_asked_is_refused() {
    let server = S3Server::start();
    let client = Client::to(server.address());
    refused(&client.ask("GET", "", &[], b""), 501, "NotImplemented");
    refused(&client.ask("GET", "?list-type=2&max-keys=x", &[], b""), 400, "InvalidArgument");
    for token in ["", "x", "k0", "p6g", "x00"] {
        let target = format!("?list-type=2&continuation-token={token}");
        refused(&client.ask("GET", &target, &[], b""), 400, "InvalidArgument");
    }
}
