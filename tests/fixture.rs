//! Stores of each format version as the first program to write it left them: `tests/fixtures/format-*/`, never edited.
//! See the readmes there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use lookback::internals::format::{BatchRecord, Record, ZoneUse};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions, write_parquet};
use crate::support::output::{dump, read_partition, tree};
use crate::support::program::{Bench, write_file};

fn fixture(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version)
}

/// Puts a copy of a frozen store at `store`.
pub fn copy_of(version: &str, store: &Path) {
    for (name, bytes) in tree(&fixture(version).join("store")) {
        let path = store.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn content(version: &str) -> Vec<String> {
    let text = fs::read_to_string(fixture(version).join("content.txt")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The batches that the store was filled with: late, early, tied and duplicate actions, a customer over the cap of 3,
/// an empty batch.
fn ingest(bench: &Bench) {
    let action = |customer, item, time: &str, kind| RawAction { customer, item, time_us: us(time), kind };
    let first = [
        action(-7, 101, "2026-03-28T10:00:00Z", 1),
        action(-7, 102, "2026-03-28T10:00:00Z", 3),
        action(-7, 102, "2026-03-28T10:00:00Z", 3),
        action(9_000_000_000, 1_000_000_007, "2026-03-28T22:59:59.999999Z", 2),
    ];
    let second = [
        action(-7, 103, "2026-03-29T21:59:59.999999Z", 1),
        action(-7, 104, "2026-03-27T23:30:00Z", 2),
        action(-7, 105, "2026-03-29T22:00:00Z", 1),
        action(5, -8, "2026-03-29T12:00:00.5Z", 1),
    ];
    bench.ok("init --store store --max-history 3 --timezone Europe/Berlin");
    write_batch(&bench.input(), "2026-03-28", &first, PLAIN);
    write_batch(&bench.input(), "2026-03-29", &second, PLAIN);
    bench.ingest("2026-03-28");
    bench.ingest("2026-03-29");
    bench.ok("ingest --store store --input input --dt 2026-03-30 --allow-empty");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One line for each key: the key and the value in hexadecimal. Batch records hold the hashes of input files, which
/// differ with the version of the library that writes them, so theirs are compared with the fixture's own alone.
fn lines(store: &Path) -> Vec<String> {
    dump(store).iter().map(|(key, value)| format!("{} {}", hex(key), hex(value))).collect()
}

/// Nor are the rules of the zone: a store gets those of the program that made it.
fn without_batch_records_and_rules(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !line.starts_with("14") && !line.starts_with("1a ")).collect()
}

/// The lines with the store record of this version.
fn of_this_version(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| {
            let (key, value) = line.split_once(' ').unwrap();
            if key == "0000" { format!("0000 06{}", &value[2..]) } else { line }
        })
        .collect()
}

/// What the store of the batches in a frozen one of version 4 is in later versions: the same, with the same batch
/// records, each of which may have wall times; and with the rules of the zone.
fn assert_is_migrated(bench: &Bench) {
    let (migrated, frozen) = (lines(&bench.store()), content("format-4"));
    let records = |lines: &[String]| -> Vec<BatchRecord> {
        let values = lines.iter().filter(|line| line.starts_with("14")).map(|line| line.split_once(' ').unwrap().1);
        values.map(|value| BatchRecord::from_bytes(&bytes_of(value)).unwrap()).collect()
    };
    let expected = records(&frozen).into_iter().map(|record| BatchRecord { zone_use: ZoneUse::WallTimes, ..record });
    assert_eq!(records(&migrated), expected.collect::<Vec<_>>());
    assert_eq!(migrated.iter().filter(|line| line.starts_with("1a ")).count(), 1);
    assert_eq!(
        without_batch_records_and_rules(migrated.clone()),
        of_this_version(without_batch_records_and_rules(frozen))
    );
    assert_eq!(
        without_batch_records_and_rules(migrated),
        without_batch_records_and_rules(content("format-6")),
        "as if written by the first program of version 6"
    );
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
}

/// Brings a frozen store to this version.
fn migrated(version: u8) {
    let (bench, name) = (Bench::new(), format!("format-{version}"));
    copy_of(&name, &bench.store());
    assert_eq!(lines(&bench.store()), content(&name));
    bench.refused("status --store store", &[&format!("format version {version}"), "lookback migrate --store store"]);
    let summary = bench.json("migrate --store store");
    assert_eq!((&summary["from"], &summary["to"]), (&version.into(), &6.into()));
    assert_is_migrated(&bench);
    it_holds_what_was_ingested(&bench);
}

#[test]
fn the_frozen_store_of_version_1_holds_what_it_held_and_can_be_migrated() {
    migrated(1);
}

#[test]
fn the_frozen_store_of_version_2_holds_what_it_held_and_can_be_migrated() {
    migrated(2);
}

#[test]
fn the_frozen_store_of_version_3_holds_what_it_held_and_can_be_migrated() {
    migrated(3);
}

#[test]
fn the_frozen_store_of_version_4_holds_what_it_held_and_can_be_migrated() {
    migrated(4);
}

#[test]
fn the_frozen_store_of_version_5_holds_what_it_held_and_can_be_migrated() {
    let bench = Bench::new();
    copy_of("format-5", &bench.store());
    let frozen = content("format-5");
    assert_eq!(lines(&bench.store()), frozen);
    bench.refused("status --store store", &["format version 5", "lookback migrate --store store"]);
    let summary = bench.json("migrate --store store");
    assert_eq!(summary["steps"], serde_json::json!(["5 to 6: ids that are text"]));
    assert_eq!(lines(&bench.store()), of_this_version(frozen), "key for key the same, batch records and rules too");
    it_holds_what_was_ingested(&bench);
    bench.ok("verify --store store --deep");
}

#[test]
fn the_frozen_store_of_version_6_is_read_and_holds_what_it_held() {
    let bench = Bench::new();
    copy_of("format-6", &bench.store());
    assert_eq!(lines(&bench.store()), content("format-6"));
    it_holds_what_was_ingested(&bench);
}

/// What `format-6-ids` was filled with: ids that are text, an action that comes twice in a batch and again in a later
/// one, histories that hold it once, and two rows without a customer, which are left out.
fn ingest_texts(bench: &Bench) {
    let toml = "[ids]\ncustomer = \"text\"\nitem = \"text\"\n[sources.clicks]\nwithout_customer = \"leave_out\"\n";
    write_file(&bench.input().join("lookback.toml"), toml.as_bytes());
    let header = "customer_id,item_id,click_time\n";
    let twice = "0003374a-a35c-46ed-96d2-0ea32b753199,0042,2026-03-28T10:00:00Z\n";
    let other = "0003374a-a35c-46ed-96d2-0ea32b753199,42,2026-03-29T11:00:00Z\n";
    let click = |day: &str, rows: &str| {
        write_file(&bench.input().join(format!("clicks/dt={day}/a.csv")), format!("{header}{rows}").as_bytes());
    };
    click("2026-03-28", &format!("{twice}{twice}"));
    click("2026-03-29", &format!("{twice},1,\n{other},2,\n"));
    bench.ok("init --store store --max-history 3 --duplicates drop");
    bench.ingest("2026-03-28");
    bench.ingest("2026-03-29");
}

#[test]
fn the_frozen_store_of_texts_without_duplicates_is_read_and_equals_one_written_today() {
    let bench = Bench::new();
    ingest_texts(&bench);
    write_fixture("format-6-ids", &bench.store());
    let content = content("format-6-ids");
    assert_eq!(lines(&bench.store()), content, "batch records too, since the files are text");
    for line in ["1b 06010100", "1c 06"] {
        assert!(content.contains(&line.to_owned()), "{content:?}");
    }
    let frozen = Bench::new();
    copy_of("format-6-ids", &frozen.store());
    let shown = frozen.json("show --store store --customer 0003374a-a35c-46ed-96d2-0ea32b753199 --dt 2026-03-30");
    let items: Vec<_> = shown["actions"].as_array().unwrap().iter().map(|action| action["item_id"].clone()).collect();
    assert_eq!(items, [1_303_733_993_043_075_473_i64, 8_346_447_177_880_239_328]);
    let status = frozen.json("status --store store");
    let left_out: Vec<_> = status["held"].as_array().unwrap().iter().map(|held| &held["without_customer"]).collect();
    assert_eq!((left_out, &status["without_customer"]), (vec![&0.into(), &2.into()], &2.into()));
    frozen.ok("verify --store store --deep");
}

fn it_holds_what_was_ingested(bench: &Bench) {
    let status = bench.json("status --store store");
    let fields =
        [("batches", 3), ("customers", 3), ("actions", 8), ("clicks", 4), ("orders", 2), ("late", 1), ("early", 1)];
    for (field, value) in fields {
        assert_eq!(status[field], value, "{field}");
    }
    assert_eq!((&status["time_zone"], &status["max_history"]), (&"Europe/Berlin".into(), &3.into()));

    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None)] };
    for day in ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"] {
        write_impressions(&bench.input(), day, &[shown(-7), shown(5), shown(9_000_000_000)], PLAIN);
    }
    let actions = |day: &str, options: &str| -> Vec<Vec<i64>> {
        bench.ok(&format!("produce --store store --input input --dt {day} --out out {options}"));
        read_partition(&bench.out(), day).into_iter().map(|row| row.actions).collect()
    };
    assert_eq!(actions("2026-03-28", ""), [[0, 0, 0], [0, 0, 0], [0, 0, 0]]);
    assert_eq!(actions("2026-03-29", ""), [[102, 102, 101], [0, 0, 0], [1_000_000_007, 0, 0]]);
    assert_eq!(actions("2026-03-30", ""), [[103, 102, 102], [-8, 0, 0], [1_000_000_007, 0, 0]]);
    assert_eq!(actions("2026-03-31", ""), [[105, 103, 102], [-8, 0, 0], [1_000_000_007, 0, 0]]);
    let known = "--known-as-of 2026-03-28 --max-history 2";
    assert_eq!(actions("2026-03-31", known), [[102, 102], [0, 0], [1_000_000_007, 0]]);
}

