//! Whatever stands in names of files, columns and folders: no character of theirs makes a line of the program's output,
//! or acts on a terminal.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
use serde_json::Value;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions, write_parquet};
use crate::support::program::{Bench, Ran, is_phase, write_file};

/// A name with everything that acts: it would make a second error, clear the screen, turn the writing around.
const ODD: &str = "p\nerror: all is well; nothing\r\t\u{1b}[2J\u{7f}\u{9b}31m\u{2028}\u{202e}\u{2066}\u{200f}é";

/// How it is shown.
const SHOWN: &str = r"p\nerror: all is well; nothing\r\t\u{1b}[2J\u{7f}\u{9b}31m\u{2028}\u{202e}\u{2066}\u{200f}é";

/// Nothing acts but the ends of lines, and on stderr each line is one of the program's own.
fn assert_quiet(ran: &Ran) {
    let acts = |letter: char| {
        letter != '\n'
            && (letter.is_control()
                || matches!(letter, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(acts), "{text:?}");
        assert!(!text.contains("\nerror: all is well") && !text.starts_with("error: all is well"), "{text:?}");
    }
    assert!(ran.stderr.lines().filter(|line| line.starts_with("error: ")).count() <= 1, "{}", ran.stderr);
}

/// Runs, and expects a refusal that shows the name.
fn refused(bench: &Bench, arguments: &[&OsStr]) -> Ran {
    let ran = bench.run_with(arguments);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_quiet(&ran);
    assert!(ran.said().starts_with("error: ") && ran.said().contains(SHOWN), "{}", ran.stderr);
    ran
}

fn words(text: &str) -> Vec<&OsStr> {
    text.split_whitespace().map(OsStr::new).collect()
}

fn click(bench: &Bench, path: &str) {
    let ids = |id| -> ArrayRef { Arc::new(Int64Array::from(vec![id])) };
    let time = TimestampMicrosecondArray::from(vec![us("2026-01-01T10:00:00Z")]).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 3] =
        [("customer_id", ids(1)), ("item_id", ids(10)), ("click_time", Arc::new(time))];
    write_parquet(&bench.input().join(path), &columns);
}

