//! Commits, tables and logs of other programs.

use std::fs;

use serde_json::{Value, json};

use super::{AtUrl, DT, PRODUCE, correct, files, local};
use crate::support::program::write_file;

/// Commits actions as another program would.
fn commit(at_url: &AtUrl, actions: &[Value]) {
    let version = local(at_url).version + 1;
    let text: String = actions.iter().map(|action| format!("{action}\n")).collect();
    write_file(&at_url.bench.out().join(format!("_delta_log/{version:020}.json")), text.as_bytes());
}

fn add(path: &str, dt: &str) -> Value {
    json!({"add": {"path": path, "partitionValues": {"dt": dt}, "size": 3, "modificationTime": 7, "dataChange": false,
        "tags": {"x": "y"}}})
}

#[test]
fn all_files_of_the_day_leave_whoever_wrote_them_and_no_others() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let own = local(&at_url).active.keys().next().unwrap().clone();
    // What an OPTIMIZE does: files for others, with the same rows; and another day.
    let (merged, other) = (format!("dt={DT}/part-00000-0%20a.c000.snappy.parquet"), "dt=2025-12-31/x.parquet");
    write_file(&at_url.bench.out().join(format!("dt={DT}/part-00000-0 a.c000.snappy.parquet")), b"PAR");
    write_file(&at_url.bench.out().join(other), b"PAR");
    commit(
        &at_url,
        &[
            json!({"txn": {"appId": "x", "version": 1}}),
            json!({"remove": {"path": own, "deletionTimestamp": 7, "dataChange": false}}),
            add(&merged, DT),
            add(other, "2025-12-31"),
        ],
    );
    // The same rows once more: the table has other files, so the manifest alone does not make them current.
    let table = {
        let summary = at_url.bench.json(PRODUCE);
        assert_eq!(summary["table_version"], 2);
        local_without_txn(&at_url)
    };
    assert_eq!(table.0, [other.to_owned(), own]);
    assert_eq!(table.1, [merged]);
}

/// The paths in the newest version, and those that left it.
fn local_without_txn(at_url: &AtUrl) -> (Vec<String>, Vec<String>) {
    let (mut active, mut removed) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for action in crate::support::delta::commits(&files(at_url)).iter().flatten() {
        if let Some(path) = action["add"]["path"].as_str() {
            active.insert(path.to_owned());
            removed.remove(path);
        }
        if let Some(path) = action["remove"]["path"].as_str() {
            active.remove(path);
            removed.insert(path.to_owned());
        }
    }
    (active.into_iter().collect(), removed.into_iter().collect())
}

#[test]
fn a_backfill_makes_good_what_others_have_done_to_a_day() {
    let at_url = AtUrl::new();
    let range = "backfill --store store --input input --from 2026-01-04 --to 2026-01-04 --out out --table delta";
    at_url.bench.ok(range);
    let own = local(&at_url).active.keys().next().unwrap().clone();
    commit(&at_url, &[json!({"remove": {"path": own, "deletionTimestamp": 7, "dataChange": true}})]);
    let summary = at_url.bench.json(range);
    assert_eq!(summary["produced"][0]["kept"], false);
    assert_eq!(local(&at_url).active.keys().collect::<Vec<_>>(), [&own]);
    assert_eq!(at_url.bench.json(range)["produced"][0]["kept"], true);
}

#[test]
fn a_table_that_needs_more_than_is_known_is_refused() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let metadata = local(&at_url).metadata;
    let with = |key: &str, value: Value| {
        let mut metadata = metadata.clone();
        metadata[key] = value;
        json!({"metaData": metadata})
    };
    let schema = metadata["schemaString"].as_str().unwrap().to_owned();
    let versions =
        |reader: u8, writer: u8| json!({"protocol": {"minReaderVersion": reader, "minWriterVersion": writer}});
    let features = |feature: &str| {
        json!({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [feature],
            "writerFeatures": [feature, "appendOnly"]}})
    };
    let cases = [
        (versions(2, 5), "needs reader version 2 and writer version 5, which this program does not write"),
        (versions(1, 4), "needs reader version 1 and writer version 4"),
        (features("deletionVectors"), "needs the feature deletionVectors"),
        (with("partitionColumns", json!([])), "its partition columns are [], not [dt]"),
        (with("format", json!({"provider": "orc", "options": {}})), "its files are orc, not parquet"),
        (with("configuration", json!({"delta.appendOnly": "true"})), "has the property delta.appendOnly"),
        (with("schemaString", json!(schema.replace("\"label\"", "\"mark\""))), "its column mark stands where label"),
        (with("schemaString", json!("{")), "its schema cannot be read"),
    ];
    correct(&at_url, 1);
    let before = files(&at_url);
    for (action, words) in cases {
        commit(&at_url, &[action]);
        let after = files(&at_url);
        at_url.bench.refused(PRODUCE, &[words]);
        assert!(files(&at_url) == after, "{words}");
        fs::remove_file(at_url.bench.out().join("_delta_log/00000000000000000001.json")).unwrap();
    }
    assert!(files(&at_url) == before);
    commit(
        &at_url,
        &[json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["invariants"]}})],
    );
    at_url.bench.ok(PRODUCE);
    at_url
        .bench
        .refused(&format!("{PRODUCE} --item-type int32"), &["its column impression_item_id is long, not integer"]);
    at_url
        .bench
        .refused(&format!("{PRODUCE} --with action_ages"), &["its column dt stands where action_ages is expected"]);
}

#[test]
fn a_damaged_log_is_refused_by_name() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let log = at_url.bench.out().join("_delta_log");
    let first = log.join("00000000000000000000.json");
    let whole = fs::read(&first).unwrap();
    let cases: [(&[u8], &str); 3] = [
        (b"{\"add\":{\"path\":7}}", "00000000000000000000.json cannot be used (invalid type"),
        (b"no json", "00000000000000000000.json cannot be used (expected"),
        (b"{\"commitInfo\":{}}\n", "cannot be used (no version up to this one says what the table is)"),
    ];
    for (bytes, words) in cases {
        fs::write(&first, bytes).unwrap();
        at_url.bench.refused(PRODUCE, &[words]);
    }
    fs::write(log.join("00000000000000000002.json"), b"").unwrap();
    fs::write(&first, whole).unwrap();
    at_url.bench.refused(PRODUCE, &["_delta_log cannot be used (version 1 is missing)"]);
    fs::write(log.join("00000000000000000001.checkpoint.parquet"), b"PAR1").unwrap();
    at_url.bench.refused(PRODUCE, &["checkpoint.parquet cannot be used (it cannot be read as Parquet)"]);
}
