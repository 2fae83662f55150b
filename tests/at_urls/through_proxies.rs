//! Requests through a proxy that the environment names.

use serde_json::Value;

use super::{AtUrl, DT};
use crate::support::output::{dump, tree};
use crate::support::places::{Endpoint, ForwardProxy};
use crate::support::program::{Ran, assert_one_sentence};

const INGEST: &str = "ingest --create --store url --input @/in --dt 2026-01-01 --retries 1";
const PASSWORD: &str = "word-of-the-proxy";

/// Runs the program with these variables for proxies, and no others.
fn run(at_url: &AtUrl, proxies: &[(&str, &str)], arguments: &str) -> Ran {
    let mut environment = at_url.server.environment();
    environment.retain(|(name, _)| !name.eq_ignore_ascii_case("NO_PROXY"));
    environment.extend(proxies.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let arguments = arguments.replace('@', at_url.server.url("").trim_end_matches('/'));
    let ran = at_url.bench.run_in(&environment, arguments.split_whitespace());
    assert!(!ran.stderr.contains(PASSWORD), "{}", ran.stderr);
    ran
}

fn requests(ran: &Ran) -> u64 {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let requests = summary["timing"]["requests"].as_object().unwrap();
    requests.values().map(|number| number.as_u64().unwrap()).sum()
}

#[test]
fn a_proxy_carries_every_request() {
    let at_url = AtUrl::new();
    let proxy = ForwardProxy::start();
    let carried = || proxy.take_seen().len() as u64;
    let ran = run(&at_url, &[("HTTP_PROXY", &proxy.url(""))], &format!("{INGEST} --json"));
    let (made, seen) = (requests(&ran), proxy.take_seen());
    assert!(made > 0 && seen.len() as u64 == made, "{made} were made, {seen:?}");
    let address = at_url.server.address().to_string();
    assert!(seen.iter().all(|(_, target)| target.starts_with(&format!("http://{address}/bucket"))), "{seen:?}");
    at_url.bench.ok("ingest --create --store local --input input --dt 2026-01-01");
    assert!(dump(&at_url.bench.path("url")) == dump(&at_url.bench.path("local")));

    // A proxy that asks for credentials, which its URL has; and rows on the way out.
    proxy.ask_for(&format!("user:{PASSWORD}"));
    let with_password = proxy.url(&format!("user:{PASSWORD}@"));
    let produce = format!("produce --store store --input @/in --dt {DT} --out @/out --json");
    let ran = run(&at_url, &[("http_proxy", &with_password)], &produce);
    assert_eq!(requests(&ran), carried());
    at_url.bench.produce(DT);
    assert_eq!(at_url.parts(), at_url.local_parts("out"));
    assert!(
        tree(&at_url.bench.path(""))
            .into_values()
            .all(|bytes| { !bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()) })
    );

    // What NO_PROXY names goes straight to the store; so does plain HTTP where a proxy is for TLS alone.
    let address = proxy.url("");
    for around in
        [[("HTTP_PROXY", &*address), ("NO_PROXY", "127.0.0.1")], [("HTTPS_PROXY", &address), ("NO_PROXY", "")]]
    {
        let ran = run(&at_url, &around, &produce);
        assert!(requests(&ran) > 0 && carried() == 0, "{around:?}");
    }
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_named() {
    let at_url = AtUrl::new();
    let proxy = ForwardProxy::start();
    let closed = "http://127.0.0.1:1";
    let refused = |name: &str, url: &str, words: &[&str]| {
        let ran = run(&at_url, &[(name, url)], INGEST);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_one_sentence(&ran, words);
        assert!(!at_url.bench.path("url").exists());
        proxy.take_seen().len()
    };
    let through = |url: &str| format!("cannot read s3://bucket/in/lookback.toml through the proxy {url}: ");
    let check = "; check that proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY in the environment), or ";
    refused("HTTP_PROXY", closed, &[&through(closed), "the connection is refused, 2 times", check]);
    proxy.refuse(503);
    let said = through(&proxy.url(""));
    assert_eq!(refused("HTTP_PROXY", &proxy.url(""), &[&said, "the store is busy (503), 2 times", check]), 2);
    // Neither is asked again: the answer stays the same.
    proxy.refuse(407);
    let with_password = proxy.url(&format!("user:{PASSWORD}@"));
    let asks = "the proxy asks for credentials";
    assert_eq!(refused("ALL_PROXY", &with_password, &[&said, asks, check, "USER:PASSWORD@HOST:PORT"]), 1);
    proxy.refuse(403);
    assert_eq!(refused("HTTP_PROXY", &proxy.url(""), &[&said, "access is denied", check]), 1);
}

/// Requests with TLS go through a tunnel, for which the proxy is asked first.
#[test]
fn a_proxy_that_makes_no_tunnel_is_named() {
    let at_url = AtUrl::new();
    let proxy = ForwardProxy::start();
    let https = [
        ("HTTPS_PROXY", &*proxy.url("")),
        ("AWS_ENDPOINT_URL", "https://store.invalid"),
        ("AWS_ENDPOINT", "https://store.invalid"),
    ];
    let said = format!("through the proxy {}: ", proxy.url(""));
    for (status, words, tries) in
        [(407, "the proxy asks for credentials", 1), (503, "it makes no connection to the store, 2 times", 2)]
    {
        proxy.refuse(status);
        let ran = run(&at_url, &https, INGEST);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_one_sentence(&ran, &[&said, words]);
        let seen = proxy.take_seen();
        assert_eq!(seen, vec![("CONNECT".to_owned(), "store.invalid:443".to_owned()); tries]);
    }
}
