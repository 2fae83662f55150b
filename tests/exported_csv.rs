//! CSV as programs export it: the same rows in each dialect make the same store and the same rows.

use std::fmt::Write;

use serde_json::json;

use crate::support::output::{Entries, dump, read_partition, tree};
use crate::support::program::{Bench, write_file};
use crate::support::text::packed;

const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-02";
const PRODUCE: &str = "produce --store store --input input --dt 2026-01-03 --out out";

/// How a program writes CSV, and what `lookback.toml` says of it.
#[derive(Clone, Copy)]
struct Form {
    name: &'static str,
    separator: char,
    quote: Option<char>,
    escape: Option<char>,
    null: &'static str,
    header: bool,
    before: &'static [u8],
    line_end: &'static str,
    toml: &'static str,
}

const DEFAULT: Form = Form {
    name: "a.csv",
    separator: ',',
    quote: Some('"'),
    escape: None,
    null: "",
    header: true,
    before: b"",
    line_end: "\n",
    toml: "",
};

const BY_NUMBER: &str = "[csv]\nheader = false\n[sources.clicks]\n\
    columns = { customer_id = \"2\", item_id = \"3\", time = \"4\" }\n\
    [impressions]\ncolumns = { ranking_id = \"1\", customer_id = \"2\", impressions = \"3\" }\n";

fn forms() -> Vec<Form> {
    let tabs = Form { separator: '\t', ..DEFAULT };
    let hive = "separator = \"\\u0001\"\nquote = \"\"\nescape = \"\\\\\"\nnull = [\"\\\\N\"]\n";
    let hive: &'static str = BY_NUMBER.replacen("[csv]\n", &format!("[csv]\n{hive}"), 1).leak();
    vec![
        Form { name: "a.tsv", ..tabs },
        Form { name: "A.TSV.GZ", ..tabs },
        Form { name: "a.tsv.zst", ..tabs },
        Form { toml: "[csv]\nseparator = \"\\t\"\n", ..tabs },
        // Excel in most of Europe.
        Form {
            separator: ';',
            before: "\u{feff}".as_bytes(),
            line_end: "\r\n",
            toml: "[csv]\nseparator = \";\"\n",
            ..DEFAULT
        },
        // A first line for Excel, which names the separator, in any kind of file.
        Form { separator: ';', before: "\u{feff}sep=;\r\n".as_bytes(), line_end: "\r\n", ..DEFAULT },
        Form { name: "a.csv.gz", separator: '|', before: b"SEP=|\n", ..DEFAULT },
        Form { name: "a.csv.zst", before: b"sep=,\r\n", ..DEFAULT },
        Form { name: "a.tsv", separator: ';', before: b"sep=;\n", ..DEFAULT },
        Form {
            before: b"sep=\t\n",
            toml: "[csv]\nseparator = \"\\t\"\nescape = \"\\\\\"\n",
            escape: Some('\\'),
            ..tabs
        },
        Form { separator: ';', before: b"sep=;\n", header: false, toml: BY_NUMBER, ..DEFAULT },
        // A separator that is given counts for every name.
        Form { name: "a.tsv", separator: '|', toml: "[csv]\nseparator = \"|\"\n", ..DEFAULT },
        // Spark's default, and Spark as it is often told to write.
        Form { escape: Some('\\'), toml: "[csv]\nescape = \"\\\\\"\n", ..DEFAULT },
        Form { toml: "[csv]\nescape = \"\\\"\"\n", ..DEFAULT },
        Form { quote: Some('\''), null: "NULL", toml: "[csv]\nquote = \"'\"\nnull = [\"NULL\"]\n", ..DEFAULT },
        Form { null: "\\N", toml: "[csv]\nnull = [\"NULL\", \"\\\\N\"]\n", ..tabs }.named("a.tsv"),
        Form { null: "\"NULL\"", toml: "[csv]\nnull = [\"NULL\"]\n", ..DEFAULT },
        Form { header: false, toml: BY_NUMBER, ..DEFAULT },
        // Hive's text tables.
        Form { separator: '\u{1}', quote: None, escape: Some('\\'), null: "\\N", header: false, toml: hive, ..DEFAULT },
    ]
}

