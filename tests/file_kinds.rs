//! What kind of file it is: by the configuration, by its name, and where neither says it by its first bytes.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use crate::support::input::write_parquet;
use crate::support::program::{Bench, write_file};
use crate::support::text::packed;

const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-02";
const CSV: &str = "customer_id,item_id,click_time\n7,12,2026-01-02T10:00:00Z\n";
const JSON: &str = "{\"customer_id\":7,\"item_id\":12,\"click_time\":\"2026-01-02T10:00:00Z\"}\n";

fn parquet(bench: &Bench) -> Vec<u8> {
    let path = bench.path("made.parquet");
    let ids = |id: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![id])) };
    let times: ArrayRef = Arc::new(StringArray::from(vec!["2026-01-02T10:00:00Z"]));
    write_parquet(&path, &[("customer_id", ids(7)), ("item_id", ids(12)), ("click_time", times)]);
    fs::read(path).unwrap()
}

fn configure(bench: &Bench, text: &str) {
    write_file(&bench.input().join("lookback.toml"), text.as_bytes());
}

/// A clicks folder with this file alone.
fn put(bench: &Bench, name: &str, content: &[u8]) {
    let folder = bench.input().join("clicks/dt=2026-01-02");
    let _ = fs::remove_dir_all(&folder);
    write_file(&folder.join(name), content);
}

/// One action of customer 7 and item 12, and `config check` has nothing against it.
fn taken(bench: &Bench) {
    let _ = fs::remove_dir_all(bench.store());
    assert_eq!(bench.json(INGEST)["actions"], 1);
    bench.ok("config check --input input --dt 2026-01-02");
    let shown = bench.ok("show --store store --customer 7").stdout;
    assert!(shown.contains(" 12\n"), "{shown}");
}

/// Refused in the same sentence by all commands, and whatever `--quarantine` says.
fn refused(bench: &Bench, words: &[&str]) {
    let _ = fs::remove_dir_all(bench.store());
    bench.refused(INGEST, words);
    bench.refused(&format!("{INGEST} --quarantine aside"), words);
    bench.refused("backfill --store store --input input --from 2026-01-02 --to 2026-01-02", words);
    let check = bench.run("config check --input input --dt 2026-01-02");
    assert!(check.code == 1 && words.iter().all(|word| check.stdout.contains(word)), "{}", check.stdout);
    assert!(!bench.path("aside").exists());
}

#[test]
fn a_file_without_an_ending_is_parquet_where_it_begins_so() {
    let bench = Bench::new();
    let content = parquet(&bench);
    for name in [
        "000000_0",
        "000001_0_copy_1",
        "20260103_021500_00037_v74wa_1ad6f92e-a1e0-471e-933c",
        "part-0.c000",
        "deep/1.2/x",
    ] {
        put(&bench, name, &content);
        taken(&bench);
    }
    let unsupported = ["has an unsupported type", "or say the format of its source in lookback.toml"];
    for content in [CSV.as_bytes(), JSON.as_bytes(), b"", b"PAR1,customer_id\n7,2\n"] {
        put(&bench, "000000_0", content);
        refused(&bench, &[&["000000_0"][..], &unsupported].concat());
    }
    put(&bench, "000000_0", b"Obj\x01\x04\x14avro.codec\x08null");
    refused(&bench, &["000000_0 has an unsupported type"]);
    put(&bench, "000000_0", &content[..content.len() - 9]);
    refused(&bench, &["000000_0 cannot be read as Parquet"]);
    for (packing, kind) in [(".gz", "gzip"), (".zst", "Zstandard")] {
        for content in [CSV.as_bytes(), &content] {
            put(&bench, "000000_0", &packed(packing, content));
            let said = format!("000000_0 is {kind}, and its name does not say of what");
            refused(&bench, &[&said, "rename it to end in .csv.gz or .jsonl.gz, or say the format"]);
        }
    }
}

#[test]
fn a_format_that_is_said_wins_over_the_name() {
    let bench = Bench::new();
    let content = parquet(&bench);
    configure(&bench, "[sources.clicks]\nformat = \"parquet\"\n");
    for name in ["000000_0", "a.csv", "a.parquet", "a.gz", "a.json"] {
        put(&bench, name, &content);
        taken(&bench);
    }
    put(&bench, "a.parquet", CSV.as_bytes());
    refused(&bench, &["a.parquet cannot be read as Parquet"]);
    put(&bench, "a.csv", &packed(".gz", CSV.as_bytes()));
    refused(&bench, &["a.csv is gzip, but its format in the configuration says Parquet"]);
    for (format, text) in [("csv", CSV), ("json", JSON)] {
        configure(&bench, &format!("[sources.clicks]\nformat = \"{format}\"\n"));
        for name in ["000000_0", "a.parquet", "a.csv", "a.json", "a.txt", "a.orc"] {
            put(&bench, name, text.as_bytes());
            taken(&bench);
            for packing in [".gz", ".zst"] {
                put(&bench, name, &packed(packing, text.as_bytes()));
                taken(&bench);
                put(&bench, &format!("{name}{packing}"), &packed(packing, text.as_bytes()));
                taken(&bench);
            }
        }
        put(&bench, "a.parquet", &content);
        let says = if format == "csv" { "CSV" } else { "JSON lines" };
        refused(&bench, &[&format!("a.parquet is Parquet, but its format in the configuration says {says}")]);
        // A row is named by its line, as of a file that its name tells.
        put(&bench, "000000_0", text.replace("10:00:00Z", "").as_bytes());
        let line = if format == "csv" { 2 } else { 1 };
        bench.refused(INGEST, &[&format!("000000_0 line {line} column click_time")]);
        bench.refused(&format!("{INGEST} --quarantine aside"), &["000000_0 has no readable row"]);
    }
    let shown = bench.ok("config check --input input").stdout;
    assert!(shown.contains("  files are json\n"), "{shown}");
    assert_eq!(bench.json("config check --input input")["sources"][0]["format"], "json");
}

