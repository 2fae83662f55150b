//! shuffled orders: the same rows as in the order of customers, each where its hash puts it, to the byte whatever the
//! threads, the files and the memory; and that chance is what it looks like.

use std::collections::BTreeMap;
use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use lookback::model::{Day, ExtraColumn, OrderKind};
use lookback::produce::{ProduceOptions, RowChoice, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::{Folder, Store};

use crate::support::input::{PLAIN, RawImpression, Spread, write_impressions};
use crate::support::nights::{DT, MAX_HISTORY, Nights, nights};
use crate::support::output::{Row, read_partition, tree};
use crate::support::program::{AMPLE, Bench};
use crate::support::random::seed;
use crate::support::reference::{Question, date};
use crate::support::tamper::write_rows;

const PRODUCE: &str = "produce --store store --input input --dt 2026-03-31 --out out";
const AUDIT: &str = "audit --store store --input input --out out --dt 2026-03-31";
const WHOLE: Question = Question { max_history: MAX_HISTORY, lookback_days: None, known_as_of: None };

/// The rows of the reference, each with its impression's place and its own, worked out as the documentation of the
/// program says.
fn placed(nights: &Nights, seed: u64) -> Vec<(u128, u128, Row)> {
    let mut impressions: Vec<_> = nights.impressions.clone();
    impressions.sort_by_key(|row| {
        let elements: Vec<_> = row.elements.iter().map(|(item, order)| (*item, *order == Some(true))).collect();
        (row.customer, row.ranking_id.clone(), elements)
    });
    let mut copies: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    let mut placed = Vec::new();
    for impression in impressions {
        let RawImpression { ranking_id, customer, elements } = &impression;
        let day = (date(DT) - date("1970-01-01")).num_days();
        let mut bytes = i32::try_from(day).unwrap().to_le_bytes().to_vec();
        bytes.extend(customer.to_le_bytes());
        match ranking_id {
            None => bytes.push(0),
            Some(text) => {
                bytes.push(1);
                bytes.extend((text.len() as u64).to_le_bytes());
                bytes.extend(text.bytes());
            }
        }
        bytes.extend((elements.len() as u64).to_le_bytes());
        for (item, order) in elements {
            bytes.extend(item.to_le_bytes());
            bytes.extend(i32::from(*order == Some(true)).to_le_bytes());
        }
        let copy = copies.entry(bytes.clone()).or_default();
        bytes.extend(copy.to_le_bytes());
        *copy += 1;
        let hash = |more: &[u8]| {
            let mut hasher = SipHasher24::new_with_keys(seed, 0);
            hasher.write(&bytes);
            hasher.write(more);
            hasher.finish128().as_u128()
        };
        for row in nights.reference.rows_with_all(date(DT), std::slice::from_ref(&impression), &WHOLE) {
            placed.push((hash(&[]), hash(&row.impression_pos.to_le_bytes()), row));
        }
    }
    placed
}

/// Every cell of every row, where it should stand.
#[test]
fn each_row_stands_where_its_hash_puts_it() {
    let seed = seed(61);
    let nights = nights(seed);
    let bench = &nights.bench;
    let with = "--with history_length,action_ages,action_times --row-group-rows 40 --part-rows 100";
    for (order_seed, options) in [(0, ""), (1, "--seed 1"), (u64::MAX, "--seed 18446744073709551615")] {
        let mut by_row = placed(&nights, order_seed);
        by_row.sort_by_key(|(_, own, _)| *own);
        bench.ok(&format!("{PRODUCE} --order shuffled {options} {with}"));
        let rows = read_partition(&bench.out(), DT);
        assert!(rows.iter().eq(by_row.iter().map(|(_, _, row)| row)), "seed {seed}, shuffled {order_seed}");
        bench.ok(AUDIT);

        let mut by_impression = placed(&nights, order_seed);
        by_impression.sort_by_key(|(of_impression, _, row)| (*of_impression, row.impression_pos));
        bench.ok(&format!("{PRODUCE} --order carousel {options} {with}"));
        let rows = read_partition(&bench.out(), DT);
        assert!(rows.iter().eq(by_impression.iter().map(|(_, _, row)| row)), "seed {seed}, carousel {order_seed}");
        bench.ok(AUDIT);
    }
}

/// The same rows in each order; of a carousel together, from the first place to the last; and the summary counts the
/// same.
#[test]
fn an_order_changes_the_order_alone() {
    let seed = seed(62);
    let nights = nights(seed);
    let bench = &nights.bench;
    let summary = bench.json(PRODUCE);
    let by_customer = read_partition(&bench.out(), DT);
    let sorted = |mut rows: Vec<Row>| {
        rows.sort_by_key(|row| format!("{row:?}"));
        rows
    };
    let mut seen = vec![by_customer.clone()];
    for order in ["shuffled --seed 1", "shuffled --seed 2", "carousel --seed 1", "carousel --seed 2"] {
        let mut said = bench.json(&format!("{PRODUCE} --order {order} --row-group-rows 64"));
        let rows = read_partition(&bench.out(), DT);
        assert!(sorted(rows.clone()) == sorted(by_customer.clone()), "seed {seed}: {order}");
        assert!(!seen.contains(&rows), "seed {seed}: {order} is an order of its own");
        if order.starts_with("carousel") {
            let lists = |rows: &[Row]| rows.chunk_by(|_, next| next.impression_pos != 0).count();
            assert_eq!(lists(&rows), nights.impressions.len(), "seed {seed}");
            for list in rows.chunk_by(|_, next| next.impression_pos != 0) {
                let whose = |row: &Row| (row.customer_id, row.ranking_id.clone());
                assert!(list.iter().zip(0..).all(|(row, place)| row.impression_pos == place), "seed {seed}");
                assert!(list.iter().all(|row| whose(row) == whose(&list[0])), "seed {seed}");
            }
        }
        said["parts"] = summary["parts"].clone();
        said["timing"] = summary["timing"].clone();
        assert_eq!(said, summary, "seed {seed}: {order}");
        seen.push(rows);
    }
}

#[test]
fn the_same_bytes_with_any_threads_files_and_memory() {
    let seed = seed(63);
    let nights = nights(seed);
    let bench = &nights.bench;
    let parts = |out: &str| {
        let mut files = tree(&bench.path(out));
        files.retain(|name, _| !name.ends_with("/_manifest.parquet"));
        files
    };
    let sized = RowChoice::default().row_group_rows(Some(50)).part_rows(Some(200)).seed(Some(5));
    for (order, option) in
        [(OrderKind::Shuffled, "--order shuffled --seed 5"), (OrderKind::Carousel, "--order carousel --seed 5")]
    {
        let options = format!("{option} --with action_times --row-group-rows 50 --part-rows 200");
        let command = "produce --store store --input input --dt 2026-03-31";
        bench.ok(&format!("{command} --out plain --threads 1 {options}"));
        let plain = parts("plain");
        assert!(plain.len() > 2, "several parts");
        bench.ok(&format!("{command} --out threads --threads 3 {options}"));
        assert!(tree(&bench.path("threads")) == tree(&bench.path("plain")), "seed {seed}: {option}, threads");
        write_impressions(&bench.input(), DT, &nights.impressions, Spread { files: 7, seed: 99 });
        bench.ok(&format!("{command} --out files {options}"));
        assert!(parts("files") == plain, "seed {seed}: {option}, other files and order of rows");
        // Sorted runs of a few impressions each, on disk.
        let store = Store::open_reader(&Folder::new(&bench.store())).unwrap();
        for (out, sort_bytes) in [("spilled", 1_500), ("whole", AMPLE)] {
            let options = ProduceOptions::new(bench.input(), DT.parse::<Day>().unwrap(), bench.path(out))
                .rows(sized.order(Some(order)).with(Some([ExtraColumn::ActionTimes].into_iter().collect())))
                .resources(Resources::default().with_sort_bytes(sort_bytes));
            produce(&store, &options, &Silent).unwrap();
            assert!(parts(out) == plain, "seed {seed}: {option}, with {sort_bytes} bytes for sorting");
        }
        let left = std::fs::read_dir(bench.path("spilled")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.filter(|name| name != ".lookback-output").count(), 1, "nothing else is left");
    }
}

/// 3,000 carousels of four items, in each order with fixed seeds, so that no run has another luck than the one before:
/// by two counts, each of which would be far off in an order that is not by chance. The bounds are those that one order
/// of 100,000 would miss.
#[test]
fn chance_is_what_it_looks_like() {
    let bench = Bench::new();
    let shown =
        |customer| RawImpression { ranking_id: None, customer, elements: (1..=4).map(|item| (item, None)).collect() };
    write_impressions(&bench.input(), DT, &(0..3_000).map(shown).collect::<Vec<_>>(), PLAIN);
    bench.ok("init --store store --max-history 1");
    let place_of = |row: &Row| row.customer_id * 4 + i64::from(row.impression_pos);
    for (order, of_place) in [("shuffled", 1), ("carousel", 4)] {
        for seed in 0..4 {
            bench.ok(&format!("{PRODUCE} --allow-gaps --order {order} --seed {seed}"));
            let rows = read_partition(&bench.out(), DT);
            let places: Vec<usize> =
                rows.iter().step_by(of_place).map(|row| usize::try_from(place_of(row)).unwrap() / of_place).collect();
            // From where to where: ten parts by ten, all equally full. Chi squared with 81 degrees of freedom.
            let count = places.len();
            let mut cells = [[0_u32; 10]; 10];
            places.iter().enumerate().for_each(|(to, from)| cells[from * 10 / count][to * 10 / count] += 1);
            let expected = count as f64 / 100.0;
            let chi: f64 = cells.iter().flatten().map(|found| (f64::from(*found) - expected).powi(2) / expected).sum();
            assert!((37.0..145.0).contains(&chi), "{order}, seed {seed}: {chi}");
            // Neighbours that go up: half of all, with a variance of a twelfth.
            let rises = places.windows(2).filter(|pair| pair[0] < pair[1]).count();
            let from_half = (rises as f64 - count as f64 / 2.0) / (count as f64 / 12.0).sqrt();
            assert!(from_half.abs() < 4.4, "{order}, seed {seed}: {from_half}");
        }
    }
}

#[test]
fn a_seed_needs_an_order_that_uses_it() {
    let nights = nights(seed(64));
    for options in
        ["--seed 3", "--order customer --seed 3", "--order by_day", "--order shuffled --seed x", "--with label"]
    {
        for command in [PRODUCE, "backfill --store store --input input --from 2026-03-30 --to 2026-03-31 --out out"] {
            let ran = nights.bench.run(&format!("{command} {options}"));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command} {options}: {}", ran.stderr);
            assert!(
                ran.stderr.contains("--seed")
                    || ran.stderr.contains("possible values")
                    || ran.stderr.contains("invalid value"),
                "{}",
                ran.stderr
            );
        }
    }
    assert!(!nights.bench.out().exists());
}