impl Form {
    fn named(self, name: &'static str) -> Self {
        Form { name, ..self }
    }

    fn cell(&self, text: Option<&str>) -> String {
        let Some(text) = text else { return self.null.to_owned() };
        let escaped = |specials: &[char]| -> String {
            let escape = self.escape.unwrap();
            text.chars()
                .flat_map(|letter| specials.contains(&letter).then_some(escape).into_iter().chain([letter]))
                .collect()
        };
        match self.quote {
            None => escaped(&[self.separator, '\\', '\n']),
            Some(quote) if text.is_empty() || text.contains([self.separator, quote, '\n', '\r']) => {
                let inside = if self.escape.is_some() {
                    escaped(&[quote, '\\'])
                } else {
                    text.replace(quote, &format!("{quote}{quote}"))
                };
                format!("{quote}{inside}{quote}")
            }
            Some(_) => text.to_owned(),
        }
    }

    fn file(&self, header: &[&str], rows: &[Vec<Option<String>>]) -> Vec<u8> {
        let mut text = String::new();
        if self.header {
            text += &(header.join(&self.separator.to_string()) + self.line_end);
        }
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| self.cell(cell.as_deref())).collect();
            write!(text, "{}{}", cells.join(&self.separator.to_string()), self.line_end).unwrap();
        }
        packed(&self.name.to_lowercase(), &[self.before, text.as_bytes()].concat())
    }
}

const TITLES: [Option<&str>; 10] = [
    Some("plain"),
    None,
    Some("a, b; c|d\te"),
    Some("\"in quotes\", it's"),
    Some("back\\slash, \"\\\" and \\\\"),
    Some("'"),
    Some("two\nlines\n\"of\" text, and more"),
    Some("C:\\path\\N"),
    Some("null"),
    Some(" é😀 "),
];

/// A store and rows from files of this form.
fn made(form: &Form) -> Bench {
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), form.toml.as_bytes());
    let clicks: Vec<Vec<Option<String>>> = TITLES
        .iter()
        .enumerate()
        .map(|(number, title)| {
            let time = format!("2026-01-02T10:{number:02}:00Z");
            vec![
                title.map(str::to_owned),
                Some((number % 3 + 1).to_string()),
                Some((10 + number).to_string()),
                Some(time),
            ]
        })
        .collect();
    let lists = ["[{\"item_id\":5,\"is_order\":true},{\"item_id\":6,\"is_order\":false}]", "[{\"item_id\": 7}]"];
    let shown: Vec<Vec<Option<String>>> = TITLES
        .iter()
        .enumerate()
        .map(|(number, title)| {
            let list = lists.get(number % 3).map(|list| (*list).to_owned());
            vec![title.map(str::to_owned), Some((number % 3 + 1).to_string()), list]
        })
        .collect();
    let file = |folder: &str, day: &str| bench.input().join(format!("{folder}/dt={day}/{}", form.name));
    let header = ["title", "customer_id", "item_id", "click_time"];
    write_file(&file("clicks", "2026-01-02"), &form.file(&header, &clicks));
    let header = ["ranking_id", "customer_id", "impressions"];
    write_file(&file("impressions", "2026-01-03"), &form.file(&header, &shown));
    bench.ok(INGEST);
    bench.ok(PRODUCE);
    bench
}

/// What a store holds, apart from the record of its batch, and the part files of the rows.
fn content(bench: &Bench) -> (Entries, Vec<(String, Vec<u8>)>) {
    let mut entries = dump(&bench.store());
    entries.retain(|(key, _)| key[0] != 0x14);
    let parts = tree(&bench.out()).into_iter().filter(|(name, _)| name.contains("part-"));
    (entries, parts.collect())
}

#[test]
fn each_dialect_gives_what_plain_csv_gives() {
    let plain = made(&DEFAULT);
    let rows = read_partition(&plain.out(), "2026-01-03");
    assert_eq!(rows.len(), 11);
    let names: Vec<Option<&str>> = rows.iter().map(|row| row.ranking_id.as_deref()).collect();
    for title in [TITLES[1], TITLES[3], TITLES[4], TITLES[6]] {
        assert!(names.contains(&title), "{title:?} in {names:?}");
    }
    for form in forms() {
        let bench = made(&form);
        assert!(content(&bench) == content(&plain), "{} of {:?}", form.name, form.toml);
        bench.ok("audit --store store --input input --dt 2026-01-03 --out out");
    }
}

