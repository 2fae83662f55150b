//! The manifest: that it says what is so, that it follows from the batches alone, and that a damaged one is noticed and
//! does no harm.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use lookback::internals::format::{Key, encode_delta};
use lookback::internals::storage::Fingerprint;
use lookback::internals::store::RawStore;
use lookback::model::{Action, ActionType, CustomerId, Day};
use lookback::output::PartitionFolder;
use lookback::resources::{Cancel, Resources};
use lookback::store::Folder;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{metadata, tree};
use crate::support::program::{Bench, assert_one_sentence, write_file};
use crate::support::random::{Random, seed};
use crate::support::tamper::rewrite_manifest;

const DT: &str = "2026-01-03";
const RANGE: &str = "backfill --store store --input input --from 2026-01-01 --to 2026-01-03 --out out";

fn batch(bench: &Bench, day: &str, items: &[i64]) {
    let action = |item: &i64| RawAction { customer: 1, item: *item, time_us: us(&format!("{day}T10:00:00Z")), kind: 1 };
    write_batch(&bench.input(), day, &items.iter().map(action).collect::<Vec<_>>(), PLAIN);
}

/// Batches of three days, the third of which comes after the rows of the third day.
fn days() -> Bench {
    let bench = Bench::new();
    batch(&bench, "2026-01-01", &[11, 12]);
    batch(&bench, "2026-01-02", &[21]);
    let shown = |customer, length: i64| RawImpression {
        ranking_id: None,
        customer,
        elements: (1..=length).map(|item| (item, None)).collect(),
    };
    write_impressions(&bench.input(), DT, &[shown(1, 2), shown(1, 1), shown(5, 3), shown(6, 0)], PLAIN);
    bench
}

fn produced() -> Bench {
    let bench = days();
    bench.ingest("2026-01-01");
    bench.ingest("2026-01-02");
    bench.produce(DT);
    bench
}

fn partition(bench: &Bench) -> PathBuf {
    bench.out().join(format!("dt={DT}"))
}

fn manifest(bench: &Bench, options: &str) -> Value {
    let text = bench.ok(&format!("manifest --out out --dt {DT} {options}")).stdout;
    serde_json::from_str(&text).unwrap()
}

#[test]
fn it_says_what_is_so() {
    let bench = days();
    bench.ingest("2026-01-01");
    bench.ingest("2026-01-02");
    let options = "--max-history 5 --lookback-days 9 --compression lz4 --row-group-rows 2 --part-rows 4";
    bench.ok(&format!("produce --store store --input input --dt {DT} --out out {options}"));
    let said = manifest(&bench, "");
    assert_eq!(said, manifest(&bench, "--json"));
    let fields = said.as_object().unwrap().keys().map(String::as_str);
    assert_eq!(fields.count(), 16, "{said}");
    let expected = [
        ("manifest_version", json!(2)),
        ("tool_version", json!(env!("CARGO_PKG_VERSION"))),
        ("format_version", bench.json("status --store store")["format_version"].clone()),
        ("dt", json!(DT)),
        ("cut_off", json!("2026-01-03 00:00:00+00:00")),
        ("newest_batch", json!("2026-01-02")),
        ("rows", json!(6)),
        ("impressions", json!(3)),
        ("customers", json!(2)),
    ];
    for (field, value) in expected {
        assert_eq!(said[field], value, "{field}");
    }
    let settings = json!({
        "time_zone": "UTC", "max_history": 5, "lookback_days": 9, "compression": "lz4", "row_group_rows": 2, "part_rows": 4,
    });
    assert_eq!(said["settings"], settings);
    let file = |entry: &Value, path: PathBuf| {
        let found = Fingerprint::of(&path, &Cancel::default()).unwrap();
        assert_eq!((&entry["bytes"], &entry["xxh3_128"]), (&found.bytes.into(), &found.hex().into()), "{entry}");
    };
    let parts = said["parts"].as_array().unwrap();
    assert_eq!(parts.iter().map(|part| &part["rows"]).collect::<Vec<_>>(), [3, 3]);
    for (number, part) in parts.iter().enumerate() {
        assert_eq!(part["name"], format!("part-0000{number}.parquet"));
        file(part, partition(&bench).join(part["name"].as_str().unwrap()));
    }
    let impressions = said["impression_files"].as_array().unwrap();
    assert_eq!(impressions.len(), 1);
    file(&impressions[0], bench.input().join(format!("impressions/dt={DT}/part-0.parquet")));
    let batches = said["batches"].as_array().unwrap();
    assert_eq!(batches.iter().map(|batch| &batch["day"]).collect::<Vec<_>>(), ["2026-01-01", "2026-01-02"]);
    assert_ne!(batches[0]["files"], batches[1]["files"]);
    assert_eq!(metadata(&partition(&bench).join("_manifest.parquet"))["dt"], DT);

    let mut checked = bench.json(&format!("manifest --out out --dt {DT} --check"));
    assert!(checked.as_object_mut().unwrap().remove("timing").is_some());
    let bytes: u64 = parts.iter().map(|part| part["bytes"].as_u64().unwrap()).sum();
    assert_eq!(checked, json!({ "dt": DT, "parts": 2, "bytes": bytes, "has_checksum": true }));
}

