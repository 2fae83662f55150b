//! The documents of versions: what they say, and what the first ones did not say.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::{json, run};
use crate::support::program::{Bench, write_file};

/// Returns the document of a version.
fn read(bench: &Bench, store: &str, number: u32) -> Value {
    let bytes = std::fs::read(bench.path(&format!("{store}/versions/{number:06}.json"))).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Writes the document of a version, with its checksum.
fn write(bench: &Bench, store: &str, number: u32, document: &Value) {
    let mut document = document.clone();
    document.as_object_mut().unwrap().remove("checksum");
    let text = document.to_string();
    let text = text.strip_suffix('}').unwrap();
    let checksum = format!("{:032x}", xxh3_128(text.as_bytes()));
    let whole = format!("{text},\"checksum\":\"{checksum}\"}}\n");
    std::fs::write(bench.path(&format!("{store}/versions/{number:06}.json")), whole).unwrap();
}

/// A sharded store whose customers are texts, of one batch.
fn with_texts() -> Bench {
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), b"[ids]\ncustomer = \"text\"\nitem = \"text\"\n");
    let clicks = (0..40).map(|number| format!("U{number},N{number},2026-01-01\n")).collect::<String>();
    let clicks = format!("customer_id,item_id,click_time\n{clicks}");
    write_file(&bench.input().join("clicks/dt=2026-01-01/a.csv"), clicks.as_bytes());
    json(&bench, None, "shards init --store place --shards 4");
    json(&bench, None, "shards ingest --store place --input input --dt 2026-01-01");
    bench
}

#[test]
fn a_version_says_what_ids_are_as_soon_as_a_batch_has_decided_it() {
    let bench = with_texts();
    let ids = |number: u32| json(&bench, None, &format!("shards status --store place --number {number}"))["ids"].take();
    let texts = serde_json::json!({"customer": "text", "item": "text", "item_offset": 0});
    assert_eq!(ids(1), serde_json::json!({"customer": "integer", "item": "integer", "item_offset": 0}));
    assert_eq!(ids(2), texts);
    assert_eq!(read(&bench, "place", 2)["sharded"]["ids"], texts);
    let (split, other) = (json(&bench, None, "shards split --store place"), "shards export --store place --to whole");
    assert_eq!(ids(3), texts, "{split}");
    json(&bench, None, other);
    json(&bench, None, "shards import --store imported --from whole --shards 2");
    assert_eq!(json(&bench, None, "shards status --store imported")["ids"], texts);
}

/// The command fetches the shards of the customers alone, as long as the version says what ids are.
#[test]
fn customers_are_forgotten_by_their_text_whether_the_version_says_what_ids_are_or_not() {
    for says in [true, false] {
        let bench = with_texts();
        let mut document = read(&bench, "place", 2);
        let table_of = |document: &Value, shard: u32| {
            // The newest: the first table of all shards is one.
            let mut files = document["files"].as_array().unwrap().iter().rev();
            let begin = format!("shard-{shard:05}/");
            let is_table = |name: &str| name.starts_with(&begin) && name.ends_with(".sst");
            files.find(|file| is_table(file["name"].as_str().unwrap())).unwrap()["object"].as_str().unwrap().to_owned()
        };
        if !says {
            document["sharded"].as_object_mut().unwrap().remove("ids").unwrap();
            write(&bench, "place", 2, &document);
            assert!(json(&bench, None, "shards status --store place").get("ids").is_none());
        }
        // A customer of another shard than the first.
        let customers = (0..40).map(|number| format!("U{number}"));
        json(&bench, None, "shards checkout --store place --shard 0 --to first");
        let in_first = |customer: &String| {
            let shown = json(&bench, None, &format!("show --store first --customer {customer} --dt 2026-01-02"));
            !shown["actions"].as_array().unwrap().is_empty()
        };
        let other = customers.into_iter().find(|customer| !in_first(customer)).unwrap();
        let first = bench.path(&format!("place/files/{}", table_of(&document, 0)));
        let bytes = std::fs::read(&first).unwrap();
        std::fs::remove_file(&first).unwrap();
        let forget = format!("shards forget --store place --customer {other} --json");
        let ran = run(&bench, None, &forget);
        assert_eq!(ran.code, i32::from(!says), "{}", ran.stderr);
        std::fs::write(&first, bytes).unwrap();
        if !says {
            json(&bench, None, &forget.replace(" --json", ""));
        }
        let status = json(&bench, None, "shards status --store place");
        assert_eq!((&status["version"], &status["ids"]["customer"]), (&3.into(), &"text".into()));
        assert_eq!(json(&bench, None, "shards verify --store place")["customers"], 39);
    }
}
