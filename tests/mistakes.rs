//! What operators do by mistake in the night: each ends in a refusal or a loud line, and nothing is lost.

use std::fs;

use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{dump, tree};
use crate::support::program::{Bench, TODAY};

fn action(day: &str, customer: i64, kind: u8) -> RawAction {
    RawAction { customer, item: 7, time_us: us(&format!("{day}T10:00:00Z")), kind }
}

/// `count` actions of each kind, of as many customers.
fn batch(bench: &Bench, day: &str, count: i64, kinds: &[u8]) {
    let actions = (0..count).flat_map(|customer| kinds.iter().map(move |kind| action(day, customer, *kind)));
    write_batch(&bench.input(), day, &actions.collect::<Vec<_>>(), PLAIN);
}

fn january(day: u32) -> String {
    format!("2026-01-{day:02}")
}

/// A store with batches of 1 January to `through`, all kinds in each.
fn filled(through: u32) -> Bench {
    let bench = Bench::new();
    (1..=through).for_each(|day| batch(&bench, &january(day), 20, &[1, 2, 3]));
    bench.ok(&format!("backfill --store store --input input --from 2026-01-01 --to {}", january(through)));
    bench
}

fn shown(bench: &Bench, day: &str) {
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), day, &[shown], PLAIN);
}

#[test]
fn a_mistyped_day_is_refused_before_it_can_prune_the_store() {
    let bench = filled(3);
    let before = dump(&bench.store());
    let ingest = "ingest --store store --input input --allow-empty";
    bench.refused(
        &format!("{ingest} --dt 2062-01-07"),
        &["later than tomorrow", TODAY.1, "2062-01-07", "--allow-far-day"],
    );
    bench.refused(
        &format!("{ingest} --dt 1987-01-07"),
        &["over ten years", "2026-01-01", "1987-01-07", "--allow-far-day", "lookback remove"],
    );
    let backfill = "backfill --store store --input input --allow-empty";
    bench.refused(&format!("{backfill} --from 2026-01-01 --to 2028-01-03"), &["later than tomorrow", "2028-01-02"]);
    bench.refused(
        &format!("{backfill} --from 2014-01-01 --to 2026-01-03"),
        &["over ten years", "2014-01-01..2015-12-31"],
    );
    assert!(dump(&bench.store()) == before, "a refusal changes nothing");

    // Where it was taken all the same, `prune` says what it is about to do.
    bench.ok(&format!("{ingest} --dt 2062-01-07 --allow-far-day"));
    let taken = dump(&bench.store());
    bench.refused(
        "prune --store store --keep-days 90",
        &["180 of 180 actions (100.0 %)", "2061-10-09", "2062-01-07", "--allow-large-removal", "lookback remove"],
    );
    assert!(dump(&bench.store()) == taken);
}

#[test]
fn tomorrow_is_no_mistake_and_the_first_batch_has_no_others() {
    let bench = Bench::new();
    let (day_after, tomorrow) = ("2028-01-02", "2028-01-01");
    batch(&bench, tomorrow, 1, &[1]);
    batch(&bench, day_after, 1, &[1]);
    bench.refused(
        &format!("ingest --create --store store --input input --dt {day_after}"),
        &["later than tomorrow", day_after],
    );
    assert!(!bench.store().exists());
    bench.ok(&format!("ingest --create --store store --input input --dt {tomorrow}"));
    let wrong = std::process::Command::new(env!("CARGO_BIN_EXE_lookback"))
        .args(["ingest", "--store", "store", "--input", "input", "--dt", tomorrow])
        .env(TODAY.0, "soon")
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    // Without the variable it is the clock that tells.
    let far = std::process::Command::new(env!("CARGO_BIN_EXE_lookback"))
        .args(["ingest", "--store", "store", "--input", "input", "--dt", "2261-01-01", "--allow-empty"])
        .env_remove(TODAY.0)
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8(far.stderr).unwrap();
    assert!(far.status.code() == Some(1) && said.contains("by the clock today is 20"), "{said}");
}

