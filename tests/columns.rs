//! Columns that rows have only where they were asked for, and narrow types: every cell against the reference, the
//! settings wherever they are kept, and what is refused.

use std::fs;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use arrow::datatypes::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::nights::{DT, MAX_HISTORY, Nights, nights};
use crate::support::output::{Row, metadata, read_partition, tree};
use crate::support::program::{Bench, assert_one_sentence};
use crate::support::random::seed;
use crate::support::reference::{Question, date};
use crate::support::tamper::write_rows;

/// `dt` is last here, since rows read without it have it from the name of their folder.
const EXTRAS: [&str; 4] = ["history_length", "action_ages", "action_times", "dt"];
const ALWAYS: [&str; 7] =
    ["ranking_id", "customer_id", "impression_pos", "impression_item_id", "label", "actions", "action_types"];
const PRODUCE: &str = "produce --store store --input input --dt 2026-03-31";
const WHOLE: Question = Question { max_history: MAX_HISTORY, lookback_days: None, known_as_of: None };

/// What the reference says, with those extra columns whose bit is set.
fn expected(nights: &Nights, question: &Question, with: u32) -> Vec<Row> {
    let mut rows = nights.reference.rows_with_all(date(DT), &nights.impressions, question);
    for row in &mut rows {
        row.history_length = row.history_length.filter(|_| with & 1 != 0);
        row.action_ages = row.action_ages.take().filter(|_| with & 2 != 0);
        row.action_times = row.action_times.take().filter(|_| with & 4 != 0);
    }
    rows
}

/// The option for those extra columns whose bit is set.
fn with_option(with: u32) -> String {
    let names: Vec<&str> = (0..4).zip(EXTRAS).filter(|(bit, _)| with >> bit & 1 != 0).map(|(_, name)| name).collect();
    if names.is_empty() { String::new() } else { format!("--with {}", names.join(",")) }
}

/// Names and types of the columns of a part.
fn schema(path: &Path) -> Vec<(String, DataType)> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let element = |kind: &DataType| match kind {
        DataType::List(element) => element.data_type().clone(),
        other => other.clone(),
    };
    builder.schema().fields().iter().map(|field| (field.name().clone(), element(field.data_type()))).collect()
}

