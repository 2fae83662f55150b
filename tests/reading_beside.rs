//! Readers beside a writer that compacts all the time: they see what was committed when they opened, for as long as
//! they are open.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lookback::model::{CustomerId, Day};
use lookback::store::{Folder, Store};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::tree;
use crate::support::program::Bench;

const CUSTOMERS: i64 = 400;

fn batch(bench: &Bench, day: &str) {
    let click =
        |customer| RawAction { customer, item: 1 + customer, time_us: us(&format!("{day}T10:00:00Z")), kind: 1 };
    write_batch(&bench.input(), day, &(0..CUSTOMERS).map(click).collect::<Vec<_>>(), PLAIN);
    bench.ingest(day);
}

#[test]
fn readers_go_on_while_table_files_are_deleted() {
    let bench = Bench::new();
    batch(&bench, "2026-01-01");
    batch(&bench, "2026-01-02");
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(5, None)] };
    write_impressions(&bench.input(), "2026-01-03", &(0..CUSTOMERS).map(shown).collect::<Vec<_>>(), PLAIN);
    bench.produce("2026-01-03");
    let expected = tree(&bench.out());

    // Opened before everything that follows, and read only when all of its table files are gone.
    let early = Store::open_reader(&Folder::new(&bench.store())).unwrap();
    let before: Vec<String> = tree(&bench.store()).into_keys().filter(|name| name.ends_with(".sst")).collect();

    let (done, produced) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The same batches again and again: every load lies over the ones before, so each fourth makes the store
            // compact. At least forty loads, and as many more as it takes until the reader has had its turns.
            let mut rounds = 0;
            while rounds < 20 || (produced.load(Ordering::SeqCst) < 4 && rounds < 400) {
                bench.ingest("2026-01-01");
                bench.ingest("2026-01-02");
                rounds += 1;
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            bench.produce("2026-01-03");
            assert!(tree(&bench.out()) == expected, "rows of another state than the one committed");
            bench.ok("verify --store store --deep");
            produced.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert!(produced.into_inner() > 3, "the reader had its turns");
    let after = tree(&bench.store());
    assert!(before.iter().all(|name| !after.contains_key(name)), "compaction has replaced every table file");
    let dt: Day = "2026-01-03".parse().unwrap();
    let mut cursor = early.cursor();
    for customer in 0..CUSTOMERS {
        assert_eq!(cursor.actions(CustomerId(customer), dt).unwrap().len(), 2);
    }
}

/// How often the writer writes; a run for a person's eyes can ask for more.
fn rounds() -> usize {
    std::env::var("LOOKBACK_TEST_ROUNDS").ok().map_or(60, |text| text.parse().unwrap())
}

/// A writer replaces one batch by others and a reader produces, each as fast as it can: every partition is that of one
/// of the states, whole.
#[test]
fn rows_beside_a_writer_are_those_of_a_state_that_was_committed() {
    const STATES: i64 = 7;
    let (bench, quiet) = (Bench::new(), Bench::new());
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(5, None)] };
    let mut expected = Vec::new();
    for bench in [&bench, &quiet] {
        batch(bench, "2026-01-01");
        write_impressions(&bench.input(), "2026-01-03", &(0..CUSTOMERS).map(shown).collect::<Vec<_>>(), PLAIN);
    }
    // The states differ for every customer, also in how many actions there are.
    let inputs: Vec<_> = (0..STATES).map(|state| bench.path(&format!("input-{state}"))).collect();
    for (state, input) in (0..).zip(&inputs) {
        let clicks = (0..CUSTOMERS * (1 + state % 3)).map(|number| RawAction {
            customer: number % CUSTOMERS,
            item: 1_000 + state,
            time_us: us("2026-01-02T10:00:00Z") + number,
            kind: 1,
        });
        write_batch(input, "2026-01-02", &clicks.collect::<Vec<_>>(), PLAIN);
        let ingest = format!("ingest --store store --dt 2026-01-02 --input {}", input.display());
        quiet.ok(&ingest);
        quiet.produce("2026-01-03");
        expected.push(tree(&quiet.out()));
        if state == 0 {
            bench.ok(&ingest);
        }
    }
    let (mut produced, mut met) = (0, BTreeSet::new());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..rounds() {
                let input = &inputs[(round * 5 + round / 11) % inputs.len()];
                bench.ok(&format!("ingest --store store --dt 2026-01-02 --input {}", input.display()));
            }
        });
        while !writer.is_finished() || produced < 3 {
            bench.produce("2026-01-03");
            let found = tree(&bench.out());
            let state = expected.iter().position(|tree| *tree == found);
            met.insert(state.expect("rows of no state that was committed"));
            produced += 1;
        }
        writer.join().unwrap();
    });
    eprintln!("{} ingests beside {produced} produces, which met {} states", rounds(), met.len());
    assert!(!met.is_empty());
}
