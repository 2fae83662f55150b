//! What is wrong with text: lines that are bad rows, each named with its line, and files that are broken.

use std::fs;
use std::path::Path;

use lookback::internals::input::{BadRows, DayFile, QuarantineFolder, read_actions, read_impressions};
use lookback::model::Zone;
use lookback::resources::Resources;
use lookback::sources::{ActionSource, ImpressionSource};

use crate::bad_rows::{SetAside, set_aside};
use crate::support::output::dump;
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::text::packed;

const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-01";
const PRODUCE: &str = "produce --store store --input input --dt 2026-01-02 --out out";

fn click_file(bench: &Bench, name: &str, content: &[u8]) {
    write_file(&bench.input().join("clicks/dt=2026-01-01").join(name), content);
}

/// Refused as a whole with these words; and with a quarantine, what is set aside: line, column, reason, cells.
fn bad_rows(bench: &Bench, command: &str, kind: &str, day: &str, words: &[&str]) -> Vec<(u64, String, String, String)> {
    bench.refused(command, words);
    bench.ok(&format!("{command} --quarantine aside"));
    let rows: Vec<SetAside> = set_aside(&bench.path(&format!("aside/{kind}/dt={day}/bad-rows.parquet")));
    rows.into_iter().map(|(_, line, column, reason, cells)| (line, column, reason, cells)).collect()
}

fn check(found: &[(u64, String, String, String)], expected: &[(u64, &str, &str, &str)]) {
    for (found, expected) in found.iter().zip(expected) {
        let (line, column, reason, cells) = found;
        assert_eq!((*line, column.as_str(), reason.as_str(), cells.as_str()), *expected);
    }
    assert_eq!(found.len(), expected.len());
}

/// The reason for item 0.
const PADDING: &str = "is 0, which is the padding: [ids] item_offset in lookback.toml moves ids that count from 0";

const CSV: &[u8] = b"note,customer_id,item_id,click_time\n\
    good,1,10,2026-01-01T10:00:00Z\n\
    x,1,1.5,2026-01-01T10:00:00Z\n\
    \"two\nlines, \"\"and\nmore\",1, 7 ,yesterday\n\
    x,1,10\n\
    x,1,10,2026-01-01T10:00:00Z,\n\
    \"x\"y,1,10,2026-01-01T10:00:00Z\n\
    \n\
    x,9223372036854775808,10,2026-01-01T10:00:00Z\n\
    x,1,,2026-01-01T10:00:00Z\r\n\
    x,1,0,2026-01-01T10:00:00Z\n\
    x,1,10,\n\
    x,1,10,2262-01-01T00:00:00Z\n\
    x,1\xff,10,2026-01-01T10:00:00Z\n\
    \xff,1,20,2026-01-01T11:00:00Z\n\
    5\" pipe,1e-3,\"1\"\"0\",2026-01-01T10:00:00Z\n\
    x,1,2";

