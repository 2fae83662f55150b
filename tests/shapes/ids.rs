//! Ids that are text, UUIDs among them, and rules about rows, wherever a path or a list leads to their columns.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, Int64Array, ListArray, RecordBatch, RecordBatchIterator, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields, Schema};
use lookback::ingest::{IngestOptions, Ingester};
use lookback::input::MemoryInput;
use lookback::model::{Day, text_id};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::Folder;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;
use serde_json::json;

use super::{DAY, INGEST, content};
use crate::support::program::{Bench, write_file};

const TEXT: &str = "[ids]\ncustomer = \"text\"\nitem = \"text\"\n";

fn bench(config: &str, file: &str, text: &str) -> Bench {
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), config.as_bytes());
    write_file(&bench.input().join(format!("clicks/dt={DAY}/{file}")), text.as_bytes());
    bench
}

#[test]
fn rules_about_rows_hold_for_elements_and_their_records() {
    let flat = format!(
        "{TEXT}[sources.clicks]\ncolumns = {{ customer_id = \"user\", item_id = \"sku\", time = \"at\" }}\n\
         without_customer = \"leave_out\"\ndistinct_by = \"id\"\norder_column = \"seq\"\n"
    );
    let nested = format!(
        "{TEXT}[sources.clicks]\nexplode = \"page.events\"\n\
         columns = {{ customer_id = \"user.id\", item_id = \"page.events.product.sku\", time = \"page.at\" }}\n\
         without_customer = \"leave_out\"\ndistinct_by = \"page.events.id\"\norder_column = \"page.events.seq\"\n"
    );
    let csv = "user,sku,at,id,seq\n\
        42,N1,2026-01-02T10:00:00Z,a,0\n42,0042,2026-01-02T10:00:00Z,b,1\n,N1,2026-01-02T11:00:00Z,c,0\n\
        U7,N1,2026-01-02T12:00:00Z,a,0\nU7,7,2026-01-02T12:00:00Z,,2\n";
    let json = "{\"user\":{\"id\":42},\"page\":{\"at\":\"2026-01-02T10:00:00Z\",\"events\":[\
        {\"product\":{\"sku\":\"N1\"},\"id\":\"a\",\"seq\":0},{\"product\":{\"sku\":\"0042\"},\"id\":\"b\",\"seq\":1}]}}\
        {\"page\":{\"at\":\"2026-01-02T11:00:00Z\",\"events\":[{\"product\":{\"sku\":\"N1\"},\"id\":\"c\",\"seq\":0}]}}\n\
        {\"user\":{\"id\":\"U7\"},\"page\":{\"at\":\"2026-01-02T12:00:00Z\",\"events\":[\
        {\"product\":{\"sku\":\"N1\"},\"id\":\"a\",\"seq\":0},{\"product\":{\"sku\":7.0},\"seq\":2}]}}\n";
    let [flat, nested] = [bench(&flat, "a.csv", csv), bench(&nested, "a.jsonl", json)];
    for bench in [&flat, &nested] {
        let summary = bench.json(INGEST);
        let counts = ["actions", "without_customer", "deduplicated"].map(|count| &summary[count]);
        assert_eq!(counts, [&json!(3), &json!(1), &json!(1)]);
    }
    assert!(content(&flat) == content(&nested));
    let vocabulary = format!("vocabulary --input input --from {DAY} --to {DAY} --of items --out items");
    let made = [&flat, &nested].map(|bench| {
        bench.ok(&vocabulary);
        std::fs::read(bench.path("items")).unwrap()
    });
    assert!(made[0] == made[1]);
    // An element of an unknown customer may be anything else too, and one of a known customer may not.
    let words = ["a.jsonl line 1 column page.events.product.sku is an empty text (element 1)"];
    let empty = json.replace("\"sku\":\"N1\"},\"id\":\"a\"", "\"sku\":\"\"},\"id\":\"a\"");
    write_file(&nested.input().join(format!("clicks/dt={DAY}/a.jsonl")), empty.as_bytes());
    nested.refused(INGEST, &words);
}

/// Two UUIDs, as the texts of Parquet and Arrow, and their texts.
const UUIDS: [u128; 2] = [0x550e_8400_e29b_41d4_a716_4466_5544_0000, 7];
const TEXTS: [&str; 2] = ["550e8400-e29b-41d4-a716-446655440000", "00000000-0000-0000-0000-000000000007"];

fn uuids(values: &[u128]) -> ArrayRef {
    let bytes = values.iter().map(|value| Some(value.to_be_bytes()));
    Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).unwrap())
}

/// A field with the extension type of UUIDs, if it has them.
fn field(name: &str, column: &ArrayRef) -> Field {
    let field = Field::new(name, column.data_type().clone(), true);
    match column.as_any().downcast_ref::<FixedSizeBinaryArray>() {
        Some(_) => field.with_metadata([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]),
        None => field,
    }
}

