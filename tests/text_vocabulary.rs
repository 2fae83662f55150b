//! Vocabularies of ids that are text: each id with its text, and two texts of one number as an error.

use std::collections::BTreeMap;
use std::fs::File;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use lookback::model::{Day, IdForm, IdKind, Ids, text_id};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::sources::Sources;
use lookback::vocabulary::{Vocabulary, VocabularyOptions, vocabulary};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};

/// Index, id, text, actions, impressions.
type Row = (i64, i64, String, i64, i64);

fn options(bench: &Bench, of: IdKind) -> VocabularyOptions {
    let day = |text: &str| text.parse::<Day>().unwrap();
    let ids = Ids { customer: IdForm::Text, item: IdForm::Text, item_offset: 0 };
    VocabularyOptions::new(bench.input(), day("2026-01-01"), day("2026-01-02"), of)
        .sources(Sources::default().with_ids(ids))
}

fn read(bench: &Bench, of: IdKind) -> Vec<Row> {
    let file = ParquetRecordBatchReaderBuilder::try_new(File::open(bench.path("words")).unwrap()).unwrap();
    let id = if of == IdKind::Items { "item_id" } else { "customer_id" };
    let names: Vec<&str> = file.schema().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["index", id, "text", "actions", "impressions"]);
    assert_eq!(file.schema().field(2).data_type(), &DataType::Utf8);
    let mut rows = Vec::new();
    for batch in file.build().unwrap().map(|batch| batch.unwrap()) {
        let numbers = |column: usize| batch.column(column).as_primitive::<Int64Type>().values().to_vec();
        let columns = [0, 1, 3, 4].map(numbers);
        for (row, text) in batch.column(2).as_string::<i32>().iter().enumerate() {
            rows.push((columns[0][row], columns[1][row], text.unwrap().to_owned(), columns[2][row], columns[3][row]));
        }
    }
    rows
}

/// Clicks and impressions of 300 items, the smaller the more often.
fn write(bench: &Bench, random: &mut Random) -> BTreeMap<String, (i64, i64)> {
    let mut counts: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let item = |random: &mut Random| format!("item {:03}", random.below(300).min(random.below(300)));
    let mut clicks = "customer_id,item_id,click_time\n".to_owned();
    for _ in 0..2_000 {
        let item = item(random);
        clicks += &format!("c,{item},2026-01-01\n");
        counts.entry(item).or_default().0 += 1;
    }
    write_file(&bench.input().join("clicks/dt=2026-01-01/a.csv"), clicks.as_bytes());
    let mut shown = String::new();
    for _ in 0..200 {
        let items = [item(random), item(random)];
        let elements = items.each_ref().map(|item| serde_json::json!({ "item_id": item }));
        shown += &format!("{}\n", serde_json::json!({"customer_id": "d", "impressions": elements}));
        items.into_iter().for_each(|item| counts.entry(item).or_default().1 += 1);
    }
    write_file(&bench.input().join("impressions/dt=2026-01-02/a.jsonl"), shown.as_bytes());
    counts
}

#[test]
fn each_id_has_its_text() {
    let seed = seed(921);
    let bench = Bench::new();
    let counts = write(&bench, &mut Random::new(seed));
    let mut expected: Vec<_> = counts
        .iter()
        .map(|(text, (actions, impressions))| (-(actions + impressions), text_id(text), text, *actions, *impressions))
        .collect();
    expected.sort_unstable();
    let expected = expected.into_iter().zip(1..);
    let expected: Vec<Row> = expected
        .map(|((_, id, text, actions, impressions), index)| (index, id, text.clone(), actions, impressions))
        .collect();
    let mut bytes = None;
    for (threads, sort_bytes) in [(1, 1 << 30), (2, 6_000)] {
        let resources = Resources::default().with_threads(threads).with_sort_bytes(sort_bytes);
        let options = options(&bench, IdKind::Items).resources(resources.with_scratch_folder(&bench.path("scratch")));
        let summary = vocabulary(&options, &bench.path("words"), &Silent).unwrap();
        assert_eq!((summary.ids, summary.actions, summary.impressions), (expected.len() as u64, 2_000, 400));
        assert_eq!(read(&bench, IdKind::Items), expected, "seed {seed}");
        let written = std::fs::read(bench.path("words")).unwrap();
        assert!(*bytes.get_or_insert_with(|| written.clone()) == written, "seed {seed}: other bytes");
        let batches: Vec<_> = Vocabulary::read(&options, &Silent).unwrap().map(|batch| batch.unwrap()).collect();
        assert_eq!(batches[0].texts.as_ref().unwrap().len(), expected.len());
    }
    // By the program, in place of the other; customers too.
    write_file(&bench.input().join("lookback.toml"), b"[ids]\ncustomer = \"text\"\nitem = \"text\"\n");
    let range = "vocabulary --input input --from 2026-01-01 --to 2026-01-02 --out words";
    bench.ok(&format!("{range} --of items"));
    assert!(std::fs::read(bench.path("words")).unwrap() == bytes.unwrap());
    bench.ok(&format!("{range} --of customers"));
    let customers = [("c", 2_000, 0), ("d", 0, 200)];
    let customers = customers.into_iter().zip(1..);
    let row = |((text, actions, shown), index): ((&str, i64, i64), i64)| {
        (index, text_id(text), text.to_owned(), actions, shown)
    };
    assert_eq!(read(&bench, IdKind::Customers), customers.map(row).collect::<Vec<_>>());
}