/// Nothing of how the store was filled, or of the options that led to these batches.
#[test]
fn it_follows_from_the_batches_used_alone() {
    let bench = produced();
    let on_the_day = tree(&bench.out());
    let of_first_batch = manifest(&bench, "")["batches"][0].clone();

    let other = days();
    batch(&other, "2026-01-02", &[29]);
    batch(&other, "2026-01-03", &[31]);
    for day in ["2026-01-03", "2026-01-02", "2026-01-01", "2026-01-01"] {
        other.ingest(day);
    }
    batch(&other, "2026-01-02", &[21]);
    other.ingest("2026-01-02");
    let known = "--known-as-of 2026-01-02 --allow-gaps --threads 1";
    other.ok(&format!("produce --store store --input input --dt {DT} --out out {known}"));
    assert_eq!(tree(&other.out()), on_the_day, "in any order, corrected, and known as of the day before");

    other.produce(DT);
    let whole = manifest(&other, "");
    assert_eq!(whole["batches"].as_array().unwrap().len(), 3, "without --known-as-of, all batches");
    assert_eq!(whole["batches"][0], of_first_batch);
    batch(&other, "2026-01-02", &[22]);
    other.ingest("2026-01-02");
    other.produce(DT);
    let corrected = manifest(&other, "");
    assert_eq!(corrected["batches"][0], of_first_batch);
    assert_ne!(corrected["batches"][1], whole["batches"][1], "a batch with other files");
}

/// Of each file the newest action of its own rows; none where no row has a history.
#[test]
fn each_part_says_how_new_its_actions_are() {
    let bench = days();
    batch(&bench, "2026-01-02", &[21]);
    let more = RawAction { customer: 7, item: 9, time_us: us("2026-01-02T23:59:59.999999Z"), kind: 3 };
    let first = RawAction { customer: 6, item: 9, time_us: us("2026-01-01T00:00:00Z"), kind: 3 };
    let dated_after = RawAction { customer: 5, item: 9, time_us: us("2026-01-03T00:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[first, more, dated_after], PLAIN);
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None)] };
    write_impressions(&bench.input(), DT, &[shown(4), shown(5), shown(6), shown(7)], PLAIN);
    bench.ingest("2026-01-01");
    bench.ingest("2026-01-02");
    let sizes = "--row-group-rows 1 --part-rows 1";
    bench.ok(&format!("produce --store store --input input --dt {DT} --out out {sizes}"));
    let expected = [None, None, Some("2026-01-01 00:00:00.000000+00:00"), Some("2026-01-02 23:59:59.999999+00:00")];
    let said = manifest(&bench, "");
    for (number, expected) in expected.into_iter().enumerate() {
        let pairs = metadata(&partition(&bench).join(format!("part-0000{number}.parquet")));
        assert_eq!(pairs.get("newest_action").map(String::as_str), expected, "part {number}");
        assert_eq!(said["parts"][number]["newest_action"].as_str(), expected, "part {number}");
        assert!(expected.is_none_or(|newest| newest < pairs["cut_off"].as_str()));
    }
}

