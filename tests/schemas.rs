//! What `--json` prints is what `docs/schema` says: of every command, checked with `jsonschema`.

use std::path::Path;

use serde_json::{Value, json};

use crate::backups_at_urls::place::{URL, json_at};
use crate::readers::{python, run};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::places::S3Server;
use crate::support::program::{Bench, write_file};
use crate::support::store::edit;
use crate::support::zones::TestRules;

/// 2026-01-01 as days since 1970-01-01.
const FIRST_DAY: i64 = 20_454;

/// Nine days, the last of which brings ten times as much as those before; impressions on the last three.
fn nine_days() -> Bench {
    let bench = Bench::new();
    for number in 1..=9_i64 {
        let day = format!("2026-01-0{number}");
        let actions: Vec<RawAction> = (0..if number == 9 { 300 } else { 30 })
            .map(|action| RawAction {
                customer: action % 7,
                item: 1 + action,
                time_us: (FIRST_DAY + number - 1) * 86_400_000_000 + action,
                kind: 1 + u8::try_from(action % 3).unwrap(),
            })
            .collect();
        write_batch(&bench.input(), &day, &actions, PLAIN);
        if number > 6 {
            write_impressions(&bench.input(), &day, &[shown(1), shown(9)], PLAIN);
        }
    }
    bench
}

/// Delivers a file of the input twice.
fn twice(bench: &Bench, file: &str) {
    let file = bench.input().join(file);
    std::fs::copy(&file, file.with_extension("again.parquet")).unwrap();
}

fn shown(customer: i64) -> RawImpression {
    RawImpression { ranking_id: Some("top".to_owned()), customer, elements: vec![(5, Some(true)), (6, None)] }
}

/// A description of the clicks alone.
const CLICKS: &str = r#"
[sources.clicks]
pattern = "clicks/dt={dt}"
columns = { customer_id = "customer_id", item_id = "item_id", time = "click_time" }
type = "click"
format = "parquet"
time_unit = "ms"
time_format = "%d.%m.%Y"
int96 = "instant"
[sources.sessions]
pattern = "sessions/dt={dt}"
explode = "events"
columns = { item_id = "events.aid", time = "events.ts" }
type = "click"
[csv]
separator = ";"
escape = "\\"
null = ["NULL"]
"#;

