//! Each command through the real binary, as a person runs it: what it prints, and what it does.

use lookback::internals::sort::Sorter;
use lookback::model::{CustomerId, Element, Impression};
use lookback::resources::{Resources, Scratch};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{metadata, read_partition};
use crate::support::program::Bench;

fn click(customer: i64, item: i64, time: &str) -> RawAction {
    RawAction { customer, item, time_us: us(time), kind: 1 }
}

fn shown(customer: i64) -> RawImpression {
    RawImpression { ranking_id: Some("r".into()), customer, elements: vec![(50, Some(true)), (60, None)] }
}

/// Two days of actions and the third day's impressions.
fn three_days() -> Bench {
    let bench = Bench::new();
    let first = [
        click(1, 11, "2026-01-01T10:00:00Z"),
        RawAction { kind: 3, ..click(1, 12, "2026-01-01T10:00:00Z") },
        click(-2, 13, "2026-01-01T23:59:59.999999Z"),
    ];
    write_batch(&bench.input(), "2026-01-01", &first, PLAIN);
    let late_and_early = [
        RawAction { kind: 2, ..click(1, 14, "2026-01-02T08:00:00Z") },
        click(1, 15, "2026-01-01T09:00:00Z"),
        click(1, 16, "2026-01-03T00:00:00Z"),
    ];
    write_batch(&bench.input(), "2026-01-02", &late_and_early, PLAIN);
    write_impressions(&bench.input(), "2026-01-03", &[shown(1), shown(3)], PLAIN);
    bench
}

#[test]
fn ingest_produce_show_and_status() {
    let bench = three_days();
    let first = bench.json("ingest --create --store store --input input --dt 2026-01-01");
    assert_eq!((&first["actions"], &first["clicks"], &first["orders"]), (&3.into(), &2.into(), &1.into()));
    assert_eq!(
        (&first["created"], &first["replaced"], &first["new_customers"]),
        (&true.into(), &false.into(), &2.into())
    );
    let second = bench.ingest("2026-01-02");
    assert!(second.stdout.is_empty());
    assert!(
        second.stderr.contains("3 actions (2 clicks, 1 add-to-cart, 0 orders) of 1 customer (0 new, 0 at the cap)"),
        "{}",
        second.stderr
    );
    assert!(second.stderr.contains("1 late") && second.stderr.contains("1 early"), "{}", second.stderr);

    let produced = bench.json("produce --store store --input input --dt 2026-01-03 --out out --max-history 6");
    assert_eq!(
        (&produced["rows"], &produced["customers"], &produced["without_history"]),
        (&4.into(), &2.into(), &1.into())
    );
    assert_eq!((&produced["ordered"], &produced["newest_batch"]), (&2.into(), &"2026-01-02".into()));
    let rows = read_partition(&bench.out(), "2026-01-03");
    assert_eq!(rows[0].actions, [14, 12, 11, 15, 0, 0], "the action at the cut-off itself is not in it");
    assert_eq!(rows[0].action_types, [2, 3, 1, 1, 0, 0]);
    assert_eq!((rows[1].impression_pos, rows[1].impression_item_id, rows[1].label), (1, 60, 0));
    assert_eq!((rows[2].customer_id, &rows[2].actions[..]), (3, &[0; 6][..]), "no history, all zeros");

    let shown = bench.ok("show --store store --customer 1");
    let expected = "customer 1 as of 2026-01-03: 4 actions before 2026-01-03 00:00:00+00:00\n\
                    #  time                       type         item\n\
                    1  2026-01-02 08:00:00+00:00  add_to_cart    14\n\
                    2  2026-01-01 10:00:00+00:00  order          12\n\
                    3  2026-01-01 10:00:00+00:00  click          11\n\
                    4  2026-01-01 09:00:00+00:00  click          15\n";
    assert_eq!(shown.stdout, expected);
    let limited = bench.ok("show --store store --customer 1 --limit 1 --dt 2026-01-02");
    assert!(
        limited.stdout.contains("order          12") || limited.stdout.contains("order    12"),
        "{}",
        limited.stdout
    );
    assert!(limited.stdout.ends_with("… and 2 more\n"), "{}", limited.stdout);
    let json = bench.json("show --store store --customer -2");
    assert_eq!(json["actions"][0]["time_us"], us("2026-01-01T23:59:59.999999Z"));
    assert_eq!(bench.json("show --store store --customer 77")["history_length"], 0);

    let status = bench.json("status --store store");
    let expected = [("batches", 2), ("customers", 2), ("actions", 6), ("late", 1), ("early", 1), ("format_version", 6)];
    for (field, value) in expected {
        assert_eq!(status[field], value, "{field}");
    }
    assert_eq!(status["gaps"], serde_json::json!([]));
    assert!(status["bytes"].as_u64().unwrap() > 0);
    let text = bench.ok("status --store store").stdout;
    assert!(text.contains("batches         2 (2026-01-01..2026-01-02)\n"), "{text}");
}

