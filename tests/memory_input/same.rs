//! The same rows from files and from memory.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use lookback::error::Result;
use lookback::ingest::IngestSummary;
use lookback::input::{Input, MemoryInput};
use lookback::produce::{ProduceOptions, ProduceSummary, produce};
use lookback::progress::Silent;
use lookback::sources::{Sources, TimeUnit};
use lookback::store::{Folder, Store};
use lookback::training::{TrainingDay, TrainingOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::made::{self, TIMES, cut, encoded, fixed_size};
use super::{batch, create, day, given, ingest, options, reader, resources};
use crate::support::input::{impression_lists, write_parquet};
use crate::support::output::{dump, tree};
use crate::support::random::{Random, seed};

const SOURCES: [(&str, &str, &str); 3] = [
    ("clicks", "item_id", "click_time"),
    ("add_to_carts", "config_id", "occurred_at"),
    ("orders", "config_id", "occurred_at"),
];

/// The contract's sources, in which integers count milliseconds.
fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.actions.iter_mut().for_each(|source| source.time_unit = Some(TimeUnit::Milliseconds));
    sources
}

/// A batch of actions and the impressions of the day after, source by source.
struct Rows {
    actions: Vec<(&'static str, Vec<RecordBatch>)>,
    impressions: Vec<RecordBatch>,
}

impl Rows {
    fn random(random: &mut Random, number: usize) -> Self {
        let actions = SOURCES.iter().zip(0..).map(|((source, item, time), place)| {
            (*source, vec![made::actions(random, item, time, (number + 5 * place) % TIMES)])
        });
        Rows { actions: actions.collect(), impressions: vec![made::impressions(random)] }
    }

    /// The same rows, given otherwise.
    fn changed(&self, mut change: impl FnMut(&[RecordBatch]) -> Vec<RecordBatch>) -> Self {
        let actions = self.actions.iter().map(|(source, batches)| (*source, change(batches)));
        Rows { actions: actions.collect(), impressions: change(&self.impressions) }
    }

    fn write(&self, root: &Path) -> Input {
        let all = self.actions.iter().map(|(source, batches)| (*source, "2026-01-02", batches));
        for (source, dt, batches) in all.chain([("impressions", "2026-01-03", &self.impressions)]) {
            let columns: Vec<(&str, ArrayRef)> = [
                "unread",
                "customer_id",
                "item_id",
                "config_id",
                "click_time",
                "occurred_at",
                "ranking_id",
                "impressions",
            ]
            .into_iter()
            .filter_map(|name| Some((name, Arc::clone(batches[0].column_by_name(name)?))))
            .collect();
            write_parquet(&root.join(source).join(format!("dt={dt}")).join("x.parquet"), &columns);
        }
        root.into()
    }

    fn in_memory(&self) -> Input {
        let mut input = MemoryInput::new(&sources(), &resources());
        for (source, batches) in &self.actions {
            input.add(source, reader(batches.clone())).unwrap();
        }
        input.add_impressions(reader(self.impressions.clone())).unwrap();
        input.into()
    }
}

/// What comes of an input.
struct Outcome {
    folder: tempfile::TempDir,
    ingested: IngestSummary,
    produced: ProduceSummary,
    training: String,
}

impl Outcome {
    fn of(input: impl FnOnce(&Path) -> Input) -> Result<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let input = input(&at("input"));
        create(&at("store"), "Europe/Berlin");
        let with = options(input.clone()).sources(sources()).quarantine(Some(at("quarantine")));
        let ingested = ingest(&at("store"), &with)?;
        let store = Store::open_reader(&Folder::new(&at("store")))?;
        let rows = ProduceOptions::new(input.clone(), day("2026-01-03"), at("out")).sources(sources());
        let rows = rows.quarantine(Some(at("quarantine"))).resources(resources());
        let produced = produce(&store, &rows, &Silent)?;
        let training = TrainingOptions::new(input, day("2026-01-03")).sources(sources()).resources(resources());
        let training = training.quarantine(Some(at("quarantine")));
        let training = TrainingDay::prepare(&store, &training, &Silent)?.fingerprint().to_owned();
        drop(store);
        Ok(Outcome { folder, ingested, produced, training })
    }

    /// All that is counted, apart from files and their sizes.
    fn counts(&self) -> [Value; 2] {
        let mut counts =
            [serde_json::to_value(&self.ingested), serde_json::to_value(&self.produced)].map(Result::unwrap);
        ["files", "bytes"].iter().for_each(|name| drop(counts[0][*name].take()));
        counts
    }

    /// The store without the records of batches, which name the files.
    fn content(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut entries = dump(&self.folder.path().join("store"));
        let before = entries.len();
        entries.retain(|(key, _)| key[0] != 0x14);
        assert_eq!(before - entries.len(), 1, "one batch");
        entries
    }

    fn whole_store(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        dump(&self.folder.path().join("store"))
    }

    /// The files of the partition with their bytes; the manifest, too, where it has to be the same.
    fn rows(&self, with_manifest: bool) -> Vec<(String, Vec<u8>)> {
        let files = tree(&self.folder.path().join("out")).into_iter();
        files.filter(|(name, _)| with_manifest || name.contains("part-")).collect()
    }

    /// The bad rows of actions and of impressions, with the files that they are of where `with_files`.
    fn bad_rows(&self, with_files: bool) -> Vec<RecordBatch> {
        let path = |name: &str| self.folder.path().join("quarantine").join(name).join("bad-rows.parquet");
        let paths = ["actions/dt=2026-01-02", "impressions/dt=2026-01-03"].map(path);
        let read = paths.iter().flat_map(|path| {
            let file = std::fs::File::open(path).unwrap();
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap)
        });
        read.map(|batch| if with_files { batch } else { batch.project(&[1, 2, 3]).unwrap() }).collect()
    }
}

