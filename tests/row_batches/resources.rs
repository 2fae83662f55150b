//! What cannot be done, stopping, and memory.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lookback::error::Kind;
use lookback::model::{Day, OrderKind, RowColumns, RowOrder};
use lookback::output::{Layout, RowBatch};
use lookback::produce::RowChoice;
use lookback::progress::Silent;
use lookback::resources::{Cancel, Resources};
use lookback::store::{Folder, Store};
use lookback::training::{BatchOptions, TrainingDay, TrainingOptions};

use super::lent::Lender;
use super::{Asked, rows_of, small};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::nights::{DT, MAX_HISTORY, Nights, nights};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

#[test]
fn counts_are_those_of_a_produce() {
    let seed = seed(411);
    let Nights { bench, .. } = &nights(seed);
    let day = Asked::default().prepare(bench);
    let mut counted = serde_json::to_value(day.summary()).unwrap();
    let mut produced = bench.json(&format!("produce --store store --input input --dt {DT} --out out --order shuffled"));
    for only in ["parts", "timing", "older_partition"] {
        counted.as_object_mut().unwrap().remove(only);
        produced.as_object_mut().unwrap().remove(only);
    }
    for (name, value) in counted.as_object().unwrap() {
        assert_eq!(&produced[name], value, "seed {seed}: {name}");
    }
}

#[test]
fn what_cannot_be_done_is_said_in_one_sentence() {
    let Nights { bench, .. } = &nights(seed(412));
    let day = Asked::default().prepare(bench);
    let epoch = day.epoch(0).unwrap();
    let rows = day.rows();
    let plain = small(Layout::Padded);
    let cases = [
        (plain.batch_size(0), "a batch without rows or actions was asked for; ask for at least one"),
        (plain.batch_actions_max(Some(0)), "a batch without rows or actions was asked for; "),
        (plain.rank(2).world_size(2), "there is no rank 2 with world_size 2; give a rank from 0"),
        (plain.worker(0).workers(0), "there is no worker 0 with workers 0; "),
        (plain.first_row(rows + 1), "lies beyond the"),
    ];
    for (options, words) in cases {
        let error = epoch.batches(&options).err().unwrap();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains(words), "{error}");
    }
    let mut nothing_left = epoch.batches(&plain.first_row(rows)).unwrap();
    assert!(nothing_left.next().is_none());

    let resources = Resources::default().with_memory(1 << 20).with_threads(2);
    let tight = Asked { resources, ..Asked::default() }.prepare(bench).epoch(0).unwrap();
    let large = plain.batch_size(4_000);
    let error = tight.batches(&large).err().unwrap();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("a batch of 4000 rows may take 1 MB of memory, and there are 0 MB"), "{error}");
    assert!(error.to_string().ends_with("batch_actions_max, or a larger memory_limit"), "{error}");
    // Deduplicated there are at most the day's customers, and jagged at most the actions asked for.
    tight.batches(&plain.batch_size(1_000).layout(Layout::Dedup)).unwrap();
    let jagged = plain.batch_size(1_000).layout(Layout::Jagged).batch_actions_max(Some(500));
    tight.batches(&jagged).unwrap();

    let too_long = Asked { max_history: Some(MAX_HISTORY + 1), ..Asked::default() };
    assert_eq!(too_long.try_prepare(bench).err().unwrap().kind(), Kind::Usage);
    let no_impressions = Asked { dt: "2026-04-02", ..Asked::default() }.try_prepare(bench).err().unwrap();
    assert!(no_impressions.to_string().contains("there is no impression file"), "{no_impressions}");
}

#[test]
fn it_stops_where_it_is_asked_to() {
    let Nights { bench, .. } = &nights(seed(413));
    let cancel = Cancel::default();
    let resources = Resources::default().with_threads(2).with_cancel(cancel.clone());
    let asked = Asked { resources, ..Asked::default() };
    let epoch = asked.prepare(bench).epoch(0).unwrap();
    let mut batches = epoch.batches(&small(Layout::Padded).batch_size(1)).unwrap();
    batches.next().unwrap().unwrap();
    cancel.cancel();
    assert!(batches.any(|batch| batch.is_err_and(|error| error.kind() == Kind::Cancelled)));
    assert_eq!(asked.try_prepare(bench).err().unwrap().kind(), Kind::Cancelled);
}

/// A reader may drop batches at any time, and hand everything to other threads.
#[test]
fn batches_can_be_dropped_and_sent() {
    fn is_sent<T: Send>(value: T) -> T {
        value
    }
    let Nights { bench, .. } = &nights(seed(414));
    let scratch = bench.path("scratch");
    let resources = Resources::default().with_threads(3).with_sort_bytes(500).with_scratch_folder(&scratch);
    // Scratch files have no names.
    let open = || {
        let files = fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| fs::read_link(file.unwrap().path()).ok());
        files.filter(|file| file.starts_with(&scratch)).count()
    };
    let day = is_sent(Asked { resources, ..Asked::default() }.prepare(bench));
    let epoch = is_sent(day.epoch(0).unwrap());
    drop(day);
    let mut batches = is_sent(epoch.batches(&small(Layout::Dedup)).unwrap());
    is_sent(batches.next().unwrap().unwrap());
    drop(epoch);
    assert_eq!(open(), 3, "the batches hold impressions, histories and places");
    batches.next().unwrap().unwrap();
    drop(batches);
    assert_eq!((open(), scratch.exists()), (0, false));
}

/// The memory limit of [`reads_within_the_limit`].
const LIMIT: u64 = 128 << 20;

/// What has the input of [`reads_within_the_limit`].
const ROOT: &str = "LOOKBACK_TEST_ROOT";