#[test]
fn init_fixes_settings_for_life() {
    let bench = three_days();
    let created = bench.json("init --store store --max-history 2 --timezone Asia/Tokyo");
    assert_eq!((&created["max_history"], &created["time_zone"]), (&2.into(), &"Asia/Tokyo".into()));
    bench.refused("init --store store", &["store already", "store"]);
    bench.ingest("2026-01-01");
    let status = bench.ok("status --store store").stdout;
    assert!(status.contains("batches         1 (2026-01-01)\n"), "{status}");
    bench.ok("backup --store store --to backups");
    let restored = bench.ok("restore --from backups --store restored").said().to_owned();
    assert!(restored.starts_with("restored backup 1: 1 batch, the newest 2026-01-01, of "), "{restored}");
    bench.ingest("2026-01-02");
    let status = bench.json("status --store store");
    assert_eq!((&status["max_history"], &status["time_zone"]), (&2.into(), &"Asia/Tokyo".into()));
    bench.produce("2026-01-03");
    let rows = read_partition(&bench.out(), "2026-01-03");
    // 2026-01-03 begins at 15:00 UTC of the day before in Tokyo.
    assert_eq!(rows[0].actions, [14, 12]);
    let ran = bench.run("produce --store store --input input --dt 2026-01-03 --out out --max-history 3");
    assert_eq!(ran.code, 2, "more than the store keeps is wrong usage");
    assert!(ran.stderr.contains("--max-history 3 is more than the store keeps (2)"), "{}", ran.stderr);
}