/// Bytes that say of an action before the day that it was on the day: no row is made of them.
#[test]
fn a_delta_whose_times_are_not_on_its_day_is_no_history() {
    let bench = produced();
    let before = tree(&bench.out());
    let day: Day = "2026-01-02".parse().unwrap();
    let at_the_cut_off = Action { time_us: us("2026-01-03T00:00:00Z"), item_id: 21, action_type: ActionType::CLICK };
    let mut bytes = Vec::new();
    encode_delta(day, &[at_the_cut_off], &mut bytes);
    let store = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    let key = Key::Delta { customer: CustomerId(1), day, batch: day }.encode();
    assert!(store.get(&key).unwrap().is_some(), "it takes the place of the one that is there");
    store.write(&[(key.to_vec(), bytes)], &[]).unwrap();
    drop(store);
    let produce = format!("produce --store store --input input --dt {DT} --out out");
    bench.refused(&produce, &["customer 1", "that is not before", "the store is damaged"]);
    assert_eq!(tree(&bench.out()), before);
}

#[test]
fn check_names_the_file_that_is_not_as_written() {
    let part = |bench: &Bench| partition(bench).join("part-00000.parquet");
    let check = format!("manifest --out out --dt {DT} --check");
    let bench = produced();
    let good = fs::read(part(&bench)).unwrap();
    let mut turned = good.clone();
    turned[good.len() / 2] ^= 1;
    fs::write(part(&bench), &turned).unwrap();
    bench.refused(&check, &["part-00000.parquet has changed since it was written", "produce"]);
    fs::write(part(&bench), &good[1..]).unwrap();
    bench.refused(&check, &["part-00000.parquet has", &format!("manifest says {}", good.len())]);
    fs::remove_file(part(&bench)).unwrap();
    bench.refused(&check, &["part-00000.parquet is missing"]);
    fs::write(part(&bench), &good).unwrap();
    write_file(&partition(&bench).join("part-00001.parquet"), &good);
    bench.refused(&check, &["part-00001.parquet is not in the manifest"]);
    fs::remove_file(partition(&bench).join("part-00001.parquet")).unwrap();
    bench.ok(&check);
    bench.refused("manifest --out out --dt 2026-01-04", &["no partition of 2026-01-04 in out", "--dt"]);
    bench.refused("manifest --out nowhere --dt 2026-01-03", &["no partition of 2026-01-03 in nowhere"]);
}

/// A hex digit of a fingerprint, of a part file or of a batch; nothing else in the partition tells.
#[test]
fn a_manifest_that_has_changed_is_refused_by_every_command() {
    let bench = produced();
    let path = partition(&bench).join("_manifest.parquet");
    let good = fs::read(&path).unwrap();
    let said = manifest(&bench, "");
    for told in [&said["batches"][1]["files"], &said["inputs"], &said["impression_files"][0]["xxh3_128"]] {
        let told = told.as_str().unwrap().as_bytes();
        let mut bytes = good.clone();
        let mut found = 0;
        for place in 0..bytes.len() - told.len() {
            if bytes[place..].starts_with(told) {
                bytes[place + 7] = if bytes[place + 7] == b'0' { b'1' } else { b'0' };
                found += 1;
            }
        }
        assert!(found > 0);
        fs::write(&path, &bytes).unwrap();
        let words =
            ["_manifest.parquet cannot be used (its checksum does not match its content)", "produce the day again"];
        bench.refused(&format!("manifest --out out --dt {DT} --check"), &words);
        bench.refused(&format!("manifest --out out --dt {DT}"), &words);
        bench.refused(&format!("audit --store store --input input --out out --dt {DT}"), &words);
        assert_eq!(bench.json("stale --store store --out out")["without_manifest"], 1);
        assert_eq!(bench.json(RANGE)["produced"][0]["kept"], false);
        assert_eq!(fs::read(&path).unwrap(), good);
    }
}

#[test]
fn a_manifest_that_has_lost_its_checksum_is_damaged() {
    let bench = produced();
    let path = partition(&bench).join("_manifest.parquet");
    rewrite_manifest(&path, |json| format!("{}}}", json.rsplit_once(",\"checksum\":").unwrap().0));
    bench.refused(&format!("manifest --out out --dt {DT} --check"), &["it does not end with its checksum"]);
}

