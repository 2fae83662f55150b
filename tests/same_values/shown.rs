//! Impressions: ranking ids, items and labels of every type.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int64Array,
    LargeBinaryArray, ListArray, RecordBatch, RecordBatchIterator, StringArray, StructArray, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Metadata, Schema};
use lookback::input::{Input, MemoryInput};
use lookback::model::Day;
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::sources::Sources;
use lookback::store::{Folder, Settings, Store};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;

use super::{Cells, memory, resources, texts};
use crate::support::input::write_parquet;
use crate::support::output::read_partition;
use crate::support::program::write_file;

/// Ranking id, customer, item, label: of each row that came out.
type Rows = Vec<(Option<String>, i64, i64, i32)>;

/// The rows of these impressions, or why they were refused: what stands behind "column".
fn rows(input: impl FnOnce(&Path) -> Input) -> Result<Rows, String> {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let folder = Folder::new(&at("store"));
    Store::create(&folder, Settings { max_history: 2, ..Settings::default() }).unwrap();
    let store = Store::open_reader(&folder).unwrap();
    let options = ProduceOptions::new(input(&at("input")), "2026-01-02".parse::<Day>().unwrap(), at("out"));
    let options = options.resources(resources()).allow_gaps(true);
    let refused = produce(&store, &options, &Silent).map_err(|error| {
        let sentence = error.to_string();
        let (_, reason) = sentence.split_once(" column ").unwrap_or_else(|| panic!("{sentence}"));
        reason.split_once("; ").unwrap().0.to_owned()
    });
    let row = |row: crate::support::output::Row| (row.ranking_id, row.customer_id, row.impression_item_id, row.label);
    refused.map(|_| read_partition(&at("out"), "2026-01-02").into_iter().map(row).collect())
}

fn file(root: &Path, ending: &str) -> std::path::PathBuf {
    let folder = root.join("impressions/dt=2026-01-02");
    fs::create_dir_all(&folder).unwrap();
    folder.join(format!("a.{ending}"))
}

/// One list of one element for each row.
fn lists(items: &ArrayRef, labels: &ArrayRef) -> ArrayRef {
    let field = |name: &str, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
    let fields = Fields::from(vec![field("item_id", items), field("is_order", labels)]);
    let values = StructArray::new(fields.clone(), vec![Arc::clone(items), Arc::clone(labels)], None);
    let element = Arc::new(Field::new("element", DataType::Struct(fields), true));
    Arc::new(ListArray::new(element, OffsetBuffer::from_lengths(vec![1; items.len()]), Arc::new(values), None))
}

fn plain(count: usize) -> ArrayRef {
    Arc::new(Int64Array::from(vec![5; count]))
}

fn ones(count: usize) -> ArrayRef {
    Arc::new(Int64Array::from(vec![1; count]))
}

/// The outcomes of these columns as Parquet and from memory, which are the same.
fn both(columns: &[(&str, ArrayRef)]) -> Result<Rows, String> {
    let of_file = rows(|root| {
        write_parquet(&file(root, "parquet"), columns);
        root.into()
    });
    let of_memory = rows(|_| memory("impressions", &Sources::default(), columns.to_vec()));
    assert_eq!(of_file, of_memory, "{}", columns[0].1.data_type());
    of_file
}

fn of_text(ending: &str, content: &str) -> Result<Rows, String> {
    rows(|root| {
        write_file(&file(root, ending), content.as_bytes());
        root.into()
    })
}

/// Rows with these labels, or this one fault.
fn with_labels(labels: &ArrayRef) -> Result<Vec<i32>, String> {
    let items: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=i64::try_from(labels.len()).unwrap()));
    let customers = Arc::clone(&items);
    let found = both(&[("impressions", lists(&items, labels)), ("customer_id", customers)]);
    found.map(|rows| rows.into_iter().map(|row| row.3).collect())
}

