//! Input at a URL.

use std::thread;
use std::time::Duration;

use super::{AtUrl, DT};
use crate::support::output::{dump, tree};
use crate::support::places::{Fault, Kind, Proxy, nth};
use crate::support::program::write_file;

const INGEST: &str = "ingest --create --store url --input @/in --dt 2026-01-01";

#[test]
fn the_store_and_the_rows_are_those_of_the_same_files_in_a_folder() {
    let at_url = AtUrl::new();
    // Lists come in several pages.
    at_url.server.set_page(2);
    for day in 1..=3 {
        at_url.ok(&format!("ingest --create --store url --input @/in --dt 2026-01-0{day}"));
    }
    let bench = &at_url.bench;
    assert!(dump(&bench.path("url")) == dump(&bench.store()));
    at_url.ok(&format!("produce --store url --input @/in --dt {DT} --out out-url"));
    bench.produce(DT);
    assert!(tree(&bench.path("out-url")) == tree(&bench.out()));
    let range = "--from 2026-01-01 --to 2026-01-04";
    at_url.ok(&format!("backfill --store other --input @/in {range} --out out-other"));
    bench.ok(&format!("backfill --store same --input input {range} --out out-same"));
    assert!(tree(&bench.path("out-other")) == tree(&bench.path("out-same")));
    at_url.ok(&format!("audit --store url --input @/in --out out --dt {DT}"));
    at_url.ok("vocabulary --input @/in --from 2026-01-01 --to 2026-01-03 --of items --out items.parquet");
    bench.ok("vocabulary --input input --from 2026-01-01 --to 2026-01-03 --of items --out local.parquet");
    assert!(std::fs::read(bench.path("items.parquet")).unwrap() == std::fs::read(bench.path("local.parquet")).unwrap());
    at_url.ok(&format!("config check --input @/in --dt {DT} --store url"));
    // Nothing is new.
    let again = at_url.json_at(&at_url.server, "backfill --store url --input @/in --from 2026-01-01 --to 2026-01-03");
    assert_eq!(again["ingested"], serde_json::json!([]));
}

#[test]
fn text_files_and_the_configuration_beside_them_are_read() {
    let at_url = AtUrl::new();
    let bench = &at_url.bench;
    let config = b"[sources.clicks]\npattern = \"log/{dt}.csv\"\n";
    write_file(&bench.path("text/lookback.toml"), config);
    write_file(&bench.path("text/log/2026-01-01.csv"), b"customer_id,item_id,click_time\n7,8,2026-01-01T10:00:00Z\n");
    for (name, bytes) in tree(&bench.path("text")) {
        at_url.server.put(&format!("text/{name}"), bytes);
    }
    at_url.ok("ingest --create --store url --input @/text --dt 2026-01-01");
    bench.ok("ingest --create --store local --input text --dt 2026-01-01");
    assert!(dump(&bench.path("url")) == dump(&bench.path("local")));
}

#[test]
fn requests_are_few_and_counted() {
    let at_url = AtUrl::new();
    let proxy = Proxy::to(&at_url.server);
    let summary = at_url.json_at(&proxy, INGEST);
    let files = usize::try_from(summary["files"].as_u64().unwrap()).unwrap();
    let requests = &summary["timing"]["requests"];
    let counted = |name: &str| usize::try_from(requests[name].as_u64().unwrap()).unwrap();
    assert_eq!((counted("put"), counted("delete")), (0, 0));
    assert_eq!(counted("list"), proxy.count(Kind::List));
    assert_eq!(counted("get"), proxy.count(Kind::Get) + proxy.count(Kind::Head));
    // The configuration, which is not there, and each file once.
    assert_eq!(counted("get"), 1 + files);
    assert!(counted("list") <= 14, "{} lists", counted("list"));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let at_url = AtUrl::new();
    let key = at_url.server.objects().into_keys().find(|key| key.starts_with("in/clicks/dt=2026-01-01/")).unwrap();
    let proxy = Proxy::to(&at_url.server);
    proxy.fail(nth(1).of(Kind::Get).at(&key), Fault::Delay(Duration::from_millis(600)));
    thread::scope(|scope| {
        let ran = scope.spawn(|| at_url.run_at(&proxy, INGEST));
        while proxy.count(Kind::Get) < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        at_url.server.put(&key, b"PAR1 and something else PAR1".to_vec());
        let ran = ran.join().unwrap();
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.said().contains(&key) && ran.said().contains("while it was being read"), "{}", ran.stderr);
    });
    assert!(!at_url.bench.path("url").exists());
}

#[test]
fn tables_and_missing_roots_are_refused() {
    let at_url = AtUrl::new();
    at_url.refused(&INGEST.replace("@/in", "@/nowhere"), &["the input root", "/nowhere is not a folder"]);
    at_url.server.put("table/_delta_log/0.json", b"{}".to_vec());
    at_url.server.put("table/in/clicks/dt=2026-01-01/a.csv", b"customer_id,item_id,click_time\n".to_vec());
    at_url.refused(&INGEST.replace("@/in", "@/table/in"), &["/table is a Delta table (it has _delta_log)"]);
    at_url.server.put("in/clicks/_delta_log/0.json", b"{}".to_vec());
    at_url.refused(INGEST, &["/in/clicks is a Delta table"]);
}

#[test]
fn a_file_url_is_a_path() {
    let at_url = AtUrl::new();
    let bench = &at_url.bench;
    let input = format!("file://{}", bench.input().display());
    bench.ok(&format!("ingest --create --store url --input {input} --dt 2026-01-01"));
    bench.ok(&format!("ingest --create --store same --input={input} --dt 2026-01-01"));
    assert!(dump(&bench.path("url")) == dump(&bench.path("same")));
}
