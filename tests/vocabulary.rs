//! `lookback vocabulary`: the ids of raw input with counts and indices, against a count by a map.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use lookback::error::Kind;
use lookback::model::{Day, IdKind};
use lookback::progress::{Progress, Silent};
use lookback::resources::{Cancel, Resources};
use lookback::vocabulary::{Vocabulary, VocabularyBatch, VocabularyOptions, vocabulary};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::bad_rows::set_aside;
use crate::support::input::RawAction;
use crate::support::output::metadata;
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::text_inputs::{Shown, write_actions, write_shown};

const DAYS: [&str; 4] = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"];
const KINDS: [IdKind; 2] = [IdKind::Items, IdKind::Customers];

/// The rows of one day.
type Rows = (Vec<RawAction>, Vec<Shown>);

/// A row of a vocabulary: index, id, actions, impressions.
type Row = (i64, i64, i64, i64);

/// Few frequent ids and many rare ones, at both ends of their range too. The last day has impressions only.
fn days(random: &mut Random) -> Vec<Rows> {
    let ends = [i64::MIN, -1, 1, i64::MAX];
    let id = |random: &mut Random| match random.below(10) {
        0 => ends[usize::try_from(random.below(4)).unwrap()],
        _ => 1 + i64::try_from(random.below(400).min(random.below(400))).unwrap(),
    };
    let time_us = 1_767_225_600_000_000;
    let mut day = |number: usize| {
        let kind = |random: &mut Random| 1 + u8::try_from(random.below(3)).unwrap();
        let actions = (0..if number == 3 { 0 } else { 600 })
            .map(|_| RawAction { customer: id(random), item: id(random), time_us, kind: kind(random) })
            .collect();
        let shown = (0..90).map(|_| {
            let list = (0..random.below(6)).map(|_| (id(random), None)).collect();
            (Some("r"), id(random), (random.below(9) > 0).then_some(list))
        });
        (actions, shown.collect())
    };
    (0..DAYS.len()).map(&mut day).collect()
}

/// The vocabulary of some days, counted one by one.
fn counted(days: &[Rows], of: IdKind, min_count: i64) -> Vec<Row> {
    let mut counts: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (actions, shown) in days {
        for action in actions {
            counts.entry(if of == IdKind::Items { action.item } else { action.customer }).or_default().0 += 1;
        }
        for (_, customer, list) in shown {
            let list = list.as_deref().unwrap_or_default();
            let ids = list.iter().map(|(item, _)| if of == IdKind::Items { *item } else { *customer });
            let ids: Vec<i64> = if of == IdKind::Items { ids.collect() } else { ids.take(1).collect() };
            ids.into_iter().for_each(|id| counts.entry(id).or_default().1 += 1);
        }
    }
    let mut rows: Vec<_> = counts.into_iter().filter(|(_, (one, other))| one + other >= min_count).collect();
    rows.sort_by_key(|(id, (actions, impressions))| (-(actions + impressions), *id));
    (1..).zip(rows).map(|(index, (id, (actions, impressions)))| (index, id, actions, impressions)).collect()
}

/// Writes the days into files with these endings, with their rows in an order by chance.
fn write(days: &[Rows], endings: &[&str], random: &mut Random) -> Bench {
    let bench = Bench::new();
    for (day, (actions, shown)) in DAYS.iter().zip(days) {
        let (mut actions, mut shown) = (actions.clone(), shown.clone());
        random.shuffle(&mut actions);
        random.shuffle(&mut shown);
        if !actions.is_empty() {
            write_actions(&bench.input(), day, &actions, endings);
        }
        write_shown(&bench.input(), day, &shown, endings);
    }
    bench
}

fn rows_of(batch: &RecordBatch, of: IdKind) -> Vec<Row> {
    let id = if of == IdKind::Items { "item_id" } else { "customer_id" };
    let schema = batch.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["index", id, "actions", "impressions"]);
    assert!(schema.fields().iter().all(|field| *field.data_type() == DataType::Int64 && !field.is_nullable()));
    let column = |number: usize| batch.column(number).as_primitive::<Int64Type>().values().to_vec();
    let [index, ids, actions, impressions] = [0, 1, 2, 3].map(column);
    (0..batch.num_rows()).map(|row| (index[row], ids[row], actions[row], impressions[row])).collect()
}