/// What each command printed, with the name of its schema.
fn outputs() -> (Bench, Vec<Value>) {
    let bench = nine_days();
    for folder in ["clicks/dt=2026-01-01", "clicks/dt=2026-01-02", "impressions/dt=2026-01-08"] {
        twice(&bench, &format!("{folder}/part-0.parquet"));
    }
    let mut outputs = Vec::new();
    let mut keep = |schema: &str, output: Value| outputs.push(json!({ "schema": schema, "output": output }));
    let mut say = |schema: &str, arguments: &str| keep(schema, bench.json(arguments));
    let range = "backfill --store store --input input --from 2026-01-02 --to 2026-01-09 --out out --lookback-days 60";
    say("init", "init --store store --max-history 20");
    say("ingest", "ingest --store store --input input --dt 2026-01-01");
    say("backfill", &format!("{range} --dry-run"));
    say("backfill", range);
    say("produce", "produce --store store --input input --dt 2026-01-08 --out out --lookback-days 30");
    say("audit", "audit --store store --input input --out out --dt 2026-01-08");
    say("show", "show --store store --customer 1 --limit 3");
    let limits = "--known-as-of 2026-01-03 --lookback-days 30";
    say("explain", &format!("explain --store store --dt 2026-01-08 --customer 1 --item 9 {limits} --max-history 4"));
    say("get", "get --store store --dt 2026-01-09 --customer 1 --lookback-days 5 --out histories.jsonl");
    let range = "vocabulary --input input --from 2025-12-31 --to 2026-01-09";
    say("vocabulary", &format!("{range} --of items --out items.parquet"));
    say("vocabulary", &format!("{range} --of customers --min-count 50 --out customers.parquet"));
    write_file(&bench.path("clicks.toml"), CLICKS.as_bytes());
    say("config-check", "config check --input input --config clicks.toml --dt 2026-01-09");
    say("ingest", "ingest --store store --input input --dt 2026-01-09");
    // Other rows, and rows of another customer.
    write_impressions(&bench.input(), "2026-01-08", &[shown(1), shown(2)], PLAIN);
    bench.ok(&format!("produce --store store --input input --dt 2026-01-08 --out out2 --compression snappy {limits}"));
    let ran = bench.run("diff out out2 --json");
    assert_eq!(ran.code, 3);
    keep("diff", serde_json::from_str(&ran.stdout).unwrap());
    let server = S3Server::start();
    for arguments in ["backup --store store --to", "backup --keep 1 --store store --to", "verify --backup"] {
        let summary = json_at(&bench, &server, &format!("{arguments} {URL}"));
        keep(arguments.split(' ').next().unwrap(), summary);
    }
    let mut say = |schema: &str, arguments: &str| keep(schema, bench.json(arguments));
    // A store that begins behind what the partitions there rest on.
    say("backfill", "backfill --store late --input input --from 2026-01-05 --to 2026-01-09 --out out2");
    let to_table = "--out table --table delta --vacuum 7d";
    say("backfill", &format!("backfill --store late --input input --from 2026-01-09 --to 2026-01-09 {to_table}"));
    say("produce", &format!("produce --store late --input input --dt 2026-01-09 {to_table} --max-history 9"));
    say("produce", "produce --store late --input input --dt 2026-01-09 --out out");
    bench.ok("produce --store store --input input --dt 2026-01-09 --out out");
    say("remove", "remove --store late --dt 2026-01-06 --dry-run");
    say("remove", "remove --store late --dt 2026-01-06");
    say("manifest", "manifest --out out --dt 2026-01-08");
    say("manifest", "manifest --out out --dt 2026-01-08 --check");
    say("backup", "backup --store store --to backups");
    say("backup", "backup --store store --to backups --check");
    say("verify", "verify --backup backups");
    say("restore", "restore --from backups --store restored");
    say("report", "report --store store --html store.html");
    say("report", "report --store store --out-dir out --html out.html");
    write_file(&bench.out().join("dt=2026-01-03/_manifest.parquet"), b"none");
    write_batch(&bench.input(), "2026-01-02", &[], PLAIN);
    say("ingest", "ingest --store store --input input --dt 2026-01-02 --allow-empty");
    say("stale", "stale --store store --out out");
    say("migrate", "migrate --store store");
    say("repair", "repair --store store --dry-run");
    say("verify", "verify --store store");
    say("forget", "forget --store store --customer 1 --out out --dry-run");
    say("forget", "forget --store store --customer 1 --out out");
    say("forget", "forget --store store --customer 1 --out out --scrub");
    say("prune", "prune --store store --keep-days 3 --dry-run");
    say("prune", "prune --store store --keep-days 3 --allow-large-removal");
    say("stale", "stale --store store --out out");
    say("status", "status --store store");
    say("explain", "explain --store store --dt 2026-01-10 --customer 2 --max-history 10 --limit 4");
    // A store in which something is wrong: exit code 1, and the summary all the same.
    edit(&bench.store(), &[(vec![0x77], Some(vec![1]))]);
    let ran = bench.run("verify --store store --json");
    assert_eq!(ran.code, 1);
    keep("verify", serde_json::from_str(&ran.stdout).unwrap());
    // A store whose zone gets newer rules.
    let zoned = Bench::new();
    TestRules::vancouver_before().write(&zoned.path("zones"), "America/Vancouver", "2025b");
    zoned.ok("init --store store --timezone America/Vancouver --duplicates drop");
    let click = RawAction { customer: 1, item: 2, time_us: us("2026-11-03T12:00:00Z"), kind: 1 };
    write_batch(&zoned.input(), "2026-11-03", &[click], PLAIN);
    write_impressions(&zoned.input(), "2026-11-04", &[shown(1)], PLAIN);
    zoned.ingest("2026-11-03");
    zoned.produce("2026-11-04");
    keep("manifest", zoned.json("manifest --out out --dt 2026-11-04"));
    let chosen = "--with dt,action_ages --item-type int32 --type-type uint8 --order shuffled --seed 7";
    zoned.ok(&format!("produce --store store --input input --dt 2026-11-04 --out chosen {chosen}"));
    keep("manifest", zoned.json("manifest --out chosen --dt 2026-11-04"));
    TestRules::vancouver_since().write(&zoned.path("zones"), "America/Vancouver", "2026f");
    keep("status", zoned.json("status --store store"));
    keep("migrate", zoned.json("migrate --store store --take-zone-rules"));
    // A store whose ids are text.
    let texts = Bench::new();
    write_file(&texts.input().join("lookback.toml"), b"[ids]\ncustomer = \"text\"\nitem = \"text\"\n");
    let click = b"customer_id,item_id,click_time\nU13740,N55689,2026-01-01\n";
    write_file(&texts.input().join("clicks/dt=2026-01-01/a.csv"), click);
    keep("ingest", texts.json("ingest --create --store store --input input --dt 2026-01-01"));
    keep("config-check", texts.json("config check --input input"));
    keep("status", texts.json("status --store store"));
    keep("show", texts.json("show --store store --customer U13740"));
    keep("explain", texts.json("explain --store store --customer U13740 --item N55689 --dt 2026-01-02"));
    sharded(&mut keep);
    (bench, outputs)
}

