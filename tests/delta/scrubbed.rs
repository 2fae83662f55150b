//! Customers who are forgotten: their rows go from all versions.

use serde_json::json;

use super::{AtUrl, DT, PRODUCE, correct, parts_there};
use crate::support::delta::{commits, table};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::tree;

/// The customer who is forgotten. No other number has these bytes, and the ranking id is in no other row.
const GOING: i64 = 0x0123_4567_89ab_cdef;
const RANKING: &str = "ranking of the one who goes";

/// Two versions of a partition that has rows of the customer, without compression, so that the bytes can be looked for.
fn two_versions(at_url: &AtUrl, produce: &str) {
    let action = RawAction { customer: GOING, item: 3, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&at_url.bench.input(), "2026-01-01", &[action], PLAIN);
    at_url.bench.ok("ingest --store store --input input --dt 2026-01-01");
    let shown = |customer: i64| RawImpression {
        ranking_id: Some(if customer == GOING { RANKING.to_owned() } else { format!("r{customer}") }),
        customer,
        elements: vec![(5, Some(true)), (9, None)],
    };
    let shown: Vec<_> = (0..12).chain([GOING]).map(shown).collect();
    write_impressions(&at_url.bench.input(), DT, &shown, PLAIN);
    at_url.ok(produce);
    correct(at_url, 1);
    at_url.ok(produce);
}

/// The files that have the customer's number or ranking id in them.
fn holding(files: &std::collections::BTreeMap<String, Vec<u8>>) -> Vec<&String> {
    let needles: [&[u8]; 3] = [&GOING.to_le_bytes(), RANKING.as_bytes(), b"81985529216486895"];
    assert_eq!(GOING.to_string().as_bytes(), needles[2]);
    let has = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    files.iter().filter(|(_, bytes)| needles.iter().any(|needle| has(bytes, needle))).map(|(name, _)| name).collect()
}

#[test]
fn no_file_of_any_version_has_the_customer_afterwards() {
    for out in ["out", "@/out"] {
        let at_url = AtUrl::new();
        let produce = format!("{} --compression none", PRODUCE.replace("--out out", &format!("--out {out}")));
        let files = || if out == "out" { tree(&at_url.bench.out()) } else { at_url.below("out/") };
        two_versions(&at_url, &produce);
        assert_eq!(holding(&files()).len(), 2, "both versions, and not the log: {:?}", holding(&files()));
        let forget = format!("forget --store store --customer {GOING} --out {out}");
        let listed = at_url.json_at(&at_url.server, &forget);
        assert_eq!(listed["partitions"].as_array().unwrap().len(), 1);
        let ran = at_url.ok(&format!("{forget} --scrub"));
        let said = "are removed: the first version that can be read whole is 2";
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        let after = files();
        assert_eq!(holding(&after), Vec::<&String>::new());
        let table = table(&after).unwrap();
        assert_eq!((table.version, parts_there(&after).len()), (2, 1));
        assert!(table.active.keys().all(|path| after.contains_key(path)));
        at_url.ok(&format!("manifest --out {out} --dt {DT} --check"));
        // The rows are those of a new run, and a repeat changes nothing.
        at_url.ok(&produce.replace(&format!("--out {out} --table delta"), "--out plain"));
        at_url.ok(&format!("diff {out} plain"));
        let again = at_url.json_at(&at_url.server, &format!("{forget} --scrub"));
        assert_eq!((&again["scrubbed"], &again["partitions"]), (&json!([]), &json!([])));
        assert!(files() == after);
    }
}

/// Only an older version has the rows: the newest one keeps its files, and no version is added.
#[test]
fn rows_of_older_versions_alone_go_without_a_commit() {
    let at_url = AtUrl::new();
    let produce = format!("{PRODUCE} --compression none");
    two_versions(&at_url, &produce);
    at_url.bench.ok(&format!("forget --store store --customer {GOING}"));
    at_url.bench.ok(&produce);
    let before = tree(&at_url.bench.out());
    assert_eq!((holding(&before).len(), commits(&before).len()), (2, 3));
    at_url.bench.ok(&format!("forget --store store --customer {GOING} --out out --scrub"));
    let after = tree(&at_url.bench.out());
    assert_eq!((holding(&after).len(), commits(&after).len()), (0, 3));
    assert!(table(&after).unwrap().active.keys().all(|path| after[path] == before[path]));
}