/// The dialect determines what a batch brings, and what rows rest on.
#[test]
fn another_dialect_is_another_batch() {
    let bench = made(&DEFAULT);
    let range = "backfill --store store --input input --from 2026-01-02 --to 2026-01-03 --out out";
    let toml = |text: &str| write_file(&bench.input().join("lookback.toml"), text.as_bytes());
    let plan = |bench: &Bench| bench.json(&format!("{range} --dry-run"));
    // What is said of another kind of file, and what says the default, change nothing.
    for same in ["", "[csv]\nheader = true\nquote = \"\\\"\"\nescape = \"\"\nnull = []\n", "[csv]\n"] {
        toml(same);
        assert_eq!(plan(&bench)["to_ingest"], json!([]), "{same}");
    }
    for other in ["separator = \",\"", "escape = \"\\\\\"", "null = [\"null\"]", "quote = \"'\""] {
        toml(&format!("[csv]\n{other}\n"));
        assert_eq!(plan(&bench)["to_ingest"], json!([["2026-01-02", "changed"]]), "{other}");
    }
    toml("[csv]\nnull = [\"null\"]\n");
    let done = bench.json(range);
    assert_eq!((&done["ingested"][0]["replaced"], &done["produced"][0]["kept"]), (&json!(true), &json!(false)));
    let rows = read_partition(&bench.out(), "2026-01-03");
    assert!(rows.iter().all(|row| row.ranking_id.as_deref() != Some("null")), "the text is null now");
    let check = bench.json("config check --input input");
    assert_eq!(check["csv"]["null"], json!(["null"]));
}

fn clicks(bench: &Bench, name: &str, content: &[u8]) {
    write_file(&bench.input().join("clicks/dt=2026-01-02").join(name), content);
}

#[test]
fn files_without_a_header() {
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), BY_NUMBER.as_bytes());
    clicks(
        &bench,
        "a.csv",
        b"\r\nx,1,10,2026-01-02T10:00:00Z\n\n1,20,2026-01-02T11:00:00Z\nx,1,20,2026-01-02T11:00:00Z\n",
    );
    bench.refused(INGEST, &["a.csv line 4 has 3 cells where the first row has 4"]);
    // A row with as many cells as the others, but a wrong one.
    clicks(&bench, "a.csv", b"x,1,10,2026-01-02T10:00:00Z\nx,1,b,2026-01-02T11:00:00Z\n");
    bench.refused(INGEST, &["a.csv line 2 column 3 is not an integer (\"b\")"]);
    // Hive and Spark write files without any row.
    clicks(&bench, "a.csv", b"x,1,10,2026-01-02T10:00:00Z");
    clicks(&bench, "b.csv", b"");
    clicks(&bench, "c.csv", b"\n\n");
    assert!(bench.ok(INGEST).said().contains("1 action "), "one row");
    clicks(&bench, "d.csv", b"1,10\n");
    bench.refused(INGEST, &["d.csv has no column 3 (it has: 1, 2)"]);
    // Without a configuration the first row is the header, as ever.
    std::fs::remove_file(bench.input().join("lookback.toml")).unwrap();
    bench.refused(INGEST, &["a.csv has no column customer_id (it has: x, 1, 10, 2026-01-02T10:00:00Z)"]);
    std::fs::remove_file(bench.input().join("clicks/dt=2026-01-02/a.csv")).unwrap();
    bench.refused(INGEST, &["b.csv cannot be read: it is empty, without even a header"]);
}

#[test]
fn another_separator_or_encoding_is_refused_by_name() {
    for (separator, given) in [(";", ";"), ("\t", "\\t"), ("|", "|")] {
        let bench = Bench::new();
        let header = ["customer_id", "item_id", "click_time"].join(separator);
        clicks(&bench, "a.csv", format!("{header}\n").as_bytes());
        let remedy = format!("or give separator = \"{given}\" in [csv] of lookback.toml");
        bench.refused(INGEST, &["a.csv has no column customer_id (it has: customer_id", &remedy]);
    }
    let bench = Bench::new();
    clicks(&bench, "a.tsv", b"customer_id,item_id,click_time\n");
    bench.refused(INGEST, &["a.tsv has no column customer_id", "separator = \",\" in [csv]"]);
    // What Excel calls "Unicode text".
    let wide = "\u{feff}customer_id\titem_id\tclick_time\r\n".encode_utf16().flat_map(u16::to_le_bytes);
    clicks(&bench, "a.tsv", &wide.collect::<Vec<u8>>());
    bench.refused(INGEST, &["a.tsv cannot be read: its text is UTF-16", "write it in UTF-8"]);
}

