//! Tests the decoder on valid manifests and on anything else.

use proptest::prelude::*;

use super::*;
use crate::model::{Day, Duplicates, ExtraColumn, ExtraColumns, ItemType, OrderKind, RowOrder, TypeType};

fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

fn sample() -> Manifest {
    let hash = |digit: char| digit.to_string().repeat(32);
    Manifest {
        manifest_version: MANIFEST_VERSION,
        tool_version: "0.2.0".to_owned(),
        format_version: 2,
        dt: day(20_000),
        cut_off: "2024-10-04 00:00:00+00:00".to_owned(),
        settings: RowShape {
            time_zone: "UTC".to_owned(),
            zone_rules: None,
            max_history: 1_000,
            lookback_days: None,
            compression: "zstd".to_owned(),
            row_group_rows: 10_000,
            part_rows: 1_000_000,
            with: ExtraColumns::default(),
            item_type: ItemType::Int64,
            type_type: TypeType::Int32,
            order: OrderKind::Customer,
            seed: None,
            duplicates: Duplicates::Keep,
        },
        newest_batch: Some(day(19_999)),
        rows: 3,
        impressions: 2,
        customers: 1,
        action_types: None,
        impression_mapping: None,
        tally: Some(RowTally { ordered: 1, rows_without_history: 0, filled: 2_999 }),
        shards: None,
        parts: vec![PartFile {
            name: PartFile::name_of(0),
            bytes: 9,
            rows: 3,
            xxh3_128: hash('a'),
            newest_action: None,
        }],
        impression_files: vec![ImpressionFile {
            name: "deep/\"ä\n.parquet".to_owned(), bytes: 7, xxh3_128: hash('b')
        }],
        inputs: hash('0'),
        batches: vec![RestsOn { day: day(19_990), files: hash('c') }, RestsOn { day: day(19_999), files: hash('d') }],
        checksum: None,
    }
}

/// Returns the document without its checksum, as in partitions of 0.4.0 and before.
fn unsealed(json: &str) -> String {
    let (document, _) = json.rsplit_once(",\"checksum\":").unwrap();
    format!("{document}}}")
}

/// Returns the document with a valid checksum.
fn sealed(unsealed: &str) -> String {
    let document = unsealed.strip_suffix('}').unwrap();
    let checksum = xxhash_rust::xxh3::xxh3_128(document.as_bytes());
    format!("{document},\"checksum\":\"{checksum:032x}\"}}")
}

fn read(json: &str) -> Result<Manifest, String> {
    Manifest::from_json(json).map(|manifest| Manifest { checksum: None, ..manifest })
}

/// Any letter changed to any other, removed or doubled makes the document unreadable.
#[test]
fn a_change_of_any_letter_is_noticed() {
    let json = sample().to_json().unwrap();
    assert_eq!(sealed(&unsealed(&json)), json);
    for (place, there) in json.char_indices() {
        let (before, behind) = (&json[..place], &json[place + there.len_utf8()..]);
        for letter in " \"0123456789abcdef{}[]:,\\x".chars().filter(|letter| *letter != there) {
            for changed in [format!("{before}{letter}{behind}"), format!("{before}{letter}{there}{behind}")] {
                assert!(Manifest::from_json(&changed).is_err(), "{changed}");
            }
        }
        assert!(Manifest::from_json(&format!("{before}{behind}")).is_err(), "without {place}");
    }
}