#[test]
fn prune_and_forget_say_what_they_would_do() {
    let bench = filled(12);
    let before = tree(&bench.store());
    let planned = bench.json("prune --store store --keep-days 5 --dry-run");
    assert_eq!((&planned["actions"], &planned["actions_before"]), (&json!(360), &json!(720)));
    assert_eq!((&planned["dry_run"], &planned["horizon"]), (&json!(true), &json!("2026-01-07")));
    let said = bench.ok("prune --store store --keep-days 5 --dry-run");
    assert!(said.said().starts_with("would prune the store to 2026-01-07 and later, counted back from the newest batch, 2026-01-12: 360 actions (50.0 % of all) of 20 customers would be removed"), "{}", said.stderr);
    let receipt = bench.json("forget --store store --customer 3 99 --dry-run");
    assert_eq!((&receipt["dry_run"], &receipt["customers_after"]), (&json!(true), &json!(19)));
    assert_eq!(
        (&receipt["customers"][0]["actions_before"], &receipt["customers"][1]["actions_before"]),
        (&json!(36), &json!(0))
    );
    assert_eq!(receipt["customers"][0]["token"], Value::Null);
    assert_eq!(tree(&bench.store()), before, "not a byte has changed");

    bench.refused("prune --store store --keep-days 5", &["360 of 720 actions (50.0 %)", "--allow-large-removal"]);
    // A day in twelve is less than a tenth.
    let pruned = bench.json("prune --store store --keep-days 10");
    assert_eq!((&pruned["actions"], &pruned["dry_run"]), (&json!(60), &json!(false)));
    let planned = bench.json("prune --store store --keep-days 5 --dry-run");
    let pruned = bench.json("prune --store store --keep-days 5 --allow-large-removal");
    for field in [
        "horizon",
        "newest_batch",
        "customers",
        "customers_left",
        "portions",
        "actions",
        "actions_before",
        "bytes_before",
    ] {
        assert_eq!(planned[field], pruned[field], "{field}: what was planned is what was done");
    }
    let nothing = bench.json("prune --store store --keep-days 400 --dry-run");
    assert_eq!((&nothing["portions"], &nothing["horizon"]), (&json!(0), &json!("2026-01-07")));

    shown(&bench, "2026-01-13");
    bench.ok("produce --store store --input input --dt 2026-01-13 --out out --allow-pruned");
    let rows = tree(&bench.out());
    let receipt = bench.json("forget --store store --customer 1 --out out --scrub --dry-run");
    assert_eq!((&receipt["partitions"], &receipt["scrubbed"]), (&json!(["out/dt=2026-01-13"]), &json!([])));
    assert_eq!(tree(&bench.out()), rows);
    let done = bench.json("forget --store store --customer 1 --out out --scrub");
    for field in ["customers_before", "customers_after", "block_list", "bytes_before"] {
        assert_eq!(receipt[field], done[field], "{field}");
    }
}

#[test]
fn a_store_that_is_not_there_is_not_begun_by_chance() {
    let bench = filled(3);
    let words = ["no store at mounted", "mounted", "lookback ingest --create"];
    let ingest = "ingest --store mounted --input input --dt 2026-01-03";
    bench.refused(ingest, &words);
    fs::create_dir(bench.path("mounted")).unwrap();
    bench.refused(ingest, &words);
    assert_eq!(fs::read_dir(bench.path("mounted")).unwrap().count(), 0);
    let created = bench.json(&format!("{ingest} --create"));
    assert_eq!(created["created"], true);
    assert_eq!(bench.json(&format!("{ingest} --create"))["created"], false, "and again");
    bench.refused("remove --store nowhere --dt 2026-01-03", &["no store at nowhere"]);

    let range = "--from 2026-01-01 --to 2026-01-03";
    let plan = bench.ok(&format!("backfill --store new --input input {range} --dry-run"));
    assert!(plan.stderr.starts_with("note: there is no store at new yet; this would create one\n"), "{}", plan.stderr);
    let begun = bench.ok(&format!("backfill --store new --input input {range} --json"));
    assert!(begun.stderr.starts_with("note: there is no store at new yet; this creates one\n"), "{}", begun.stderr);
    assert!(begun.said().contains("; created the store"), "{}", begun.stderr);
    assert_eq!(serde_json::from_str::<Value>(&begun.stdout).unwrap()["created"], true);
    let again = bench.ok(&format!("backfill --store new --input input {range}"));
    assert!(!again.stderr.contains("no store"), "{}", again.stderr);
}

