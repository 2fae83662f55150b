//! What is written.

use std::fs;

use serde_json::{Value, json};

use super::{AtUrl, DT, PRODUCE, correct, files, local, parts_there};
use crate::support::delta::{commits, parts};
use crate::support::input::{PLAIN, RawImpression, write_impressions};

#[test]
fn the_first_commit_makes_the_table() {
    let at_url = AtUrl::new();
    let small = "--part-rows 8 --row-group-rows 4 --with history_length,action_times";
    let summary = at_url.bench.json(&format!("{PRODUCE} {small}"));
    assert_eq!(summary["table_version"], 0);
    let files = files(&at_url);
    let [commit] = &commits(&files)[..] else { panic!("one commit") };
    assert_eq!(commit[0]["commitInfo"]["operation"], "WRITE");
    assert_eq!(commit[0]["commitInfo"]["operationParameters"]["predicate"], format!("dt = '{DT}'"));
    assert_eq!(commit[1], json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}));
    let metadata = &commit[2]["metaData"];
    assert_eq!(metadata["partitionColumns"], json!(["dt"]));
    assert_eq!(metadata["format"], json!({"provider": "parquet", "options": {}}));
    let schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    let list = |element: &str| json!({"type": "array", "elementType": element, "containsNull": false});
    let expected = [
        ("ranking_id", json!("string"), true),
        ("customer_id", json!("long"), false),
        ("impression_pos", json!("integer"), false),
        ("impression_item_id", json!("long"), false),
        ("label", json!("integer"), false),
        ("actions", list("long"), false),
        ("action_types", list("integer"), false),
        ("history_length", json!("integer"), false),
        ("action_times", list("timestamp"), false),
        ("dt", json!("date"), false),
    ];
    let expected: Vec<Value> = expected
        .into_iter()
        .map(|(name, of, nullable)| json!({"name": name, "type": of, "nullable": nullable, "metadata": {}}))
        .collect();
    assert_eq!(schema, json!({"type": "struct", "fields": expected}));

    let adds: Vec<&Value> = commit[3..].iter().map(|action| &action["add"]).collect();
    assert_eq!(adds.len(), 3, "24 rows");
    let mut rows = 0;
    for add in &adds {
        let path = add["path"].as_str().unwrap();
        let modified = fs::metadata(at_url.bench.out().join(path)).unwrap().modified().unwrap();
        let modified_ms = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        assert_eq!(add["modificationTime"].as_u64().map(u128::from), Some(modified_ms));
        assert_eq!(add["size"], files[path].len());
        assert_eq!((&add["partitionValues"], &add["dataChange"]), (&json!({"dt": DT}), &json!(true)));
        let statistics: Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
        rows += statistics["numRecords"].as_u64().unwrap();
        assert_eq!(statistics["minValues"]["impression_item_id"], 5);
        assert_eq!(statistics["maxValues"]["impression_item_id"], 9);
        assert_eq!((&statistics["minValues"]["label"], &statistics["maxValues"]["label"]), (&json!(0), &json!(1)));
        assert_eq!(statistics["nullCount"]["ranking_id"], 0);
        assert!(statistics["minValues"]["customer_id"].is_null(), "older commits stay when a customer is forgotten");
    }
    assert_eq!(rows, 24);
    let names = parts(&files[&format!("dt={DT}/_manifest.parquet")]);
    let paths: Vec<String> = names.iter().map(|name| format!("dt={DT}/{name}")).collect();
    assert_eq!(adds.iter().map(|add| add["path"].as_str().unwrap()).collect::<Vec<_>>(), paths);
    assert!(files.contains_key(&format!("dt={DT}/_SUCCESS")));
}

/// The rows are those of an output that is no table, and null ranking ids are counted.
#[test]
fn the_rows_are_those_of_a_plain_output() {
    let at_url = AtUrl::new();
    let shown = |customer| RawImpression {
        ranking_id: (customer > 3).then(|| format!("r{customer}")),
        customer,
        elements: vec![(5, Some(true)), (9, None)],
    };
    write_impressions(&at_url.bench.input(), DT, &(0..12).map(shown).collect::<Vec<_>>(), PLAIN);
    at_url.bench.ok(PRODUCE);
    at_url.bench.ok(&PRODUCE.replace("--out out --table delta", "--out plain"));
    assert_eq!(at_url.local_parts("out"), at_url.local_parts("plain"));
    at_url.bench.ok("diff out plain");
    let stats = local(&at_url).active.into_values().next().unwrap()["stats"].as_str().unwrap().to_owned();
    let statistics: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(
        statistics["nullCount"],
        json!({"ranking_id": 8, "customer_id": 0, "impression_pos": 0,
        "impression_item_id": 0, "label": 0})
    );
}

