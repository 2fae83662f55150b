//! Compares histories read from table files with those read through RocksDB.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rocksdb::{CompactOptions, DB, DBCompressionType, IngestExternalFileOptions, Options, SstFileWriter};

use super::{Shown, TableCursor, Tables};
use crate::format::Key;
use crate::model::{CustomerId, Day};
use crate::store::engine::options::{by_customer, options};
use crate::store::folder::Folder;

/// Keys with their values; a key without a value is deleted.
type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

pub(super) fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

/// Returns a delta or a keyframe of one of a few customers and days. The value holds the key and `salt`, so that a
/// misplaced value is noticed.
pub(super) fn entry(customer: i64, on: i32, lag: i32, salt: u8) -> (Vec<u8>, Option<Vec<u8>>) {
    let customer = CustomerId(customer);
    let key = match lag {
        9 => Key::Keyframe { customer, day: day(on) },
        lag => Key::Delta { customer, day: day(on), batch: day(on + lag) },
    };
    let key = key.encode().to_vec();
    let value = [&key[..], &[salt; 40]].concat();
    (key, Some(value))
}

fn run(salt: u8, entries: impl IntoIterator<Item = (i64, i32, i32)>) -> Changes {
    entries.into_iter().map(|(customer, on, lag)| entry(customer, on, lag, salt)).collect()
}

/// Creates a database with these runs, the oldest first, each loaded as a batch is; the first run has keys of other
/// keyspaces before and after.
fn database(folder: &Folder, options: &Options, runs: &[Changes]) -> DB {
    fs::create_dir_all(folder.path()).unwrap();
    let mut creating = options.clone();
    creating.create_if_missing(true);
    let db = DB::open(&creating, folder.database()).unwrap();
    for (number, run) in runs.iter().enumerate() {
        let path = folder.path().join(format!("{number}.sst"));
        let mut writer = SstFileWriter::create(options);
        writer.open(&path).unwrap();
        let mut all = run.clone();
        if number == 0 {
            all.insert(Key::Store.encode().to_vec(), Some(vec![4]));
            all.insert(Key::Totals.encode().to_vec(), Some(vec![2; 50]));
            all.insert(Key::CustomerIndex { first: CustomerId(1) }.encode().to_vec(), Some(vec![2; 9_000]));
        }
        if all.is_empty() {
            continue;
        }
        for (key, value) in &all {
            match value {
                Some(value) => writer.put(key, value).unwrap(),
                None => writer.delete(key).unwrap(),
            }
        }
        writer.finish().unwrap();
        let mut how = IngestExternalFileOptions::default();
        how.set_move_files(true);
        db.ingest_external_file_opts(&how, vec![path]).unwrap();
    }
    db
}

fn reader(folder: &Folder) -> DB {
    DB::open_for_read_only(&options(), folder.database(), false).unwrap()
}

/// Returns RocksDB's answer.
fn through_rocksdb(db: &DB, customer: CustomerId, from: Day) -> Vec<(Key, Vec<u8>)> {
    let mut iterator = db.raw_iterator_opt(by_customer());
    iterator.seek(Key::Delta { customer, day: from, batch: from }.encode());
    let mut found = Vec::new();
    while let Some((key, value)) = iterator.item() {
        found.push((Key::decode(key).unwrap(), value.to_vec()));
        iterator.next();
    }
    iterator.status().unwrap();
    found
}

/// Returns the tables' answer; `None` if unsupported.
fn through_tables(
    cursor: &mut TableCursor<'_>,
    customer: CustomerId,
    from: Day,
    most: usize,
) -> Option<Vec<(Key, Vec<u8>)>> {
    let mut found = Vec::new();
    let walk = cursor.walk(customer, from, |key, value| {
        found.push((key, value.to_vec()));
        Ok(found.len() < most)
    });
    (walk.unwrap() == Shown::Whole).then_some(found)
}

/// Returns options with tables so small that a level has many of them.
fn options_of_small_tables() -> Options {
    let mut options = options();
    options.set_target_file_size_base(8 << 10);
    options
}