#[test]
fn two_texts_of_one_number_are_named() {
    let seed = seed(922);
    let bench = Bench::new();
    let counts = write(&bench, &mut Random::new(seed));
    // The hash cut to eight bits: of some 290 texts most have the number of another.
    let options = options(&bench, IdKind::Items).text_id(|text| text_id(text) & 0xff);
    for sort_bytes in [1 << 30, 6_000] {
        let resources = Resources::default().with_threads(2).with_sort_bytes(sort_bytes);
        let options = options.clone().resources(resources.with_scratch_folder(&bench.path("scratch")));
        let error = vocabulary(&options, &bench.path("words"), &Silent).unwrap_err().to_string();
        assert!(error.contains("items of different texts have one number: "), "{error}");
        assert!(!bench.path("words").exists());
        let mut by_id: BTreeMap<i64, Vec<&String>> = BTreeMap::new();
        counts.keys().for_each(|text| by_id.entry(text_id(text) & 0xff).or_default().push(text));
        let mut pairs = by_id.iter().flat_map(|(id, texts)| texts.windows(2).map(move |pair| (id, pair)));
        let count = pairs.clone().count();
        assert!(count > 100, "seed {seed}");
        for (id, pair) in pairs.by_ref().take(100) {
            let named = format!("{:?} and {:?} are both {id}", pair[0], pair[1]);
            assert!(error.contains(&named), "seed {seed}: {named} in {error}");
        }
        let (id, pair) = pairs.next().unwrap();
        assert!(!error.contains(&format!("{:?} and {:?} are both {id}", pair[0], pair[1])));
        assert!(error.contains(&format!(", and {} more; write one of the two", count - 100)), "{error}");
    }
}

#[test]
fn long_texts_do_not_fill_a_batch_or_a_row_group() {
    let bench = Bench::new();
    let mut random = Random::new(seed(923));
    let mut long =
        || (0..9_000).map(|_| char::from(b'0' + u8::try_from(random.below(64)).unwrap())).collect::<String>();
    let rows: String = (0..1_500).map(|_| format!("{},i,2026-01-01\n", long().replace(',', "-"))).collect();
    write_file(
        &bench.input().join("clicks/dt=2026-01-01/a.csv"),
        format!("customer_id,item_id,click_time\n{rows}").as_bytes(),
    );
    let options = options(&bench, IdKind::Customers);
    let batches: Vec<_> = Vocabulary::read(&options, &Silent).unwrap().map(|batch| batch.unwrap()).collect();
    assert!(batches.len() > 2 && batches.iter().all(|batch| batch.ids.len() < 500), "{} batches", batches.len());
    let indices: Vec<i64> = batches.iter().flat_map(|batch| batch.indices.clone()).collect();
    assert!(indices.into_iter().eq(1..=1_500));
    vocabulary(&options, &bench.path("words"), &Silent).unwrap();
    let file = ParquetRecordBatchReaderBuilder::try_new(File::open(bench.path("words")).unwrap()).unwrap();
    assert!(file.metadata().num_row_groups() > 1);
    assert_eq!(read(&bench, IdKind::Customers).len(), 1_500);
}
