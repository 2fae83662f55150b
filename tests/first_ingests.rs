//! First ingests at once: one makes the store, and each of the others is told what it may do about that.

use std::process::{Command, Stdio};

use lookback::error::Kind;
use lookback::ingest::{IngestOptions, Ingester};
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::{Folder, Settings, Store};

use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::program::{Bench, TODAY};

const ROUNDS: usize = 25;

fn bench() -> Bench {
    let bench = Bench::new();
    for day in ["2026-01-01", "2026-01-02", "2026-01-03"] {
        let click = |customer| RawAction { customer, item: 7, time_us: us(&format!("{day}T10:00:00Z")), kind: 1 };
        write_batch(&bench.input(), day, &(0..50).map(click).collect::<Vec<_>>(), PLAIN);
    }
    bench
}

/// Two that have both found no store and read their batches: the one that comes second, however long after.
#[test]
fn who_comes_second_is_told_to_run_again() {
    let bench = bench();
    let folder = Folder::new(&bench.store());
    let options = IngestOptions::new(bench.input(), "2026-01-01".parse::<Day>().unwrap())
        .resources(Resources::default().with_sort_bytes(1 << 20));
    let begun = || {
        let ingester = Ingester::open_or_create(&folder, &Silent).unwrap();
        let batch = ingester.reader().unwrap().read(&options, &Silent).unwrap();
        (ingester, batch)
    };
    let [(mut first, first_batch), (mut second, second_batch)] = [begun(), begun()];
    first.load(first_batch, &Silent).unwrap();
    let told = second.load(second_batch, &Silent).unwrap_err();
    assert_eq!(told.kind(), Kind::Busy);
    let said = format!("another process has created the store at {} meanwhile", bench.store().display());
    assert_eq!(told.to_string(), format!("{said}; run the same command again"));
    drop((first, second));
    assert_eq!(Store::open_reader(&folder).unwrap().batches().unwrap().len(), 1);
    // Who asks for a new store is told that there is one.
    let told = Store::create(&folder, Settings::default()).unwrap_err();
    assert!(told.to_string().contains("there is a store at"), "{told}");
}

/// Three processes, again and again.
#[test]
fn of_three_at_once_each_has_done_it_or_is_told_that_another_is_at_work() {
    let bench = bench();
    for round in 0..ROUNDS {
        let store = format!("store-{round}");
        let processes = [1, 2, 3].map(|day| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_lookback"));
            command.args([
                "ingest",
                "--create",
                "--store",
                &store,
                "--input",
                "input",
                "--dt",
                &format!("2026-01-0{day}"),
            ]);
            command
                .env(TODAY.0, TODAY.1)
                .current_dir(bench.path(""))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        });
        let mut done = 0;
        for process in processes {
            let output = process.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            if output.status.success() {
                done += 1;
                continue;
            }
            let words = ["is creating the store at", "has created the store at", "is writing to the store at"];
            let is_told = words.iter().any(|words| said.contains(&format!("error: another process {words} {store}")));
            assert!(is_told && said.contains("run the same command again"), "round {round}: {said}");
        }
        assert!(done > 0, "round {round}: nobody has made the store");
        assert_eq!(bench.json(&format!("verify --store {store}"))["batches"], done);
    }
}