/// Reads customers in this order, from a day on and up to a number of keys, and compares. Returns the number of
/// unsupported reads.
fn compare(folder: &Folder, asked: &[(i64, i32, usize)]) -> usize {
    let db = reader(folder);
    let tables = Tables::open(&db, folder).filter(|tables| tables.are_whole).unwrap();
    let mut cursor = TableCursor::new(&tables);
    let mut unsupported = 0;
    for (customer, from, most) in asked {
        let (customer, from) = (CustomerId(*customer), day(*from));
        let mut expected = through_rocksdb(&db, customer, from);
        expected.truncate((*most).max(1));
        match through_tables(&mut cursor, customer, from, *most) {
            Some(found) => assert_eq!(found, expected, "{customer:?} from {from}"),
            None => unsupported += 1,
        }
    }
    unsupported
}

fn temporary() -> (tempfile::TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::new(&folder.path().join("store"));
    (folder, store)
}

fn customers() -> impl Strategy<Value = i64> {
    prop_oneof![-3..40_i64, Just(i64::MIN), Just(i64::MAX), Just(1 << 40)]
}

/// Customers in some order, mostly ascending; of each customer all keys, or the first few.
fn questions() -> impl Strategy<Value = Vec<(i64, i32, usize)>> {
    let question = (customers(), 0..70, prop_oneof![Just(usize::MAX), 1..6_usize]);
    (proptest::collection::vec(question, 1..60), any::<bool>()).prop_map(|(mut questions, ascending)| {
        if ascending {
            questions.sort_unstable();
        }
        questions
    })
}

fn entries() -> impl Strategy<Value = Vec<(i64, i32, i32)>> {
    proptest::collection::vec((customers(), 5..60, prop_oneof![4 => Just(0), 1 => -4..8, 1 => Just(9)]), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(61), ..ProptestConfig::default() })]

    #[test]
    fn tables_give_what_rocksdb_gives(
        drawn in proptest::collection::vec(entries(), 1..5),
        deleted in entries(),
        compacted in any::<bool>(),
        questions in questions(),
    ) {
        let (_temporary, folder) = temporary();
        let mut runs: Vec<Changes> = (0..).zip(drawn).map(|(salt, drawn)| run(salt, drawn)).collect();
        runs.push(run(0, deleted.into_iter().take(20)).into_keys().map(|key| (key, None)).collect());
        let db = database(&folder, &options_of_small_tables(), &runs);
        if compacted {
            db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &CompactOptions::default());
        }
        drop(db);
        let unsupported = compare(&folder, &questions);
        // A single run has each key once and no deleted key.
        prop_assert!(!compacted || unsupported == 0, "{unsupported} unsupported");
    }
}

/// Returns three runs, each with other days of the same twelve customers.
fn plain_runs() -> Vec<Changes> {
    let of = |salt: u8, days: std::ops::Range<i32>| {
        run(salt, (0..12).flat_map(move |customer| days.clone().map(move |on| (customer, on, 0))))
    };
    vec![of(1, 5..40), of(2, 40..50), of(3, 50..60)]
}

fn all_questions() -> Vec<(i64, i32, usize)> {
    (0..12).map(|customer| (customer, 60, usize::MAX)).collect()
}

#[test]
fn plain_runs_are_never_odd_and_what_two_runs_have_is() {
    let (_temporary, folder) = temporary();
    database(&folder, &options(), &plain_runs());
    assert_eq!(compare(&folder, &all_questions()), 0);

    // A key of one customer is repeated, a key of another is deleted.
    let (_temporary, folder) = temporary();
    let mut runs = plain_runs();
    runs.push(run(9, [(4, 30, 0)]));
    runs.push(run(0, [(7, 31, 0)]).into_keys().map(|key| (key, None)).collect());
    database(&folder, &options(), &runs);
    assert_eq!(compare(&folder, &all_questions()), 2);
    // Supported as long as the reads stop before them.
    assert_eq!(compare(&folder, &[(4, 60, 20), (7, 60, 20), (7, 30, 9)]), 0);
}

/// Of the index key of a block the bytes are cut off that it does not need. The next block may begin with the key that
/// has zeros there, such as that of a day whose number ends with the byte 255.
#[test]
fn a_block_that_begins_where_the_index_is_cut_is_read() {
    for newer in 40..300 {
        let (_temporary, folder) = temporary();
        database(&folder, &options(), &[run(1, (235..=255 + newer).map(|on| (1, on, 0)))]);
        assert_eq!(compare(&folder, &[(1, 1_000, usize::MAX)]), 0, "{newer} days before it");
    }
}

