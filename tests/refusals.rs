//! What is refused, with what sentence, and that nothing is changed by it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray};

use lookback::internals::input::{BadRows, DayFile, QuarantineFolder, read_actions, read_impressions};
use lookback::model::Zone;
use lookback::resources::Resources;
use lookback::sources::{ActionSource, ImpressionSource};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions, write_parquet};
use crate::support::one_day::one_day;
use crate::support::output::{dump, tree};
use crate::support::program::{Bench, assert_one_sentence, write_file};
use crate::support::random::{Random, seed};

fn ids(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn times(values: &[i64]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC"))
}

#[test]
fn input_files_that_cannot_be_read() {
    let bench = one_day();
    let before = dump(&bench.store());
    let folder = bench.input().join("clicks/dt=2026-01-02");
    let ingest = "ingest --store store --input input --dt 2026-01-02";
    let time = us("2026-01-02T10:00:00Z");

    write_file(&folder.join("x.parquet"), b"PAR1 this is none PAR1");
    bench.refused(ingest, &["x.parquet", "cannot be read as Parquet"]);
    write_file(&folder.join("x.parquet"), b"");
    bench.refused(ingest, &["x.parquet", "cannot be read as Parquet"]);
    fs::remove_file(folder.join("x.parquet")).unwrap();

    write_file(&folder.join("notes.txt"), b"hello");
    bench.refused(ingest, &["notes.txt", "has an unsupported type", "_ or ."]);
    fs::remove_file(folder.join("notes.txt")).unwrap();

    let x = folder.join("x.parquet");
    write_parquet(&x, &[("customer_id", ids(&[1])), ("click_time", times(&[time]))]);
    bench.refused(ingest, &["x.parquet", "no column item_id", "customer_id, click_time"]);
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    write_parquet(&x, &[("customer_id", flags), ("item_id", ids(&[1])), ("click_time", times(&[time]))]);
    bench.refused(ingest, &["x.parquet", "column customer_id of type Boolean", "integer"]);
    write_parquet(&x, &[("customer_id", ids(&[1])), ("item_id", ids(&[1])), ("click_time", ids(&[time]))]);
    bench.refused(ingest, &["x.parquet", "column click_time of type Int64", "timestamp"]);

    let impressions = bench.input().join("impressions/dt=2026-01-02/x.parquet");
    write_parquet(
        &impressions,
        &[
            ("ranking_id", Arc::new(StringArray::from(vec!["r"]))),
            ("customer_id", ids(&[1])),
            ("impressions", ids(&[1])),
        ],
    );
    bench.refused(
        "produce --store store --input input --dt 2026-01-02 --out out",
        &["impressions of type Int64", "list of structs"],
    );
    assert!(!bench.out().exists(), "a refusal leaves no output");
    assert_eq!(dump(&bench.store()), before, "the store is as it was");
}

/// Good files with bytes changed at random, and with each single bit of the footer turned: read or refused, and nothing
/// else. Some turned bits reach assertions inside the Parquet reader.
#[test]
fn damaged_files_never_panic() {
    let seed = seed(5);
    let bench = one_day();
    let click = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &vec![click; 300], PLAIN);
    for (folder, day) in [("clicks", "2026-01-01"), ("impressions", "2026-01-02")] {
        let path = bench.input().join(format!("{folder}/dt={day}/part-0.parquet"));
        let good = fs::read(&path).unwrap();
        let (mut read, mut refused) = (0, 0);
        for (case, bytes) in damaged(&good, seed) {
            fs::write(&path, &bytes).unwrap();
            match std::panic::catch_unwind(|| read_one(folder, day, &path)) {
                Ok(Ok(())) => read += 1,
                Ok(Err(error)) => {
                    refused += 1;
                    assert!(error.to_string().contains("part-0.parquet"), "{error}");
                }
                Err(_) => panic!("seed {seed}: {case} of {folder} panics"),
            }
        }
        assert!(read > 100 && refused > 1_000, "{read} read, {refused} refused");
    }
}

/// Ways to damage a file, each with its name.
fn damaged(good: &[u8], seed: u64) -> impl Iterator<Item = (String, Vec<u8>)> {
    let length = u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().unwrap());
    let footer = good.len() - 8 - usize::try_from(length).unwrap()..good.len() - 8;
    let turned = footer.flat_map(|place| (0..8).map(move |bit| (place, bit))).map(|(place, bit)| {
        let mut bytes = good.to_vec();
        bytes[place] ^= 1 << bit;
        (format!("bit {bit} of byte {place}"), bytes)
    });
    let mut random = Random::new(seed);
    let changed = (0..400).map(move |case| {
        let mut below = |end: usize| usize::try_from(random.below(end as u64)).unwrap();
        let mut bytes = good.to_vec();
        for _ in 0..[1, 2, 5, 20][below(4)] {
            let place = below(bytes.len());
            bytes[place] = u8::try_from(below(256)).unwrap();
        }
        (format!("random case {case}"), bytes)
    });
    turned.chain(changed)
}