#[test]
fn what_is_written_is_read() {
    let manifest = sample();
    let json = manifest.to_json().unwrap();
    assert!(json.starts_with(r#"{"manifest_version":2,"tool_version":"0.2.0","#) && !json.contains('\n'), "{json}");
    assert!(json.contains(r#""dt":"2024-10-04""#), "{json}");
    assert_eq!(read(&json), Ok(manifest.clone()));
    assert_eq!(manifest.batch(day(19_990)), manifest.batches.first());
    assert_eq!(manifest.batch(day(19_991)), None);
    let json = unsealed(&json);
    let more = json.replacen('{', r#"{"from_a_later_program":[1],"#, 1);
    assert_eq!(read(&sealed(&more)), Ok(manifest), "a field more is passed over");
    assert!(Manifest::from_json(&json).unwrap_err().contains("does not end with its checksum"));
    // As in partitions of earlier versions.
    let without = json.replacen(r#""tally":{"ordered":1,"rows_without_history":0,"filled":2999},"#, "", 1);
    assert_ne!(without, json);
    assert_eq!(Manifest::from_json(&sealed(&without)).map(|manifest| manifest.tally), Ok(None));
}

/// Files of version 1 have the column `dt`, which neither their manifest nor their metadata names, and no checksum.
#[test]
fn manifests_of_version_1_are_read() {
    let mut chosen = sample();
    chosen.settings.with = [ExtraColumn::ActionAges].into_iter().collect();
    let json = chosen.to_json().unwrap();
    let old = unsealed(&json).replace("\"manifest_version\":2", "\"manifest_version\":1");
    let read = Manifest::from_json(&old).unwrap();
    assert_eq!(read.checksum, None);
    assert_eq!((read.manifest_version, read.settings.with.name().as_str()), (1, "dt,action_ages"));
    assert_eq!(read.with_of_files().name(), "action_ages");
    let read = Manifest::from_json(&json).unwrap();
    assert_eq!((read.settings.with.name(), read.with_of_files().name()), ("action_ages".into(), "action_ages".into()));
    chosen.settings.with = ExtraColumn::ALL.into_iter().collect();
    assert_eq!(chosen.with_of_files(), chosen.settings.with);
}

/// Settings that manifests of older programs lack are written only if they are not the default.
#[test]
fn settings_beyond_the_first_stand_there_where_they_were_chosen() {
    let plain = sample();
    let json = plain.to_json().unwrap();
    assert!(json.contains(r#""part_rows":1000000},"newest_batch""#), "{json}");
    assert_eq!(plain.settings.row_order().unwrap(), RowOrder::Customer);
    let mut chosen = plain;
    chosen.settings.with = [ExtraColumn::ActionAges].into_iter().collect();
    chosen.settings.item_type = ItemType::Int32;
    chosen.settings.type_type = TypeType::Uint8;
    (chosen.settings.order, chosen.settings.seed) = (OrderKind::Shuffled, Some(u64::MAX));
    chosen.settings.duplicates = Duplicates::Drop;
    let json = chosen.to_json().unwrap();
    let more = r#""with":["action_ages"],"item_type":"int32","type_type":"uint8","order":"shuffled","seed":18446744073709551615,"duplicates":"drop"},"#;
    assert!(json.contains(more), "{json}");
    assert_eq!(read(&json), Ok(chosen.clone()));
    assert_eq!(chosen.settings.row_order().unwrap(), RowOrder::Shuffled(u64::MAX));
    let of_shards = Manifest { shards: Some(8), ..chosen.clone() }.to_json().unwrap();
    assert_eq!(read(&of_shards).unwrap().shards, Some(8));
    let six = sealed(&unsealed(&of_shards).replace("\"shards\":8", "\"shards\":6"));
    assert_eq!(Manifest::from_json(&six).unwrap_err(), "its number of shards is not a power of two");
    let changes = [
        ("\"shuffled\"", "\"customer\"", "its seed does not fit its order"),
        (",\"seed\":18446744073709551615", "", "its seed does not fit its order"),
        ("\"shuffled\"", "\"by_day\"", "unknown variant"),
        ("\"action_ages\"", "\"action_ages\",\"history_length\"", "out of order"),
        ("18446744073709551615", "-1", "invalid value"),
        ("\"drop\"", "\"merge\"", "unknown variant"),
    ];
    for (from, to, reason) in changes {
        let error = Manifest::from_json(&sealed(&unsealed(&json).replace(from, to))).unwrap_err();
        assert!(error.contains(reason) && !error.contains('\n'), "{to}: {error}");
    }
}

/// Each of these would mislead a reader, and each is one phrase.
#[test]
fn contradictions_are_refused() {
    let json = sample().to_json().unwrap();
    let changes = [
        ("\"manifest_version\":2", "\"manifest_version\":3", "version 3"),
        ("\"manifest_version\":2", "\"manifest_version\":0", "version 0"),
        ("\"manifest_version\":2", "\"manifest_version\":-1", "invalid value"),
        ("\"manifest_version\":2,", "", "missing field"),
        ("\"ordered\":1", "\"ordered\":4", "greater than"),
        ("\"filled\":2999", "\"filled\":3001", "greater than"),
        ("part-00000.parquet", "../part-00000.parquet", "not named"),
        ("part-00000.parquet", "part-00001.parquet", "not named"),
        ("\"rows\":3,\"impressions\"", "\"rows\":4,\"impressions\"", "not the sum"),
        ("2024-09-24", "2024-10-03", "ascend"),
        ("2024-09-24", "2024-02-30", "a day is written"),
        ("\"newest_batch\":\"2024-10-03\"", "\"newest_batch\":null", "newest batch"),
        (&"a".repeat(32), "short", "32 hexadecimal digits"),
        (&"0".repeat(32), &"g".repeat(32), "32 hexadecimal digits"),
        ("\"max_history\":1000", "\"max_history\":0", "is 0"),
        ("\"lookback_days\":null", "\"lookback_days\":0", "is 0"),
        ("\"bytes\":9", "\"bytes\":1e99", "invalid type"),
        ("\"parts\":[", "\"parts\":7,\"others\":[", "invalid type"),
    ];
    for (from, to, reason) in changes {
        assert_eq!(unsealed(&json).matches(from).count(), 1, "{from}");
        let error = Manifest::from_json(&sealed(&unsealed(&json).replace(from, to))).unwrap_err();
        assert!(error.contains(reason) && !error.contains('\n'), "{to}: {error}");
    }
}

#[test]
fn what_is_deep_or_long_is_one_short_phrase() {
    let deep = |open: &str, times: usize| format!("{{\"manifest_version\":1,\"parts\":{}", open.repeat(times));
    let hostile = [
        deep("[", 1_000_000),
        deep("{\"a\":", 1_000_000),
        format!("{{\"manifest_version\":\"{}\"}}", "x\n".repeat(1_000_000)),
        sample().to_json().unwrap().replace("\"rows\":3,\"x", &format!("\"rows\":{},\"x", "9".repeat(1_000_000))),
        "[".repeat(1_000_000),
        String::new(),
        "null".to_owned(),
    ];
    for json in hostile {
        let error = Manifest::from_json(&json).unwrap_err();
        assert!(error.chars().count() < 200 && !error.contains('\n'), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_text_is_a_manifest_or_an_error(text in ".{0,200}") {
        prop_assert!(Manifest::from_json(&text).is_err());
    }

    /// Bytes changed, removed and doubled: a document that can still be read is equal after writing and reading again.
    #[test]
    fn a_changed_manifest_is_a_manifest_or_an_error(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, "[ -~]", 1..9_usize), 1..4),
    ) {
        let mut bytes = unsealed(&sample().to_json().unwrap()).into_bytes();
        for (place, kind, letter, length) in changes {
            let place = place.index(bytes.len().max(1)).min(bytes.len());
            let end = (place + length).min(bytes.len());
            match kind {
                0 => drop(bytes.splice(place..end.min(place + 1), letter.bytes())),
                1 => drop(bytes.drain(place..end)),
                2 => bytes.truncate(place.max(1)),
                _ => {
                    let part = bytes[place..end].to_vec();
                    bytes.splice(place..place, part);
                }
            }
        }
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        match Manifest::from_json(&text) {
            Ok(manifest) => prop_assert_eq!(read(&manifest.to_json().unwrap()), Ok(manifest)),
            Err(reason) => prop_assert!(reason.chars().count() < 200),
        }
    }
}