fn with_json_labels(labels: &[&str]) -> Result<Vec<i32>, String> {
    let list = |label: &str| format!("[{{\"item_id\":3,\"is_order\":{label}}}]");
    let json =
        (1..).zip(labels).map(|(id, label)| format!("{{\"customer_id\":{id},\"impressions\":{}}}\n", list(label)));
    let csv = (1..).zip(labels).map(|(id, label)| format!("{id},\"{}\"\n", list(label).replace('"', "\"\"")));
    let csv = format!("customer_id,impressions\n{}", csv.collect::<String>());
    let [json, csv] = [of_text("jsonl", &json.collect::<String>()), of_text("csv", &csv)];
    assert_eq!(json, csv);
    json.map(|rows| rows.into_iter().map(|row| row.3).collect())
}

#[test]
fn a_label_is_the_same_in_every_format_and_type() {
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
    let expected = Ok(vec![1, 0, 0]);
    assert_eq!(with_labels(&flags), expected);
    let types = [
        DataType::Int8,
        DataType::Int32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal128(38, 0),
        DataType::Decimal128(10, 2),
    ];
    for to in types {
        let numbers = cast(&cast(&flags, &DataType::Int64).unwrap(), &to).unwrap();
        assert_eq!(with_labels(&numbers), expected, "{to}");
    }
    for [yes, no] in [["1", "0"], ["true", "false"], ["True", "False"], ["1.0", "0.0"], [" 1", "0 "]] {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some(yes), Some(no), None]));
        for to in [DataType::Utf8, DataType::Utf8View, DataType::Binary, DataType::LargeBinary] {
            assert_eq!(with_labels(&cast(&text, &to).unwrap()), expected, "{yes} {to}");
        }
        let [yes, no] = [yes, no].map(|text| format!("{text:?}"));
        assert_eq!(with_json_labels(&[&yes, &no, "null"]), expected, "{yes}");
    }
    assert_eq!(with_json_labels(&["true", "false", "null"]), expected);
    assert_eq!(with_json_labels(&["1", "0.0", "null"]), expected);
    assert_eq!(with_json_labels(&["1.0", "0", "null"]), expected);
    assert_eq!(with_labels(&arrow::array::new_null_array(&DataType::Null, 2)), Ok(vec![0, 0]));
}

#[test]
fn what_is_no_label_is_refused_in_the_same_words() {
    let wrong = |shown: &str| Err(format!("impressions.is_order is {shown}, neither 0 nor 1"));
    let two: ArrayRef = Arc::new(Int64Array::from(vec![2]));
    for to in [DataType::Int64, DataType::UInt8, DataType::Utf8, DataType::Decimal128(38, 0)] {
        assert_eq!(with_labels(&cast(&two, &to).unwrap()), wrong("2"), "{to}");
    }
    assert_eq!(with_json_labels(&["2"]), wrong("2"));
    assert_eq!(with_json_labels(&["\"2\""]), wrong("2"));
    let halves: [ArrayRef; 3] = [
        Arc::new(Float64Array::from(vec![0.5])),
        Arc::new(Decimal128Array::from(vec![5]).with_precision_and_scale(10, 1).unwrap()),
        Arc::new(BinaryArray::from(vec![&b"0.5"[..]])),
    ];
    halves.iter().for_each(|half| assert_eq!(with_labels(half), wrong("0.5")));
    assert_eq!(with_json_labels(&["0.5"]), wrong("0.5"));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["yes"]));
    assert_eq!((with_labels(&text), with_json_labels(&["\"yes\""])), (wrong("yes"), wrong("yes")));
    let broken: ArrayRef = Arc::new(BinaryArray::from(vec![&b"1\xff"[..]]));
    assert_eq!(with_labels(&broken), Err("impressions.is_order is not UTF-8".to_owned()));
}

