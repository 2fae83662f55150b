//! Rows at a URL.

use std::path::Path;

use super::{AtUrl, DT, batch};
use crate::readers::{python, run};
use crate::support::input::{PLAIN, RawImpression, write_impressions};
use crate::support::places::{Azurite, Endpoint, Kind, Proxy, S3Server};
use crate::support::random::Random;

const PRODUCE: &str = "produce --store store --input input --dt 2026-01-04 --out @/out";

#[test]
fn the_rows_are_those_of_a_folder_and_every_command_reads_them() {
    let at_url = AtUrl::new();
    let small = "--row-group-rows 4 --part-rows 8";
    at_url.ok(&format!("{PRODUCE} {small}"));
    at_url.bench.ok(&format!("produce --store store --input input --dt {DT} --out out {small}"));
    assert_eq!(at_url.parts(), at_url.local_parts("out"));
    assert!(at_url.parts().len() > 1);
    let names: Vec<String> = at_url.below(&format!("out/dt={DT}/")).into_keys().collect();
    assert_eq!((names[0].as_str(), names[1].as_str()), ("_SUCCESS", "_manifest.parquet"));
    assert!(names[2..].iter().all(|name| name.len() == "part-00000-.parquet".len() + 32), "{names:?}");
    assert!(at_url.server.open_uploads().is_empty());

    at_url.ok("diff @/out out");
    at_url.ok("diff out @/out");
    at_url.ok(&format!("audit --store store --input input --out @/out --dt {DT}"));
    at_url.ok(&format!("manifest --out @/out --dt {DT} --check"));
    assert!(at_url.ok("stale --store store --out @/out").stdout.is_empty());
    at_url.ok("report --store store --out @/out --html page.html");
    assert!(std::fs::read_to_string(at_url.bench.path("page.html")).unwrap().contains(DT));
}

#[test]
fn an_unchanged_rerun_uploads_nothing() {
    let at_url = AtUrl::new();
    at_url.ok(PRODUCE);
    let before = at_url.server.objects();
    let proxy = Proxy::to(&at_url.server);
    at_url.ok_at(&proxy, PRODUCE);
    let sent = [Kind::Put, Kind::CreateUpload, Kind::Delete].map(|kind| proxy.count(kind));
    assert_eq!(sent, [0, 0, 0]);
    assert!(at_url.server.objects() == before);
}

#[test]
fn requests_of_a_part_are_few() {
    let at_url = AtUrl::new();
    at_url.ok(PRODUCE);
    let proxy = Proxy::to(&at_url.server);
    let summary = at_url.json_at(&proxy, &PRODUCE.replace(DT, "2026-01-04").replace("@/out", "@/other"));
    assert_eq!(summary["parts"], 1);
    // The mark of the output, the part, the manifest, _SUCCESS.
    assert_eq!(proxy.count(Kind::Put), 2 + 1 + 1 + 1);
    assert!(proxy.requests().len() <= 14, "{:?}", proxy.requests());
}

#[test]
fn large_parts_are_uploaded_in_parts_within_the_memory_limit() {
    let at_url = AtUrl::new();
    // Numbers that no encoding makes smaller: 12 MB of them.
    let mut random = Random::new(8);
    let mut item = || 1 + i64::try_from(random.below(1 << 62)).unwrap();
    let shown =
        |customer| RawImpression { ranking_id: None, customer, elements: (0..500).map(|_| (item(), None)).collect() };
    let impressions: Vec<_> = (0..12).cycle().take(3_000).map(shown).collect();
    write_impressions(&at_url.bench.input(), DT, &impressions, PLAIN);
    let large = "--compression none --memory-limit 192MiB --max-history 1 --part-rows 2000000";
    let proxy = Proxy::to(&at_url.server);
    at_url.ok_at(&proxy, &format!("{PRODUCE} {large}"));
    assert!(proxy.count(Kind::CreateUpload) > 0 && proxy.count(Kind::UploadPart) > 1, "{:?}", proxy.requests().len());
    at_url.bench.ok(&format!("produce --store store --input input --dt {DT} --out out {large}"));
    assert!(at_url.parts() == at_url.local_parts("out"));
    assert!(at_url.server.open_uploads().is_empty());
}

#[test]
fn backfill_stale_and_forget_work_at_a_url() {
    let at_url = AtUrl::new();
    let range = "--store store --input input --from 2026-01-01 --to 2026-01-04";
    at_url.bench.ok(&format!("backfill {range} --out first"));
    at_url.ok(&format!("backfill {range} --out @/out"));
    at_url.bench.ok(&format!("backfill {range} --out out"));
    assert_eq!(at_url.parts(), at_url.local_parts("out"));
    // A correction makes the partition stale.
    batch(&at_url.bench, 2, 1);
    at_url.bench.ok("ingest --store store --input input --dt 2026-01-02");
    assert_eq!(at_url.run("stale --store store --out @/out --exit-code").code, 3);
    at_url.ok(&format!("backfill {range} --out @/out --stale"));
    at_url.bench.ok(&format!("backfill {range} --out out --stale"));
    assert_eq!(at_url.parts(), at_url.local_parts("out"));
    at_url.ok("forget --store store --customer 3 --out @/out --scrub");
    at_url.bench.ok("forget --store store --customer 3 --out out --scrub");
    assert_eq!(at_url.parts(), at_url.local_parts("out"));
    at_url.ok("diff @/out out");
}

#[test]
fn what_is_not_of_lookback_is_left_alone() {
    let at_url = AtUrl::new();
    at_url.server.put("out/notes.txt", b"mine".to_vec());
    let before = at_url.below("out/");
    at_url.refused(PRODUCE, &["is not an output folder of lookback: notes.txt in it"]);
    assert_eq!(at_url.below("out/"), before);
    at_url.server.remove("out/notes.txt");
    at_url.ok(PRODUCE);
    at_url.server.put(&format!("out/dt={DT}/notes.txt"), b"mine".to_vec());
    at_url.refused(PRODUCE, &["would be replaced, but notes.txt in it was not written by lookback"]);
}

/// Google's and Azure's stores, by the servers that there are for tests.
#[test]
fn other_stores_take_and_give_the_same() {
    let at_url = AtUrl::new();
    let (google, azurite) = (S3Server::google(), Azurite::start());
    at_url.bench.produce(DT);
    for server in [&google as &dyn Endpoint, &azurite] {
        at_url.ok_at(server, PRODUCE);
        at_url.ok_at(server, "diff @/out out");
        at_url.ok_at(server, PRODUCE);
        let carousel = format!("{PRODUCE} --order carousel");
        at_url.ok_at(server, &carousel);
        at_url.ok_at(server, &format!("manifest --out @/out --dt {DT} --check"));
        at_url.ok_at(server, &format!("audit --store store --input input --out @/out --dt {DT}"));
    }
}

/// Readers of others, at the URL.
#[test]
fn pyarrow_pandas_polars_and_duckdb_read_the_rows() {
    let at_url = AtUrl::new();
    // A partition of several parts, in place of an earlier one.
    at_url.ok(&format!("{PRODUCE} --order carousel"));
    at_url.ok(&format!("{PRODUCE} --row-group-rows 4 --part-rows 8"));
    let mut command = python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers_at_url.py"));
    command.args([&at_url.server.url("out"), DT]).envs(at_url.server.environment());
    let text = run(command);
    let read: Vec<&str> = text.lines().filter(|line| line.ends_with(": 24")).collect();
    assert_eq!(read.len(), 9, "{text}");
}