#[test]
fn bad_lines_of_csv() {
    for name in ["a.csv", "a.csv.gz", "a.csv.zst"] {
        let bench = Bench::new();
        click_file(&bench, name, &packed(name, CSV));
        let words = [
            "the actions of 2026-01-01 have 13 bad rows",
            &format!("{name} line 3 column item_id is not an integer (\"1.5\"), "),
            &format!("{name} line 4 column click_time is not an ISO 8601 time (\"yesterday\"), "),
            &format!("{name} line 7 has 3 cells where the header has 4, "),
            &format!("{name} line 8 has 5 cells where the header has 4, "),
            &format!("{name} line 9 has something after the quote that closes a cell and more"),
            "--quarantine",
        ];
        let found = bad_rows(&bench, INGEST, "actions", "2026-01-01", &words);
        let time = r#""click_time":"2026-01-01T10:00:00Z""#;
        let cells = |customer: &str, item: &str| format!(r#"{{{time},"customer_id":{customer},"item_id":{item}}}"#);
        let fits = "does not fit a signed 64-bit integer (\"9223372036854775808\"): [ids] customer = \"text\" in \
                    lookback.toml takes it";
        let expected = [
            (3, "item_id", "is not an integer (\"1.5\")", &*cells("\"1\"", "\"1.5\"")),
            (
                4,
                "click_time",
                "is not an ISO 8601 time (\"yesterday\")",
                r#"{"click_time":"yesterday","customer_id":"1","item_id":" 7 "}"#,
            ),
            (7, "", "has 3 cells where the header has 4", r#"{"line":"x,1,10"}"#),
            (8, "", "has 5 cells where the header has 4", r#"{"line":"x,1,10,2026-01-01T10:00:00Z,"}"#),
            (
                9,
                "",
                "has something after the quote that closes a cell",
                r#"{"line":"\"x\"y,1,10,2026-01-01T10:00:00Z"}"#,
            ),
            (11, "customer_id", fits, &cells("\"9223372036854775808\"", "\"10\"")),
            (12, "item_id", "is null", &cells("\"1\"", "null")),
            (13, "item_id", PADDING, &cells("\"1\"", "\"0\"")),
            (14, "click_time", "is null", r#"{"click_time":null,"customer_id":"1","item_id":"10"}"#),
            (
                15,
                "click_time",
                "lies outside the years 1970 to 2261",
                r#"{"click_time":"2262-01-01T00:00:00Z","customer_id":"1","item_id":"10"}"#,
            ),
            (16, "customer_id", "is not UTF-8", &cells("\"1\u{fffd}\"", "\"10\"")),
            (18, "customer_id", "is not an integer (\"1e-3\")", &cells("\"1e-3\"", r#""1\"0""#)),
            (19, "", "has 3 cells where the header has 4", r#"{"line":"x,1,2"}"#),
        ];
        check(&found, &expected);
        let shown = bench.ok("show --store store --customer 1").stdout;
        assert!(shown.contains(" 20\n") && shown.contains(" 10\n") && shown.lines().count() == 4, "{shown}");
    }
}

const JSON: &[u8] = br#"{"customer_id":1,"item_id":10,"click_time":"2026-01-01T10:00:00Z"}
{"customer_id":1.5,"item_id":10,"click_time":"2026-01-01T10:00:00Z"}
{"customer_id":1,"item_id":10,"click_time":1767261600}

{"customer_id":1,"item_id":10,"click_time":"2026-01-01T10:0
{"customer_id":1,"item_id":10,"item_id":11,"click_time":"2026-01-01T10:00:00Z"}
[1,10,"2026-01-01T10:00:00Z"]
{"customer_id":true,"item_id":10,"click_time":"2026-01-01T10:00:00Z"}
{"customer_id":1,"item_id":{"id":[10]},"click_time":"2026-01-01T10:00:00Z"}
{"customer_id":1,"click_time":"2026-01-01T10:00:00Z"}
{"customer_id":1,"item_id":-9223372036854775809,"click_time":"2026-01-01T10:00:00Z"}
{"customer_id":1,"item_id":10,"click_time":"\ud800"}
{"customer_id":1,"item_id":20,"click_time":"2026-01-01T11:00:00Z"}
{"customer_id":1e-3,"item_id":"","click_time":null}
null
{"customer_id":1,"item_id":10,"click_time":"2026-01-01T10:00:00Z"},
{"customer_id":1,"item_id":10,"click_ti"#;

#[test]
fn bad_lines_of_json() {
    for name in ["a.jsonl", "a.ndjson.gz", "a.json.zst"] {
        let bench = Bench::new();
        let mut text = JSON.to_vec();
        text.extend(b"\xff");
        click_file(&bench, name, &packed(name, &text));
        let words = [
            "the actions of 2026-01-01 have 14 bad rows",
            &format!("{name} line 2 column customer_id is not an integer (\"1.5\"), "),
            &format!("{name} line 3 column click_time is not an ISO 8601 time (\"1767261600\"), "),
            &format!("{name} line 5 is not a JSON object (EOF while parsing a string, at byte 59), "),
            &format!("{name} line 6 is not a JSON object (it has item_id twice, at byte "),
            &format!("{name} line 7 is not a JSON object (invalid type: sequence, expected an object, at byte "),
        ];
        let found = bad_rows(&bench, INGEST, "actions", "2026-01-01", &words);
        let lines: Vec<(u64, &str, &str)> =
            found.iter().map(|(line, column, reason, _)| (*line, column.as_str(), reason.as_str())).collect();
        let begins = |place: usize, line: u64, reason: &str| {
            assert!(
                lines[place].0 == line && lines[place].1.is_empty() && lines[place].2.starts_with(reason),
                "{:?}",
                lines[place]
            );
        };
        assert_eq!(lines.len(), 14);
        assert_eq!(lines[5], (8, "customer_id", "is not an integer (\"true\")"));
        assert_eq!(lines[6], (9, "item_id", "is an object"));
        assert_eq!(lines[7], (10, "item_id", "is null"));
        assert_eq!(
            lines[8],
            (
                11,
                "item_id",
                "does not fit a signed 64-bit integer (\"-9223372036854775809\"): [ids] item = \"text\" in lookback.toml \
                 takes it"
            )
        );
        assert_eq!(lines[9], (12, "click_time", "is half of a surrogate pair"));
        assert_eq!(lines[10], (14, "customer_id", "is not an integer (\"1e-3\")"));
        begins(11, 15, "is not a JSON object (invalid type: null, expected an object");
        begins(12, 16, "is not a JSON object (trailing characters, at byte ");
        begins(13, 17, "is not UTF-8");
        assert_eq!(found[1].3, r#"{"click_time":"1767261600","customer_id":"1","item_id":"10"}"#);
        assert_eq!(found[2].3, r#"{"line":"{\"customer_id\":1,\"item_id\":10,\"click_time\":\"2026-01-01T10:0"}"#);
        assert_eq!(found[6].3, r#"{"click_time":"2026-01-01T10:00:00Z","customer_id":"1","item_id":"{\"id\":[10]}"}"#);
        assert_eq!(found[10].3, r#"{"click_time":null,"customer_id":"1e-3","item_id":""}"#);
        let shown = bench.ok("show --store store --customer 1").stdout;
        assert!(shown.contains(" 20\n") && shown.lines().count() == 4, "{shown}");
    }
}

/// (list, what is wrong with it: column and reason).
const LISTS: [(&str, &str, &str); 11] = [
    (r#"[{"item_id":10,"is_order":2}]"#, "impressions.is_order", "is 2, neither 0 nor 1"),
    (r#"[{"item_id":10,"is_order":"yes\n"}]"#, "impressions.is_order", "is yes\\n, neither 0 nor 1"),
    (r#"[{"item_id":10},{"is_order":true}]"#, "impressions.item_id", "is null"),
    (r#"[{"item_id":10},null]"#, "impressions.item_id", "is null"),
    (r#"[{"item_id":0}]"#, "impressions.item_id", PADDING),
    (r#"[{"item_id":1.5}]"#, "impressions.item_id", "is not an integer (\"1.5\")"),
    (
        r#"[{"item_id":9223372036854775808}]"#,
        "impressions.item_id",
        "does not fit a signed 64-bit integer (\"9223372036854775808\"): [ids] item = \"text\" in lookback.toml takes it",
    ),
    (
        r#"[10]"#,
        "impressions",
        "is not a JSON array of objects (invalid type: integer `10`, expected an object, at byte 3)",
    ),
    (
        r#"{"item_id":10}"#,
        "impressions",
        "is not a JSON array of objects (invalid type: map, expected an array, at byte 0)",
    ),
    (
        r#""[]""#,
        "impressions",
        "is not a JSON array of objects (invalid type: string \"[]\", expected an array, at byte 4)",
    ),
    (
        r#"[{"item_id":10,"item_id":10}]"#,
        "impressions",
        "is not a JSON array of objects (it has item_id twice, at byte 28)",
    ),
];

#[test]
fn bad_lists_of_impressions() {
    let bench = Bench::new();
    click_file(&bench, "a.csv", b"customer_id,item_id,click_time\n1,90,2026-01-01\n");
    bench.ok(INGEST);
    let folder = bench.input().join("impressions/dt=2026-01-02");
    for name in ["i.csv", "i.jsonl"] {
        let mut text = String::from(if name == "i.csv" { "ranking_id,customer_id,impressions\n" } else { "\n" });
        let good = r#"[{"item_id":5,"is_order":1},{"item_id":"6"}]"#;
        for list in LISTS.iter().map(|(list, ..)| *list).chain([good]) {
            text += &match name {
                "i.csv" => format!("\"a\nb\",1,\"{}\"\n", list.replace('"', "\"\"")),
                _ => format!("{{\"ranking_id\":7,\"customer_id\":1,\"impressions\":{list}}}\n\n"),
            };
        }
        // Null and empty lists are no bad rows.
        text += match name {
            "i.csv" => ",1,\n,1,[]\n,1,\"\"\n,1, \n",
            _ => {
                "{\"customer_id\":1,\"impressions\":null}\n{\"customer_id\":1}\n{\"customer_id\":1,\"impressions\":[]}\n{\"customer_id\":1,\"impressions\":[ ]}\n"
            }
        };
        let _ = fs::remove_dir_all(&folder);
        write_file(&folder.join(name), text.as_bytes());
        let first = format!("{name} line 2 column impressions.is_order is 2, neither 0 nor 1, ");
        let words = ["the impressions of 2026-01-02 have 11 bad rows", &first];
        let found = bad_rows(&bench, PRODUCE, "impressions", "2026-01-02", &words);
        for (place, ((line, column, reason, cells), (list, at, wrong))) in found.iter().zip(LISTS).enumerate() {
            assert_eq!((*line, column.as_str(), reason.as_str()), (2 + 2 * place as u64, at, wrong), "{list}");
            let cells: serde_json::Value = serde_json::from_str(cells).unwrap();
            let ranking_id = if name == "i.csv" { "a\nb" } else { "7" };
            assert_eq!(
                (&cells["impressions"], &cells["ranking_id"]),
                (&list.into(), &ranking_id.into()),
                "as it stood"
            );
        }
        assert_eq!(found.len(), LISTS.len());
        let summary = bench.json(&format!("{PRODUCE} --quarantine aside"));
        let counts = ["quarantined", "empty_impressions", "rows"].map(|name| summary[name].as_u64().unwrap());
        assert_eq!(counts, [11, 4, 2], "{name}");
    }
}

/// Whatever is asked, such a file is refused in one sentence with these words, and the store stays as it was.
fn broken(bench: &Bench, name: &str, content: &[u8], words: &[&str]) {
    let folder = bench.input().join("clicks/dt=2026-01-01");
    let _ = fs::remove_dir_all(&folder);
    click_file(bench, name, content);
    let words: Vec<&str> = words.iter().copied().chain([name]).collect();
    for command in [INGEST.to_owned(), format!("{INGEST} --quarantine aside")] {
        bench.refused(&command, &words);
    }
    assert!(!bench.path("aside").exists());
}

#[test]
fn broken_files_are_refused_with_the_line() {
    let bench = Bench::new();
    click_file(&bench, "a.csv", b"customer_id,item_id,click_time\n1,90,2026-01-01\n");
    bench.ok(INGEST);
    let before = dump(&bench.store());
    let header = "customer_id,item_id,click_time\n";
    let row = "1,10,2026-01-01T10:00:00Z\n";
    let csv = [header, row, row].concat();
    let line = "{\"customer_id\":1,\"item_id\":10,\"click_time\":\"2026-01-01T10:00:00Z\"}\n";

    broken(&bench, "x.csv", b"", &["it is empty, without even a header"]);
    broken(&bench, "x.csv", b"\n\n", &["it is empty, without even a header"]);
    let open = format!("{csv}1,\"10\n,2026-01-01T10:00:00Z\n{row}");
    broken(
        &bench,
        "x.csv",
        open.as_bytes(),
        &["the quote that opens a cell on line 4 is never closed", "correct that line"],
    );
    let open = format!("{csv}\"1\n\",\"\"\"10\n,2026-01-01T10:00:00Z\n{row}");
    broken(&bench, "x.csv", open.as_bytes(), &["the quote that opens a cell on line 5 is never closed"]);
    let utf_16: Vec<u8> = [0xfeff].into_iter().chain(csv.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    broken(&bench, "x.csv", &utf_16, &["UTF-16", "UTF-8"]);
    let words = ["no column click_time", "(it has: customer_id, item_id, other)"];
    broken(&bench, "x.csv", b"customer_id,item_id,other\n1,10,2026-01-01\n", &words);
    broken(
        &bench,
        "x.csv",
        b"customer_id;item_id;click_time\n1;10;2026-01-01\n",
        &["no column customer_id", "customer_id;item_id"],
    );
    let words = ["no column customer_id", r"(it has: Customer_ID, a\nb, click_time)"];
    broken(&bench, "x.csv", b"Customer_ID,\"a\nb\",click_time\n", &words);
    broken(&bench, "x.csv", b"customer_id,item_id,item_id,click_time\n", &["has two columns item_id"]);
    broken(
        &bench,
        "x.jsonl",
        b"{\"customer_id\":1,\"item\":10,\"click_time\":\"2026-01-01\"}\n",
        &["no column item_id", "(it has: customer_id, item, click_time)"],
    );
    broken(&bench, "x.json", format!("[{}]", line.trim()).as_bytes(), &["JSON array", "a line of its own"]);
    broken(&bench, "x.json", b" \n[\n{}\n]\n", &["JSON array"]);

    for (name, text) in [("x.csv.gz", &csv), ("x.jsonl.gz", &line.repeat(3))] {
        let words = ["cannot be read as gzip"];
        broken(&bench, name, text.as_bytes(), &words);
        broken(&bench, name, b"", &words);
        let whole = packed(name, text.as_bytes());
        for kept in [5, whole.len() / 2, whole.len() - 1] {
            broken(&bench, name, &whole[..kept], &["cannot be read as gzip", "it ends too early", "line "]);
        }
        let mut flipped = whole.clone();
        let checksum = flipped.len() - 6;
        flipped[checksum] ^= 1;
        broken(&bench, name, &flipped, &["cannot be read as gzip", "checksum", "in or after line 4"]);
        broken(&bench, name, &[&whole, &b"garbage behind it"[..]].concat(), &words);
    }
    for (name, text) in [("x.csv.zst", &csv), ("x.ndjson.zst", &line.repeat(3))] {
        let words = ["cannot be read as zstd"];
        broken(&bench, name, text.as_bytes(), &words);
        broken(&bench, name, b"", &words);
        let whole = packed(name, text.as_bytes());
        for kept in [3, whole.len() / 2, whole.len() - 1] {
            broken(&bench, name, &whole[..kept], &["cannot be read as zstd", "line "]);
        }
        broken(&bench, name, &[&whole, &b"garbage behind it"[..]].concat(), &words);
    }
    assert_eq!(dump(&bench.store()), before);
}

/// A file that was cut behind a block that can be read: the line that reading had come to.
#[test]
fn a_long_file_that_was_cut_names_the_line() {
    let bench = Bench::new();
    let text: String = (0..40_000)
        .map(|number| format!("{{\"customer_id\":{number},\"item_id\":1{number},\"click_time\":\"2026-01-01\"}}\n"))
        .collect();
    for name in ["x.jsonl.gz", "x.jsonl.zst"] {
        let whole = packed(name, text.as_bytes());
        click_file(&bench, name, &whole[..whole.len() * 3 / 4]);
        let ran = bench.run(INGEST);
        let (_, rest) = ran
            .stderr
            .split_once("it ends too early, in or after line ")
            .or_else(|| ran.stderr.split_once(", in or after line "))
            .unwrap();
        let line: u64 = rest.split_once(')').unwrap().0.parse().unwrap();
        assert!((10_000..40_000).contains(&line), "{}", ran.stderr);
        fs::remove_file(bench.input().join("clicks/dt=2026-01-01").join(name)).unwrap();
    }
}

/// Good files with some bytes changed, taken out or put in: read or refused, and nothing else; the lines of the rows
/// ascend.
#[test]
fn damaged_texts_never_panic() {
    let seed = seed(54);
    let mut random = Random::new(seed);
    let mut below = move |end: usize| usize::try_from(random.below(end as u64)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let list = r#"[{"item_id":5,"is_order":true},{"item_id":6}]"#;
    let quoted = list.replace('"', "\"\"");
    let csv = "note,customer_id,item_id,click_time,ranking_id,impressions\n".to_owned()
        + &format!("\"a,\nb\",1,\"10\",2026-01-01T10:00:00Z,é,\"{quoted}\"\r\n").repeat(30);
    let json = format!(
        "{{\"customer_id\":1,\"item_id\":10,\"click_time\":\"2026-01-01\",\"ranking_id\":\"\\u00e9\",\"impressions\":{list}}}\n"
    )
    .repeat(30);
    for (name, text) in [("x.csv", &csv), ("x.jsonl", &json), ("x.csv.gz", &csv), ("x.jsonl.zst", &json)] {
        let good = packed(name, text.as_bytes());
        let path = folder.path().join(name);
        let (mut read, mut refused) = (0, 0);
        for case in 0..1_500 {
            let mut bytes = good.clone();
            for _ in 0..[1, 2, 5, 20][below(4)] {
                let place = below(bytes.len());
                let byte = match below(3) {
                    0 => u8::try_from(below(256)).unwrap(),
                    _ => b"\"\n\r,{}[]:\\0-e\xef\xff"[below(15)],
                };
                match below(4) {
                    0 => drop(bytes.remove(place)),
                    1 => bytes.insert(place, byte),
                    2 if below(10) == 0 => bytes.truncate(place.max(30)),
                    _ => bytes[place] = byte,
                }
            }
            fs::write(&path, &bytes).unwrap();
            match std::panic::catch_unwind(|| read_both(name, &path)) {
                Ok(Ok(())) => read += 1,
                Ok(Err(error)) => {
                    refused += 1;
                    let error = error.to_string();
                    assert!(
                        error.contains(name) && error.lines().count() == 1,
                        "seed {seed}, {name} case {case}: {error}"
                    );
                }
                Err(_) => panic!("seed {seed}: {name} case {case} panics"),
            }
        }
        // What is compressed has a checksum, or nearly every change breaks it.
        let read_min = if good == text.as_bytes() { 20 } else { 0 };
        assert!(read > read_min && refused > 100, "{name}: {read} read, {refused} refused");
    }
}

/// Takes clicks and impressions of a file. Bad rows are errors too.
fn read_both(name: &str, path: &Path) -> lookback::error::Result<()> {
    let file = DayFile::new(name, path);
    let day = "2026-01-01".parse().unwrap();
    let mut last = 0;
    let mut bad = BadRows::new(QuarantineFolder::Actions, day, None);
    read_actions(
        &ActionSource::built_in("clicks").unwrap(),
        &file,
        &Zone::utc(),
        &Resources::default(),
        &mut bad,
        |line, _| {
            // A damaged line end puts two objects on a line, each of which is a row.
            assert!(line > last || line == last && name.contains("json"), "line {line} behind line {last}");
            last = line;
            Ok(())
        },
    )?;
    bad.finish()?;
    last = 0;
    let mut bad = BadRows::new(QuarantineFolder::Impressions, day, None);
    read_impressions(&ImpressionSource::default(), &file, &Resources::default(), &mut bad, |line, _| {
        assert!(line > last || line == last && name.contains("json"), "line {line} behind line {last}");
        last = line;
        Ok(())
    })?;
    bad.finish().map(|_| ())
}