/// Items are read as those of actions are.
#[test]
fn items_of_lists_are_ids_like_others() {
    let labels: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let with_items = |items: &ArrayRef| both(&[("impressions", lists(items, &labels)), ("customer_id", plain(1))]);
    let good: [ArrayRef; 5] = [
        Arc::new(Int64Array::from(vec![7])),
        Arc::new(Float64Array::from(vec![7.0])),
        Arc::new(Decimal128Array::from(vec![700]).with_precision_and_scale(10, 2).unwrap()),
        Arc::new(StringArray::from(vec!["7.0"])),
        Arc::new(LargeBinaryArray::from(vec![&b"7"[..]])),
    ];
    let expected = Ok(vec![(None, 5, 7, 1)]);
    good.iter().for_each(|items| assert_eq!(with_items(items), expected, "{}", items.data_type()));
    let zeros: ArrayRef = Arc::new(StringArray::from(vec!["007"]));
    let large: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let of_json = |item: &str| {
        of_text("jsonl", &format!("{{\"customer_id\":5.0,\"impressions\":[{{\"item_id\":{item},\"is_order\":1}}]}}\n"))
    };
    for item in ["7", "7.0", "\"7\"", "\"7.0\""] {
        assert_eq!(of_json(item), expected, "{item}");
    }
    let refused = with_items(&zeros);
    assert!(refused.as_ref().is_err_and(|reason| reason.contains("[ids] item = \"text\"")), "{refused:?}");
    assert_eq!(of_json("\"007\""), refused);
    assert_eq!(of_json("18446744073709551615"), with_items(&large));
    let zero: ArrayRef = Arc::new(Float64Array::from(vec![0.0]));
    let refused = with_items(&zero).unwrap_err();
    assert!(refused.starts_with("impressions.item_id is 0, which is the padding: [ids] item_offset"), "{refused}");
}

fn with_ranking_ids(ids: &ArrayRef) -> Result<Rows, String> {
    let fives = plain(ids.len());
    both(&[("ranking_id", Arc::clone(ids)), ("impressions", lists(&fives, &ones(ids.len()))), ("customer_id", fives)])
}

#[test]
fn a_ranking_id_is_text_bytes_or_an_integer() {
    let names = |rows: Result<Rows, String>| rows.map(|rows| rows.into_iter().map(|row| row.0).collect::<Vec<_>>());
    for two in [["12", "é7"], ["07", "12"]] {
        for cells in texts(&two) {
            let Cells::Typed(array) = &cells else { panic!("{}", cells.name()) };
            assert_eq!(
                names(with_ranking_ids(array)).unwrap(),
                two.map(|text| Some(text.to_owned())),
                "{}",
                cells.name()
            );
        }
    }
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(-12), None]));
    let types = [DataType::Int64, DataType::Int8, DataType::Decimal128(38, 0), DataType::Decimal32(9, 0)];
    for to in types {
        let found = names(with_ranking_ids(&cast(&numbers, &to).unwrap())).unwrap();
        assert_eq!(found, [None, Some("-12".to_owned())], "{to}");
    }
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert_eq!(names(with_ranking_ids(&unsigned)).unwrap(), [Some(u64::MAX.to_string())]);
    let csv = of_text("csv", "ranking_id,customer_id,impressions\n-12,5,\"[{\"\"item_id\"\":5}]\"\n");
    let json = of_text("jsonl", "{\"ranking_id\":-12,\"customer_id\":5,\"impressions\":[{\"item_id\":5}]}\n");
    assert_eq!(
        (names(csv).unwrap(), names(json).unwrap()),
        (vec![Some("-12".to_owned())], vec![Some("-12".to_owned())])
    );
    let broken: ArrayRef = Arc::new(BinaryArray::from(vec![&b"r\xff"[..]]));
    assert_eq!(with_ranking_ids(&broken), Err("ranking_id is not UTF-8".to_owned()));
    let broken: Vec<u8> = b"ranking_id,customer_id,impressions\nr\xff,5,[]\n".to_vec();
    let of_csv = rows(|root| {
        write_file(&file(root, "csv"), &broken);
        root.into()
    });
    assert_eq!(of_csv, Err("ranking_id is not UTF-8".to_owned()));
}

const UUID: u128 = 0x550e_8400_e29b_41d4_a716_4466_5544_0000;
const TEXT: &str = "550e8400-e29b-41d4-a716-446655440000";

fn uuids(values: &[Option<u128>]) -> ArrayRef {
    let bytes = values.iter().map(|value| value.map(u128::to_be_bytes));
    Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).unwrap())
}

