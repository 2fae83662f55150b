//! Readers beside a writer that compacts all the time: they see what was committed when they opened, for as long as they are open.

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
            // The same batches again and again: every load lies over the ones before, so each fourth makes the store compact.
            // At least forty loads, and as many more as it takes until the reader has had its turns.
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