#[test]
fn a_partition_is_replaced_by_one_commit_and_its_old_parts_stay() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let before = local(&at_url);
    correct(&at_url, 1);
    assert_eq!(at_url.bench.json(PRODUCE)["table_version"], 1);
    let (after, files) = (local(&at_url), files(&at_url));
    let (old, new): (Vec<_>, Vec<_>) = (before.active.keys().collect(), after.active.keys().collect());
    assert_ne!(old, new);
    assert_eq!(after.removed.keys().collect::<Vec<_>>(), old);
    assert_eq!(parts_there(&files).len(), 2, "both versions");
    let remove = &after.removed[old[0]];
    let info = &commits(&files)[1][0]["commitInfo"];
    assert_eq!(remove["deletionTimestamp"], info["timestamp"]);
    assert!(remove["deletionTimestamp"].as_u64().unwrap() > 1_700_000_000_000, "milliseconds of today");
    assert_eq!((&remove["extendedFileMetadata"], &remove["dataChange"]), (&json!(true), &json!(true)));
    assert_eq!((&remove["partitionValues"], &remove["size"]), (&json!({"dt": DT}), &before.active[old[0]]["size"]));

    // Every command takes the names from the manifest.
    at_url.bench.ok(&PRODUCE.replace("--out out --table delta", "--out plain"));
    at_url.bench.ok("diff out plain");
    at_url.bench.ok(&format!("audit --store store --input input --out out --dt {DT}"));
    at_url.bench.ok(&format!("manifest --out out --dt {DT} --check"));
    assert!(at_url.bench.ok("stale --store store --out out").stdout.is_empty());
    at_url.bench.ok("report --store store --out out --html page.html");
}

#[test]
fn an_unchanged_rerun_makes_no_commit() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let before = files(&at_url);
    assert_eq!(at_url.bench.json(PRODUCE)["table_version"], 0);
    assert!(files(&at_url) == before);
}

#[test]
fn a_backfill_commits_each_day_and_keeps_what_is_current() {
    let at_url = AtUrl::new();
    for day in 1..=3 {
        let shown = RawImpression { ranking_id: None, customer: day, elements: vec![(5, None)] };
        write_impressions(&at_url.bench.input(), &format!("2026-01-0{day}"), &[shown], PLAIN);
    }
    let range = "backfill --store store --input input --from 2026-01-01 --to 2026-01-04 --out out --allow-gaps";
    let first = at_url.bench.json(&format!("{range} --table delta --vacuum 7d"));
    let mut versions: Vec<u64> =
        first["produced"].as_array().unwrap().iter().map(|day| day["table_version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!((versions, &first["vacuumed"]), (vec![0, 1, 2, 3], &json!(0)));
    assert_eq!(local(&at_url).active.len(), 4);
    let before = files(&at_url);
    let again = at_url.bench.json(&format!("{range} --table delta"));
    assert!(again["produced"].as_array().unwrap().iter().all(|day| day["kept"] == true), "{again}");
    assert!(files(&at_url) == before);
    correct(&at_url, 1);
    at_url.bench.ok(&format!("{range} --table delta --stale"));
    assert_eq!((local(&at_url).version, local(&at_url).active.len()), (5, 4), "the 3rd and the 4th are stale");
}

#[test]
fn an_output_never_changes_its_kind() {
    let at_url = AtUrl::new();
    let plain = PRODUCE.replace(" --table delta", "");
    at_url.bench.ok(&plain);
    at_url.bench.ok(&PRODUCE.replace("--out out", "--out table"));
    let before = (files(&at_url), crate::support::output::tree(&at_url.bench.path("table")));
    let range = "backfill --store store --input input --from 2026-01-01 --to 2026-01-04";
    let to_table = ["has partitions, and is not a Delta table; leave --table out, or name a new folder with --out"];
    at_url.bench.refused(PRODUCE, &to_table);
    at_url.bench.refused(&format!("{range} --out out --table delta"), &to_table);
    let to_plain = ["table is a Delta table; give --table delta, or name another folder with --out"];
    at_url.bench.refused(&plain.replace("--out out", "--out table"), &to_plain);
    at_url.bench.refused(&format!("{range} --out table"), &to_plain);
    assert!((files(&at_url), crate::support::output::tree(&at_url.bench.path("table"))) == before);
}

#[test]
fn columns_that_delta_has_no_place_for_are_refused() {
    let at_url = AtUrl::new();
    let words = ["Delta has no unsigned type for --type-type uint8; leave --type-type out"];
    let refused = |arguments: &str, words: &[&str]| {
        let ran = at_url.bench.run(arguments);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        crate::support::program::assert_one_sentence(&ran, words);
        assert!(!at_url.bench.out().exists());
    };
    refused(&format!("{PRODUCE} --type-type uint8"), &words);
    let range = "backfill --store store --input input --from 2026-01-01 --to 2026-01-04 --out out --table delta";
    refused(&format!("{range} --type-type uint8"), &words);
    refused(&format!("{PRODUCE} --with dt"), &["leave dt out of --with"]);
    assert_eq!(at_url.bench.run(&format!("{PRODUCE} --vacuum 59min")).code, 2);
    assert_eq!(at_url.bench.run(&PRODUCE.replace("--table delta", "--vacuum 7d")).code, 2);
}

/// A run that was killed before its commit leaves parts that no version has, and a folder that is a table already.
#[test]
fn a_table_without_a_version_is_one_that_was_begun() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let whole = files(&at_url);
    fs::remove_dir_all(at_url.bench.out().join("_delta_log")).unwrap();
    fs::create_dir(at_url.bench.out().join("_delta_log")).unwrap();
    fs::remove_file(at_url.bench.out().join(format!("dt={DT}/_manifest.parquet"))).unwrap();
    at_url.bench.refused(&PRODUCE.replace(" --table delta", ""), &["is a Delta table"]);
    at_url.bench.ok(PRODUCE);
    assert_eq!(parts_there(&files(&at_url)), parts_there(&whole));
    assert_eq!(local(&at_url).version, 0);
}