#[test]
fn impressions_have_a_format_too() {
    let bench = Bench::new();
    put(&bench, "a.csv", CSV.as_bytes());
    bench.ok(INGEST);
    let shown = "{\"customer_id\":7,\"impressions\":[{\"item_id\":12,\"is_order\":1}]}\n";
    write_file(&bench.input().join("impressions/dt=2026-01-03/000000_0"), shown.as_bytes());
    let produce = "produce --store store --input input --dt 2026-01-03 --out out";
    bench.refused(produce, &["impressions/dt=2026-01-03/000000_0 has an unsupported type"]);
    configure(&bench, "[impressions]\nformat = \"json\"\n");
    assert_eq!(bench.json(produce)["rows"], 1);
    bench.ok("audit --store store --input input --dt 2026-01-03 --out out");
    let vocabulary = "vocabulary --input input --from 2026-01-03 --to 2026-01-03 --of items --out items";
    bench.ok(vocabulary);
    // A format is no part of what a batch or a partition rests on: the rows are the same.
    configure(
        &bench,
        "[sources.clicks]\nformat = \"csv\"\n[sources.add_to_carts]\n[sources.orders]\n[impressions]\nformat = \"json\"\n",
    );
    let plan = bench.json("backfill --store store --input input --from 2026-01-02 --to 2026-01-03 --out out --dry-run");
    assert_eq!(plan["to_ingest"], serde_json::json!([]));
    configure(&bench, "[impressions]\nformat = \"jsonl\"\n");
    let words = ["lookback.toml line 2", "\"jsonl\" is not a format of files", "the nearest is json"];
    bench.refused(produce, &words);
    configure(&bench, "[impressions]\nfromat = \"json\"\n");
    bench.refused(produce, &["the nearest is format"]);
}

#[test]
fn orc_is_refused_with_the_way_through_python() {
    let bench = Bench::new();
    let way = ["is ORC", "lookback.ingest(store, dt=..., clicks=pyarrow.orc.read_table(...))"];
    let orc = b"ORC\n\x0b\n\x03\x00\x00";
    for (name, content) in [("a.orc", &orc[..]), ("A.ORC", b""), ("000000_0", orc), ("a.parquet", orc), ("a.csv", orc)]
    {
        put(&bench, name, content);
        refused(&bench, &[&[name][..], &way].concat());
    }
    configure(&bench, "[sources.clicks]\nformat = \"parquet\"\n");
    put(&bench, "a.orc", orc);
    refused(&bench, &way);
}

#[test]
fn empty_files_that_stand_for_a_folder_are_no_data() {
    let bench = Bench::new();
    put(&bench, "a.csv", CSV.as_bytes());
    let folder = bench.input().join("clicks/dt=2026-01-02");
    write_file(&folder.join("deep_$folder$"), b"");
    write_file(&folder.join("dt=2026-01-02_$folder$"), b"");
    write_file(&bench.input().join("clicks/dt=2026-01-02_$folder$"), b"");
    taken(&bench);
    configure(&bench, "[sources.clicks]\npattern = \"clicks/dt={dt}*\"\n");
    taken(&bench);
    // With content it is a file like any other.
    write_file(&folder.join("deep_$folder$"), CSV.as_bytes());
    refused(&bench, &["deep_$folder$ has an unsupported type"]);
}

#[test]
fn months_and_days_without_a_zero() {
    let bench = Bench::new();
    let pattern = "year={yyyy}/month={m}/day={d}";
    configure(
        &bench,
        &format!(
            "[sources.clicks]\npattern = \"clicks/{pattern}\"\n[impressions]\npattern = \"{{m}}/{{d}}/{{yyyy}}.jsonl\"\n"
        ),
    );
    for (folder, item) in [
        ("month=1/day=2", 2),
        ("month=1/day=12", 12),
        ("month=1/day=02", 92),
        ("month=01/day=2", 93),
        ("month=12/day=2", 94),
    ] {
        let text = CSV.replace("12,2026", &format!("{item},2026"));
        write_file(&bench.input().join(format!("clicks/year=2026/{folder}/a.csv")), text.as_bytes());
    }
    write_file(&bench.input().join("1/13/2026.jsonl"), b"{\"customer_id\":7,\"impressions\":[{\"item_id\":1}]}\n");
    for day in ["2026-01-02", "2026-01-12"] {
        bench.ok(&format!("backfill --store store --input input --from {day} --to {day}"));
    }
    assert_eq!(bench.json("produce --store store --input input --dt 2026-01-13 --out out --allow-gaps")["rows"], 1);
    let shown = bench.ok("show --store store --customer 7").stdout;
    let items: Vec<&str> = shown.lines().filter_map(|line| line.split_whitespace().last()).collect();
    assert!(items.contains(&"2") && items.contains(&"12"), "{shown}");
    assert!(["92", "93", "94"].iter().all(|item| !items.contains(item)), "{shown}");
    configure(&bench, "[sources.clicks]\npattern = \"clicks/{yyyy}/{m}{d}\"\n");
    let words = ["lookback.toml line 2", "the part \"{m}{d}\"", "would match other days too"];
    bench.refused("config check --input input", &words);
    configure(&bench, "[sources.clicks]\npattern = \"clicks/{yyyy}/{m}/{d}*\"\n");
    bench.refused("config check --input input", &["the part \"{d}*\"", "would match other days too"]);
}