#[test]
fn rows_of_a_store_that_does_not_go_back_as_far_are_a_loud_line() {
    let bench = filled(3);
    for day in 4..=5 {
        shown(&bench, &january(day));
        batch(&bench, &january(day), 20, &[1, 2, 3]);
    }
    bench.produce("2026-01-04");
    // The disk is away in the night, and somebody has begun another store.
    bench.ok("ingest --create --store other --input input --dt 2026-01-04");
    let produce =
        |store: &str| bench.ok(&format!("produce --store {store} --input input --dt 2026-01-05 --out out --json"));
    let summary = |ran: &str| serde_json::from_str::<Value>(ran).unwrap()["older_partition"].clone();
    let ran = produce("other");
    let note = "note: the store begins with the batch of 2026-01-04, and out/dt=2026-01-04 rests on older ones";
    assert!(ran.stderr.contains(note) && ran.said().contains("; WARNING: dt=2026-01-04"), "{}", ran.stderr);
    assert_eq!(summary(&ran.stdout), "2026-01-04");
    bench.ingest("2026-01-04");
    let ran = produce("store");
    assert!(!ran.stderr.contains("note: ") && !ran.stderr.contains("WARNING"), "{}", ran.stderr);
    assert_eq!(summary(&ran.stdout), Value::Null);
    // The partition itself was better before, and no other is there.
    fs::remove_dir_all(bench.out().join("dt=2026-01-04")).unwrap();
    assert_eq!(summary(&produce("other").stdout), "2026-01-05");
    assert_eq!(summary(&produce("other").stdout), Value::Null, "nothing is left to tell by");
    // Without a manifest a day before the first batch is a sign.
    fs::create_dir(bench.out().join("dt=2026-01-02")).unwrap();
    assert_eq!(summary(&produce("other").stdout), "2026-01-02");
}

#[test]
fn a_source_that_is_missing_altogether_is_refused() {
    let bench = filled(3);
    batch(&bench, &january(4), 20, &[1, 3]);
    let words = ["no file of add_to_carts for 2026-01-04", "--allow-missing-source"];
    let ingest = "ingest --store store --input input --dt 2026-01-04";
    let before = dump(&bench.store());
    bench.refused(ingest, &words);
    let range = "backfill --store store --input input --from 2026-01-01";
    bench.refused(&format!("{range} --to 2026-01-04"), &words);
    // In a backfill the days before may be such as it takes itself.
    let fresh = "backfill --store fresh --input input --from 2026-01-01 --to 2026-01-04";
    bench.refused(fresh, &words);
    assert!(!bench.path("fresh").exists() && dump(&bench.store()) == before);
    bench.ok(&format!("{fresh} --allow-missing-source"));
    // A day without any file is another matter.
    bench.ok("ingest --store store --input input --dt 2026-01-05 --allow-empty");
    bench.ok(&format!("{ingest} --allow-missing-source"));
    batch(&bench, &january(6), 20, &[1]);
    bench.ok("ingest --store store --input input --dt 2026-01-06");
    // Two batches before are too few.
    bench.ok("backfill --store two --input input --from 2026-01-03 --to 2026-01-04");
}

#[test]
fn config_check_judges_a_day_by_the_store() {
    let bench = filled(3);
    batch(&bench, &january(4), 20, &[1, 3]);
    let check = "config check --input input --store store";
    let problems = |arguments: &str| {
        let ran = bench.run(&format!("{arguments} --json"));
        let missing = serde_json::from_str::<Value>(&ran.stdout).unwrap()["missing"].clone();
        let missing: Vec<String> = serde_json::from_value(missing).unwrap();
        assert_eq!(ran.code, i32::from(!missing.is_empty()), "{}", ran.stderr);
        missing
    };
    assert_eq!(problems(&format!("{check} --dt 2026-01-03")), [""; 0]);
    let missing = problems(&format!("{check} --dt 2026-01-04"));
    assert!(missing.len() == 1 && missing[0].contains("no file of add_to_carts for 2026-01-04"), "{missing:?}");
    assert_eq!(problems("config check --input input --dt 2026-01-04"), [""; 0], "without the store nobody knows");
    batch(&bench, "2036-01-05", 1, &[1, 2, 3]);
    let far = problems(&format!("{check} --dt 2036-01-05"));
    assert!(far.len() == 1 && far[0].contains("later than tomorrow"), "{far:?}");
    fs::write(bench.input().join("lookback.toml"), "[types]\nview = 1\n[sources.clicks]\npattern = \"clicks/dt={dt}\"\ntype = \"view\"\ncolumns = { customer_id = \"customer_id\", item_id = \"item_id\", time = \"click_time\" }\n").unwrap();
    let types = problems(&format!("{check} --dt 2026-01-03"));
    assert!(types.iter().any(|line| line.contains("the store has the action type")), "{types:?}");
    assert_eq!(bench.run(check).code, 2, "which day?");
}

