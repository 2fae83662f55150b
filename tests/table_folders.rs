//! Folders of tables with a log (Delta, Iceberg, Hudi, Spark's streams): refused by name wherever the log stands above
//! the files of a day.

use std::fs;
use std::path::Path;

use crate::support::one_day::one_day;
use crate::support::program::write_file;

/// What makes a folder a table, and what it is called.
const LOGS: [(&str, &str); 4] = [
    ("_delta_log/00000000000000000000.json", "a Delta table"),
    (".hoodie/hoodie.properties", "a Hudi table"),
    ("_spark_metadata/0", "the output of a Spark stream"),
    ("metadata/v1.metadata.json", "an Iceberg table"),
];

const VOCABULARY: &str = "vocabulary --input input --from 2026-01-01 --to 2026-01-02 --of items --out words";

/// Makes a folder such a table; Iceberg's has its files in `data`.
fn make_table(folder: &Path, log: &str) {
    write_file(&folder.join(log), b"{}");
    if log.starts_with("metadata") {
        fs::create_dir_all(folder.join("data")).unwrap();
    }
}

fn remove(folder: &Path, log: &str) {
    fs::remove_dir_all(folder.join(log).parent().unwrap()).unwrap();
    let _ = fs::remove_dir(folder.join("data"));
}

#[test]
fn a_table_is_refused_by_every_command_that_reads_input() {
    let bench = one_day();
    bench.produce("2026-01-02");
    for (log, kind) in LOGS {
        // At the source, at the folder of the day, at the root, and above the root.
        for folder in ["input/clicks", "input/clicks/dt=2026-01-01", "input", "."] {
            make_table(&bench.path(folder), log);
            let words = [folder.trim_start_matches('.'), kind, "delta-rs"];
            bench.refused("ingest --create --store store --input input --dt 2026-01-01", &words);
            bench.refused("ingest --create --store store --input input --dt 2026-01-01 --quarantine aside", &words);
            bench.refused("backfill --store store --input input --from 2026-01-01 --to 2026-01-01", &words);
            bench.refused("config check --input input --dt 2026-01-01", &words);
            bench.refused(VOCABULARY, &words);
            bench.refused("audit --store store --input input --dt 2026-01-02 --out out", &words);
            remove(&bench.path(folder), log);
        }
        make_table(&bench.input().join("impressions"), log);
        let words = ["input/impressions", kind];
        bench.refused("produce --store store --input input --dt 2026-01-02 --out out2", &words);
        bench.refused("config check --input input --dt 2026-01-01", &words);
        bench.refused(VOCABULARY, &words);
        // The actions are no part of that table.
        bench.ok("ingest --create --store store --input input --dt 2026-01-01");
        remove(&bench.input().join("impressions"), log);
    }
    bench.ok("audit --store store --input input --dt 2026-01-02 --out out");
}

#[test]
fn folders_between_are_looked_at_whatever_the_pattern() {
    let bench = one_day();
    let toml = |pattern: &str| format!("[sources.clicks]\npattern = \"{pattern}\"\n");
    fs::rename(bench.input().join("clicks"), bench.path("clicks")).unwrap();
    fs::create_dir_all(bench.input().join("shop/de")).unwrap();
    fs::rename(bench.path("clicks"), bench.input().join("shop/de/clicks")).unwrap();
    let ingest = "ingest --create --store store --input input --dt 2026-01-01";
    for pattern in [
        "shop/*/clicks/dt={dt}",
        "shop/de/clicks/dt={dt}/*.parquet",
        "*/de/clicks/dt={dt}/**/*.parquet",
        "shop/de/clicks/dt={dt}/part-0.parquet",
    ] {
        write_file(&bench.input().join("lookback.toml"), toml(pattern).as_bytes());
        for folder in ["shop", "shop/de", "shop/de/clicks", "shop/de/clicks/dt=2026-01-01"] {
            make_table(&bench.input().join(folder), LOGS[0].0);
            let ran = bench.run(ingest);
            assert!(ran.code == 1 && ran.said().contains("a Delta table"), "{pattern} {folder}: {}", ran.stderr);
            remove(&bench.input().join(folder), LOGS[0].0);
        }
        bench.ok(ingest);
    }
    // Below a folder that is read.
    write_file(&bench.input().join("lookback.toml"), toml("shop/*/clicks/dt={dt}").as_bytes());
    let deep = bench.input().join("shop/de/clicks/dt=2026-01-01/deep");
    make_table(&deep, LOGS[0].0);
    bench.refused(ingest, &["dt=2026-01-01/deep", "a Delta table"]);
    remove(&deep, LOGS[0].0);
    // What only looks like Iceberg: a folder of this name, without the log or without data beside it.
    write_file(&bench.input().join("shop/metadata/readme.txt"), b"x");
    fs::create_dir_all(bench.input().join("shop/data")).unwrap();
    bench.ok(ingest);
    fs::remove_dir(bench.input().join("shop/data")).unwrap();
    write_file(&bench.input().join("shop/metadata/v1.metadata.json"), b"x");
    bench.ok(ingest);
}
