//! Files that are broken as a whole, or of another kind than their names say: refused by name, whatever `--quarantine`
//! says, and read by their bytes where these only say how they are packed.

use crate::support::program::{Bench, write_file};
use crate::support::text::packed;

const CSV: &str = "customer_id,item_id,click_time\n1,10,2026-01-01T10:00:00Z\n2,20,2026-01-01T11:00:00Z\n";
const JSON: &str = "{\"customer_id\":1,\"item_id\":10,\"click_time\":\"2026-01-01T10:00:00Z\"}\n{\"customer_id\":2,\"item_id\":20,\"click_time\":\"2026-01-01T11:00:00Z\"}\n";

const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-01";

fn with_file(name: &str, content: &[u8]) -> Bench {
    let bench = Bench::new();
    write_file(&bench.input().join("clicks/dt=2026-01-01").join(name), content);
    // Rows beside it do not make it sound.
    write_file(&bench.input().join("clicks/dt=2026-01-01/sound.csv"), CSV.replace("1,10", "3,30").as_bytes());
    bench
}

/// Refused by the name of the file, with and without a quarantine, and nothing is set aside.
fn refused(name: &str, content: &[u8], words: &[&str]) {
    let bench = with_file(name, content);
    let words: Vec<&str> = [name].iter().chain(words).copied().collect();
    bench.refused(INGEST, &words);
    bench.refused(&format!("{INGEST} --quarantine aside"), &words);
    assert!(!bench.store().exists() && !bench.path("aside").exists());
    let check = bench.run("config check --input input --dt 2026-01-01");
    assert_eq!(check.code, 1);
    let said = bench.run(INGEST);
    let sentence = said.said().trim_start_matches("error: ");
    assert!(check.stdout.contains(sentence), "{sentence}\n{}", check.stdout);
}

#[test]
fn what_is_packed_is_unpacked_whatever_its_name() {
    for (name, text) in [("a.csv", CSV), ("a.json", JSON), ("a.jsonl", JSON), ("a.csv.zst", CSV), ("a.ndjson.gz", JSON)]
    {
        for packing in [".gz", ".zst"] {
            let bench = with_file(name, &packed(packing, text.as_bytes()));
            let summary = bench.json(&format!("{INGEST} --quarantine aside"));
            assert_eq!((&summary["actions"], &summary["quarantined"]), (&4.into(), &0.into()), "{name} {packing}");
            bench.ok("config check --input input --dt 2026-01-01");
        }
    }
}

#[test]
fn another_kind_than_the_name_says_is_refused_by_name() {
    let parquet = {
        let bench = Bench::new();
        let ids: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::Int64Array::from(vec![1]));
        crate::support::input::write_parquet(&bench.path("x"), &[("customer_id", ids)]);
        std::fs::read(bench.path("x")).unwrap()
    };
    refused("a.csv", &parquet, &["is Parquet, but its name says CSV"]);
    refused("a.json", &parquet, &["is Parquet, but its name says JSON lines"]);
    refused("a.csv.gz", &packed(".gz", &parquet), &["its content is Parquet"]);
    refused("a.csv", &packed(".gz", &packed(".gz", CSV.as_bytes())), &["its content is gzip"]);
    refused("a.parquet", &packed(".gz", &parquet), &["is gzip, but its name says Parquet"]);
    refused("a.parquet", &packed(".zst", CSV.as_bytes()), &["is Zstandard, but its name says Parquet"]);
    refused("a.parquet", b"Obj\x01\x04\x14avro.codec\x08null", &["is Avro, but its name says Parquet"]);
    refused("a.json", b"PK\x03\x04\x14\0\0\0\x08\0", &["is a zip archive, but its name says JSON lines"]);
    refused("a.csv", b"ORC\n\x0b\n\x03\x00\x00", &["is ORC, which is read through Python only"]);
    refused("a.csv.gz", CSV.as_bytes(), &["cannot be read as gzip"]);
    refused("a.parquet", CSV.as_bytes(), &["cannot be read as Parquet"]);
}

#[test]
fn texts_in_other_encodings_are_refused_as_a_whole() {
    let units = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let wide = |text: &str, big: bool| -> Vec<u8> {
        let letters = text.chars().map(u32::from);
        letters.flat_map(|letter| if big { letter.to_be_bytes() } else { letter.to_le_bytes() }).collect()
    };
    for (name, text) in [("a.csv", CSV), ("a.json", JSON)] {
        for big in [false, true] {
            let marked = format!("\u{feff}{text}");
            refused(name, &units(&marked, big), &["its text is UTF-16", "write it in UTF-8"]);
            refused(name, &wide(&marked, big), &["its text is UTF-32"]);
            refused(name, &units(text, big), &["the row on line 1 has a NUL byte"]);
            refused(name, &wide(text, big), &["the row on line 1 has a NUL byte"]);
        }
        // As a file looks that was being written when its machine went down.
        let cut = [text.as_bytes(), &[0; 5_000]].concat();
        refused(name, &cut, &["has a NUL byte", "write the file again"]);
    }
}

#[test]
fn json_over_several_lines_is_refused_as_a_whole() {
    let pretty = "{\n  \"customer_id\": 1,\n  \"item_id\": 10,\n  \"click_time\": \"2026-01-01T10:00:00Z\"\n}\n";
    for content in [
        pretty.to_owned(),
        format!("\n\n{pretty}{pretty}"),
        pretty.replacen('\n', "\r\n", 9),
        pretty.replacen("{\n", "{", 1),
    ] {
        refused("a.json", content.as_bytes(), &["its first object spans several lines"]);
    }
    refused("a.json", format!("[\n{pretty}]\n").as_bytes(), &["begins with a JSON array"]);
    // A line that was cut off is one bad row.
    let bench = with_file("a.json", format!("{{\"customer_id\":9,\n{JSON}").as_bytes());
    assert_eq!(bench.json(&format!("{INGEST} --quarantine aside"))["quarantined"], 1);
}

#[test]
fn a_text_without_one_good_row_goes_to_no_quarantine() {
    let words = ["a.csv has no readable row", "a.csv line 2 column customer_id is not an integer (\"x\")"];
    let rows = "customer_id,item_id,click_time\nx,10,2026-01-01T10:00:00Z\ny,20,2026-01-01T11:00:00Z\n";
    let bench = with_file("a.csv", rows.as_bytes());
    bench.refused(&format!("{INGEST} --quarantine aside"), &words);
    assert!(!bench.store().exists() && !bench.path("aside").exists());
    bench.refused(INGEST, &["have 2 bad rows", words[1]]);
    // One good row, or none at all, makes a file of this kind.
    let bench = with_file("a.csv", format!("{rows}1,10,2026-01-01T10:00:00Z\n").as_bytes());
    assert_eq!(bench.json(&format!("{INGEST} --quarantine aside"))["quarantined"], 2);
    let bench = with_file("a.csv", b"customer_id,item_id,click_time\n");
    bench.ok(&format!("{INGEST} --quarantine aside"));
    write_file(
        &bench.input().join("impressions/dt=2026-01-02/a.jsonl"),
        b"{\"customer_id\":\"x\",\"impressions\":[{\"item_id\":1}]}\n",
    );
    let produce = "produce --store store --input input --dt 2026-01-02 --out out --quarantine aside";
    bench.refused(produce, &["a.jsonl has no readable row", "column customer_id is not an integer"]);
    assert!(!bench.path("aside/impressions").exists() && !bench.out().join("dt=2026-01-02").exists());
}