#[test]
fn names_of_files_and_columns_make_no_line() {
    let bench = Bench::new();
    let day = "ingest --create --store store --input input --dt 2026-01-01";
    let file = bench.input().join(format!("clicks/dt=2026-01-01/{ODD}.txt"));
    write_file(&file, b"x");
    refused(&bench, &words(day));
    let check = refused_by_check(&bench);
    assert!(check["missing"][0].as_str().unwrap().contains(SHOWN), "{check}");
    fs::remove_file(&file).unwrap();
    // A file that cannot be read, one that lacks a column and has another instead, one with a bad row.
    for content in [&b"no Parquet"[..], b""] {
        write_file(&file.with_extension("parquet"), content);
        refused(&bench, &words(day));
    }
    fs::remove_file(file.with_extension("parquet")).unwrap();
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    write_parquet(&bench.input().join("clicks/dt=2026-01-01/a.parquet"), &[(ODD, Arc::clone(&ids))]);
    let ran = bench.run(day);
    assert_quiet(&ran);
    assert!(ran.said().contains("error: all is well"), "the columns that it has are named: {}", ran.stderr);
    let check = refused_by_check(&bench);
    assert_eq!(check["sources"][0]["found"]["columns"][0][0], ODD, "in JSON it is the same text, written otherwise");
    let quoted: String = ODD.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect();
    let toml = format!("[sources.clicks]\ncolumns = {{ customer_id = \"{quoted}\" }}\n");
    write_file(&bench.path("odd.toml"), toml.as_bytes());
    let mut with_config = words(day);
    with_config.extend(words("--config odd.toml"));
    refused(&bench, &with_config);
    write_parquet(
        &bench.input().join("clicks/dt=2026-01-01/a.parquet"),
        &[
            (ODD, Arc::new(Int64Array::from(vec![None]))),
            ("item_id", Arc::clone(&ids)),
            ("click_time", Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC"))),
        ],
    );
    let ran = refused(&bench, &with_config);
    assert!(ran.said().contains("is null"), "a bad row: {}", ran.stderr);
    let mut check = words("config check --input input --dt 2026-01-01 --config odd.toml");
    let ran = bench.run_with(&check);
    assert_quiet(&ran);
    assert!(ran.stdout.contains(SHOWN), "in the table: {}", ran.stdout);
    check.push(OsStr::new("--json"));
    let ran = bench.run_with(&check);
    assert_quiet(&ran);
    assert!(ran.stdout.contains(r"\u007f") && ran.stdout.contains(r"\u202e"), "{}", ran.stdout);
}

/// What `config check` finds, as text and as JSON.
fn refused_by_check(bench: &Bench) -> Value {
    let text = bench.run("config check --input input --dt 2026-01-01");
    assert_quiet(&text);
    let json = bench.run("config check --input input --dt 2026-01-01 --json");
    assert_quiet(&json);
    assert_eq!((text.code, json.code), (1, 1));
    serde_json::from_str(&json.stdout).unwrap()
}

#[test]
fn folders_that_were_typed_make_no_line() {
    let bench = Bench::new();
    let odd = OsStr::new(ODD);
    for command in ["status", "verify", "repair", "show --customer 1", "migrate", "prune --keep-days 1"] {
        let mut arguments = words(command);
        arguments.extend([OsStr::new("--store"), odd]);
        refused(&bench, &arguments);
    }
    click(&bench, "clicks/dt=2026-01-01/a.parquet");
    let store = format!("{ODD}-store");
    let store = OsStr::new(&store);
    let mut ingest = words("ingest --create --dt 2026-01-01 --store");
    ingest.extend([store, OsStr::new("--input"), odd]);
    refused(&bench, &ingest);
    // A note names the configuration that was found.
    fs::rename(bench.input(), bench.path(ODD)).unwrap();
    write_file(&bench.path(ODD).join("lookback.toml"), b"");
    let ran = bench.run_with(&ingest);
    assert_quiet(&ran);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let note = ran.stderr.lines().find(|line| line.starts_with("note: ")).unwrap();
    assert!(note.contains(SHOWN), "{note}");
    for json in ["", "--json"] {
        let mut status = vec![OsStr::new("status"), OsStr::new("--store"), store];
        status.extend(words(json));
        let ran = bench.run_with(&status);
        assert_quiet(&ran);
        match json {
            "" => assert!(ran.stdout.starts_with(&format!("store           {SHOWN}-store\n")), "{}", ran.stdout),
            _ => assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["store"], format!("{ODD}-store")),
        }
        let mut verify = vec![OsStr::new("verify"), OsStr::new("--store"), store];
        verify.extend(words(json));
        let ran = bench.run_with(&verify);
        assert_quiet(&ran);
        assert!(
            ran.stderr.contains(SHOWN) && ran.stderr.lines().all(|line| is_phase(line) || line.starts_with("verified"))
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_shown_by_their_numbers() {
    let bench = Bench::new();
    let path = OsString::from_vec(b"man-\xff\n".to_vec());
    let ran = bench.run_with([OsStr::new("status"), OsStr::new("--store"), &path]);
    assert_eq!(ran.code, 1);
    assert_quiet(&ran);
    assert!(ran.said().contains(r"there is no store at man-\xFF\n"), "{}", ran.stderr);
    // A summary has it too: JSON is text.
    let ran = bench.run_with([OsStr::new("man"), OsStr::new("--json"), OsStr::new("--dir"), &path]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["dir"], r"man-\xFF\n");
    let file = OsStr::from_bytes(b"\xc3.parquet");
    fs::create_dir_all(bench.input().join("clicks/dt=2026-01-01")).unwrap();
    fs::write(bench.input().join("clicks/dt=2026-01-01").join(file), "").unwrap();
    bench.refused(
        "ingest --create --store store --input input --dt 2026-01-01",
        &[r"dt=2026-01-01/\xC3.parquet is not UTF-8"],
    );
}

#[test]
fn wrong_usage_is_told_without_doing_what_was_typed() {
    let bench = Bench::new();
    let invalid = OsString::from_vec([ODD.as_bytes(), b"\xff"].concat());
    for arguments in [
        vec![OsStr::new(ODD)],
        vec![OsStr::new("status"), OsStr::new("--store"), OsStr::new("s"), OsStr::new(ODD)],
        vec![OsStr::new("remove"), OsStr::new("--store"), OsStr::new("s"), OsStr::new("--dt"), OsStr::new(ODD)],
        vec![OsStr::new("--memory-limit"), &invalid, OsStr::new("status"), OsStr::new("--store"), OsStr::new("s")],
        vec![&invalid],
    ] {
        let ran = bench.run_with(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert_quiet(&ran);
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains("For more information, try"),
            "{}",
            ran.stderr
        );
    }
    let ran = bench.run_with([OsStr::new("--help"), OsStr::new(ODD)]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_manifest_tells_names_as_they_are() {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    let shown = RawImpression { ranking_id: Some(ODD.to_owned()), customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), "2026-01-02", std::slice::from_ref(&shown), PLAIN);
    let folder = bench.input().join("impressions/dt=2026-01-02");
    let name = format!("{ODD}.parquet");
    fs::rename(folder.join("part-0.parquet"), folder.join(&name)).unwrap();
    bench.ingest("2026-01-01");
    bench.produce("2026-01-02");
    for json in ["", " --json"] {
        let ran = bench.ok(&format!("manifest --out out --dt 2026-01-02{json}"));
        assert_quiet(&ran);
        let manifest: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(manifest["impression_files"][0]["name"], name);
    }
    // A ranking id stands in what `diff` lists.
    fs::rename(bench.out(), bench.path("before")).unwrap();
    write_impressions(&bench.input(), "2026-01-02", &[RawImpression { elements: vec![(6, None)], ..shown }], PLAIN);
    bench.produce("2026-01-02");
    for json in ["", " --json"] {
        let ran = bench.run(&format!("diff out before{json}"));
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert_quiet(&ran);
        assert!(ran.stdout.contains("all is well"), "{}", ran.stdout);
    }
}