fn read(path: &Path, of: IdKind) -> Vec<Row> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    reader.flat_map(|batch| rows_of(&batch.unwrap(), of)).collect()
}

fn options(bench: &Bench, of: IdKind) -> VocabularyOptions {
    let day = |text: &str| text.parse::<Day>().unwrap();
    VocabularyOptions::new(bench.input(), day(DAYS[0]), day(DAYS[3]), of)
}

fn command(of: IdKind) -> String {
    format!("vocabulary --input input --from {} --to {} --of {} --out", DAYS[0], DAYS[3], of.name())
}

#[test]
fn a_vocabulary_has_each_id_with_its_counts_whatever_the_files() {
    let seed = seed(601);
    let mut random = Random::new(seed);
    let days = days(&mut random);
    let mut bytes: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for endings in [
        &["parquet"][..],
        &["csv"],
        &["jsonl.gz"],
        &["csv.zst", "parquet", "json", "parquet", "csv"],
        &["ndjson.zst", "csv.gz", "parquet"],
    ] {
        let bench = write(&days, endings, &mut random);
        for of in KINDS {
            let summary = bench.json(&format!("{} deep/words", command(of)));
            let expected = counted(&days, of, 1);
            assert!(expected.len() > 100 && expected[0].2 > 1 && expected[0].3 > 1, "there is something to count");
            assert_eq!(read(&bench.path("deep/words"), of), expected, "seed {seed}, {endings:?}, {of:?}");
            let sum = |of: fn(&Row) -> i64| expected.iter().map(of).sum::<i64>();
            assert_eq!((&summary["ids"], &summary["rare"]), (&expected.len().into(), &0.into()));
            assert_eq!(summary["actions"], sum(|row| row.2));
            assert_eq!(summary["impressions"], sum(|row| row.3));
            let empty = days.iter().flat_map(|(_, shown)| shown);
            let empty = empty.filter(|(.., list)| list.as_deref().unwrap_or_default().is_empty()).count();
            assert_eq!(summary["empty_impressions"], empty);
            let written = fs::read(bench.path("deep/words")).unwrap();
            let first = bytes.entry(of.name()).or_insert_with(|| written.clone());
            assert!(*first == written, "seed {seed}, {endings:?}, {of:?}: other bytes");
        }
        // In place of a vocabulary, also of the other kind.
        bench.ok(&format!("{} deep/words", command(IdKind::Items)));
        assert!(fs::read(bench.path("deep/words")).unwrap() == bytes["items"]);
    }
}

/// Files in a scratch folder that this process has open; they have no names.
fn spilled(scratch: &Path) -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    open.filter(|file| file.starts_with(scratch)).count()
}

#[test]
fn bytes_and_batches_are_the_same_with_any_threads_and_memory() {
    let seed = seed(602);
    let mut random = Random::new(seed);
    let days = days(&mut random);
    let bench = write(&days, &["parquet", "csv", "jsonl"], &mut random);
    let scratch = bench.path("scratch");
    for of in KINDS {
        let expected = counted(&days, of, 1);
        let mut bytes = None;
        for (threads, sort_bytes) in [(1, 1 << 30), (1, 4_000), (3, 4_000), (5, 1_000), (4, 1 << 30)] {
            let resources = Resources::default().with_threads(threads).with_sort_bytes(sort_bytes);
            let options = options(&bench, of).resources(resources.with_scratch_folder(&scratch));
            let case = format!("seed {seed}, {of:?}, {threads} threads, {sort_bytes} bytes");
            vocabulary(&options, &bench.path("words"), &Silent).unwrap();
            let written = fs::read(bench.path("words")).unwrap();
            assert!(*bytes.get_or_insert_with(|| written.clone()) == written, "{case}: other bytes");
            let batches = Vocabulary::read(&options, &Silent).unwrap();
            assert_eq!(batches.summary().ids, expected.len() as u64);
            assert_eq!(spilled(&scratch) > 0, sort_bytes < 1 << 20, "{case}: {} files", spilled(&scratch));
            let rows = batches.flat_map(|batch| rows_of(&batch.unwrap().into_arrow().unwrap(), of));
            assert_eq!(rows.collect::<Vec<_>>(), expected, "{case}");
            assert_eq!((spilled(&scratch), scratch.exists()), (0, false), "{case}");
        }
    }
}