#[test]
fn what_is_not_in_plain_tables_is_left_to_rocksdb() {
    let opens = |prepare: &dyn Fn(&Folder)| {
        let (_temporary, folder) = temporary();
        prepare(&folder);
        let db = reader(&folder);
        Tables::open(&db, &folder).is_some_and(|tables| tables.are_whole)
    };
    assert!(opens(&|folder| drop(database(folder, &options(), &plain_runs()))));
    // Only in memory, as after a kill.
    assert!(!opens(&|folder| {
        let db = database(folder, &options(), &plain_runs());
        db.put(entry(5, 61, 0, 7).0, b"late").unwrap();
    }));
    assert!(!opens(&|folder| {
        let db = database(folder, &options(), &plain_runs());
        let mut batch = rocksdb::WriteBatch::default();
        batch.delete_range(entry(5, 20, 0, 7).0, entry(5, 10, 0, 7).0);
        db.write(batch).unwrap();
        db.flush().unwrap();
    }));
    assert!(!opens(&|folder| {
        let mut compressing = options();
        compressing.set_compression_type(DBCompressionType::Lz4);
        drop(database(folder, &compressing, &plain_runs()));
    }));
    for change in [
        |blocks: &mut rocksdb::BlockBasedOptions| blocks.set_format_version(5),
        |blocks: &mut rocksdb::BlockBasedOptions| {
            blocks.set_index_type(rocksdb::BlockBasedIndexType::TwoLevelIndexSearch)
        },
        |blocks: &mut rocksdb::BlockBasedOptions| blocks.set_checksum_type(rocksdb::ChecksumType::CRC32c),
    ] {
        assert!(!opens(&|folder| {
            let mut blocks = rocksdb::BlockBasedOptions::default();
            blocks.set_format_version(6);
            change(&mut blocks);
            let mut other = options();
            other.set_block_based_table_factory(&blocks);
            drop(database(folder, &other, &plain_runs()));
        }));
    }
    // Another process has compacted in the meantime.
    let (_temporary, folder) = temporary();
    let writer = database(&folder, &options(), &plain_runs());
    let db = reader(&folder);
    writer.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &CompactOptions::default());
    drop(writer);
    assert!(Tables::open(&db, &folder).is_none());
    assert_eq!(through_rocksdb(&db, CustomerId(3), day(60)).len(), 55);
}

/// RocksDB keeps older versions of a key while a snapshot needs them.
#[test]
fn versions_of_a_key_are_left_to_rocksdb() {
    // In one block; in two tables of a level, the first of which is full with the block of the previous key.
    for (before, options, most_files) in [(40, options(), 1), (9_000, options_of_small_tables(), 9)] {
        let (_temporary, folder) = temporary();
        let db = database(&folder, &options, &plain_runs());
        db.put(entry(4, 31, 0, 0).0, vec![1; before]).unwrap();
        let snapshots = [2, 3].map(|salt| {
            db.put(entry(4, 30, 0, 0).0, [salt; 40]).unwrap();
            db.flush().unwrap();
            db.snapshot()
        });
        db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &CompactOptions::default());
        let files = db.live_files().unwrap();
        assert_eq!(files.iter().map(|file| file.num_entries).sum::<u64>(), 12 * 55 + 3 + 1, "one version more");
        let twice = Some(entry(4, 30, 0, 0).0);
        let are_apart =
            files.iter().any(|file| file.start_key == twice) && files.iter().any(|file| file.end_key == twice);
        assert_eq!(are_apart, most_files > 1, "{files:?}");
        assert!(files.len() <= most_files, "{files:?}");
        drop(snapshots);
        drop(db);
        let unsupported = compare(&folder, &all_questions());
        assert!((1..=3).contains(&unsupported), "{unsupported} unsupported");
    }
}

