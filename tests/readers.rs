//! The output read by others: pyarrow, pandas, DuckDB, Polars, Hugging Face datasets and Spark, in the virtual
//! environment that `tools/test` sets up; every cell compared with a reference in SQL.

use std::path::Path;
use std::process::Command;

use crate::support::input::{RawAction, RawImpression, Spread, write_batch, write_impressions};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

/// Python with the packages of `tests/requirements.txt`.
pub fn python() -> Command {
    let python = std::env::var("LOOKBACK_PYTHON").unwrap_or_else(|_| {
        panic!("this test needs LOOKBACK_PYTHON, a Python with the packages of tests/requirements.txt: run tools/test")
    });
    Command::new(python)
}

pub fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// Five days of actions of some customers, a few with more than 1,000, and the impressions of the last three.
fn days(bench: &Bench) {
    let mut random = Random::new(seed(4));
    let mut draw = |end: u64| i64::try_from(random.below(end)).unwrap();
    for day in 0..5_i64 {
        let actions: Vec<RawAction> = (0..4_000)
            .map(|_| {
                let (heavy, late) = (draw(2) == 0, i64::from(draw(30) == 0) * draw(3));
                RawAction {
                    customer: if heavy { draw(3) } else { draw(400) },
                    item: 1 + draw(1_000) * 1_000_003,
                    time_us: (20_454 + day - late) * 86_400_000_000 + draw(1_440) * 60_000_000,
                    kind: 1 + u8::try_from(draw(3)).unwrap(),
                }
            })
            .collect();
        let date = format!("2026-01-0{}", day + 1);
        write_batch(&bench.input(), &date, &actions, Spread { files: 2, seed: 7 });
        if day >= 2 {
            let impressions: Vec<RawImpression> = (0..150)
                .map(|number| RawImpression {
                    ranking_id: (number % 5 != 0).then(|| format!("ranking {number} ä")),
                    customer: draw(450),
                    elements: (0..draw(6))
                        .map(|_| (1 + draw(99), [None, Some(true), Some(false)][usize::try_from(draw(3)).unwrap()]))
                        .collect(),
                })
                .collect();
            write_impressions(&bench.input(), &date, &impressions, Spread { files: 2, seed: 8 });
        }
    }
}

#[test]
fn every_cell_agrees_with_sql() {
    let bench = Bench::new();
    days(&bench);
    let range = "backfill --store store --input input --from 2026-01-01 --to 2026-01-05";
    let check = |out: &str, options: &str| {
        let mut command = python();
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/check_rows.py"));
        command.args(["--input", "input", "--out", out]).args(options.split_whitespace()).current_dir(bench.path(""));
        let text = run(command);
        let last = text.lines().last().unwrap().to_owned();
        assert!(last.starts_with("3 partitions, ") && last.ends_with(" 0 differences"), "{text}");
        assert!(!last.contains(" 0 rows"), "{text}");
    };
    bench.ok(&format!("{range} --out whole"));
    check("whole", "");
    bench.ok(&format!("{range} --out daily --as-daily --compression snappy"));
    check("daily", "--as-daily");
    bench.ok(&format!("{range} --out short --max-history 7 --lookback-days 2 --compression lz4"));
    check("short", "--max-history 7 --lookback-days 2");
    // A check that cannot fail would be none: the wrong question must be noticed.
    let mut command = python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/check_rows.py"));
    command.args(["--input", "input", "--out", "whole", "--as-daily"]).current_dir(bench.path(""));
    assert!(!command.output().unwrap().status.success());
}

#[test]
fn the_folder_is_read_as_it_is() {
    let bench = Bench::new();
    days(&bench);
    bench.ok("backfill --store store --input input --from 2026-01-01 --to 2026-01-05 --out out");
    let rows: u64 = ["2026-01-03", "2026-01-04", "2026-01-05"]
        .iter()
        .map(|day| crate::support::output::read_partition(&bench.out(), day).len() as u64)
        .sum();
    let mut command = python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers.py")).arg("out").current_dir(bench.path(""));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let counts: Vec<&str> = text.lines().collect();
    assert_eq!(counts.len(), 16, "{text}");
    for line in counts {
        assert!(line.ends_with(&format!(": {rows}")), "{rows} rows were written: {line}");
    }
}
