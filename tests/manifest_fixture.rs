//! The partition that 0.4.0 left, with the column `dt` in its files and a manifest of version 1:
//! `tests/fixtures/manifest-1/`, never edited.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::output::{metadata, read_partition, tree};
use crate::support::program::Bench;

const DT: &str = "2026-03-03";
const PRODUCE: &str = "produce --store store --input input --dt 2026-03-03";

/// The fixture's input and output, and a store of its batches.
fn bench() -> Bench {
    let bench = Bench::new();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifest-1");
    for part in ["input", "out"] {
        for (name, bytes) in tree(&fixture.join(part)) {
            let path = bench.path(part).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    bench.ok("init --store store --max-history 4");
    bench.ok("backfill --store store --input input --from 2026-03-01 --to 2026-03-02");
    bench
}

#[test]
fn a_partition_with_dt_in_its_files_is_read_and_proved() {
    let bench = bench();
    let said = bench.json(&format!("manifest --out out --dt {DT}"));
    assert_eq!((&said["manifest_version"], &said["settings"]["with"]), (&json!(1), &json!(["dt", "action_ages"])));
    let check = format!("manifest --out out --dt {DT} --check");
    let checked = bench.ok(&check).stderr;
    assert!(checked.starts_with("note: the manifest of 2026-03-03 has no checksum"), "{checked}");
    assert_eq!(bench.json(&check)["has_checksum"], false);
    bench.ok(&format!("{PRODUCE} --out again"));
    assert_eq!(bench.json(&check.replace("out out", "out again"))["has_checksum"], true);
    let audited = bench.json(&format!("audit --store store --input input --out out --dt {DT}"));
    assert_eq!((&audited["rows"], &audited["cells"]), (&json!(4), &json!(4 * (6 + 3 * 4))));
    assert_eq!(bench.json("stale --store store --out out")["stale"], 0);
    let rows = read_partition(&bench.out(), DT);
    assert_eq!((rows[0].actions.clone(), rows[0].action_ages.clone()), (vec![14, 13, 11, 0], Some(vec![1, 2, 2, 0])));
}

#[test]
fn it_has_the_rows_of_a_partition_without_dt() {
    let bench = bench();
    for options in ["--with action_ages", "--with dt,action_ages"] {
        bench.ok(&format!("{PRODUCE} --out again {options}"));
        assert_eq!(read_partition(&bench.out(), DT), read_partition(&bench.path("again"), DT), "{options}");
        let compared = bench.json("diff out again");
        assert_eq!((&compared["same"], &compared["partitions"][0]["same"]), (&json!(true), &json!(4)), "{options}");
        let has_dt = options.contains("dt,");
        let part = bench.path("again").join(format!("dt={DT}/part-00000.parquet"));
        assert_eq!(metadata(&part)["with"].contains("dt"), has_dt, "{options}");
    }
}

/// A scrub keeps the columns that there are, and names them from then on.
#[test]
fn it_is_scrubbed_with_its_dt() {
    let bench = bench();
    bench.ok("forget --store store --customer 1 --out out --scrub");
    bench.ok(&format!("{PRODUCE} --out again --with dt,action_ages"));
    let part = format!("dt={DT}/part-00000.parquet");
    assert!(tree(&bench.out())[&part] == tree(&bench.path("again"))[&part], "as produced anew");
    let said = bench.json(&format!("manifest --out out --dt {DT}"));
    assert_eq!((&said["manifest_version"], &said["rows"]), (&json!(2), &json!(2)));
}

/// What a backfill without options wants is a partition without `dt`.
#[test]
fn it_is_not_what_is_asked_for_without_dt() {
    let bench = bench();
    let range = "backfill --store store --input input --from 2026-03-03 --to 2026-03-03 --out out --allow-empty";
    let summary = bench.json(&format!("{range} --with action_ages"));
    assert_eq!(summary["produced"][0]["kept"], false);
    assert!(!metadata(&bench.out().join(format!("dt={DT}/part-00000.parquet")))["with"].contains("dt"));
}