/// A partition counts as current only while its manifest and its part files are there; else it is produced again, to
/// the same bytes.
#[test]
fn backfill_produces_again_what_is_not_as_its_manifest_says() {
    let bench = days();
    let first = bench.json(RANGE);
    assert_eq!(first["produced"][0]["kept"], false);
    let whole = tree(&bench.out());
    assert_eq!(bench.json(RANGE)["produced"][0]["kept"], true, "nothing has changed");

    let manifest = partition(&bench).join("_manifest.parquet");
    let part = partition(&bench).join("part-00000.parquet");
    let good = fs::read(&manifest).unwrap();
    let harm: [(&str, &dyn Fn()); 6] = [
        ("no manifest", &|| fs::remove_file(&manifest).unwrap()),
        ("half a manifest", &|| fs::write(&manifest, &good[good.len() / 2..]).unwrap()),
        ("no Parquet", &|| fs::write(&manifest, b"{}").unwrap()),
        ("Parquet without a manifest", &|| assert!(fs::copy(&part, &manifest).unwrap() > 0)),
        ("too large", &|| fs::File::options().write(true).open(&manifest).unwrap().set_len(65 << 20).unwrap()),
        ("half a part", &|| fs::write(&part, &good[..9]).unwrap()),
    ];
    for (what, harm) in harm {
        harm();
        if !what.contains("part") {
            let ran = bench.run(&format!("manifest --out out --dt {DT}"));
            assert_eq!(ran.code, 1, "{what}");
            assert_one_sentence(&ran, &["_manifest.parquet cannot be used", "produce the day again"]);
        }
        assert_eq!(bench.json(RANGE)["produced"][0]["kept"], false, "{what}");
        assert_eq!(tree(&bench.out()), whole, "{what}");
    }
    // What lookback never writes is not replaced.
    let more = part.with_file_name("part-00001.parquet");
    fs::copy(&part, &more).unwrap();
    bench.refused(RANGE, &["part-00001.parquet in it"]);
    fs::remove_file(&more).unwrap();
    fs::remove_file(&manifest).unwrap();
    fs::create_dir(&manifest).unwrap();
    bench.refused(&format!("manifest --out out --dt {DT}"), &["_manifest.parquet cannot be used"]);
    bench.refused(RANGE, &["_manifest.parquet in it"]);
    fs::remove_dir(&manifest).unwrap();
    fs::remove_file(partition(&bench).join("_SUCCESS")).unwrap();
    assert_eq!(bench.json(RANGE)["produced"][0]["kept"], false, "no _SUCCESS");
    // A folder moved to another day is not that day's partition.
    fs::rename(partition(&bench), bench.out().join("dt=2026-01-04")).unwrap();
    bench.refused("manifest --out out --dt 2026-01-04", &["it belongs to 2026-01-03"]);
    // Marks of an older version do no harm.
    write_file(&bench.out().join(format!(".lookback/dt={DT}.inputs-0")), b"");
    assert_eq!(bench.json(RANGE)["produced"][0]["kept"], false);
    assert_eq!(bench.json(RANGE)["produced"][0]["kept"], true);
}

/// Each bit of the file turned, and many bytes changed at random: read or refused in one sentence, and nothing else.
#[test]
fn damaged_manifests_never_panic() {
    let seed = seed(21);
    let bench = produced();
    let path = partition(&bench).join("_manifest.parquet");
    let good = fs::read(&path).unwrap();
    let folder = PartitionFolder::new(&Resources::default().place(&bench.out()).unwrap(), DT.parse().unwrap());
    let turned = (0..good.len() * 8).step_by(3).map(|bit| {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        (format!("bit {bit}"), bytes)
    });
    let mut random = Random::new(seed);
    let changed = (0..1_000).map(|case| {
        let mut bytes = good.clone();
        for _ in 0..[1, 2, 5, 20][usize::try_from(random.below(4)).unwrap()] {
            let place = usize::try_from(random.below(bytes.len() as u64)).unwrap();
            bytes[place] = u8::try_from(random.below(256)).unwrap();
        }
        bytes.truncate(bytes.len() - usize::try_from(random.below(2) * random.below(40)).unwrap());
        (format!("random case {case}"), bytes)
    });
    let (mut read, mut refused) = (0, 0);
    for (case, bytes) in turned.chain(changed) {
        fs::write(&path, &bytes).unwrap();
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| folder.manifest())) {
            Ok(Ok(_)) => read += 1,
            Ok(Err(error)) => {
                refused += 1;
                let text = error.to_string();
                assert!(text.contains("_manifest.parquet cannot be used") && !text.contains('\n'), "{case}: {text}");
            }
            Err(_) => panic!("seed {seed}: {case} panics"),
        }
    }
    assert!(read > 100 && refused > 1_000, "{read} read, {refused} refused");
}