#[test]
fn produce_options_shape_the_rows() {
    let bench = three_days();
    bench.ingest("2026-01-01");
    bench.ingest("2026-01-02");
    let actions = |options: &str| {
        bench.ok(&format!("produce --store store --input input --dt 2026-01-03 --out out --max-history 4 {options}"));
        read_partition(&bench.out(), "2026-01-03")[0].actions.clone()
    };
    assert_eq!(actions(""), [14, 12, 11, 15]);
    assert_eq!(actions("--lookback-days 1"), [14, 0, 0, 0]);
    assert_eq!(actions("--known-as-of 2026-01-01"), [12, 11, 0, 0]);
    assert_eq!(actions("--known-as-of 2025-12-31"), [0; 4]);
    for codec in ["zstd", "snappy", "lz4", "none"] {
        assert_eq!(actions(&format!("--compression {codec}")), [14, 12, 11, 15], "{codec}");
    }
    let pairs = metadata(&bench.out().join("dt=2026-01-03/part-00000.parquet"));
    let expected = [
        ("cut_off", "2026-01-03 00:00:00+00:00"),
        ("dt", "2026-01-03"),
        ("lookback_days", "none"),
        ("max_history", "4"),
        ("newest_action", "2026-01-02 08:00:00.000000+00:00"),
        ("newest_batch", "2026-01-02"),
        ("time_zone", "UTC"),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(pairs.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn row_groups_and_parts_are_cut_between_impressions_as_asked() {
    let bench = three_days();
    bench.ingest("2026-01-01");
    bench.ingest("2026-01-02");
    bench.produce("2026-01-03");
    let rows = read_partition(&bench.out(), "2026-01-03");
    assert_eq!(rows.len() % 2, 0, "two rows for each impression");
    // Three rows do not end an impression, so a row group has two; and three rows are a part of one row group.
    bench.ok("produce --store store --input input --dt 2026-01-03 --out cut --row-group-rows 3 --part-rows 3");
    assert_eq!(read_partition(&bench.path("cut"), "2026-01-03"), rows);
    let names = std::fs::read_dir(bench.path("cut/dt=2026-01-03")).unwrap().map(|entry| entry.unwrap().file_name());
    let parts = names.filter(|name| name.to_str().unwrap().starts_with("part-")).count();
    assert_eq!(parts, rows.len() / 2);
    let usage = bench.run("produce --store store --input input --dt 2026-01-03 --out cut --row-group-rows 0");
    assert_eq!(usage.code, 2);
}

#[test]
fn a_run_known_as_of_a_day_gives_the_bytes_of_the_run_on_that_day() {
    let bench = three_days();
    bench.ingest("2026-01-01");
    write_impressions(&bench.input(), "2026-01-02", &[shown(1)], PLAIN);
    bench.produce("2026-01-02");
    let on_the_day = crate::support::output::tree(&bench.out());
    bench.ingest("2026-01-02");
    bench.produce("2026-01-02");
    assert_ne!(crate::support::output::tree(&bench.out()), on_the_day, "the late click has changed the rows");
    bench.ok("produce --store store --input input --dt 2026-01-02 --out out --known-as-of 2026-01-01");
    assert_eq!(crate::support::output::tree(&bench.out()), on_the_day);
}

#[test]
fn a_day_without_any_row_is_a_partition_with_the_schema() {
    let bench = three_days();
    bench.ingest("2026-01-01");
    bench.ingest("2026-01-02");
    let empty = RawImpression { elements: Vec::new(), ..shown(1) };
    write_impressions(&bench.input(), "2026-01-03", &[empty], PLAIN);
    let summary = bench.json("produce --store store --input input --dt 2026-01-03 --out out");
    assert_eq!((&summary["rows"], &summary["empty_impressions"], &summary["parts"]), (&0.into(), &1.into(), &1.into()));
    assert!(read_partition(&bench.out(), "2026-01-03").is_empty());
}

#[test]
fn an_empty_batch_is_held_and_counts_against_gaps() {
    let bench = three_days();
    bench.ingest("2026-01-01");
    bench.refused("ingest --store store --input input --dt 2026-01-04", &["no file for 2026-01-04", "--allow-empty"]);
    bench.refused("produce --store store --input input --dt 2026-01-03 --out out", &["2026-01-02", "--allow-gaps"]);
    bench.ok("produce --store store --input input --dt 2026-01-03 --out out --allow-gaps");
    let empty = bench.json("ingest --store store --input input --dt 2025-12-30 --allow-empty");
    assert_eq!(empty["actions"], 0);
    assert_eq!(bench.json("status --store store")["gaps"], serde_json::json!(["2025-12-31"]));
}

#[test]
fn help_and_usage() {
    let bench = Bench::new();
    let help = bench.ok("--help").stdout;
    let commands = [
        "init", "ingest", "produce", "backfill", "show", "status", "report", "stale", "audit", "verify", "repair",
        "forget", "prune", "backup", "restore", "migrate",
    ];
    for command in commands {
        assert!(help.contains(command), "{help}");
        let help = bench.ok(&format!("{command} --help")).stdout;
        assert!(help.contains("--store") && help.contains("--threads") && help.contains("--json"), "{help}");
    }
    assert!(help.contains("Exit codes") && help.contains("manifest"), "{help}");
    assert!(bench.ok("--version").stdout.starts_with("lookback "));
    let wrong = [
        "",
        "frobnicate",
        "ingest --store store --input input",
        "ingest --store store --input input --dt 2026-1-2",
        "ingest --store store --input input --dt 2026-02-30",
        "produce --store store --input input --dt 2026-01-01 --out out --lookback-days 0",
        "produce --store store --input input --dt 2026-01-01 --out out --max-history 0",
        "produce --store store --input input --dt 2026-01-01 --out out --compression gzip",
        "backfill --store store --input input --from 2026-01-02 --to 2026-01-03 --as-daily",
        "init --store store --max-history 0",
        "init --store store --timezone Mars/Olympus",
        "status --store store --threads 0",
        "manifest --out out",
    ];
    for arguments in wrong {
        let ran = bench.run(arguments);
        assert_eq!(ran.code, 2, "lookback {arguments}: {}", ran.stderr);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty() && !ran.stderr.contains("panicked"));
    }
    assert!(!bench.store().exists());
}

#[test]
#[cfg(unix)]
fn a_store_and_what_is_sorted_on_disk_can_be_read_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    write_batch(&bench.input(), "2026-01-01", &[click(1, 2, "2026-01-01T10:00:00Z")], PLAIN);
    for (made_by, store) in
        [("init --store made", "made"), ("ingest --create --store taken --input input --dt 2026-01-01", "taken")]
    {
        bench.ok(made_by);
        let mode = std::fs::metadata(bench.path(store)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{made_by}");
    }
    let scratch = bench.path("scratch");
    let mut sorter = Sorter::new(100, Scratch::new(scratch.clone()), &Resources::default());
    for number in 0..100 {
        let elements = vec![Element { item_id: number, label: 0 }];
        sorter.push(Impression { customer: CustomerId(number), ranking_id: None, elements }).unwrap();
    }
    let mode = std::fs::metadata(&scratch).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "what spills");
}