/// Customers 0 to 149,999, each with an action; and one more.
fn many() -> Bench {
    let bench = Bench::new();
    let lines: String = (0..150_000).map(|id| format!("{id},7,2026-01-01\n")).collect();
    let text = format!("customer_id,item_id,click_time\n{lines}149999,7,2026-01-02\n");
    write_file(&bench.input().join("clicks/dt=2026-01-01/a.csv"), text.as_bytes());
    bench
}

#[test]
fn batches_are_bounded_and_their_indices_go_on() {
    let bench = many();
    let batches = Vocabulary::read(&options(&bench, IdKind::Customers), &Silent).unwrap();
    let batches: Vec<VocabularyBatch> = batches.map(|batch| batch.unwrap()).collect();
    assert_eq!(batches.iter().map(|batch| batch.ids.len()).collect::<Vec<_>>(), [65_536, 65_536, 18_928]);
    let indices: Vec<i64> = batches.iter().flat_map(|batch| batch.indices.clone()).collect();
    assert!(indices.into_iter().eq(1..=150_000));
    let ids: Vec<i64> = batches.iter().flat_map(|batch| batch.ids.clone()).collect();
    assert!(ids.into_iter().eq([149_999].into_iter().chain(0..149_999)));
    assert_eq!((batches[0].actions[0], batches[0].actions[1], batches[0].impressions[0]), (2, 1, 0));
    // Row groups too, and the metadata says what the file is of.
    bench.ok(&format!("{} words", command(IdKind::Customers)));
    let file = fs::File::open(bench.path("words")).unwrap();
    assert_eq!(ParquetRecordBatchReaderBuilder::try_new(file).unwrap().metadata().num_row_groups(), 2);
    let said = metadata(&bench.path("words"));
    let said = ["of", "from", "to", "min_count"].map(|name| said[name].as_str());
    assert_eq!(said, ["customers", "2026-01-01", "2026-01-04", "1"]);
    // Where the ids are as many as one batch has, no empty one follows; without any id, there still is a schema.
    let one = options(&bench, IdKind::Items);
    assert_eq!(Vocabulary::read(&one, &Silent).unwrap().count(), 1);
    assert_eq!(Vocabulary::read(&one.min_count(150_002), &Silent).unwrap().count(), 0);
    assert_eq!(rows_of(&VocabularyBatch::empty(IdKind::Items).into_arrow().unwrap(), IdKind::Items), []);
}

#[test]
fn rare_ids_are_left_out_and_counted() {
    let seed = seed(603);
    let mut random = Random::new(seed);
    let days = days(&mut random);
    let bench = write(&days, &["parquet"], &mut random);
    for of in KINDS {
        let all = counted(&days, of, 1);
        let command = command(of);
        for min_count in [1, 2, 9, 100_000] {
            let summary = bench.json(&format!("{command} words --min-count {min_count}"));
            let expected = counted(&days, of, min_count);
            assert_eq!(read(&bench.path("words"), of), expected, "seed {seed}");
            assert!(all.starts_with(&expected), "the others keep their indices");
            assert_eq!(
                (&summary["ids"], &summary["rare"]),
                (&expected.len().into(), &(all.len() - expected.len()).into())
            );
        }
        let ran = bench.ok(&format!("{command} words --min-count 100000"));
        assert!(ran.said().contains(&format!("wrote words: 0 {} with", of.name())), "{}", ran.stderr);
        assert!(ran.said().contains("left out (fewer than 100000 actions and impressions)"), "{}", ran.stderr);
    }
    assert_eq!(bench.run(&format!("{} words --min-count 0", command(IdKind::Items))).code, 2);
}