/// UUIDs are told from other bytes by what annotates them: in Parquet the logical type, in Arrow the extension type.
#[test]
fn a_ranking_id_may_be_a_uuid() {
    let of_ids = |ids: ArrayRef| {
        let fives = plain(ids.len());
        let lists = lists(&fives, &ones(ids.len()));
        [("ranking_id", ids), ("customer_id", fives), ("impressions", lists)]
    };
    let columns = of_ids(uuids(&[Some(UUID), None]));
    let of_parquet = |annotation: &str, columns: &[(&str, ArrayRef)]| {
        rows(|root| {
            write_annotated(&file(root, "parquet"), annotation, columns);
            root.into()
        })
    };
    let of_memory = |name: &str, columns: &[(&str, ArrayRef)]| {
        rows(|_| {
            let rows = RecordBatch::try_from_iter_with_nullable(
                columns.iter().map(|(name, column)| (*name, Arc::clone(column), true)),
            );
            let rows = rows.unwrap();
            let metadata: Metadata = [("ARROW:extension:name".to_owned(), name.to_owned())].into_iter().collect();
            let schema = rows.schema();
            let fields = schema.fields().iter().map(|field| match field.name().as_str() {
                "ranking_id" => field.as_ref().clone().with_metadata(metadata.clone()),
                _ => field.as_ref().clone(),
            });
            let fields: Vec<Field> = fields.collect();
            let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), rows.columns().to_vec()).unwrap();
            let reader = Box::new(RecordBatchIterator::new([Ok(rows.clone())], rows.schema()));
            let mut input = MemoryInput::new(&Sources::default(), &resources());
            input.add_impressions(reader).unwrap();
            input.into()
        })
    };
    let expected = Ok(vec![(None, 5, 5, 1), (Some(TEXT.to_owned()), 5, 5, 1)]);
    assert_eq!(of_parquet("(UUID)", &columns), expected);
    assert_eq!(of_memory("arrow.uuid", &columns), expected);
    let text = of_text(
        "csv",
        &format!(
            "ranking_id,customer_id,impressions\n{TEXT},5,\"[{{\"\"item_id\"\":5,\"\"is_order\"\":1}}]\"\n,5,\"[{{\"\"item_id\"\":5,\"\"is_order\"\":1}}]\"\n"
        ),
    );
    assert_eq!(text, expected);
    // Sixteen bytes that nothing annotates are text or nothing.
    let not_text = Err("ranking_id is not UTF-8".to_owned());
    let bytes = of_ids(uuids(&[Some(UUID)]));
    assert_eq!((of_parquet("", &bytes), of_memory("other", &bytes)), (not_text.clone(), not_text));
    let letters = u128::from_be_bytes(*b"sixteen letters!");
    let bytes = of_ids(uuids(&[Some(letters)]));
    let expected = Ok(vec![(Some("sixteen letters!".to_owned()), 5, 5, 1)]);
    assert_eq!((of_parquet("", &bytes), of_memory("other", &bytes)), (expected.clone(), expected));
    // As an item a UUID is text, and no integer.
    let items = lists(&uuids(&[Some(UUID)]), &ones(1));
    let shown = [("ranking_id", uuids(&[Some(UUID)])), ("customer_id", plain(1)), ("impressions", items)];
    let said = of_parquet("(UUID)", &shown);
    let way_out = "[ids] item = \"text\" in lookback.toml takes it";
    assert_eq!(said, Err(format!("impressions.item_id is not an integer ({TEXT:?}): {way_out}")));
}

/// Parquet in which bytes of fixed length are annotated so.
fn write_annotated(path: &Path, annotation: &str, columns: &[(&str, ArrayRef)]) {
    let item = match columns[2].1.data_type() {
        DataType::List(element) if element.data_type().to_string().contains("FixedSizeBinary") => {
            format!("optional fixed_len_byte_array(16) item_id {annotation};")
        }
        _ => "optional int64 item_id;".to_owned(),
    };
    let schema = format!(
        "message m {{ optional fixed_len_byte_array(16) ranking_id {annotation}; optional int64 customer_id; \
         optional group impressions (LIST) {{ repeated group list {{ optional group element {{ {item} \
         optional int64 is_order; }} }} }} }}"
    );
    let schema = SchemaDescriptor::new(Arc::new(parse_message_type(&schema).unwrap()));
    let columns = columns.iter().map(|(name, column)| (*name, Arc::clone(column), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let options = ArrowWriterOptions::new().with_parquet_schema(schema).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(File::create(path).unwrap(), batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
