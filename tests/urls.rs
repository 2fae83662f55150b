//! URLs in the place of paths: refused by name, where a path would be a folder called `s3:`.

use crate::support::program::{Bench, write_file};

/// A path argument of each command, and what else the command needs.
const ARGUMENTS: [(&str, &str, &str); 36] = [
    ("init", "--store", ""),
    ("ingest", "--store", "--input input --dt 2026-01-01"),
    ("ingest", "--input", "--store store --dt 2026-01-01"),
    ("ingest", "--config", "--store store --input input --dt 2026-01-01"),
    ("ingest", "--quarantine", "--store store --input input --dt 2026-01-01"),
    ("produce", "--out", "--store store --input input --dt 2026-01-01"),
    ("produce", "--input", "--store store --out out --dt 2026-01-01"),
    ("backfill", "--out", "--store store --input input --from 2026-01-01 --to 2026-01-01"),
    ("backfill", "--input", "--store store --from 2026-01-01 --to 2026-01-01"),
    ("show", "--store", "--customer 1"),
    ("explain", "--store", "--customer 1 --dt 2026-01-01"),
    ("get", "--store", "--customer 1 --dt 2026-01-01"),
    ("get", "--out", "--store store --customer 1 --dt 2026-01-01"),
    ("get", "--customers", "--store store --dt 2026-01-01"),
    ("status", "--store", ""),
    ("report", "--html", "--store store"),
    ("report", "--out", "--store store --html x.html"),
    ("forget", "--store", "--customer 1"),
    ("forget", "--out", "--store store --customer 1"),
    ("prune", "--store", "--keep-days 1"),
    ("remove", "--store", "--dt 2026-01-01"),
    ("backup", "--to", "--store store"),
    ("restore", "--from", "--store store"),
    ("audit", "--out", "--store store --input input --dt 2026-01-01"),
    ("stale", "--out", "--store store"),
    ("manifest", "--out", "--dt 2026-01-01"),
    ("migrate", "--store", ""),
    ("verify", "--store", ""),
    ("verify", "--backup", ""),
    ("repair", "--store", ""),
    ("man", "--dir", ""),
    ("vocabulary", "--input", "--from 2026-01-01 --to 2026-01-01 --of items --out words"),
    ("vocabulary", "--out", "--input input --from 2026-01-01 --to 2026-01-01 --of items"),
    ("vocabulary", "--quarantine", "--input input --from 2026-01-01 --to 2026-01-01 --of items --out words"),
    ("config check", "--input", ""),
    ("config check", "--config", "--input input"),
];

#[test]
fn a_url_is_no_path_of_any_command() {
    let bench = Bench::new();
    for (command, option, others) in ARGUMENTS {
        for url in ["s3://b/out", "file:///data", "abfss://c@a.dfs.core.windows.net/x"] {
            let ran = bench.run(&format!("{command} {others} {option} {url}"));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command} {option}: {}", ran.stderr);
            let said = format!("error: {option} {url} is a URL, but only local folders and files are supported; ");
            assert!(ran.said().starts_with(&said), "{}", ran.stderr);
        }
    }
    let ran = bench.run("diff out gs://b/out");
    assert!(ran.code == 2 && ran.said().contains("gs://b/out is a URL"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(bench.path("")).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_pattern_is_no_url() {
    let bench = Bench::new();
    write_file(&bench.path("c.toml"), b"[sources.clicks]\npattern = \"s3://b/clicks/{dt}\"\n");
    bench.refused("config check --input input --config c.toml", &["c.toml line 2", "\"s3://b/clicks/{dt}\" is a URL"]);
}
