//! `--memory-limit` and text files that are made to break it.

use std::fs;
use std::io::Write;

use crate::memory::{DAY, LIMIT, clicks_file, measured, one_batch, refused};
use crate::support::output::dump;
use crate::support::program::{Bench, write_file};
use crate::support::text::packed;

const HEADER: &str = "customer_id,item_id,click_time\n";

fn ingest() -> String {
    format!("ingest --store store --input input --dt {DAY}")
}

/// A bench whose batch is this file alone.
fn with_file(name: &str, content: &[u8]) -> Bench {
    let bench = one_batch();
    fs::remove_dir_all(bench.input().join("clicks")).unwrap();
    write_file(&bench.input().join(clicks_file(name)), content);
    bench
}

/// A small file that becomes `text` and then `mebibytes` of one byte.
fn bomb(name: &str, text: &str, byte: u8, mebibytes: usize) -> Vec<u8> {
    let part = vec![byte; 1 << 20];
    let mut parts = vec![text.as_bytes()];
    parts.extend(std::iter::repeat_n(part.as_slice(), mebibytes));
    if name.ends_with(".zst") {
        let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
        parts.iter().for_each(|part| zstd.write_all(part).unwrap());
        return zstd.finish().unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    parts.iter().for_each(|part| gzip.write_all(part).unwrap());
    gzip.finish().unwrap()
}

#[test]
fn a_line_that_never_ends_is_refused() {
    let row = "1,2,2026-01-01T10:00:00Z\n";
    let object = "{\"customer_id\":1,\"item_id\":2,\"click_time\":\"2026-01-01\"}\n";
    for (name, text, line) in [
        ("x.csv.gz", String::new(), 1),
        ("x.csv.zst", [HEADER, row].concat(), 3),
        ("x.csv.gz", [HEADER, row, "\"\n"].concat(), 3),
        ("x.jsonl.zst", String::new(), 1),
        ("x.json.gz", [object, object, "{\"customer_id\":"].concat(), 3),
    ] {
        let content = bomb(name, &text, b'1', 300);
        assert!(content.len() < 4 << 20, "a small file");
        let bench = with_file(name, &content);
        let words = [
            name,
            &format!("begins on line {line} has more bytes than the memory limit allows ({})", LIMIT / 64),
            "--memory-limit",
        ];
        refused(&bench, &ingest(), &words);
    }
}

#[test]
fn a_quote_that_swallows_the_lines_behind_it_is_refused() {
    let rows = "1,2,2026-01-01T10:00:00Z\n".repeat(200_000);
    let bench = with_file("x.csv", format!("{HEADER}1,\"2,2026-01-01T10:00:00Z\n{rows}").as_bytes());
    refused(&bench, &ingest(), &["x.csv", "begins on line 2 has more bytes than", "is a quote in it never closed?"]);
}

#[test]
fn a_window_of_zstd_that_is_too_large_is_refused() {
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    zstd.window_log(27).unwrap();
    zstd.write_all(HEADER.as_bytes()).unwrap();
    let bench = with_file("x.csv.zst", &zstd.finish().unwrap());
    refused(&bench, &ingest(), &["x.csv.zst", "a window of 8388608 bytes", "--memory-limit"]);
}

/// Lines as long as they may be, of what takes most room when it is told: bad ones, and a list.
#[test]
fn long_lines_are_read_within_the_limit() {
    let long = usize::try_from(LIMIT / 64).unwrap() - 100;
    let junk = vec![1; long];
    let mut text = HEADER.as_bytes().to_vec();
    for _ in 0..40 {
        text.extend_from_slice(&junk);
        text.push(b'\n');
    }
    text.extend_from_slice(b"1,20,2026-01-01T11:00:00Z");
    let bench = with_file("x.csv.zst", &packed("x.csv.zst", &text));
    refused(&bench, &ingest(), &["40 bad rows", "x.csv.zst line 2 has 1 cell where the header has 3, "]);
    let (ran, peak) = measured(&bench, &format!("{} --quarantine aside", ingest()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);
    assert!(bench.ok("show --store store --customer 1").stdout.contains(" 20\n"));

    let deep = format!(
        "{{\"customer_id\":1,\"item_id\":30,\"click_time\":\"2026-01-01\",\"x\":{}{}}}",
        "[".repeat(long / 3),
        "]".repeat(long / 3)
    );
    let names: String = (0..long / 11).map(|number| format!("\"{number:06}\":0,")).collect();
    let many = format!("{{{names}\"customer_id\":1,\"item_id\":31,\"click_time\":\"2026-01-01\"}}");
    let bench = with_file("x.jsonl", format!("{deep}\n{many}\n").as_bytes());
    let (ran, peak) = measured(&bench, &ingest());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);

    let before = dump(&bench.store());
    let elements = "{\"item_id\":1},".repeat(long / 14 - 10);
    let lists = format!("{{\"customer_id\":1,\"impressions\":[{elements}{{\"item_id\":2}}]}}\n").repeat(6);
    let path = bench.input().join("impressions/dt=2026-01-02/x.jsonl");
    write_file(&path, lists.as_bytes());
    let (ran, peak) = measured(&bench, "produce --store store --input input --dt 2026-01-02 --out out --max-history 1");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);
    let nulls = format!("{{\"customer_id\":1,\"impressions\":[{}null]}}\n", "{},".repeat(long / 3 - 20)).repeat(6);
    write_file(&path, nulls.as_bytes());
    let words = ["6 bad rows", "x.jsonl line 1 column impressions.item_id is null"];
    refused(&bench, "produce --store store --input input --dt 2026-01-02 --out other", &words);
    assert_eq!(dump(&bench.store()), before);
}