fn structs(columns: &[(&str, ArrayRef)]) -> ArrayRef {
    let fields: Fields = columns.iter().map(|(name, column)| field(name, column)).collect();
    Arc::new(StructArray::new(fields, columns.iter().map(|(_, column)| Arc::clone(column)).collect(), None))
}

/// One list of all elements.
fn list(elements: ArrayRef) -> ArrayRef {
    let lengths = OffsetBuffer::from_lengths([elements.len()]);
    Arc::new(ListArray::new(Arc::new(field("element", &elements)), lengths, elements, None))
}

fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let fields: Fields = columns.iter().map(|(name, column)| field(name, column)).collect();
    let columns = columns.iter().map(|(_, column)| Arc::clone(column)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Parquet with the annotations of a schema, and nothing of Arrow.
fn write_annotated(path: &Path, schema: &str, batch: &RecordBatch) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let schema = SchemaDescriptor::new(Arc::new(parse_message_type(schema).unwrap()));
    let options = ArrowWriterOptions::new().with_parquet_schema(schema).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(File::create(path).unwrap(), batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn uuids_in_structs_and_lists_are_their_texts() {
    let times = || -> ArrayRef { Arc::new(Int64Array::from(vec![1_767_348_000_000, 1_767_348_000_001])) };
    let first = || -> ArrayRef { Arc::new(Int64Array::from(vec![1_767_348_000_000])) };
    let user = || structs(&[("id", uuids(&UUIDS[..1]))]);
    let uuid = "optional fixed_len_byte_array(16)";
    let of_user = format!("optional group user {{ {uuid} id (UUID); }}");
    let fields = structs(&[("product", structs(&[("sku", uuids(&UUIDS))])), ("at", times())]);
    let in_structs = [("user", user()), ("events", list(fields))];
    let alone = [("user", user()), ("events", list(uuids(&UUIDS))), ("at", first())];
    for (item, time, columns, schema) in [
        (
            "events.product.sku",
            "events.at",
            batch(&in_structs),
            format!(
                "message m {{ {of_user} optional group events (LIST) {{ repeated group list {{ optional group element {{ \
                 optional group product {{ {uuid} sku (UUID); }} optional int64 at; }} }} }} }}"
            ),
        ),
        (
            "events",
            "at",
            batch(&alone),
            format!(
                "message m {{ {of_user} optional group events (LIST) {{ repeated group list {{ {uuid} element (UUID); \
                 }} }} optional int64 at; }}"
            ),
        ),
    ] {
        let bench = Bench::new();
        let config = format!(
            "{TEXT}[sources.clicks]\nexplode = \"events\"\ntime_unit = \"ms\"\n\
             columns = {{ customer_id = \"user.id\", item_id = {item:?}, time = {time:?} }}\n"
        );
        write_file(&bench.input().join("lookback.toml"), config.as_bytes());
        write_annotated(&bench.input().join(format!("clicks/dt={DAY}/a.parquet")), &schema, &columns);
        bench.ok(INGEST);
        let sources = lookback::config::sources(Some(&bench.input()), None, &Resources::default()).unwrap();
        let mut input = MemoryInput::new(&sources, &Resources::default());
        let reader = RecordBatchIterator::new([Ok(columns.clone())], columns.schema());
        input.add("clicks", Box::new(reader)).unwrap();
        let options = IngestOptions::new(input, DAY.parse::<Day>().unwrap()).sources(sources);
        let memory = Folder::new(&bench.path("memory"));
        Ingester::open_or_create(&memory, &Silent).unwrap().ingest(&options, &Silent).unwrap();
        for store in ["store", "memory"] {
            let shown = bench.json(&format!("show --store {store} --customer {} --dt 2026-01-03", TEXTS[0]));
            let mut items: Vec<i64> =
                shown["actions"].as_array().unwrap().iter().map(|action| action["item_id"].as_i64().unwrap()).collect();
            items.sort_unstable();
            let mut expected = TEXTS.map(text_id);
            expected.sort_unstable();
            assert_eq!(items, expected, "{item} in {store}");
        }
    }
}

#[test]
fn items_of_exploded_lists_are_moved() {
    let config = "[ids]\nitem_offset = 1\n[sources.clicks]\nexplode = \"items\"\ncolumns = { item_id = \"items\" }\n";
    let json = "{\"customer_id\":1,\"click_time\":\"2026-01-02 10:00\",\"items\":[0, \"6\"]}\n";
    let bench = bench(config, "a.jsonl", json);
    bench.ok(INGEST);
    let shown = bench.json("show --store store --customer 1 --dt 2026-01-03");
    let items: Vec<&serde_json::Value> =
        shown["actions"].as_array().unwrap().iter().map(|action| &action["item_id"]).collect();
    assert_eq!(items, [&json!(7), &json!(1)]);
}
