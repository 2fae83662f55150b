//! The library, asked to stop by its caller: the work fails with `Kind::Cancelled`, and what was there is there as it
//! was.

use std::process::Command;

use lookback::error::Kind;
use lookback::ingest::{IngestOptions, Ingester};
use lookback::model::Day;
use lookback::model::OrderKind;
use lookback::output::Compression;
use lookback::produce::{ProduceOptions, RowChoice, produce};
use lookback::progress::{Progress, Silent};
use lookback::resources::{Cancel, Resources};
use lookback::store::{Folder, Store};

use crate::support::output::{dump, tree};
use crate::support::program::NO_GLOBAL_THREADS;
use crate::support::scenarios;

/// Asks to stop when a phase begins.
struct AtPhase<'a>(&'a str, &'a Cancel);

impl Progress for AtPhase<'_> {
    fn begin(&self, phase: &str, _: &'static str, _: Option<u64>) {
        if phase == self.0 {
            self.1.cancel();
        }
    }
}

#[test]
fn an_ingest_that_is_asked_to_stop_leaves_the_store_as_it_was() {
    let bench = scenarios::produced();
    let before = dump(&bench.store());
    let input = bench.input();
    for phase in ["reading", "folding"] {
        let cancel = Cancel::default();
        let resources = Resources::default().with_threads(2).with_cancel(cancel.clone());
        let folder = Folder::with(&bench.store(), &resources);
        let mut ingester = Ingester::open(&folder, &Silent).unwrap();
        let options = IngestOptions::new(&input, "2026-01-04".parse::<Day>().unwrap()).resources(resources.clone());
        let error = ingester.ingest(&options, &AtPhase(phase, &cancel)).unwrap_err();
        assert_eq!(error.kind(), Kind::Cancelled, "{phase}: {error}");
        drop(ingester);
        assert!(dump(&bench.store()) == before, "{phase}: the store is another one");
        assert!(!bench.store().join("staging").exists(), "{phase}: something is left");
        // Nothing takes it back; who goes on begins with another.
        assert_eq!(
            Ingester::open(&folder, &Silent).unwrap().finish_compaction(&Silent).unwrap_err().kind(),
            Kind::Cancelled
        );
    }
}

#[test]
fn a_produce_that_is_asked_to_stop_leaves_the_partition_as_it_was() {
    let bench = scenarios::produced();
    let before = tree(&bench.out());
    let (input, out) = (bench.input(), bench.out());
    for (phase, order) in [
        ("reading", OrderKind::Customer),
        ("writing", OrderKind::Customer),
        ("reading histories", OrderKind::Shuffled),
        ("writing", OrderKind::Shuffled),
    ] {
        let cancel = Cancel::default();
        let resources = Resources::default().with_threads(2).with_cancel(cancel.clone());
        let store = Store::open_reader(&Folder::with(&bench.store(), &resources)).unwrap();
        let options = ProduceOptions::new(&input, "2026-01-04".parse::<Day>().unwrap(), &out)
            .rows(RowChoice::default().compression(Some(Compression::Lz4)).order(Some(order)))
            .resources(resources.clone());
        let error = produce(&store, &options, &AtPhase(phase, &cancel)).unwrap_err();
        assert_eq!(error.kind(), Kind::Cancelled, "{phase}: {error}");
        assert!(tree(&out) == before, "{phase}: the partition is another one, or something is left");
    }
}

/// What the tests of the program rest on: with that variable and a limit on memory, which the program sets for itself,
/// the global pool cannot start.
#[test]
fn no_global_threads_start_where_the_tests_run_the_program() {
    let script = "ulimit -d 2000000; exec \"$0\" --ignored --exact cancelling::global_threads_start";
    let mut itself = Command::new("sh");
    itself.args(["-c", script]).arg(std::env::current_exe().unwrap());
    let ran = itself.env(NO_GLOBAL_THREADS.0, NO_GLOBAL_THREADS.1).output().unwrap();
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(!ran.status.success() && said.contains("global thread pool"), "{said}");
}

#[test]
#[ignore = "run by the test before it"]
fn global_threads_start() {
    assert!(rayon::current_num_threads() > 0);
}