#[test]
fn the_same_rows_from_memory_and_from_files_make_the_same_store_and_rows() {
    let mut random = Random::new(seed(61));
    for number in 0..TIMES {
        let rows = Rows::random(&mut random, number);
        let from_files = Outcome::of(|root| rows.write(root)).unwrap();
        assert!(from_files.ingested.quarantined > 3 && from_files.produced.quarantined > 0, "there are bad rows");
        assert!(from_files.ingested.late > 20 && from_files.ingested.early > 20 && from_files.ingested.duplicates > 0);
        let ordered = Outcome::of(|_| rows.in_memory()).unwrap();
        assert_eq!(ordered.counts(), from_files.counts(), "times {number}");
        assert!(ordered.content() == from_files.content(), "times {number}: the stores differ");
        assert!(ordered.rows(false) == from_files.rows(false), "times {number}: the rows differ");
        assert_eq!(ordered.bad_rows(false), from_files.bad_rows(false), "times {number}");

        let given_otherwise = [
            rows.changed(|batches| cut(&mut random, &batches[0], false)),
            rows.changed(|batches| cut(&mut random, &batches[0], true)),
        ];
        let recoded = given_otherwise[1].changed(|batches| encoded(&mut random, batches));
        for (place, other) in given_otherwise.iter().chain([&recoded]).enumerate() {
            let same = Outcome::of(|_| other.in_memory()).unwrap();
            assert_eq!(same.counts(), ordered.counts(), "times {number}, {place}");
            assert!(same.whole_store() == ordered.whole_store(), "times {number}, {place}: the stores differ");
            assert!(same.rows(true) == ordered.rows(true), "times {number}, {place}: the rows differ");
            assert_eq!(same.training, ordered.training, "times {number}, {place}");
            if place == 0 {
                assert_eq!(same.bad_rows(true), ordered.bad_rows(true), "times {number}");
            }
        }
        let files = ordered.bad_rows(true);
        let sources: Vec<&str> = files[0].column(0).as_string::<i32>().iter().flatten().collect();
        assert!(sources.iter().all(|source| SOURCES.iter().any(|(name, ..)| name == source)), "{sources:?}");
    }
}

/// The hash of the rows of a source, as a batch records it.
fn recorded(rows: Vec<RecordBatch>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    ingest(&store, &options(given("clicks", rows).unwrap()).allow_far_day(true)).unwrap();
    let record = dump(&store).into_iter().find(|(key, _)| key[0] == 0x14).unwrap().1;
    let text = String::from_utf8_lossy(&record).into_owned();
    assert!(text.contains("memory://clicks"), "{text}");
    record
}

/// Three clicks.
fn clicks(customers: [i64; 3], items: [i64; 3]) -> RecordBatch {
    let ids = |ids: [i64; 3]| -> ArrayRef { Arc::new(Int64Array::from(ids.to_vec())) };
    let times = ["2026-01-02T01:00:00Z", "2026-01-02T02:00:00Z", "2026-01-02T02:00:00Z"];
    let times: ArrayRef = Arc::new(arrow::array::StringArray::from(times.to_vec()));
    batch(&[("customer_id", ids(customers)), ("item_id", ids(items)), ("click_time", times)])
}

#[test]
fn another_cell_is_another_fingerprint_and_another_order_is_not() {
    let rows = clicks([7, 7, 8], [1, 2, 3]);
    let fingerprint = recorded(vec![rows.clone()]);
    let back = vec![rows.slice(2, 1), rows.slice(0, 2)];
    assert_eq!(recorded(back), fingerprint);
    // Each of them has the same actions counted, customers and sizes.
    for other in [clicks([7, 7, 8], [1, 2, 4]), clicks([7, 7, 8], [2, 1, 3]), clicks([8, 8, 7], [1, 2, 3])] {
        assert_ne!(recorded(vec![other]), fingerprint);
    }
}

/// The hash is recorded in stores, so that another version of arrow must not change it unnoticed.
#[test]
fn the_fingerprint_stays_the_same() {
    let record = recorded(vec![clicks([7, 7, 8], [1, 2, 3])]);
    let place = record.windows(15).position(|part| part == b"memory://clicks").unwrap() + 15;
    let hex: String = record[place..].iter().take(17).map(|byte| format!("{byte:02x}")).collect();
    // 138 bytes in three rows, then the hash.
    assert_eq!(hex, "8a5836d907ce44d79dcd87e782fc039ae5");
}

/// Lists of one length, as some libraries have them.
#[test]
fn lists_of_a_fixed_size_are_lists() {
    let lists = impression_lists(&[Some(vec![(1, Some(true)), (2, None)]), Some(vec![(3, None), (4, Some(false))])]);
    let customers: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
    let rows = [Arc::clone(&lists), fixed_size(&lists, 2)].map(|lists| {
        let input =
            given("impressions", vec![batch(&[("customer_id", Arc::clone(&customers)), ("impressions", lists)])]);
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        ingest(&store, &options(given("clicks", vec![clicks([7, 7, 8], [1, 2, 3])]).unwrap())).unwrap();
        let store = Store::open_reader(&Folder::new(&store)).unwrap();
        let out = folder.path().join("out");
        let options = ProduceOptions::new(input.unwrap(), day("2026-01-03"), &out).resources(resources());
        assert_eq!(produce(&store, &options, &Silent).unwrap().rows, 4);
        tree(&out)
    });
    assert!(rows[0] == rows[1]);
}
