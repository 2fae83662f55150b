//! `lookback get`: histories of many customers in each format, against the naive reference; read back by others.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::ipc::reader::StreamReader;
use chrono::Days;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::reference::{Question, Reference, date};

/// One line: customer, and (item, type, time) newest first.
type Line = (i64, Vec<(i64, i32, i64)>);

fn lines_of(batches: impl Iterator<Item = RecordBatch>) -> Vec<Line> {
    let mut lines = Vec::new();
    for batch in batches {
        let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["customer_id", "actions", "action_types", "action_times"]);
        let customers = batch.column(0).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let list = |column: usize| batch.column(column).as_list::<i32>().value(row);
            let (items, types, times) = (list(1), list(2), list(3));
            let items = items.as_primitive::<Int64Type>().values().iter();
            let types = types.as_primitive::<Int32Type>().values().iter();
            let times = times.as_primitive::<TimestampMicrosecondType>().values().to_vec();
            let actions = items.zip(types).zip(times).map(|((item, kind), time_us)| (*item, *kind, time_us));
            lines.push((customers.value(row), actions.collect()));
        }
    }
    lines
}

fn arrow_lines(bytes: &[u8]) -> Vec<Line> {
    lines_of(StreamReader::try_new(bytes, None).unwrap().map(|batch| batch.unwrap()))
}

fn parquet_lines(bytes: Vec<u8>) -> Vec<Line> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build().unwrap();
    lines_of(reader.map(|batch| batch.unwrap()))
}

fn json_lines(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let list = |name: &str| json[name].as_array().unwrap().clone();
        let times = list("action_times").into_iter().map(|time| us(time.as_str().unwrap()));
        let columns = list("actions").into_iter().zip(list("action_types")).zip(times);
        let actions = columns.map(|((item, kind), time_us)| {
            (item.as_i64().unwrap(), i32::try_from(kind.as_i64().unwrap()).unwrap(), time_us)
        });
        (json["customer_id"].as_i64().unwrap(), actions.collect())
    };
    text.lines().map(line).collect()
}