/// A sharded store of a batch with a bad row, an empty list, and what else counts.
fn sharded(keep: &mut impl FnMut(&str, Value)) {
    let bench = nine_days();
    let mut say = |command: &str, arguments: &str| {
        keep(&format!("shards-{command}"), bench.json(&format!("shards {command} {arguments}")));
    };
    say("init", "--store place --shards 2 --max-history 20");
    for day in (1..=9).filter(|day| *day != 8) {
        say("ingest", &format!("--store place --input input --dt 2026-01-0{day}"));
    }
    twice(&bench, "clicks/dt=2026-01-01/part-0.parquet");
    twice(&bench, "impressions/dt=2026-01-07/part-0.parquet");
    say("ingest", "--store place --input input --dt 2026-01-01 --batch-id first");
    say("ingest", "--store place --input input --dt 2026-01-01 --batch-id first");
    say("status", "--store place");
    say("produce", "--store place --input input --dt 2026-01-07 --lookback-days 60 --out out");
    say("audit", "--store place --input input --out out --dt 2026-01-07");
    say("produce", "--store place --input input --dt 2026-01-07 --out table --table delta --vacuum 7d");
    say("verify", "--store place --deep");
    say("checkout", "--store place --shard 1 --to second");
    say("export", "--store place --to whole");
    say("import", "--store other --shards 4 --from whole");
    say("split", "--store other");
    say("remove", "--store place --dt 2026-01-02");
    say("forget", "--store place --customer 1 --out out --scrub");
    say("produce", "--store other --input input --dt 2026-01-07 --out listed");
    say("stale", "--store place --out listed");
    say("forget", "--store other --customer 1 --out listed");
    say("gc", "--store place");
    say("migrate", "--store place");
    let range = "--store place --input input --from 2026-01-01 --to 2026-01-08 --out filled";
    say("backfill", &format!("{range} --dry-run --lookback-days 60"));
    say("backfill", &format!("{range} --lookback-days 60"));
    say("backfill", &range.replace("filled", "filled --stale"));
    // A store that begins behind what the partition there rests on.
    say("init", "--store late --shards 1");
    for day in 5..=8 {
        say("ingest", &format!("--store late --input input --dt 2026-01-0{day}"));
    }
    say("produce", "--store late --input input --dt 2026-01-09 --out listed");
    // Rows that reach back beyond the horizon, and a manifest that is none.
    bench.ok("prune --store whole --keep-days 3 --allow-large-removal");
    say("import", "--store pruned --shards 2 --from whole");
    say("remove", "--store pruned --dt 2026-01-06");
    write_file(&bench.path("out/dt=2026-01-03/_manifest.parquet"), b"none");
    say("stale", "--store pruned --out out");
    say("init", "--store all --shards 2");
    say(
        "backfill",
        "--store all --input input --from 2026-01-01 --to 2026-01-09 --out every --table delta --vacuum 7d",
    );
    say("init", "--store begun --shards 2");
    say("backfill", "--store begun --input input --from 2026-01-05 --to 2026-01-09 --out listed");
    keep("manifest", bench.json("manifest --out out --dt 2026-01-07"));
}

#[test]
fn every_command_prints_what_its_schema_says() {
    let (bench, outputs) = outputs();
    let lines: Vec<String> = outputs.iter().map(Value::to_string).collect();
    write_file(&bench.path("outputs.jsonl"), lines.join("\n").as_bytes());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check = |outputs: &str| {
        let mut command = python();
        command
            .arg(root.join("tests/schemas.py"))
            .arg(root.join("docs/schema"))
            .arg(outputs)
            .current_dir(bench.path(""));
        command
    };
    let said = run(check("outputs.jsonl"));
    assert_eq!(said.trim(), format!("{} outputs of 39 commands are as their schemas say", outputs.len()));
    // A check that cannot fail would be none.
    let mut wrong = outputs[0].clone();
    wrong["output"]["max_history"] = json!("20");
    write_file(&bench.path("wrong.jsonl"), wrong.to_string().as_bytes());
    let ran = check("wrong.jsonl").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(!ran.status.success() && said.contains("max_history"), "{said}");
}
