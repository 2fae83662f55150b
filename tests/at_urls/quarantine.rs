//! Bad rows set aside at a URL: the same file as in a folder, whatever happens to a request.

use super::{AtUrl, DT};
use crate::bad_rows::set_aside;
use crate::support::output::dump;
use crate::support::places::{Endpoint, Fault, Kind, Proxy, every, nth};
use crate::support::program::write_file;

const ACTIONS: &str = "actions/dt=2026-01-05/bad-rows.parquet";
const IMPRESSIONS: &str = "impressions/dt=2026-01-04/bad-rows.parquet";
const INGEST: &str = "ingest --create --store STORE --input input --dt 2026-01-05 --quarantine BAD --request-timeout 1";
const PRODUCE: &str = "produce --store store --input input --dt 2026-01-04 --out rows --quarantine @/bad";

/// With clicks of another day, two of which are bad, and an impression whose customer is.
fn with_bad_rows() -> AtUrl {
    let at_url = AtUrl::new();
    let clicks = b"customer_id,item_id,click_time\n1,2,2026-01-05T10:00:00Z\n1,,2026-01-05T10:00:00Z\n1,0,\n";
    write_file(&at_url.bench.input().join("clicks/dt=2026-01-05/a.csv"), clicks);
    let shown = br#"{"ranking_id": "r", "customer_id": "nobody", "impressions": [{"item_id": 5, "is_order": true}]}
{"ranking_id": "r", "customer_id": 5, "impressions": [{"item_id": 5, "is_order": true}]}"#;
    write_file(&at_url.bench.input().join(format!("impressions/dt={DT}/z.jsonl")), shown);
    at_url
}

fn ingest(store: &str, bad: &str) -> String {
    INGEST.replace("STORE", store).replace("BAD", bad)
}

/// Ingests into a store that is new.
fn fresh(at_url: &AtUrl, to: &dyn Endpoint, bad: &str) -> crate::support::program::Ran {
    let _ = std::fs::remove_dir_all(at_url.bench.path("url"));
    at_url.run_at(to, &ingest("url", bad))
}

#[test]
fn bad_rows_are_the_same_at_a_url_as_in_a_folder() {
    let at_url = with_bad_rows();
    let bench = &at_url.bench;
    at_url.ok(&ingest("url", "@/bad"));
    bench.ok(&ingest("local", "bad"));
    assert!(dump(&bench.path("url")) == dump(&bench.path("local")));
    at_url.ok(PRODUCE);
    bench.ok(&PRODUCE.replace("rows", "same").replace("@/", ""));
    for name in [ACTIONS, IMPRESSIONS] {
        let local = std::fs::read(bench.path("bad").join(name)).unwrap();
        assert!(at_url.below("bad/")[name] == local, "{name}");
    }
    assert_eq!(set_aside(&bench.path("bad").join(ACTIONS)).len(), 2);
    assert_eq!(at_url.below("bad/").len(), 2);

    // A backfill and a vocabulary set the same rows aside.
    let days = "--input input --from 2026-01-04 --to 2026-01-05";
    at_url.ok(&format!("backfill --store filled {days} --out filled-rows --quarantine @/filled"));
    at_url.ok(&format!("vocabulary {days} --of items --out items.parquet --quarantine @/words"));
    assert!(at_url.below("filled/") == at_url.below("bad/") && at_url.below("words/") == at_url.below("bad/"));

    // Once the rows are good, the file goes.
    write_file(
        &bench.input().join("clicks/dt=2026-01-05/a.csv"),
        b"customer_id,item_id,click_time\n1,2,2026-01-05T10:00:00Z\n",
    );
    at_url.ok(&ingest("url", "@/bad"));
    assert_eq!(at_url.below("bad/").into_keys().collect::<Vec<_>>(), [IMPRESSIONS]);
}

#[test]
fn bad_rows_come_through_whatever_one_request_meets() {
    let at_url = with_bad_rows();
    at_url.ok(&ingest("url", "@/bad"));
    let (whole, set_aside) = (dump(&at_url.bench.path("url")), at_url.server.objects());
    let proxy = Proxy::to(&at_url.server);
    // On top of the file of the run before.
    assert_eq!(fresh(&at_url, &proxy, "@/bad").code, 0);
    let requests = proxy.requests().len();
    assert!(requests >= 5, "two lists, two reads and a write: {requests}");
    for number in 1..=requests {
        for fault in [
            Fault::Status(503, "SlowDown"),
            Fault::StatusAfter(500, "InternalError"),
            Fault::Cut,
            Fault::LostAnswer,
            Fault::CutAnswer,
            Fault::Twice,
            Fault::Late(1),
            Fault::StallAnswer,
        ] {
            proxy.heal();
            proxy.deliver();
            proxy.forget();
            proxy.fail(nth(number), fault);
            let ran = fresh(&at_url, &proxy, "@/bad");
            proxy.deliver();
            assert_eq!(ran.code, 0, "{fault:?} at {number}: {}", ran.stderr);
            assert!(dump(&at_url.bench.path("url")) == whole, "{fault:?} at {number}");
            assert!(at_url.server.objects() == set_aside, "{fault:?} at {number}");
        }
    }
}

#[test]
fn a_quarantine_that_cannot_be_written_leaves_the_store_as_it_is() {
    let at_url = with_bad_rows();
    let before = dump(&at_url.bench.store());
    let into_store = format!("{} --retries 1 --allow-missing-source", ingest("store", "@/bad"));
    let refused = |arguments: &str, words: &[&str]| {
        at_url.refused(arguments, words);
        assert!(dump(&at_url.bench.store()) == before, "{arguments}");
        assert!(at_url.below("bad/").into_values().all(|bytes| bytes == b"mine"), "{arguments}");
    };
    at_url.server.deny(Kind::Put);
    refused(&into_store, &["cannot write", ACTIONS, "access is denied"]);
    refused(&into_store.replace("@/bad", "s3://other-bucket/bad"), &["there is no such bucket"]);
    at_url.server.put(&format!("bad/{ACTIONS}"), b"mine".to_vec());
    refused(&into_store, &[ACTIONS, "exists already and is not bad rows that lookback has set aside", "move it away"]);
    let proxy = Proxy::to(&at_url.server);
    at_url.server.remove(&format!("bad/{ACTIONS}"));
    proxy.fail(every().of(Kind::Put), Fault::Status(503, "SlowDown"));
    let ran = at_url.run_at(&proxy, &into_store);
    assert!(ran.code == 1 && ran.said().contains("the store is busy (503), 2 times"), "{}", ran.stderr);
    assert!(dump(&at_url.bench.store()) == before);
}

#[test]
fn a_quarantine_lies_apart_from_input_and_output() {
    let at_url = with_bad_rows();
    let produce = "produce --store store --input @/in --dt 2026-01-04 --out @/out --quarantine @/";
    at_url.refused(&format!("{produce}in/bad"), &["the quarantine", "the input root", "overlap"]);
    at_url.refused(&format!("{produce}out"), &["the quarantine", "the output", "overlap"]);
    let ran = at_url.run(&ingest("new", "http://example.invalid/bad"));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.said().contains("is no URL of an object store"), "{}", ran.stderr);
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let environment: Vec<_> =
        at_url.server.environment().into_iter().filter(|(name, _)| !keys.contains(&&**name)).collect();
    let ran = at_url.bench.run_in(&environment, ingest("new", "s3://bucket/bad").split_whitespace());
    assert!(ran.code == 1 && ran.said().contains("there are no credentials for s3://bucket/bad"), "{}", ran.stderr);
}
