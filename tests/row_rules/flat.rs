//! Flat impressions give the rows that the same impressions as lists give.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lookback::model::{Day, RowOrder};
use lookback::output::RowBatch;
use lookback::produce::{ProduceOptions, RowChoice, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::training::{BatchOptions, TrainingDay, TrainingOptions};

use super::{ENDINGS, configure, in_memory, number, open, sources, text, write_table};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::tree;
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::text::Cells;

const BATCH: &str = "2026-01-02";
const DT: &str = "2026-01-03";

/// One item that was shown.
#[derive(Clone, Debug)]
struct Shown {
    customer: i64,
    ranking_id: Option<String>,
    item: i64,
    is_order: Option<bool>,
    position: Option<i64>,
}

impl Shown {
    fn cells(&self, has_label: bool, has_position: bool) -> Cells {
        let mut cells = vec![
            ("customer_id", number(self.customer)),
            ("ranking_id", text(self.ranking_id.as_deref())),
            ("item_id", number(self.item)),
        ];
        if has_label {
            cells.push(("is_order", number(self.is_order.map(i64::from))));
        }
        if has_position {
            cells.push(("position", number(self.position)));
        }
        cells
    }
}

/// Files of rows, with what their columns are: lists spread over several files, ties, duplicates, gaps.
fn random_files(random: &mut Random) -> Vec<(bool, bool, Vec<Shown>)> {
    let mut below = |end: u64| i64::try_from(random.below(end)).unwrap();
    let mut files: Vec<(bool, bool, Vec<Shown>)> =
        (0..ENDINGS.len()).map(|_| (below(4) > 0, below(4) > 0, Vec::new())).collect();
    for _ in 0..250 {
        let place = usize::try_from(below(ENDINGS.len() as u64)).unwrap();
        let (has_label, has_position, rows) = &mut files[place];
        let name =
            ["", "a", "r1", "é, \"x\"", "a name that is longer than eight bytes"][usize::try_from(below(5)).unwrap()];
        rows.push(Shown {
            customer: below(6) - 2,
            ranking_id: (below(5) > 0).then(|| name.to_owned()),
            item: below(6) + 1,
            is_order: (below(3) > 0).then(|| below(2) == 1).filter(|_| *has_label),
            position: (below(6) > 0).then(|| below(4) - 1).filter(|_| *has_position),
        });
    }
    files
}

/// The lists of rows, the naive way.
fn lists(rows: &[Shown]) -> Vec<RawImpression> {
    let mut lists: BTreeMap<(i64, &str), Vec<&Shown>> = BTreeMap::new();
    let mut impressions = Vec::new();
    for row in rows {
        match &row.ranking_id {
            Some(ranking_id) => lists.entry((row.customer, ranking_id)).or_default().push(row),
            None => impressions.push(RawImpression {
                ranking_id: None,
                customer: row.customer,
                elements: vec![(row.item, row.is_order)],
            }),
        }
    }
    for ((customer, ranking_id), mut rows) in lists {
        rows.sort_by_key(|row| (row.position.unwrap_or(i64::MAX), row.item, row.is_order == Some(true)));
        let elements = rows.iter().map(|row| (row.item, row.is_order)).collect();
        impressions.push(RawImpression { ranking_id: Some(ranking_id.to_owned()), customer, elements });
    }
    impressions
}

/// Two benches with the same actions: one with the files of flat impressions, one with lists.
fn benches(files: &[(bool, bool, Vec<Shown>)], random: &mut Random) -> [Bench; 2] {
    let rows: Vec<Shown> = files.iter().flat_map(|(.., rows)| rows.clone()).collect();
    let benches = [Bench::new(), Bench::new()];
    for bench in &benches {
        let action = |number: i64| RawAction {
            customer: number % 5 - 2,
            item: number,
            time_us: us("2026-01-02T10:00:00Z") + number,
            kind: 1,
        };
        write_batch(&bench.input(), BATCH, &(1..40).map(action).collect::<Vec<_>>(), PLAIN);
        bench.ingest(BATCH);
    }
    let [flat, plain] = &benches;
    configure(flat, "[impressions]\nlayout = \"flat\"\n");
    write_impressions(&plain.input(), DT, &lists(&rows), PLAIN);
    write_files(flat, files, random);
    benches
}

/// Writes the files, each kind of file to one of them, and their rows in any order.
fn write_files(bench: &Bench, files: &[(bool, bool, Vec<Shown>)], random: &mut Random) {
    let folder = bench.input().join(format!("impressions/dt={DT}"));
    let _ = fs::remove_dir_all(&folder);
    let mut endings = ENDINGS;
    random.shuffle(&mut endings);
    for ((place, ending), (has_label, has_position, rows)) in endings.iter().enumerate().zip(files) {
        let mut rows = rows.clone();
        random.shuffle(&mut rows);
        let cells: Vec<Cells> = rows.iter().map(|row| row.cells(*has_label, *has_position)).collect();
        write_table(&folder.join(format!("{place}.{ending}")), &cells);
    }
}

fn parts(out: &Path) -> Vec<(String, Vec<u8>)> {
    tree(out).into_iter().filter(|(name, _)| name.contains("part-")).collect()
}

#[test]
fn flat_rows_are_the_rows_of_the_same_lists() {
    let seed = seed(71);
    let mut random = Random::new(seed);
    for round in 0..4 {
        let files = random_files(&mut random);
        let [flat, plain] = benches(&files, &mut random);
        for order in ["customer", "carousel --seed 5", "shuffled --seed 5"] {
            let command = format!("produce --store store --input input --dt {DT} --out out --order {order}");
            let [summary, expected] = [&flat, &plain].map(|bench| bench.json(&command));
            for count in ["impressions", "rows", "ordered", "customers", "duplicates"] {
                assert_eq!(summary[count], expected[count], "seed {seed}, {round}, {order}: {count}");
            }
            assert!(parts(&flat.out()) == parts(&plain.out()), "seed {seed}, {round}, {order}");
            for sample in ["", " --sample 3"] {
                flat.ok(&format!("audit --store store --input input --out out --dt {DT}{sample}"));
            }
        }
        // In other files, and within so little memory that all of it spills.
        write_files(&flat, &files, &mut random);
        let small = Resources::default().with_threads(2).with_sort_bytes(900);
        let options = ProduceOptions::new(flat.input(), day(DT), flat.path("small")).sources(sources(&flat));
        produce(&open(&flat.store()), &options.resources(small), &Silent).unwrap();
        plain.produce(DT);
        assert!(parts(&flat.path("small")) == parts(&plain.out()), "seed {seed}, {round}");
        // As a backfill and a vocabulary have them.
        flat.ok(&format!("backfill --store store --input input --from {DT} --to {DT} --out filled"));
        assert!(parts(&flat.path("filled")) == parts(&plain.out()), "seed {seed}, {round}");
        for of in ["items", "customers"] {
            let command = format!("vocabulary --input input --from {BATCH} --to {DT} --of {of} --out {of}.parquet");
            for bench in [&flat, &plain] {
                bench.ok(&command);
            }
            let [found, expected] =
                [&flat, &plain].map(|bench| fs::read(bench.path(&format!("{of}.parquet"))).unwrap());
            assert!(found == expected, "seed {seed}, {round}: {of}");
        }
    }
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// What the batches of an epoch hold.
fn epoch(bench: &Bench, input: impl Into<lookback::input::Input>) -> Vec<String> {
    let rows = RowChoice::default().order(Some(RowOrder::Shuffled(3).kind())).seed(Some(3));
    let options = TrainingOptions::new(input, day(DT)).sources(sources(bench)).rows(rows);
    let day = TrainingDay::prepare(&open(&bench.store()), &options, &Silent).unwrap();
    let batches = day.epoch(1).unwrap().batches(&BatchOptions::default().batch_size(7).ranking_ids(true)).unwrap();
    let cells = |batch: RowBatch| {
        let RowBatch { customer_ids, ranking_ids, impressions, labels, positions, .. } = batch.to_padded().unwrap();
        format!("{customer_ids:?} {ranking_ids:?} {impressions:?} {labels:?} {positions:?}")
    };
    batches.map(|batch| cells(batch.unwrap())).collect()
}

#[test]
fn flat_rows_from_memory_and_in_training_are_those_of_lists() {
    let seed = seed(72);
    let mut random = Random::new(seed);
    let mut files = random_files(&mut random);
    for (has_label, has_position, _) in &mut files {
        (*has_label, *has_position) = (true, true);
    }
    let [flat, plain] = benches(&files, &mut random);
    plain.produce(DT);
    let mut rows: Vec<Cells> = files.iter().flat_map(|(.., rows)| rows).map(|row| row.cells(true, true)).collect();
    random.shuffle(&mut rows);
    let memory = in_memory(&sources(&flat), "impressions", &rows);
    let options = ProduceOptions::new(memory.clone(), day(DT), flat.out()).sources(sources(&flat));
    produce(&open(&flat.store()), &options, &Silent).unwrap();
    assert!(parts(&flat.out()) == parts(&plain.out()), "seed {seed}");
    let expected = epoch(&plain, plain.input());
    assert!(expected.len() > 20);
    assert_eq!(epoch(&flat, flat.input()), expected, "seed {seed}");
    assert_eq!(epoch(&flat, memory), expected, "seed {seed}");
}

#[test]
fn bad_rows_of_flat_impressions_are_named_and_set_aside_one_by_one() {
    let [flat, _] = benches(&[], &mut Random::new(1));
    let folder = flat.input().join(format!("impressions/dt={DT}"));
    let csv = "ranking_id,customer_id,item_id,is_order,position\nr,7,5,1,1\nr,7,,1,0\nr,7,6,x,0\nr,7,0,1,0\nr,7,8,1,far\nr,,8,1,0\n";
    write_file(&folder.join("a.csv"), csv.as_bytes());
    let command = format!("produce --store store --input input --dt {DT} --out out");
    flat.refused(
        &command,
        &[
            "have 5 bad rows",
            "a.csv line 3 column item_id is null",
            "a.csv line 4 column is_order is x, neither 0 nor 1",
            "a.csv line 5 column item_id is 0",
            "a.csv line 6 column position is not an integer",
            "a.csv line 7 column customer_id is null",
        ],
    );
    let checked = flat.run(&format!("config check --input input --dt {DT}"));
    assert!(checked.stdout.contains("a.csv line 3 column item_id is null"), "{}", checked.stdout);
    assert!(checked.stdout.contains("a row is one item; rows equal in customer and ranking id are one list"));
    let summary = flat.json(&format!("{command} --quarantine bad"));
    assert_eq!((&summary["quarantined"], &summary["rows"]), (&5.into(), &1.into()));
    // Without the layout it is said what there is to set.
    configure(&flat, "");
    flat.refused(
        &command,
        &["a.csv has no column impressions of lists, but a column item_id", "set layout = \"flat\""],
    );
    configure(&flat, "[impressions]\nlayout = \"flat\"\n");
    // A column of the wrong type, and one that is missing, are one sentence.
    write_file(&folder.join("a.csv"), b"ranking_id,customer_id,position\nr,7,1\n");
    flat.refused(&command, &["a.csv has no column item_id"]);
    write_table(
        &folder.join("a.parquet"),
        &[vec![("customer_id", number(7)), ("item_id", number(7)), ("position", text(Some("first")))]],
    );
    fs::remove_file(folder.join("a.csv")).unwrap();
    flat.refused(&command, &["a.parquet", "position"]);
}

#[test]
fn forgotten_customers_have_no_flat_rows_either() {
    let mut random = Random::new(seed(73));
    let files = random_files(&mut random);
    let [flat, plain] = benches(&files, &mut random);
    let command = format!("produce --store store --input input --dt {DT} --out out");
    let [flat, plain] = [&flat, &plain].map(|bench| {
        bench.ok("forget --store store --customer 1");
        bench.json(&command)
    });
    assert!(plain["forgotten"].as_u64() > Some(3));
    assert_eq!((&flat["forgotten"], &flat["rows"]), (&plain["forgotten"], &plain["rows"]));
}