#[test]
fn every_combination_of_columns_and_types_has_the_cells_of_the_reference() {
    let seed = seed(51);
    let nights = nights(seed);
    let bench = &nights.bench;
    let mut longest = 0;
    for with in 0..16 {
        for (item_type, type_type) in [("int64", "int32"), ("int64", "uint8"), ("int32", "int32"), ("int32", "uint8")] {
            let options = format!("{} --item-type {item_type} --type-type {type_type}", with_option(with));
            bench.ok(&format!("{PRODUCE} --out out --row-group-rows 70 --part-rows 200 {options}"));
            let rows = read_partition(&bench.out(), DT);
            let expected = expected(&nights, &WHOLE, with);
            assert_eq!(rows.len(), expected.len(), "seed {seed}: {options}");
            for (row, expected) in rows.iter().zip(&expected) {
                assert_eq!(row, expected, "seed {seed}: {options}");
                longest = longest.max(row.history_length.unwrap_or(0));
            }
            let kind = |name: &str| match (name, item_type, type_type) {
                ("dt", ..) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                ("ranking_id", ..) => DataType::Utf8,
                ("customer_id", ..) | ("impression_item_id" | "actions", "int64", _) => DataType::Int64,
                ("action_types", _, "uint8") => DataType::UInt8,
                ("action_times", ..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                _ => DataType::Int32,
            };
            let found = schema(&bench.out().join(format!("dt={DT}/part-00000.parquet")));
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            let extras = (0..3).zip(EXTRAS).filter(|(bit, _)| with >> bit & 1 != 0).map(|(_, name)| name);
            let expected: Vec<&str> = (with & 8 != 0).then_some("dt").into_iter().chain(ALWAYS).chain(extras).collect();
            assert_eq!(names, expected, "{options}");
            for (name, found) in &found {
                assert_eq!(*found, kind(name), "{name} with {options}");
            }
            bench.ok(&format!("audit --store store --input input --out out --dt {DT}"));
        }
    }
    assert_eq!(longest, i32::try_from(MAX_HISTORY).unwrap(), "some histories are full");
}

/// Cut by days, by the batches known, and shorter: ages from keyframes and deltas, times from deltas alone.
#[test]
fn what_cuts_histories_cuts_these_columns() {
    let seed = seed(52);
    let nights = nights(seed);
    let bench = &nights.bench;
    let questions = [
        ("--lookback-days 3", Question { lookback_days: Some(3), ..WHOLE }),
        ("--known-as-of 2026-03-25", Question { known_as_of: Some(date("2026-03-25")), ..WHOLE }),
        ("--max-history 5", Question { max_history: 5, ..WHOLE }),
        (
            "--max-history 9 --lookback-days 8 --known-as-of 2026-03-29",
            Question { max_history: 9, lookback_days: Some(8), known_as_of: Some(date("2026-03-29")) },
        ),
    ];
    for (options, question) in questions {
        for with in [2, 15] {
            bench.ok(&format!("{PRODUCE} --out out {options} {}", with_option(with)));
            let rows = read_partition(&bench.out(), DT);
            assert!(rows == expected(&nights, &question, with), "seed {seed}: {options}, columns {with}");
            bench.ok(&format!("audit --store store --input input --out out --dt {DT}"));
        }
    }
}

/// An id that fits 32 bits on either side, and the first that does not.
#[test]
fn an_item_that_does_not_fit_is_refused_by_name_and_nothing_is_left() {
    let bench = Bench::new();
    let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
    let act = |customer, item| RawAction { customer, item, time_us: us("2026-03-30T10:00:00Z"), kind: 1 };
    let shown = |customer, item| RawImpression { ranking_id: None, customer, elements: vec![(4, None), (item, None)] };
    write_batch(
        &bench.input(),
        "2026-03-30",
        &[act(1, least), act(1, most), act(2, most + 1), act(9, least - 1)],
        PLAIN,
    );
    bench.ingest("2026-03-30");
    let narrow = format!("{PRODUCE} --out out --item-type int32");
    for order in ["", "--order shuffled", "--order carousel --seed 4"] {
        write_impressions(&bench.input(), DT, &[shown(1, 5), shown(2, 6), shown(3, most + 1)], PLAIN);
        let in_history = "the item 2147483648 in the history of customer 2 does not fit --item-type int32";
        bench.refused(&format!("{narrow} {order}"), &[in_history, "--item-type int64"]);
        assert!(!bench.out().exists(), "nothing is left");
        // Customer 9 is not shown anything; an action of customer 9 does no harm.
        write_impressions(&bench.input(), DT, &[shown(1, 5), shown(3, least - 1)], PLAIN);
        bench.refused(&format!("{narrow} {order}"), &["the item -2147483649 shown to customer 3 does not fit"]);
        assert!(!bench.out().exists(), "nothing is left");
        write_impressions(&bench.input(), DT, &[shown(1, 5), shown(3, least)], PLAIN);
        bench.ok(&format!("{narrow} {order}"));
        let rows = read_partition(&bench.out(), DT);
        let of = |customer| rows.iter().find(|row| row.customer_id == customer && row.impression_pos == 1).unwrap();
        assert_eq!((of(1).actions[..3].to_vec(), of(3).impression_item_id), (vec![most, least, 0], least));
        let before = tree(&bench.out());
        write_impressions(&bench.input(), DT, &[shown(2, 5)], PLAIN);
        let range = "backfill --store store --input input --from 2026-03-30 --to 2026-03-31 --out out";
        bench.refused(&format!("{range} --item-type int32 {order}"), &["customer 2"]);
        assert!(tree(&bench.out()) == before, "the partition that was there stays");
        fs::remove_dir_all(bench.out()).unwrap();
    }
}

#[test]
fn settings_are_kept_in_metadata_and_manifest_and_only_where_chosen() {
    let nights = nights(seed(53));
    let bench = &nights.bench;
    let part = bench.out().join(format!("dt={DT}/part-00000.parquet"));
    let manifest = || -> Value { bench.json(&format!("manifest --out out --dt {DT}")) };
    bench.ok(&format!("{PRODUCE} --out out"));
    let (plain, said) = (tree(&bench.out()), manifest());
    assert_eq!(said["settings"].as_object().unwrap().len(), 7, "{said}");
    bench.ok(&format!("{PRODUCE} --out out --item-type int64 --type-type int32 --order customer"));
    assert!(tree(&bench.out()) == plain, "defaults that are typed change no byte");

    let options = "--with action_times,history_length --item-type int32 --type-type uint8 --order carousel --seed 7";
    bench.ok(&format!("{PRODUCE} --out out {options}"));
    let chosen = manifest();
    assert_ne!(chosen["inputs"], said["inputs"]);
    let expected = [
        ("with", json!(["history_length", "action_times"]), "history_length,action_times"),
        ("item_type", json!("int32"), "int32"),
        ("type_type", json!("uint8"), "uint8"),
        ("order", json!("carousel"), "carousel"),
        ("seed", json!(7), "7"),
    ];
    let pairs = metadata(&part);
    for (key, value, text) in expected {
        assert_eq!((&chosen["settings"][key], pairs[key].as_str()), (&value, text), "{key}");
    }
    bench.ok(&format!("manifest --out out --dt {DT} --check"));

    // A backfill with the same options keeps it, one with others does not.
    let range = format!("backfill --store store --input input --from 2026-03-30 --to {DT} --out out");
    assert_eq!(bench.json(&format!("{range} {options}"))["produced"][0]["kept"], true);
    for other in ["--item-type int32", "--with action_ages", "--order shuffled", "--order carousel --seed 8"] {
        assert_eq!(bench.json(&format!("{range} {other}"))["produced"][0]["kept"], false, "{other}");
        assert_eq!(bench.json(&format!("{range} {other}"))["produced"][0]["kept"], true, "{other}");
    }
}

/// `backfill --stale` produces with the settings that the partition has, and refuses others by name.
#[test]
fn a_stale_partition_keeps_its_columns_types_and_order() {
    let mut nights = nights(seed(54));
    let options = "--with action_ages --item-type int32 --type-type uint8 --order shuffled --seed 3";
    nights.bench.ok(&format!("{PRODUCE} --out out {options}"));
    let late = RawAction { customer: 3, item: 77, time_us: us("2026-03-30T10:00:00Z"), kind: 3 };
    nights.reference.batches.get_mut(&date("2026-03-30")).unwrap().push(late);
    let batch = nights.reference.batches[&date("2026-03-30")].clone();
    let bench = &nights.bench;
    write_batch(&bench.input(), "2026-03-30", &batch, PLAIN);
    bench.ingest("2026-03-30");
    let stale = bench.json("stale --store store --out out");
    assert_eq!(stale["stale"], 1, "{stale}");
    let range = format!("backfill --stale --store store --input input --from 2026-03-30 --to {DT} --out out");
    let before = tree(&bench.out());
    let others = [
        ("--with history_length", "--with history_length was given", "--with action_ages"),
        ("--item-type int64", "--item-type int64 was given", "--item-type int32"),
        ("--type-type int32", "--type-type int32 was given", "--type-type uint8"),
        ("--order carousel", "--order carousel was given", "--order shuffled"),
        ("--order shuffled --seed 4", "--seed 4 was given", "--seed 3"),
    ];
    for (other, asked, was) in others {
        bench.refused(&format!("{range} {other}"), &[asked, was]);
    }
    assert!(tree(&bench.out()) == before);
    assert_eq!(bench.json(&format!("{range} --order shuffled"))["produced"][0]["kept"], false);
    bench.ok(&format!("{PRODUCE} --out again {options}"));
    assert!(tree(&bench.out()) == tree(&bench.path("again")), "the same as if produced so");
    assert!(tree(&bench.out()) != before, "with the late action");
    bench.ok(&format!("audit --store store --input input --out out --dt {DT}"));
}

/// Each new cell changed by itself is named.
#[test]
fn the_audit_names_every_changed_cell() {
    let seed = seed(55);
    let nights = nights(seed);
    let bench = &nights.bench;
    bench.ok(&format!("{PRODUCE} --out out --lookback-days 2 --with {}", EXTRAS.join(",")));
    let path = bench.out().join(format!("dt={DT}/part-00000.parquet"));
    let rows = read_partition(&bench.out(), DT);
    let fits = |row: &Row| row.history_length.is_some_and(|length| (3..10).contains(&length));
    let at = rows.iter().position(fits).unwrap();
    let row = &rows[at];
    let (ages, times) = (row.action_ages.clone().unwrap(), row.action_times.clone().unwrap());
    let length = row.history_length.unwrap();
    type Harm<'a> = (&'a dyn Fn(&mut Row), String);
    let time = |time_us: i64| chrono::DateTime::from_timestamp_micros(time_us).unwrap().format("%F %T.%6f").to_string();
    let harms: [Harm<'_>; 5] = [
        (
            &|row| row.history_length = Some(length + 1),
            format!("history_length is {}, and the raw files say {length}", length + 1),
        ),
        (
            &|row| row.action_ages.as_mut().unwrap()[1] += 1,
            format!("action_ages place 2 is {}, and the raw files say {}", ages[1] + 1, ages[1]),
        ),
        (
            &|row| row.action_ages.as_mut().unwrap()[MAX_HISTORY - 1] = 1,
            format!(
                "action_ages place {MAX_HISTORY} is 1, and the raw files say 0, the padding after {length} actions"
            ),
        ),
        (
            &|row| row.action_times.as_mut().unwrap()[2] -= 1,
            format!("action_times place 3 is {}+00:00, and the raw files say {}", time(times[2] - 1), time(times[2])),
        ),
        (&|row| row.action_times.as_mut().unwrap().truncate(15), "action_times is a list of 15".to_owned()),
    ];
    for (harm, words) in harms {
        let mut changed = rows.clone();
        harm(&mut changed[at]);
        write_rows(&path, &changed, |_, value| value);
        let ran = bench.run(&format!("audit --store store --input input --out out --dt {DT}"));
        assert_eq!(ran.code, 1, "seed {seed}: {words}");
        assert_one_sentence(&ran, &[&words, &format!("row {} column", at + 1)]);
    }
    // Columns that the settings do not name, or name otherwise.
    let without: Vec<Row> = rows.iter().cloned().map(|row| Row { action_ages: None, ..row }).collect();
    write_rows(&path, &without, |_, value| value);
    bench.refused(&format!("audit --store store --input input --out out --dt {DT}"), &["other columns", "action_ages"]);
    let good = fs::read(&path).unwrap();
    write_rows(&path, &rows, |key, value| if key == "with" { "action_ages".to_owned() } else { value });
    bench.refused(&format!("audit --store store --input input --out out --dt {DT}"), &["lookback.with is action_ages"]);
    fs::write(&path, &good).unwrap();
    write_rows(&path, &rows, |_, value| value);
    bench.ok(&format!("audit --store store --input input --out out --dt {DT}"));
}