/// Asked for once per format version, by the person who introduces it: `LOOKBACK_WRITE_FIXTURE` names the folder that
/// the fixture goes to.
fn write_fixture(name: &str, store: &Path) {
    let Ok(target) = std::env::var("LOOKBACK_WRITE_FIXTURE") else { return };
    let target = Path::new(&target).join(name);
    for (name, bytes) in tree(store).into_iter().filter(|(name, _)| !name.contains("LOG")) {
        write_file(&target.join("store").join(name), &bytes);
    }
    fs::write(target.join("content.txt"), lines(store).join("\n") + "\n").unwrap();
}

#[test]
fn the_frozen_store_of_version_3_still_knows_whom_it_forgot_and_how_far_back_it_goes() {
    let bench = Bench::new();
    ingest(&bench);
    bench.ok("forget --store store --customer 5");
    bench.ok("prune --store store --keep-days 1 --allow-large-removal");

    let frozen = Bench::new();
    copy_of("format-3-removed", &frozen.store());
    let content = content("format-3-removed");
    assert_eq!(lines(&frozen.store()), content);
    frozen.ok("migrate --store store");
    // But for the version of the store record.
    let content = without_batch_records_and_rules(of_this_version(content));
    assert_eq!(without_batch_records_and_rules(lines(&frozen.store())), content);
    let status = frozen.json("status --store store");
    assert_eq!(
        (&status["horizon"], &status["forgotten"], &status["customers"]),
        (&"2026-03-29".into(), &1.into(), &1.into())
    );
    // The same batches come again. Their files are those of this day's library, so their records differ from the frozen
    // ones.
    fs::rename(bench.input(), frozen.input()).unwrap();
    let pruned = frozen.json("ingest --store store --input input --dt 2026-03-28");
    assert_eq!((&pruned["pruned"], &pruned["forgotten"], &pruned["customers"]), (&4.into(), &0.into(), &0.into()));
    let left_out = frozen.json("ingest --store store --input input --dt 2026-03-29");
    assert_eq!(
        (&left_out["pruned"], &left_out["forgotten"], &left_out["customers"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(without_batch_records_and_rules(lines(&frozen.store())), content);
}

/// What `format-4-types` was filled with: a source with a column of types, one of them new with the second batch, and
/// one value ignored.
fn ingest_described(bench: &Bench) {
    let described = |more: &str| {
        let types = format!("[types]\nview = 1\nbuy = 7\n{more}\n");
        let source = "pattern = \"log/{dt}.parquet\"\ntime_unit = \"ms\"\nignore = [\"ping\"]\n";
        let columns = "columns = { customer_id = \"who\", item_id = \"what\", time = \"at\", type = \"event\" }\n";
        write_file(&bench.input().join("lookback.toml"), format!("{types}[sources.log]\n{source}{columns}").as_bytes());
    };
    let write = |day: &str, rows: &[(i64, i64, i64, &str)]| {
        let ids = |of: fn(&(i64, i64, i64, &str)) -> i64| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<Int64Array>())
        };
        let events: ArrayRef = Arc::new(rows.iter().map(|(.., event)| Some(*event)).collect::<StringArray>());
        let columns =
            [("who", ids(|row| row.0)), ("what", ids(|row| row.1)), ("at", ids(|row| row.2)), ("event", events)];
        write_parquet(&bench.input().join(format!("log/{day}.parquet")), &columns);
    };
    let ms = |time: &str| us(time) / 1_000;
    let (first, second) = (ms("2026-03-28T10:00:00Z"), ms("2026-03-29T10:00:00.25Z"));
    write(
        "2026-03-28",
        &[(5, 100, first, "view"), (5, 101, first + 1, "buy"), (6, 0, 0, "ping"), (6, 102, first, "view")],
    );
    write("2026-03-29", &[(5, 103, second, "wish"), (5, 103, second, "view"), (-9, 104, first, "wish")]);
    bench.ok("init --store store --max-history 3");
    described("");
    bench.ingest("2026-03-28");
    described("wish = 255");
    bench.ingest("2026-03-29");
}

#[test]
fn the_frozen_store_with_a_table_of_types_is_read_and_equals_one_written_today() {
    let bench = Bench::new();
    ingest_described(&bench);
    let content = content("format-4-types");
    let expected = of_this_version(without_batch_records_and_rules(content.clone()));
    assert_eq!(without_batch_records_and_rules(lines(&bench.store())), expected);
    assert!(content.contains(&"19 04030104766965770703627579ff0477697368".to_owned()), "{content:?}");

    let frozen = Bench::new();
    copy_of("format-4-types", &frozen.store());
    assert_eq!(lines(&frozen.store()), content);
    frozen.ok("migrate --store store");
    assert_eq!(
        lines(&frozen.store()),
        of_this_version(content),
        "a store in UTC has no rules, and its batches rest on none"
    );
    let status = frozen.json("status --store store");
    assert_eq!(status["types"], serde_json::json!({"view": 3, "buy": 1, "wish": 2}));
    assert_eq!((&status["ignored"], &status["actions"]), (&1.into(), &6.into()));
    let shown = frozen.json("show --store store --customer 5 --dt 2026-03-30");
    let of = |field: &str| {
        shown["actions"].as_array().unwrap().iter().map(|action| action[field].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("action_type"), ["wish", "view", "buy"]);
    assert_eq!(of("item_id"), [103, 103, 101]);
    frozen.ok("verify --store store --deep");
}

#[test]
fn a_store_written_today_equals_the_frozen_one() {
    let bench = Bench::new();
    ingest(&bench);
    let fresh = lines(&bench.store());
    write_fixture("format-6", &bench.store());
    let frozen = without_batch_records_and_rules(content("format-6"));
    assert_eq!(without_batch_records_and_rules(fresh), frozen);
    assert!(frozen.len() > 8);
}