#[test]
fn a_batch_unlike_the_seven_before_is_a_note_in_the_summary_and_in_the_report() {
    let bench = filled(7);
    batch(&bench, &january(8), 200, &[1, 2, 3]);
    let ran = bench.ok("ingest --store store --input input --dt 2026-01-08 --json");
    assert!(
        ran.said().contains("; note: actions 600, 900.0 % above the median of the seven batches before (60)"),
        "{}",
        ran.stderr
    );
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = "actions 600, 900.0 % above the median of the seven batches before (60)";
    assert_eq!(summary["unlike"], json!([{"figure": "actions", "value": 600, "median": 60, "text": text}]));
    // A kind less, so files less; it is told beside the refusal's way out.
    batch(&bench, &january(9), 20, &[1]);
    let summary = bench.json("ingest --store store --input input --dt 2026-01-09 --allow-missing-source");
    let figures: Vec<&Value> = summary["unlike"].as_array().unwrap().iter().map(|one| &one["figure"]).collect();
    assert_eq!(figures, [&json!("actions"), &json!("files")]);
    let report = bench.json("report --store store --html report.html");
    for (dt, figure) in [("2026-01-08", "actions"), ("2026-01-09", "files")] {
        let said = report["marked"].as_array().unwrap().iter().find(|one| one["dt"] == dt && one["figure"] == figure);
        assert!(said.is_some(), "{report}");
    }
    let ran = bench.ok("backfill --store other --input input --from 2026-01-01 --to 2026-01-08");
    assert!(ran.said().contains("; note: 1 batch unlike the seven before (2026-01-08)"), "{}", ran.stderr);
}

#[test]
fn a_backfill_says_which_days_have_no_impressions_and_fails_without_any() {
    let bench = filled(5);
    let backfill = "backfill --store store --input input --from 2026-01-01 --to 2026-01-05 --out out --allow-gaps";
    bench.refused(
        backfill,
        &["no day of 2026-01-01..2026-01-05 has an impression file in input", "impressions/dt=2026-01-01", "--out"],
    );
    bench.refused(&format!("{backfill} --dry-run"), &["no day of"]);
    assert!(!bench.out().exists());
    shown(&bench, "2026-01-02");
    let ran = bench.ok(&format!("{backfill} --json"));
    assert!(
        ran.said().contains("; no impressions, so no rows, on 4 days: 2026-01-01, 2026-01-03..2026-01-05"),
        "{}",
        ran.stderr
    );
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["without_impressions"], json!(["2026-01-01", "2026-01-03", "2026-01-04", "2026-01-05"]));
    shown(&bench, "2026-01-01");
    (3..=5).for_each(|day| shown(&bench, &january(day)));
    let ran = bench.ok(backfill);
    assert!(!ran.said().contains("no impressions"), "{}", ran.stderr);
    let ingest_alone = bench.json("backfill --store store --input input --from 2026-01-01 --to 2026-01-05");
    assert_eq!(ingest_alone["without_impressions"], json!([]));
}

#[test]
fn a_stray_day_does_not_make_the_report_a_plot_of_twenty_thousand_days() {
    let bench = filled(9);
    bench.ok("report --store store --html before.html");
    bench.ok("ingest --store store --input input --dt 1970-01-05 --allow-empty --allow-far-day");
    let summary = bench.json("report --store store --html after.html");
    let size = |name: &str| fs::metadata(bench.path(name)).unwrap().len();
    assert!(size("after.html") < size("before.html") + 20_000, "{} and {}", size("before.html"), size("after.html"));
    assert_eq!(summary["batches"], 10);
    let page = fs::read_to_string(bench.path("after.html")).unwrap();
    assert!(page.contains("Far from the other days, and left out of the plots: 1970-01-05."), "{page}");
    assert!(!fs::read_to_string(bench.path("before.html")).unwrap().contains("left out of the plots"));
}

#[test]
fn what_cannot_be_parsed_is_answered_with_what_would_be_right() {
    let bench = Bench::new();
    bench.ok("init --store made");
    for (arguments, words) in [
        ("ingest --store s --input i --dt 2026-01-32", "2026-01 has 31 days"),
        ("ingest --store s --input i --dt 2026-1-2", "here 2026-01-02"),
        ("show --store made --customer abc", "an id is an integer"),
        ("forget --store made --customer 1 abc", "an id is an integer"),
        ("get --store made --customer 9223372036854775808 --dt 2026-01-02 --allow-gaps", "an id is an integer"),
        ("explain --store made --customer 1 --item x --dt 2026-01-02", "an id is an integer"),
        ("prune --store s --keep-days 0", "whole number from 1"),
        ("prune --store s --keep-days year", "whole number from 1"),
        ("backup --store s --to b --keep 0", "whole number from 1"),
        ("restore --from b --store s --number first", "whole number from 1"),
        ("show --store s --customer 1 --limit all", "whole number, 0 or more"),
        ("produce --store s --input i --dt 2026-01-02 --out o --order shuffled --seed x", "whole number, 0 or more"),
    ] {
        let ran = bench.run(arguments);
        assert_eq!(ran.code, 2, "{arguments}: {}", ran.stderr);
        assert!(ran.stderr.contains(words) && !ran.stderr.contains("invalid digit"), "{arguments}: {}", ran.stderr);
    }
}