/// A million rows, whose places alone are more than an eighth of the limit, and histories that are not in order.
#[test]
fn memory_stays_within_the_limit() {
    const CUSTOMERS: i64 = 20_000;
    let mut random = Random::new(seed(415));
    let bench = Bench::new();
    let begin = us("2026-01-01T00:00:00Z");
    let mut actions = Vec::new();
    for customer in 0..CUSTOMERS {
        actions.extend((0..100).map(|_| RawAction {
            customer,
            item: 1 + i64::try_from(random.below(1 << 40)).unwrap(),
            time_us: begin + i64::try_from(random.below(86_400_000_000)).unwrap(),
            kind: 1,
        }));
    }
    write_batch(&bench.input(), "2026-01-01", &actions, PLAIN);
    drop(actions);
    bench.ok("init --store store --max-history 200");
    bench.ingest("2026-01-01");
    let shown = |number: i64| RawImpression {
        ranking_id: Some(format!("an impression with a long name {number}")),
        customer: number % CUSTOMERS,
        elements: (1..=10).map(|item| (item, None)).collect(),
    };
    write_impressions(&bench.input(), "2026-01-02", &(0..100_000).map(shown).collect::<Vec<_>>(), PLAIN);
    let own = std::env::current_exe().unwrap();
    let child = Command::new(own)
        .args(["row_batches::resources::reads_within_the_limit", "--exact", "--ignored", "--nocapture"])
        .env(ROOT, bench.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("peak of 1000000 rows"), "{said}");
}

#[test]
#[ignore = "run by memory_stays_within_the_limit, in a process of its own"]
fn reads_within_the_limit() {
    let root = std::env::var(ROOT).unwrap();
    let root = Path::new(&root);
    let peak = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    let before = peak();
    let resources = Resources::default().with_threads(2).with_memory(LIMIT).with_scratch_folder(&root.join("scratch"));
    let store = Store::open_reader(&Folder::new(&root.join("store"))).unwrap();
    let rows = RowChoice::default().order(Some(OrderKind::Shuffled)).seed(Some(1));
    let options = TrainingOptions::new(root.join("input"), "2026-01-02".parse::<Day>().unwrap()).rows(rows);
    let day = TrainingDay::prepare(&store, &options.resources(resources), &Silent).unwrap();
    drop(store);
    let mut rows = 0;
    for epoch in 0..2 {
        let batches = day.epoch(epoch).unwrap().batches(&BatchOptions::default()).unwrap();
        rows = batches.map(|batch| batch.unwrap().rows()).sum();
    }
    let peak = peak();
    println!("peak of {rows} rows: {} MiB, {} MiB before", peak >> 20, before >> 20);
    assert!(peak - before <= LIMIT, "{} MiB", (peak - before) >> 20);
}

/// A batch of histories of 64,000 actions takes what its actions take.
#[test]
fn very_long_histories_are_cut_by_their_actions() {
    const LENGTHS: [i64; 4] = [64_000, 50_000, 7, 70_000];
    let bench = Bench::new();
    let begin = us("2026-01-01T00:00:00Z");
    let action = |customer: i64, number: i64| RawAction {
        customer,
        item: 1 + number,
        time_us: begin + number * 1_000_000,
        kind: 1,
    };
    let actions =
        (0..).zip(LENGTHS).flat_map(|(customer, length)| (0..length).map(move |number| action(customer, number)));
    write_batch(&bench.input(), "2026-01-01", &actions.collect::<Vec<_>>(), PLAIN);
    bench.ok("init --store store --max-history 64000");
    bench.ingest("2026-01-01");
    let shown =
        |customer| RawImpression { ranking_id: None, customer, elements: (1..=10).map(|item| (item, None)).collect() };
    write_impressions(&bench.input(), "2026-01-02", &(0..4).map(shown).collect::<Vec<_>>(), PLAIN);
    let resources = Resources::default().with_memory(LIMIT).with_threads(2);
    let columns = RowColumns::default();
    let asked = Asked { dt: "2026-01-02", order: RowOrder::Shuffled(1), columns, resources, ..Asked::default() };
    let epoch = asked.prepare(&bench).epoch(0).unwrap();
    let plain = small(Layout::Jagged).batch_size(4_096);
    let error = epoch.batches(&plain.layout(Layout::Padded)).err().unwrap();
    assert!(error.to_string().contains("may take 3146 MB of memory, and there are 33 MB"), "{error}");
    let cut = plain.batch_actions_max(Some(120_000));
    // All histories together are 178,007 actions of 12 bytes. Two batches are in work or finished, and one is held.
    let lender = Arc::new(Lender::default());
    epoch.batches_in(Arc::<Lender>::clone(&lender), &cut).unwrap().for_each(|batch| drop(batch.unwrap()));
    let at_once = lender.bytes_max.load(Ordering::SeqCst);
    assert!((12 * 64_000..=3 * 12 * 120_000).contains(&at_once), "{at_once}");
    let batches: Vec<RowBatch> = epoch.batches(&cut).unwrap().map(|batch| batch.unwrap()).collect();
    assert!(batches.len() > 3);
    let mut rows = 0;
    for batch in &batches {
        assert!(batch.histories.actions.len() <= 120_000);
        for row in rows_of(batch) {
            let length = LENGTHS[usize::try_from(row.customer_id).unwrap()];
            let newest = (1..=length).rev().chain(std::iter::repeat(0));
            assert!(row.actions.into_iter().eq(newest.take(64_000)), "customer {}", row.customer_id);
            rows += 1;
        }
    }
    assert_eq!(rows, 40);
}