fn read_one(folder: &str, day: &str, path: &Path) -> lookback::error::Result<()> {
    let file = DayFile::new("part-0.parquet", path);
    if folder == "clicks" {
        let mut bad = BadRows::new(QuarantineFolder::Actions, day.parse().unwrap(), None);
        let clicks = ActionSource::built_in("clicks").unwrap();
        return read_actions(&clicks, &file, &Zone::utc(), &Resources::default(), &mut bad, |_, _| Ok(())).map(drop);
    }
    let mut bad = BadRows::new(QuarantineFolder::Impressions, day.parse().unwrap(), None);
    read_impressions(&ImpressionSource::default(), &file, &Resources::default(), &mut bad, |_, _| Ok(())).map(|_| ())
}

#[test]
fn files_that_are_no_data_are_passed_over() {
    let bench = one_day();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-02T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-02", &[action], PLAIN);
    let folder = bench.input().join("clicks/dt=2026-01-02");
    for name in ["_SUCCESS", ".part.crc", "_temporary/x.parquet", ".hidden/x.parquet"] {
        write_file(&folder.join(name), b"no data");
    }
    assert_eq!(bench.json("ingest --store store --input input --dt 2026-01-02")["files"], 1);
}

#[test]
fn stores_and_folders_that_are_not_there() {
    let bench = one_day();
    bench.refused("status --store nowhere", &["no store at nowhere", "lookback init"]);
    bench.refused("produce --store nowhere --input input --dt 2026-01-02 --out out", &["no store at nowhere"]);
    bench.refused("show --store nowhere --customer 1", &["no store at nowhere"]);
    bench.refused("migrate --store nowhere", &["no store at nowhere"]);
    bench.refused("ingest --store store --input nowhere --dt 2026-01-02", &["input root nowhere is not a folder"]);
    bench
        .refused("produce --store store --input input --dt 2026-01-05 --out out --allow-gaps", &["no impression file"]);
    bench.refused("ingest --create --store input --input input --dt 2026-01-01", &["input", "no store"]);
    write_file(&bench.path("file"), b"");
    bench.refused("ingest --create --store file --input input --dt 2026-01-01", &["file"]);
    bench.refused("produce --store store --input input --dt 2026-01-02 --out file", &["file"]);
    bench.ok("init --store fresh");
    bench.refused("produce --store fresh --input input --dt 2026-01-02 --out out", &["holds no batch"]);
    bench.refused("show --store fresh --customer 1", &["holds no batch"]);
}

#[test]
fn a_refused_first_batch_leaves_no_store() {
    let bench = Bench::new();
    let bad = RawAction { customer: 1, item: 0, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[bad], PLAIN);
    bench.refused("ingest --create --store store --input input --dt 2026-01-01", &["1 bad row"]);
    assert!(!bench.store().exists());
}

#[test]
fn gaps_are_named() {
    let bench = one_day();
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), "2026-01-08", &[shown], PLAIN);
    bench.ok("ingest --store store --input input --dt 2026-01-03 --allow-empty");
    let produce = "produce --store store --input input --dt 2026-01-08 --out out";
    bench.refused(produce, &["2026-01-02, 2026-01-04..2026-01-07", "--allow-gaps"]);
    assert!(!bench.out().exists());
    bench.ok(&format!("{produce} --allow-gaps"));
    bench.refused(&format!("{produce} --known-as-of 2026-01-03"), &["2026-01-02;"]);
    bench.ok("ingest --store store --input input --dt 2026-01-02 --allow-empty");
    bench.ok(&format!("{produce} --known-as-of 2026-01-03"));
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let bench = one_day();
    let folder = lookback::store::Folder::new(&bench.store());
    let writer = lookback::store::Store::open_writer(&folder).unwrap();
    let who = format!("(process {}, ", std::process::id());
    bench.refused("ingest --store store --input input --dt 2026-01-01", &["another process is writing", &who, "wait"]);
    bench.ok("status --store store");
    bench.produce("2026-01-02");
    drop(writer);
    bench.ingest("2026-01-01");
}

#[test]
fn a_file_that_is_no_store_is_told_from_a_damaged_one() {
    let bench = one_day();
    for (name, _) in tree(&bench.store()) {
        if name.ends_with(".sst") {
            let path = bench.store().join(&name);
            let mut bytes = fs::read(&path).unwrap();
            for byte in bytes.iter_mut().take(64) {
                *byte ^= 0x55;
            }
            fs::write(path, bytes).unwrap();
        }
    }
    let ran = bench.run("show --store store --customer 1");
    assert_eq!(ran.code, 1);
    assert_one_sentence(&ran, &["store"]);
}