/// Rows in each other's place, a row of another order, a cell of a history: wherever the rows stand, each is named.
#[test]
fn the_audit_compares_order_and_cells() {
    let seed = seed(65);
    let nights = nights(seed);
    let bench = &nights.bench;
    let path = bench.out().join(format!("dt={DT}/part-00000.parquet"));
    for order in ["shuffled", "carousel"] {
        bench.ok(&format!("{PRODUCE} --order {order} --seed 2"));
        let found = bench.json(AUDIT);
        let rows = read_partition(&bench.out(), DT);
        assert_eq!(found["audited_rows"], rows.len());
        assert_eq!(found["cells"], rows.len() * (5 + 2 * MAX_HISTORY));
        let sampled = bench.json(&format!("{AUDIT} --sample 7"));
        assert_eq!(sampled["audited_customers"], 7);
        let (some, all) = (sampled["audited_rows"].as_u64().unwrap(), rows.len() as u64);
        assert!(some >= 7 && some < all, "{some} of {all}");

        let differs = |pair: &[Row]| pair[0].customer_id != pair[1].customer_id && pair[0].actions[0] != 0;
        let at = rows.windows(2).position(differs).unwrap();
        type Harm<'a> = (&'a dyn Fn(&mut Vec<Row>), &'a str);
        let harms: [Harm<'_>; 6] = [
            (&|rows| rows.swap(at, at + 1), "are swapped"),
            (&|rows| drop(rows.remove(at)), "the row that belongs here is missing"),
            (&|rows| rows.insert(at, rows[at + 1].clone()), "this row is one too many"),
            (&|rows| rows[at].label ^= 1, "column label is"),
            (&|rows| rows[at].actions[0] += 1, "column actions place 1 is"),
            (&|rows| rows[at].action_types[MAX_HISTORY - 1] = 9, "column action_types place 16 is 9"),
        ];
        for (harm, words) in harms {
            let mut changed = rows.clone();
            harm(&mut changed);
            write_rows(&path, &changed, |_, value| value);
            bench.refused(AUDIT, &[words, &format!("part-00000.parquet row {}", at + 1)]);
        }
        let mut longer = rows.clone();
        longer.push(rows[0].clone());
        write_rows(&path, &longer, |_, value| value);
        bench.refused(AUDIT, &["there are no more rows"]);
        write_rows(&path, &rows, |key, value| if key == "seed" { "3".to_owned() } else { value });
        bench.refused(AUDIT, &["metadata lookback.seed is 3, and the raw files say 2"]);
    }
}

/// Whole days by `backfill`, with all that it keeps; and rows of customers who are forgotten are found in any order.
#[test]
fn backfill_and_forget_know_every_order() {
    let nights = nights(seed(66));
    let bench = &nights.bench;
    let range = "backfill --store store --input input --from 2026-03-16 --to 2026-03-31 --out filled";
    for order in ["--order shuffled --seed 6", "--order carousel --seed 6"] {
        bench.ok(&format!("{range} {order}"));
        bench.ok(&format!("{PRODUCE} {order}"));
        assert!(tree(&bench.path("filled")) == tree(&bench.out()), "{order}");
    }
    let rows = read_partition(&bench.out(), DT);
    let customer = rows[rows.len() / 2].customer_id;
    let receipt = bench.json(&format!("forget --store store --customer {customer} --out out filled"));
    assert_eq!(receipt["partitions"].as_array().unwrap().len(), 2);
    bench.ok(&format!("{PRODUCE} --order carousel --seed 6"));
    let left: Vec<Row> = rows.into_iter().filter(|row| row.customer_id != customer).collect();
    assert!(read_partition(&bench.out(), DT) == left, "the others stand as they stood");
    bench.ok(AUDIT);
}