/// pyarrow, Polars and DuckDB each give the rows as JSON, cell by cell.
#[test]
fn other_readers_see_the_same_cells() {
    let seed = seed(56);
    let nights = nights(seed);
    let bench = &nights.bench;
    let python = std::env::var("LOOKBACK_PYTHON").expect("this test needs LOOKBACK_PYTHON: run tools/test");
    let all = format!("--with {}", EXTRAS.join(","));
    let cases = [
        format!("{all} --item-type int32 --type-type uint8"),
        format!("{all} --compression snappy --row-group-rows 50"),
        format!("{all} --compression none --order shuffled --seed 9 --type-type uint8"),
    ];
    for options in cases {
        bench.ok(&format!("{PRODUCE} --out out {options}"));
        let expected: Vec<Value> = read_partition(&bench.out(), DT).iter().map(cells).collect();
        let mut sorted = expected.clone();
        let mut of_reference: Vec<Value> = self::expected(&nights, &WHOLE, 7).iter().map(cells).collect();
        for rows in [&mut sorted, &mut of_reference] {
            rows.sort_by_key(Value::to_string);
        }
        assert!(sorted == of_reference, "seed {seed}: {options}");
        let mut command = Command::new(&python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cells.py"));
        let output = command.arg(format!("out/dt={DT}")).current_dir(bench.path("")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let readers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(readers.len(), 3);
        for reader in readers {
            let rows = reader["rows"].as_array().unwrap();
            assert_eq!(rows.len(), expected.len(), "{}", reader["reader"]);
            for (row, expected) in rows.iter().zip(&expected) {
                assert_eq!(row, expected, "seed {seed}: {} with {options}", reader["reader"]);
            }
        }
    }
}

fn cells(row: &Row) -> Value {
    json!([
        row.dt,
        row.ranking_id,
        row.customer_id,
        row.impression_pos,
        row.impression_item_id,
        row.label,
        row.actions,
        row.action_types,
        row.history_length,
        row.action_ages,
        row.action_times,
    ])
}
