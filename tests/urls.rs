//! URLs in the place of paths that are always local: refused by name, where a path would be a folder called `s3:`.

use crate::support::program::{Bench, write_file};

/// A local path argument of each command, and what else the command needs.
const ARGUMENTS: [(&str, &str, &str); 19] = [
    ("init", "--store", ""),
    ("ingest", "--store", "--input input --dt 2026-01-01"),
    ("ingest", "--config", "--store store --input input --dt 2026-01-01"),
    ("show", "--store", "--customer 1"),
    ("explain", "--store", "--customer 1 --dt 2026-01-01"),
    ("get", "--store", "--customer 1 --dt 2026-01-01"),
    ("get", "--out", "--store store --customer 1 --dt 2026-01-01"),
    ("get", "--customers", "--store store --dt 2026-01-01"),
    ("status", "--store", ""),
    ("report", "--html", "--store store"),
    ("forget", "--store", "--customer 1"),
    ("prune", "--store", "--keep-days 1"),
    ("remove", "--store", "--dt 2026-01-01"),
    ("migrate", "--store", ""),
    ("verify", "--store", ""),
    ("repair", "--store", ""),
    ("man", "--dir", ""),
    ("vocabulary", "--out", "--input input --from 2026-01-01 --to 2026-01-01 --of items"),
    ("config check", "--config", "--input input"),
];

#[test]
fn a_url_is_no_local_path_of_any_command() {
    let bench = Bench::new();
    for (command, option, others) in ARGUMENTS {
        for url in ["s3://b/out", "hdfs://name/x", "abfss://c@a.dfs.core.windows.net/x"] {
            let ran = bench.run(&format!("{command} {others} {option} {url}"));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command} {option}: {}", ran.stderr);
            let said = format!("error: {option} {url} is a URL, but only local folders and files are supported; ");
            assert!(ran.said().starts_with(&said), "{}", ran.stderr);
        }
    }
    assert_eq!(std::fs::read_dir(bench.path("")).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_pattern_is_no_url() {
    let bench = Bench::new();
    write_file(&bench.path("c.toml"), b"[sources.clicks]\npattern = \"s3://b/clicks/{dt}\"\n");
    bench.refused("config check --input input --config c.toml", &["c.toml line 2", "\"s3://b/clicks/{dt}\" is a URL"]);
}
