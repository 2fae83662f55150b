//! Impressions whose columns, lists and elements lie in structs and objects.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatchIterator, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Field;
use lookback::input::MemoryInput;
use lookback::model::Day;
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::{Folder, Store};

use super::columns::{cut, structs};
use crate::support::input::write_parquet;
use crate::support::output::{read_partition, tree};
use crate::support::program::{Bench, write_file};

const PRODUCE: &str = "produce --store store --input input --dt 2026-01-03 --out out";
const CONFIG: &str = "[impressions]\ncolumns = { ranking_id = \"request.id\", customer_id = \"request.user.id\", \
    impressions = \"page.items\", item_id = \"product.sku\", is_order = \"outcome.bought\" }\n";

/// The rows of impressions of this file, by this configuration.
fn made(config: &str, name: &str, write: impl Fn(&std::path::Path)) -> (Bench, Vec<Vec<u8>>) {
    let bench = Bench::new();
    let clicks = "customer_id,item_id,click_time\n1,10,2026-01-02T10:00:00Z\n2,20,2026-01-02T10:00:00Z\n";
    write_file(&bench.input().join("clicks/dt=2026-01-02/a.csv"), clicks.as_bytes());
    bench.ingest("2026-01-02");
    write_file(&bench.input().join("lookback.toml"), config.as_bytes());
    write(&bench.input().join("impressions/dt=2026-01-03").join(name));
    bench.ok(PRODUCE);
    let parts = parts_of(&bench.out());
    (bench, parts)
}

fn parts_of(out: &std::path::Path) -> Vec<Vec<u8>> {
    tree(out).into_iter().filter(|(name, _)| name.contains("part-")).map(|(_, bytes)| bytes).collect()
}

/// The impressions in structs, as [`CONFIG`] names them.
fn nested_columns() -> Vec<(&'static str, ArrayRef)> {
    let ids: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
    let users = structs(&[("id", Arc::new(Int64Array::from(vec![1, 2, 2])))], None);
    let request = structs(&[("id", ids), ("user", users)], None);
    let products = structs(&[("sku", Arc::new(Int64Array::from(vec![5, 6, 7, 8])))], None);
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false, true, true]));
    let outcomes = structs(&[("bought", flags)], Some(vec![true, true, false, true]));
    let elements = structs(&[("product", products), ("outcome", outcomes)], None);
    let element = Arc::new(Field::new("element", elements.data_type().clone(), true));
    let lists = ListArray::new(element, OffsetBuffer::from_lengths([2, 1, 1]), elements, None);
    // The list of the last row is in a struct that is null.
    let page = structs(&[("items", Arc::new(lists))], Some(vec![true, true, false]));
    vec![("request", request), ("page", page)]
}

#[test]
fn nested_impressions_give_the_rows_of_flat_ones() {
    let text = |text: &'static str| move |path: &std::path::Path| write_file(path, text.as_bytes());
    let plain = "{\"ranking_id\":\"a\",\"customer_id\":1,\"impressions\":[{\"item_id\":5,\"is_order\":true},{\"item_id\":6,\"is_order\":false}]}\n\
        {\"ranking_id\":null,\"customer_id\":2,\"impressions\":[{\"item_id\":7,\"is_order\":null}]}\n\
        {\"ranking_id\":\"c\",\"customer_id\":2,\"impressions\":null}\n";
    let (bench, expected) = made("", "a.jsonl", text(plain));
    assert_eq!(read_partition(&bench.out(), "2026-01-03").len(), 3);
    let nested = "{\"request\":{\"id\":\"a\",\"user\":{\"id\":1}},\"page\":{\"items\":[{\"product\":{\"sku\":5},\"outcome\":{\"bought\":true}},{\"product.sku\":6,\"product\":{\"sku\":0}}]}}\
        {\"request\":{\"user\":{\"id\":2}},\"page\":{\"items\":[{\"product\":{\"sku\":7},\"outcome\":null}]}}\n\
        {\"request\":{\"id\":\"c\",\"user\":{\"id\":2}},\"page\":null}\n";
    let (json, parts) = made(CONFIG, "a.jsonl", text(nested));
    assert!(parts == expected, "JSON lines");
    json.ok("audit --store store --input input --dt 2026-01-03 --out out");
    let (parquet, parts) = made(CONFIG, "a.parquet", |path| write_parquet(path, &nested_columns()));
    assert!(parts == expected, "Parquet");
    let sources = lookback::config::sources(Some(&parquet.input()), None, &Resources::default()).unwrap();
    let batches = cut(&nested_columns(), 1);
    let schema = batches[0].schema();
    let mut input = MemoryInput::new(&sources, &Resources::default());
    input.add_impressions(Box::new(RecordBatchIterator::new(batches.into_iter().map(Ok), schema))).unwrap();
    let options = ProduceOptions::new(input, "2026-01-03".parse::<Day>().unwrap(), parquet.path("out-of-memory"));
    let store = Store::open_reader(&Folder::new(&parquet.store())).unwrap();
    produce(&store, &options.sources(sources), &Silent).unwrap();
    assert!(parts_of(&parquet.path("out-of-memory")) == expected, "rows in memory");
    // In a cell of CSV, elements may be objects in objects.
    let csv = "request.id,request.user.id,page.items\n\
        a,1,\"[{\"\"product\"\":{\"\"sku\"\":5},\"\"outcome\"\":{\"\"bought\"\":true}},{\"\"product\"\":{\"\"sku\"\":6}}]\"\n\
        ,2,\"[{\"\"product\"\":{\"\"sku\"\":7}}]\"\nc,2,\n";
    let (_, parts) = made(CONFIG, "a.csv", text(csv));
    assert!(parts == expected, "CSV");
}

#[test]
fn faults_of_nested_elements_are_named_by_their_paths() {
    let bench = Bench::new();
    write_file(&bench.input().join("clicks/dt=2026-01-02/a.csv"), b"customer_id,item_id,click_time\n1,10,2026-01-02\n");
    bench.ingest("2026-01-02");
    write_file(&bench.input().join("lookback.toml"), CONFIG.as_bytes());
    let shown = |items: &str| {
        let text = format!("{{\"request\":{{\"id\":\"a\",\"user\":{{\"id\":1}}}},\"page\":{{\"items\":{items}}}}}");
        write_file(&bench.input().join("impressions/dt=2026-01-03/a.jsonl"), text.as_bytes());
    };
    shown("[{\"product\":5}]");
    bench.refused(PRODUCE, &["a.jsonl line 1 column page.items.product.sku is not a field of an object"]);
    shown("[{\"product\":{\"sku\":0}}]");
    bench.refused(PRODUCE, &["a.jsonl line 1 column page.items.product.sku is 0, which is the padding"]);
    shown("[{\"product\":{\"sku\":5},\"outcome\":[1]}]");
    bench.refused(PRODUCE, &["a.jsonl line 1 column page.items.outcome.bought is not a field of an object"]);
}