/// Runs in a bench and gives stdout as bytes.
fn bytes(bench: &Bench, arguments: &str, stdin: &str) -> Vec<u8> {
    write_file(&bench.path("stdin"), stdin.as_bytes());
    let output = Command::new(env!("CARGO_BIN_EXE_lookback"))
        .args(arguments.split_whitespace())
        .current_dir(bench.path(""))
        .stdin(fs::File::open(bench.path("stdin")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Six days of random actions of some customers.
fn filled(seed: u64) -> (Bench, Reference) {
    let mut random = Random::new(seed);
    let bench = Bench::new();
    bench.ok("init --store store --max-history 40");
    let mut reference = Reference::new(chrono_tz::UTC);
    for number in 0..6 {
        let day = date("2026-01-01") + Days::new(number);
        let actions: Vec<RawAction> = (0..1_500)
            .map(|_| RawAction {
                customer: i64::try_from(random.below(120).min(random.below(120))).unwrap() - 20,
                item: 1 + i64::try_from(random.below(9)).unwrap(),
                time_us: reference.midnight(day - Days::new(random.below(8).saturating_sub(5)))
                    + i64::try_from(random.below(300)).unwrap() * 250_000_000,
                kind: 1 + u8::try_from(random.below(3)).unwrap(),
            })
            .collect();
        write_batch(&bench.input(), &day.to_string(), &actions, PLAIN);
        bench.ingest(&day.to_string());
        reference.batches.insert(day, actions);
    }
    (bench, reference)
}

#[test]
fn every_format_has_the_histories_of_the_contract() {
    let seed = seed(81);
    let (bench, reference) = filled(seed);
    let mut random = Random::new(seed);
    for _ in 0..6 {
        let dt = date("2026-01-02") + Days::new(random.below(6));
        let question = Question {
            max_history: 1 + usize::try_from(random.below(40)).unwrap(),
            lookback_days: (random.below(2) == 0).then(|| 1 + u32::try_from(random.below(4)).unwrap()),
            known_as_of: (random.below(2) == 0).then(|| date("2026-01-01") + Days::new(random.below(6))),
        };
        let mut options = format!("--dt {dt} --max-history {}", question.max_history);
        options += &question.lookback_days.map_or_else(String::new, |days| format!(" --lookback-days {days}"));
        options += &question.known_as_of.map_or_else(String::new, |day| format!(" --known-as-of {day}"));
        let mut ids: Vec<i64> = (-30..130).filter(|_| random.below(3) > 0).collect();
        let expected: Vec<Line> = ids
            .iter()
            .map(|customer| {
                let history = reference.history(*customer, dt, &question);
                let actions = history.iter().map(|action| (action.item, i32::from(action.kind), action.time_us));
                (*customer, actions.collect())
            })
            .collect();
        random.shuffle(&mut ids);
        // Some once more, and empty lines.
        let list: String = ids.iter().chain(ids.iter().take(5)).map(|id| format!(" {id} \n\n")).collect();
        write_file(&bench.path("ids"), list.as_bytes());
        let context = format!("seed {seed}: {options}");
        let get = format!("get --store store {options}");
        let arrow = bytes(&bench, &format!("{get} --customers - --format arrow"), &list);
        assert_eq!(arrow_lines(&arrow), expected, "{context}");
        let parquet = bytes(&bench, &format!("{get} --customers ids --format parquet"), "");
        assert_eq!(parquet_lines(parquet), expected, "{context}");
        let text = bench.ok(&format!("{get} --customers ids")).stdout;
        assert_eq!(json_lines(&text), expected, "{context}");
    }
}

#[test]
fn the_bytes_do_not_depend_on_threads_or_order() {
    let (bench, _) = filled(seed(82));
    let ids = |order: &mut dyn Iterator<Item = i64>| order.map(|id| format!("{id}\n")).collect::<String>();
    let (up, down) = (ids(&mut (-30..130)), ids(&mut (-30..130).rev()));
    for format in ["arrow", "parquet", "jsonl"] {
        let get = "get --store store --dt 2026-01-06 --customers -";
        let first = bytes(&bench, &format!("{get} --format {format} --threads 1"), &up);
        for threads in ["2", "3"] {
            let other = bytes(&bench, &format!("{get} --format {format} --threads {threads}"), &down);
            assert!(other == first, "{format} with {threads} threads");
        }
        bytes(&bench, &format!("{get} --out file.{format}"), &up);
        assert!(fs::read(bench.path(&format!("file.{format}"))).unwrap() == first, "{format} by the ending of a file");
    }
}

/// More customers than a batch, a turn or the memory for sorting has room for: ids spill, and batches are cut.
#[test]
fn many_customers_stream_within_the_memory_limit() {
    const CUSTOMERS: i64 = 2_500_000;
    let bench = Bench::new();
    let click = |number: i64| RawAction {
        customer: number % 3_000,
        item: 1 + number,
        time_us: us("2026-01-01T00:00:00Z") + number,
        kind: 1,
    };
    write_batch(&bench.input(), "2026-01-01", &(0..60_000).map(click).collect::<Vec<_>>(), PLAIN);
    bench.ingest("2026-01-01");
    let ids: String = (0..CUSTOMERS).rev().map(|id| format!("{id}\n")).collect();
    write_file(&bench.path("ids"), ids.as_bytes());
    let get = "get --store store --dt 2026-01-02 --customers ids --memory-limit 128MiB";
    let summary = bench.json(&format!("{get} --out all.arrow"));
    let expected =
        [("customers", CUSTOMERS), ("without_history", CUSTOMERS - 3_000), ("actions", 60_000), ("repeated", 0)];
    for (field, number) in expected {
        assert_eq!(summary[field], number, "{field}");
    }
    let lines = arrow_lines(&fs::read(bench.path("all.arrow")).unwrap());
    assert_eq!(lines.len(), usize::try_from(CUSTOMERS).unwrap());
    for (id, (customer, actions)) in (0..).zip(&lines) {
        assert_eq!((*customer, actions.len()), (id, if id < 3_000 { 20 } else { 0 }));
    }
    bench.ok(&format!("{get} --out all.parquet"));
    assert!(parquet_lines(fs::read(bench.path("all.parquet")).unwrap()) == lines);
}

#[test]
fn the_output_says_what_it_is_and_other_readers_see_it() {
    let (bench, _) = filled(seed(83));
    for name in ["h.arrow", "h.parquet", "h.jsonl"] {
        bench.ok(&format!("get --store store --dt 2026-01-05 --lookback-days 2 --customer -3 5 -7 5 --out {name}"));
    }
    let script = "
import json, pyarrow.ipc, pyarrow.parquet, polars, duckdb, pandas
with open('h.arrow', 'rb') as file:
    stream = pyarrow.ipc.open_stream(file).read_all()
parquet = pyarrow.parquet.read_table('h.parquet')
jsonl = pandas.read_json('h.jsonl', lines=True)
for column in ['customer_id', 'actions', 'action_types', 'action_times']:
    assert stream[column].to_pylist() == parquet[column].to_pylist(), column
said = {key.decode(): value.decode() for key, value in stream.schema.metadata.items()}
of_parquet = pyarrow.parquet.read_metadata('h.parquet').metadata.items()
assert said == {key.decode(): value.decode() for key, value in of_parquet if key.startswith(b'lookback.')}
assert jsonl['customer_id'].tolist() == stream['customer_id'].to_pylist() == [-7, -3, 5]
assert jsonl['actions'].tolist() == stream['actions'].to_pylist()
assert sum(map(len, stream['actions'].to_pylist())) > 0
assert polars.read_parquet('h.parquet')['action_types'].to_list() == stream['action_types'].to_pylist()
assert [row[0] for row in duckdb.sql(\"select actions from 'h.parquet'\").fetchall()] == stream['actions'].to_pylist()
assert 'timestamp[us, tz=UTC]' in str(stream.schema.field('action_times').type), stream.schema
print(json.dumps(said))
";
    let python = std::env::var("LOOKBACK_PYTHON").expect("LOOKBACK_PYTHON, which tools/test sets");
    let ran = Command::new(python).args(["-c", script]).current_dir(bench.path("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let expected = serde_json::json!({
        "lookback.version": env!("CARGO_PKG_VERSION"), "lookback.dt": "2026-01-05",
        "lookback.cut_off": "2026-01-05 00:00:00+00:00", "lookback.time_zone": "UTC", "lookback.max_history": "40",
        "lookback.lookback_days": "2", "lookback.newest_batch": "2026-01-06",
    });
    assert_eq!(said, expected);
}

#[test]
fn a_reader_that_goes_away_is_a_quiet_end() {
    let (bench, _) = filled(seed(84));
    let ids: String = (-20..200_000).map(|id| format!("{id}\n")).collect();
    write_file(&bench.path("ids"), ids.as_bytes());
    for format in ["arrow", "parquet", "jsonl"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lookback"))
            .args(["get", "--store", "store", "--dt", "2026-01-06", "--customers", "ids", "--format", format])
            .current_dir(bench.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut some = [0; 4];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{format}: {stderr}");
        assert!(
            !stderr.contains("error") && stderr.contains("the reader stopped before the end"),
            "{format}: {stderr}"
        );
    }
}

#[test]
fn what_cannot_be_written_is_refused_with_nothing_left() {
    let (bench, _) = filled(seed(85));
    let get = "get --store store --dt 2026-01-06";
    write_file(&bench.path("ids"), b"5\n\nsix\n");
    bench.refused(&format!("{get} --customers ids --out h.parquet"), &["line 3 of ids", "one integer a line"]);
    write_file(&bench.path("ids"), &[b'7'; 10_000]);
    bench.refused(&format!("{get} --customers ids --out h.parquet"), &["line 1 of ids"]);
    assert!(!bench.path("h.parquet").exists());
    bench.refused(&format!("{get} --customers missing"), &["missing", "check the path"]);
    bench.refused("get --store store --dt 2026-01-09 --customer 1", &["2026-01-07, 2026-01-08", "--allow-gaps"]);
    bench.ok("get --store store --dt 2026-01-09 --customer 1 --allow-gaps");
    for wrong in ["", "--customer 1 --json", "--customer 1 --max-history 41", "--customer 1 --format csv"] {
        assert_eq!(bench.run(&format!("{get} {wrong}")).code, 2, "{wrong}");
    }
    bench.ok("prune --store store --keep-days 2 --allow-large-removal");
    bench.refused(&format!("{get} --customer 1"), &["pruned", "--lookback-days 2"]);
    bench.ok("forget --store store --customer 5");
    let left = bench.json(&format!("{get} --customer 4 5 --allow-pruned --out h.jsonl"));
    assert_eq!((&left["customers"], &left["forgotten"]), (&1.into(), &1.into()));
    let names = fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("staging")));
}

/// A disk without room: the one sentence, and no output that looks whole.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_as_such() {
    let (bench, _) = filled(seed(87));
    for format in ["arrow", "parquet", "jsonl"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_lookback"))
            .args(["get", "--store", "store", "--dt", "2026-01-06", "--customer", "1", "--format", format])
            .current_dir(bench.path(""))
            .stdout(full)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{format}: {stderr}");
        assert!(stderr.contains("stdout") && stderr.contains("free some space"), "{format}: {stderr}");
    }
}

#[test]
fn a_terminal_gets_no_binary() {
    let (bench, _) = filled(seed(86));
    let run = |format: &str| {
        let program = env!("CARGO_BIN_EXE_lookback");
        let command = format!("{program} get --store store --dt 2026-01-06 --customer 1 --format {format}");
        // A terminal for the program alone: what comes on it is the output of `script`.
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).current_dir(bench.path("")).stdin(Stdio::null());
        let ran = script.output().unwrap();
        (ran.status.code().unwrap(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    for format in ["arrow", "parquet"] {
        let (code, text) = run(format);
        assert!(
            code == 2 && text.contains("stdout is a terminal") && text.contains("--out"),
            "{format}: {code} {text}"
        );
    }
    let (code, text) = run("jsonl");
    assert!(code == 0 && text.contains(r#"{"customer_id":1,"actions":["#), "{code} {text}");
}