#[test]
fn days_without_files_are_named_and_a_range_without_ids_is_refused() {
    let bench = many();
    fs::create_dir_all(bench.input().join("impressions/dt=2026-01-03")).unwrap();
    fs::copy(bench.input().join("clicks/dt=2026-01-01/a.csv"), bench.input().join("clicks/dt=2026-01-01/b.csv"))
        .unwrap();
    let summary = bench.json(&format!("{} words", command(IdKind::Items)));
    assert_eq!(summary["days_without_files"], serde_json::json!(&DAYS[1..]));
    assert_eq!((&summary["files"], &summary["same_content"]), (&2.into(), &1.into()));
    let ran = bench.ok(&format!("{} words", command(IdKind::Items)));
    for words in [
        "1 item with 300,002 actions and 0 impressions from 2 files",
        "3 days without any file (2026-01-02..2026-01-04)",
    ] {
        assert!(ran.said().contains(words), "{}", ran.stderr);
    }
    assert!(ran.stderr.contains("note: ") && ran.stderr.contains("b.csv has the same content as"), "{}", ran.stderr);
    let range =
        |from: &str, to: &str| format!("vocabulary --input input --from {from} --to {to} --of items --out none");
    bench.refused(
        &range("2026-01-02", "2026-02-01"),
        &[
            "there are no items in input from 2026-01-02 to 2026-02-01, in 0 files of clicks/dt={dt}",
            "check --input, --from and --to",
        ],
    );
    write_file(&bench.input().join("clicks/dt=2026-01-02/a.csv"), b"customer_id,item_id,click_time\n");
    bench.refused(&range("2026-01-02", "2026-01-02"), &["there are no items", "in 1 file of"]);
    let ran = bench.run(&range("2026-01-02", "2026-01-01"));
    assert!(ran.code == 2 && ran.stderr.contains("--to 2026-01-01 is before --from 2026-01-02"), "{}", ran.stderr);
    bench.refused(&range("2026-01-01", "2026-01-01").replace("input input", "input inptu"), &["inptu is not a folder"]);
    assert!(!bench.path("none").exists());
}

const BAD: &str = "customer_id,item_id,click_time\n1,5,2026-01-01\n,6,2026-01-01\n1,0,2026-01-01\n1,7,yesterday\n";
const BAD_SHOWN: &str = "{\"customer_id\": 1, \"impressions\": [{\"item_id\": 5}, {\"item_id\": null}]}\n\
                         {\"customer_id\": 2, \"impressions\": [{\"item_id\": 8}]}\n";

#[test]
fn bad_rows_are_those_of_ingest_and_produce() {
    let bench = Bench::new();
    write_file(&bench.input().join("clicks/dt=2026-01-01/a.csv"), BAD.as_bytes());
    write_file(&bench.input().join("impressions/dt=2026-01-02/b.jsonl"), BAD_SHOWN.as_bytes());
    let command = |of| format!("{} words", command(of));
    for of in KINDS {
        let of_ingest = bench.run("ingest --create --store store --input input --dt 2026-01-01");
        let ran = bench.run(&command(of));
        assert_eq!((ran.code, &ran.stderr), (1, &of_ingest.stderr));
        assert!(ran.stderr.contains("the actions of 2026-01-01 have 3 bad rows: "), "{}", ran.stderr);
    }
    assert!(!bench.path("words").exists());
    bench.ok("ingest --create --store store --input input --dt 2026-01-01 --quarantine bad");
    let produce = "produce --store store --input input --dt 2026-01-02 --out out";
    let of_produce = bench.run(produce);
    bench.ok(&format!("{produce} --quarantine bad"));
    let summary = bench.json(&format!("{} --quarantine other", command(IdKind::Items)));
    assert_eq!(summary["quarantined"], 4);
    assert_eq!(read(&bench.path("words"), IdKind::Items), [(1, 5, 1, 0), (2, 8, 0, 1)]);
    for rows in ["actions/dt=2026-01-01/bad-rows.parquet", "impressions/dt=2026-01-02/bad-rows.parquet"] {
        let set_aside = |quarantine: &str| set_aside(&bench.path(quarantine).join(rows));
        assert_eq!(set_aside("other"), set_aside("bad"));
    }
    write_file(&bench.input().join("clicks/dt=2026-01-01/a.csv"), b"customer_id,item_id,click_time\n1,5,2026-01-01\n");
    let ran = bench.run(&command(IdKind::Items));
    assert_eq!((ran.code, ran.stderr), (1, of_produce.stderr));
    bench.ok(&format!("{} --quarantine other", command(IdKind::Items)));
    assert!(!bench.path("other/actions/dt=2026-01-01/bad-rows.parquet").exists(), "its rows are good now");
    assert!(bench.path("other/impressions/dt=2026-01-02/bad-rows.parquet").exists());
    // A whole file is not set aside.
    write_file(&bench.input().join("clicks/dt=2026-01-01/c.csv"), b"customer_id,item_id,click_time\nx,y,z\n");
    bench.refused(&format!("{} --quarantine other", command(IdKind::Items)), &["c.csv has no readable row"]);
}

