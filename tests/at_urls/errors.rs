//! What people meet, each in one sentence.

use std::time::Duration;

use super::AtUrl;
use crate::support::places::{ConditionalPuts, Endpoint, Fault, Kind, Proxy, SECRET_KEY, every};
use crate::support::program::assert_one_sentence;

const INGEST: &str = "ingest --create --store url --input @/in --dt 2026-01-01 --retries 1";
const PRODUCE: &str = "produce --store store --input input --dt 2026-01-04 --out @/out --retries 1";

#[test]
fn wrong_settings_are_named() {
    let at_url = AtUrl::new();
    let environment = at_url.server.environment();
    let refused = |changes: &[(&str, &str)], bucket: &str, words: &[&str]| {
        let mut environment = environment.clone();
        for (name, value) in changes {
            environment.retain(|(found, _)| found != name);
            if !value.is_empty() {
                environment.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        let arguments = INGEST.replace('@', bucket);
        let ran = at_url.bench.run_in(&environment, arguments.split_whitespace());
        assert_eq!(ran.code, 1, "{changes:?}: {}", ran.stderr);
        assert_one_sentence(&ran, words);
        assert!(!ran.stderr.contains(SECRET_KEY), "{}", ran.stderr);
    };
    let bucket = at_url.server.url("");
    let bucket = bucket.trim_end_matches('/');
    refused(&[], "s3://other-bucket", &["there is no such bucket", "check the URL"]);
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    refused(&none, bucket, &["there are no credentials", "AWS_ACCESS_KEY_ID"]);
    refused(&[("AWS_SECRET_ACCESS_KEY", "wrong-wrong-wrong")], bucket, &["does not accept the credentials"]);
    refused(&[("AWS_ACCESS_KEY_ID", "unknown")], bucket, &["does not accept the credentials"]);
    let closed = [("AWS_ENDPOINT", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    refused(&closed, bucket, &["cannot read", "the connection is refused, 2 times", "--retries"]);
    at_url.server.set_region("us-west-2");
    refused(&[], bucket, &["the bucket is in another region", "AWS_REGION"]);
    assert!(!at_url.bench.path("url").exists());
}

#[test]
fn clocks_rights_and_busy_stores_are_named() {
    let at_url = AtUrl::new();
    at_url.server.set_clock_ahead(Duration::from_secs(3_600));
    at_url.refused(INGEST, &["the clock of this machine and that of the store are too far apart"]);
    at_url.server.set_clock_ahead(Duration::ZERO);
    let proxy = Proxy::to(&at_url.server);
    for (fault, words) in [
        (Fault::Status(503, "SlowDown"), "the store is busy"),
        (Fault::Status(500, "InternalError"), "the store failed (500)"),
        (Fault::Cut, "the connection was cut"),
        (Fault::Status(403, "ExpiredToken"), "the credentials have expired"),
    ] {
        proxy.heal();
        proxy.fail(every(), fault);
        let ran = at_url.run_at(&proxy, INGEST);
        assert_eq!(ran.code, 1, "{fault:?}: {}", ran.stderr);
        assert_one_sentence(&ran, &[words]);
    }
    proxy.heal();
    proxy.fail(every(), Fault::Stall);
    let ran = at_url.run_at(&proxy, &format!("{INGEST} --request-timeout 1"));
    assert_one_sentence(&ran, &["no answer in time", "--request-timeout"]);
    drop(proxy);
    at_url.server.deny(Kind::Get);
    at_url.refused(INGEST, &["cannot read", "access is denied"]);
    at_url.server.deny(Kind::List);
    at_url.refused(&INGEST.replace("--retries 1", "--config none.toml"), &["none.toml"]);
    at_url.refused("stale --store store --out @/out", &["cannot list", "access is denied"]);
}

#[test]
fn a_store_without_conditional_writes_is_found_out_at_the_start() {
    let at_url = AtUrl::new();
    for conditional in [ConditionalPuts::Refused, ConditionalPuts::Ignored] {
        at_url.server.set_conditional_puts(conditional);
        at_url.refused(PRODUCE, &["does not support conditional writes"]);
        assert!(at_url.below("out/dt=").is_empty());
    }
}

#[test]
fn what_is_no_url_of_a_store_is_wrong_usage() {
    let at_url = AtUrl::new();
    for url in ["hdfs://name/in", "http://example.invalid/in", "s3://", "s3://b/in?x=1", "s3://user:word@b/in"] {
        let ran = at_url.bench.run_in(&at_url.server.environment(), INGEST.replace("@/in", url).split_whitespace());
        assert_eq!(ran.code, 2, "{url}: {}", ran.stderr);
        assert_one_sentence(&ran, &["is no URL of an object store"]);
    }
}