/// A table of a level has a key that belongs to the previous or next table by RocksDB's manifest.
#[test]
fn a_table_that_reaches_into_its_neighbours_gives_nothing_wrong() {
    for moved in [i64::MAX, i64::MIN] {
        let (_temporary, folder) = temporary();
        let db = database(&folder, &options_of_small_tables(), &plain_runs());
        db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &CompactOptions::default());
        drop(db);
        let truth = reader(&folder);
        let mut files = truth.live_files().unwrap();
        files.sort_by(|one, other| one.start_key.cmp(&other.start_key));
        assert!(files.len() > 3 && files.iter().all(|file| file.level > 0), "{files:?}");
        let changed = &files[files.len() / 2];
        let held =
            |key: &&Vec<u8>| (changed.start_key.as_ref().unwrap()..=changed.end_key.as_ref().unwrap()).contains(key);
        let all: BTreeMap<_, _> = plain_runs().into_iter().flatten().collect();
        let mut keys: Vec<Vec<u8>> = all.keys().filter(held).cloned().collect();
        let expected: Vec<_> = (0..12).map(|customer| through_rocksdb(&truth, CustomerId(customer), day(60))).collect();

        // The table's last key becomes a key of the last customer, or its first key a key of the first customer.
        let place = if moved == i64::MAX { keys.len() - 1 } else { 0 };
        keys[place] = entry(moved, 30, 0, 0).0;
        let path = folder.database().join(changed.name.trim_start_matches('/'));
        fs::remove_file(&path).unwrap();
        let options = options();
        let mut writer = SstFileWriter::create(&options);
        writer.open(&path).unwrap();
        keys.iter().for_each(|key| {
            writer.put(key, all.get(key).map_or(&[7; 53][..], |value| value.as_ref().unwrap())).unwrap()
        });
        writer.finish().unwrap();

        let tables = Tables::open(&truth, &folder).filter(|tables| tables.are_whole).unwrap();
        let (mut refused, mut given) = (0, 0);
        for (customer, expected) in (0..).zip(&expected) {
            let mut found = Vec::new();
            let walked = TableCursor::new(&tables).walk(CustomerId(customer), day(60), |key, value| {
                found.push((key, value.to_vec()));
                Ok(true)
            });
            match walked {
                Ok(Shown::Whole) => {
                    assert!(&found == expected, "{moved}: customer {customer}");
                    given += 1;
                }
                Ok(Shown::Unsupported) => {}
                Err(error) => {
                    assert!(
                        error.to_string().contains("it has keys that RocksDB's manifest puts into another file"),
                        "{error}"
                    );
                    refused += 1;
                }
            }
        }
        assert!(refused > 0 && given > 5, "{refused} refused, {given} given");
    }
}

fn tables_of(folder: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "sst")).collect();
    files.sort();
    files
}

/// With any byte of a table damaged, the answer is correct or unsupported.
#[test]
fn a_damaged_byte_gives_nothing_wrong() {
    let (_temporary, folder) = temporary();
    database(&folder, &options(), &plain_runs());
    let truth = reader(&folder);
    let expected: Vec<_> =
        all_questions().iter().map(|(customer, ..)| through_rocksdb(&truth, CustomerId(*customer), day(60))).collect();
    let file = tables_of(&folder.database()).swap_remove(0);
    let whole = fs::read(&file).unwrap();
    let (mut unsupported, mut none) = (0, 0);
    for place in (0..whole.len()).step_by(whole.len() / 900).chain(whole.len() - 700..whole.len()) {
        let mut damaged = whole.clone();
        damaged[place] ^= 1 << (place % 8);
        fs::write(&file, &damaged).unwrap();
        let Some(tables) = Tables::open(&truth, &folder).filter(|tables| tables.are_whole) else {
            none += 1;
            continue;
        };
        let mut cursor = TableCursor::new(&tables);
        for ((customer, ..), expected) in all_questions().iter().zip(&expected) {
            match through_tables(&mut cursor, CustomerId(*customer), day(60), usize::MAX) {
                Some(found) => assert!(&found == expected, "byte {place}, customer {customer}"),
                None => unsupported += 1,
            }
        }
    }
    assert!(unsupported > 500 && none > 100, "{unsupported} times unsupported, {none} times not opened");
    for length in [0, 1, 52, 53, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert!(Tables::open(&truth, &folder).is_none_or(|tables| !tables.are_whole), "{length} bytes");
    }
}