#[test]
fn names_and_types_are_those_of_the_configuration() {
    let bench = Bench::new();
    let toml = "[sources.events]\npattern = \"events/{dt}.jsonl\"\n\
                values = { buy = \"order\" }\nignore = [\"view\"]\n\
                columns = { customer_id = \"user\", item_id = \"sku\", time = \"at\", type = \"what\" }\n\
                [impressions]\npattern = \"none/{dt}\"\n";
    let event =
        |what: &str, sku: i64| format!("{{\"user\":1,\"sku\":{sku},\"at\":\"2026-01-01\",\"what\":\"{what}\"}}\n");
    write_file(&bench.input().join("lookback.toml"), toml.as_bytes());
    let events = [event("buy", 3), event("view", 4), event("buy", 3), event("buy", 2)].concat();
    write_file(&bench.input().join("events/2026-01-01.jsonl"), events.as_bytes());
    let summary = bench.json(&format!("{} words", command(IdKind::Items)));
    assert_eq!((&summary["ignored"], &summary["actions"]), (&1.into(), &3.into()));
    assert_eq!(read(&bench.path("words"), IdKind::Items), [(1, 3, 2, 0), (2, 2, 1, 0)]);
    fs::rename(bench.input().join("lookback.toml"), bench.path("other.toml")).unwrap();
    bench.refused(&format!("{} words", command(IdKind::Items)), &["in 0 files of clicks/dt={dt}"]);
    bench.ok(&format!("{} words --config other.toml", command(IdKind::Items)));
}

#[test]
fn only_a_vocabulary_is_replaced() {
    let bench = many();
    let command = command(IdKind::Items);
    write_file(&bench.path("notes"), b"notes");
    fs::create_dir(bench.path("folder")).unwrap();
    std::os::unix::fs::symlink(bench.path("notes"), bench.path("linked")).unwrap();
    bench.refused(
        &format!("{command} notes"),
        &["notes exists already and is not an output file of `lookback vocabulary`"],
    );
    bench.refused(&format!("{command} folder"), &["folder is a folder"]);
    bench.refused(&format!("{command} linked"), &["linked is not a regular file"]);
    bench.refused(&format!("{command} input/words"), &["the file input/words and the input root input overlap"]);
    for quarantine in ["input/bad", "words", "words/bad"] {
        bench.refused(&format!("{command} words --quarantine {quarantine}"), &["the quarantine", "overlap"]);
    }
    bench.ok(&format!("{command} words"));
    bench.ingest("2026-01-01");
    let get = "get --store store --dt 2026-01-02 --customer 1 --format parquet --out";
    bench.refused(&format!("{get} words"), &["words exists already"]);
    bench.ok(&format!("{get} got"));
    bench.refused(&format!("{command} got"), &["got exists already"]);
    assert_eq!(fs::read(bench.path("notes")).unwrap(), b"notes");
}

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
fn it_stops_where_it_is_asked_to_and_leaves_the_file_as_it_was() {
    let bench = many();
    let out = bench.path("deep/words");
    vocabulary(&options(&bench, IdKind::Items), &out, &Silent).unwrap();
    let before = fs::read(&out).unwrap();
    let left = |out: &Path| -> Vec<PathBuf> {
        fs::read_dir(out.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    for phase in ["reading", "counting", "writing"] {
        let cancel = Cancel::default();
        let options = options(&bench, IdKind::Customers).resources(Resources::default().with_cancel(cancel.clone()));
        let error = vocabulary(&options, &out, &AtPhase(phase, &cancel)).unwrap_err();
        assert_eq!(error.kind(), Kind::Cancelled, "{phase}: {error}");
        assert!(fs::read(&out).unwrap() == before && left(&out) == [out.clone()], "{phase}");
    }
    let cancel = Cancel::default();
    let options = options(&bench, IdKind::Customers).resources(Resources::default().with_cancel(cancel.clone()));
    let mut batches = Vocabulary::read(&options, &Silent).unwrap();
    batches.next().unwrap().unwrap();
    cancel.cancel();
    assert_eq!(batches.next().unwrap().unwrap_err().kind(), Kind::Cancelled);
    assert!(batches.next().is_none(), "after an error no batch follows");
    // A caller may hand it to another thread.
    std::thread::spawn(move || drop(batches)).join().unwrap();
}