/// An escape that hides where a row ends makes bad rows or a broken file, never other rows in silence.
#[test]
fn faults_of_quotes_and_escapes() {
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), b"[csv]\nescape = \"\\\\\"\n");
    let header = "note,customer_id,item_id,click_time\n";
    let row = ",1,10,2026-01-02T10:00:00Z\n";
    clicks(&bench, "a.csv", format!("{header}a\\{row}b\\\n{row}").as_bytes());
    bench.refused(INGEST, &["1 bad row: ", "a.csv line 2 has 3 cells where the header has 4"]);
    clicks(&bench, "a.csv", format!("{header}\"a\\\"{row}{row}").as_bytes());
    bench.refused(INGEST, &["a.csv cannot be read: the quote that opens a cell on line 2 is never closed"]);
    clicks(&bench, "a.csv", format!("{header}\"a\\\"\n\\\n\"{row}\"b\"c{row}").as_bytes());
    bench.refused(INGEST, &["1 bad row: ", "a.csv line 5 has something after the quote that closes a cell"]);
    // Without quotes none is ever open.
    write_file(&bench.input().join("lookback.toml"), b"[csv]\nquote = \"\"\n");
    clicks(&bench, "a.csv", format!("{header}\"a{row}b\"{row}").as_bytes());
    assert!(bench.ok(INGEST).said().contains("2 actions "), "two rows");
}

/// A first line that names the separator is no row, and holds unless the configuration contradicts it.
#[test]
fn a_first_line_that_names_the_separator() {
    let bench = Bench::new();
    let toml = |text: &str| write_file(&bench.input().join("lookback.toml"), text.as_bytes());
    let rows = "customer_id;item_id;click_time\n7;11;2026-01-02T10:00:00Z\n";
    clicks(&bench, "a.csv", format!("sep=;\n{rows}7;x;2026-01-02T10:00:00Z\n").as_bytes());
    bench.refused(INGEST, &["a.csv line 4 column item_id is not an integer (\"x\")"]);
    for (name, text) in [("a.csv", "sep=;"), ("a.csv.gz", "sep=;\r\n"), ("a.csv.zst", "Sep=;\n")] {
        let file = packed(name, format!("{text}\n{rows}").trim_end().as_bytes());
        clicks(&bench, "a.csv", &file);
        for (text, given) in [
            ("separator = \",\"", "separator in [csv] is ','"),
            ("quote = \";\"", "quote in [csv] is ';'"),
            ("escape = \";\"", "escape in [csv] is ';'"),
        ] {
            toml(&format!("[csv]\n{text}\n"));
            let cause = format!("its first line names the separator ';', but {given}");
            bench.refused(INGEST, &["a.csv cannot be read: ", &cause, "correct that line, or [csv] in lookback.toml"]);
        }
        toml("[csv]\nseparator = \";\"\n");
        assert!(bench.ok("config check --input input --dt 2026-01-02").stdout.contains("1 file of "));
    }
    toml("");
    // The line alone is a file without a header, and other first lines are headers.
    clicks(&bench, "a.csv", b"sep=;");
    bench.refused(INGEST, &["a.csv cannot be read: it is empty, without even a header"]);
    for other in ["sep=", "sep=;;", "sep=\u{e9}", " sep=;", "sep =;", "\nsep=;"] {
        clicks(&bench, "a.csv", format!("{other}\n{rows}").as_bytes());
        bench.refused(INGEST, &["a.csv has no column customer_id (it has: sep"]);
    }
    clicks(&bench, "a.csv", format!("sep=;\n{rows}").as_bytes());
    assert!(bench.ok(INGEST).said().contains("1 action "), "one row");
}
