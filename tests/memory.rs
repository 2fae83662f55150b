//! `--memory-limit`: kept by what is larger than it, and by files that are made to break it. Peaks are those that the
//! system counts for the process.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;

use crate::support::input::{PLAIN, RawAction, RawImpression, day_folder, us, write_batch, write_impressions};
use crate::support::output::{dump, read_partition};
use crate::support::program::{Bench, Ran, TODAY, assert_one_sentence};
use crate::support::random::{Random, seed};

pub const LIMIT: u64 = 128 << 20;
pub const DAY: &str = "2026-01-01";

/// Python with the packages of `tests/requirements.txt`.
fn python() -> String {
    std::env::var("LOOKBACK_PYTHON").expect("this test needs LOOKBACK_PYTHON: run tools/test")
}

/// Runs the program and gives its peak memory in bytes too.
pub fn measured(bench: &Bench, arguments: &str) -> (Ran, u64) {
    measured_in(bench, &[], arguments)
}

/// The same with further variables of the environment.
pub fn measured_in(bench: &Bench, environment: &[(String, String)], arguments: &str) -> (Ran, u64) {
    const SCRIPT: &str = "import resource, subprocess, sys\n\
        ran = subprocess.run(sys.argv[1:])\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)\n\
        sys.exit(ran.returncode)";
    let output = Command::new(python())
        .args(["-c", SCRIPT, env!("CARGO_BIN_EXE_lookback")])
        .env(TODAY.0, TODAY.1)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .args(arguments.split_whitespace())
        .args(["--memory-limit", &LIMIT.to_string()])
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let stderr = text(output.stderr);
    let (stderr, peak) = stderr.trim_end().rsplit_once('\n').unwrap_or(("", stderr.trim_end()));
    let ran = Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: stderr.to_owned() };
    (ran, peak.parse().unwrap())
}

pub fn clicks_file(name: &str) -> std::path::PathBuf {
    Path::new("clicks").join(format!("dt={DAY}")).join(name)
}

fn write(path: &Path, columns: &[(&str, ArrayRef)], properties: WriterPropertiesBuilder) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Sorted in memory, an action takes 40 bytes; these take ten times the limit. A third of them are one customer's.
#[test]
fn a_batch_of_ten_times_the_limit_is_taken_within_it() {
    const FILES: u64 = 7;
    const ACTIONS: u64 = 10 * LIMIT / 40 / FILES;
    let seed = seed(81);
    let mut random = Random::new(seed);
    let bench = Bench::new();
    let begin = us("2026-01-01T00:00:00Z");
    let mut hot = Vec::new();
    for number in 0..FILES {
        let (mut customers, mut items, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ACTIONS {
            let drawn = random.next();
            let customer =
                if drawn.is_multiple_of(3) { 7 } else { 1_000 + i64::try_from(drawn >> 8 & 0xf_ffff).unwrap() };
            let item = 1 + i64::try_from(drawn >> 30 & 0xf_ffff).unwrap();
            let time = begin + i64::try_from((drawn >> 3) % 86_400_000_000).unwrap();
            if customer == 7 {
                hot.push((time, item));
            }
            customers.push(customer);
            items.push(item);
            times.push(time);
        }
        let columns: [(&str, ArrayRef); 3] = [
            ("customer_id", Arc::new(Int64Array::from(customers))),
            ("item_id", Arc::new(Int64Array::from(items))),
            ("click_time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
        ];
        let properties = WriterProperties::builder().set_dictionary_enabled(false);
        write(&bench.input().join(clicks_file(&format!("{number}.parquet"))), &columns, properties);
    }
    let (ran, peak) = measured(&bench, &format!("ingest --create --store store --input input --dt {DAY} --json"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["actions"], ACTIONS * FILES);
    assert!(peak <= LIMIT, "ingest took {} MiB", peak >> 20);

    let shown = RawImpression { ranking_id: None, customer: 7, elements: vec![(1, None)] };
    write_impressions(&bench.input(), "2026-01-02", &[shown], PLAIN);
    let (ran, peak) = measured(&bench, "produce --store store --input input --dt 2026-01-02 --out out");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "produce took {} MiB", peak >> 20);
    hot.sort_unstable_by(|one, other| other.cmp(one));
    let expected: Vec<i64> = hot.iter().take(1_000).map(|(_, item)| *item).collect();
    assert_eq!(read_partition(&bench.out(), "2026-01-02")[0].actions, expected, "seed {seed}");
    assert!(!bench.store().join("staging").exists(), "nothing is left");

    // Days that a backfill works on side by side, each of them four times the limit.
    for (number, day) in [(0, DAY), (1, DAY), (2, DAY), (3, "2026-01-02"), (4, "2026-01-02"), (5, "2026-01-02")] {
        let file = bench.path("days").join("clicks").join(format!("dt={day}")).join(format!("{number}.parquet"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::hard_link(bench.input().join(clicks_file(&format!("{number}.parquet"))), file).unwrap();
    }
    fs::create_dir_all(bench.path("days/impressions")).unwrap();
    fs::rename(bench.input().join("impressions/dt=2026-01-02"), bench.path("days/impressions/dt=2026-01-02")).unwrap();
    let backfill = "backfill --store other --input days --from 2026-01-01 --to 2026-01-02 --out other-out";
    let (ran, peak) = measured(&bench, backfill);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "backfill took {} MiB", peak >> 20);
    let rows = read_partition(&bench.path("other-out"), "2026-01-02");
    assert!(rows[0].actions.iter().all(|item| *item != 0), "the full history of the one customer");
}

/// Rows whose histories are all full and stand nowhere side by side: three row groups of the default size. Nothing is
/// spared by rows that repeat.
#[test]
fn shuffled_rows_with_full_histories_are_written_within_the_limit() {
    const CUSTOMERS: i64 = 3_000;
    let seed = seed(82);
    let mut random = Random::new(seed);
    let bench = Bench::new();
    let begin = us("2026-01-01T00:00:00Z");
    let (mut customers, mut items, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for customer in 0..CUSTOMERS {
        for _ in 0..1_000 {
            customers.push(customer);
            items.push(1 + i64::try_from(random.below(50_000)).unwrap());
            times.push(begin + i64::try_from(random.below(86_400_000)).unwrap() * 1_000);
        }
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from(customers))),
        ("item_id", Arc::new(Int64Array::from(items))),
        ("click_time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
    ];
    write(&bench.input().join(clicks_file("0.parquet")), &columns, WriterProperties::builder());
    bench.ingest(DAY);
    let shown =
        |customer| RawImpression { ranking_id: None, customer, elements: (1..=10).map(|item| (item, None)).collect() };
    let impressions: Vec<RawImpression> = (0..CUSTOMERS).map(shown).collect();
    write_impressions(&bench.input(), "2026-01-02", &impressions, PLAIN);
    let produce = "produce --store store --input input --dt 2026-01-02 --out out --order shuffled --seed 1";
    let (ran, peak) = measured(&bench, &format!("{produce} --json"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&summary["rows"], &summary["without_history"]), (&(CUSTOMERS * 10).into(), &0.into()));
    assert!(peak <= LIMIT, "produce took {} MiB", peak >> 20);

    // With times there is too much in a row group: said so before anything is taken; and with smaller ones it fits.
    let (ran, peak) = measured(&bench, &format!("{produce} --with action_times"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_one_sentence(&ran, &["a row group of 10000 rows with 99", "--row-group-rows", "--memory-limit"]);
    assert!(peak <= LIMIT, "the refusal took {} MiB", peak >> 20);
    let (ran, peak) = measured(&bench, &format!("{produce} --with action_times --row-group-rows 2000"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "produce with times took {} MiB", peak >> 20);
}

pub fn one_batch() -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), DAY, &[action], PLAIN);
    bench.ingest(DAY);
    bench
}

/// One page for each column, however large.
fn one_page(codec: Compression) -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(codec)
        .set_dictionary_enabled(false)
        .set_data_page_size_limit(usize::MAX)
        .set_data_page_row_count_limit(usize::MAX)
        .set_write_batch_size(1 << 30)
        .set_max_row_group_row_count(None)
}

fn same(value: i64, rows: usize) -> ArrayRef {
    Arc::new(Int64Array::from(vec![value; rows]))
}

fn times(rows: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![us("2026-01-01T10:00:00Z"); rows]).with_timezone("UTC"))
}

/// Refused in one sentence with these words, within the limit, and the store is as it was.
pub fn refused(bench: &Bench, arguments: &str, words: &[&str]) {
    let before = dump(&bench.store());
    let (ran, peak) = measured(bench, arguments);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_one_sentence(&ran, words);
    assert!(peak <= LIMIT, "{} MiB: {}", peak >> 20, ran.stderr);
    assert_eq!(dump(&bench.store()), before);
}

#[test]
fn pages_that_would_take_all_memory_are_refused_before_they_are_read() {
    const ROWS: usize = 4_000_000;
    let ingest = format!("ingest --create --store store --input input --dt {DAY}");
    let codecs = [Compression::ZSTD(Default::default()), Compression::GZIP(Default::default())];
    for codec in codecs {
        let bench = one_batch();
        let path = bench.input().join(clicks_file("bomb.parquet"));
        let columns = [("customer_id", same(5, ROWS)), ("item_id", same(5, ROWS)), ("click_time", times(ROWS))];
        write(&path, &columns, one_page(codec));
        assert!(fs::metadata(&path).unwrap().len() < 4 << 20, "a small file");
        refused(&bench, &ingest, &["bomb.parquet", "a page of 32000000 bytes in column customer_id", "--memory-limit"]);
        if let Compression::GZIP(_) = codec {
            // The same, but the page announces no more than a megabyte.
            let mut bytes = fs::read(&path).unwrap();
            assert_eq!(bytes[4..7], [0x15, 0, 0x15], "type, and the uncompressed size");
            assert!(bytes[7..10].iter().all(|byte| *byte >= 0x80) && bytes[10] < 0x80, "a number of four bytes");
            bytes[7..11].copy_from_slice(&[0x80, 0x80, 0x80, 0x01]);
            fs::write(&path, &bytes).unwrap();
            refused(&bench, &ingest, &["bomb.parquet", "bytes in column customer_id", "--memory-limit"]);
        }
    }
}

#[test]
fn absurd_texts_and_lists_are_refused_before_they_are_read() {
    let produce = "produce --store store --input input --dt 2026-01-02 --out out";
    let bench = one_batch();
    let path = day_folder(&bench.input(), "impressions", "2026-01-02").join("x.parquet");
    let fields =
        Fields::from(vec![Field::new("item_id", DataType::Int64, true), Field::new("is_order", DataType::Int64, true)]);
    let lists = |count: usize| -> ArrayRef {
        let values = StructArray::new(fields.clone(), vec![same(3, count), same(0, count)], None);
        let element = Field::new("element", DataType::Struct(fields.clone()), true);
        let offsets = OffsetBuffer::from_lengths([count]);
        Arc::new(ListArray::new(Arc::new(element), offsets, Arc::new(values), None))
    };
    let text = |bytes: usize| -> ArrayRef { Arc::new(StringArray::from(vec!["x".repeat(bytes)])) };
    let zstd = || one_page(Compression::ZSTD(Default::default()));
    write(&path, &[("ranking_id", text(200 << 20)), ("customer_id", same(1, 1)), ("impressions", lists(2))], zstd());
    refused(&bench, produce, &["x.parquet", "in column ranking_id", "--memory-limit"]);
    let dictionary = one_page(Compression::UNCOMPRESSED).set_dictionary_enabled(true);
    write(
        &path,
        &[("ranking_id", text(2)), ("customer_id", same(1, 1)), ("impressions", lists(20_000_000))],
        dictionary,
    );
    assert!(fs::metadata(&path).unwrap().len() < 1 << 20, "runs of one value");
    refused(&bench, produce, &["x.parquet", "in column impressions", "--memory-limit"]);
    assert!(!bench.out().exists());
}

#[test]
fn deep_nesting_absurd_counts_and_wrong_checksums_are_refused() {
    let ingest = format!("ingest --create --store store --input input --dt {DAY}");
    let bench = one_batch();
    let path = bench.input().join(clicks_file("x.parquet"));
    let good = [("customer_id", same(5, 100)), ("item_id", same(5, 100)), ("click_time", times(100))];

    // A column that nobody asks for, of structs in structs.
    let mut deep = DataType::Int64;
    let mut nested: ArrayRef = same(1, 100);
    for _ in 0..20_000 {
        let fields = Fields::from(vec![Field::new("x", deep, true)]);
        nested = Arc::new(StructArray::new(fields.clone(), vec![nested], None));
        deep = DataType::Struct(fields);
    }
    let written = std::thread::Builder::new().stack_size(1 << 30).spawn({
        let (path, good) = (path.clone(), good.clone());
        move || {
            let mut columns = good.to_vec();
            columns.push(("deep", nested));
            let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
            let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
            let batch = RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect()).unwrap();
            let options = ArrowWriterOptions::new().with_skip_arrow_metadata(true);
            let file = fs::File::create(&path).unwrap();
            let mut writer = ArrowWriter::try_new_with_options(file, batch.schema(), options).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
        }
    });
    written.unwrap().join().unwrap();
    refused(&bench, &ingest, &["x.parquet", "nested"]);

    // The footer says that there are more rows than the pages have.
    let uncompressed = || one_page(Compression::UNCOMPRESSED);
    write(&path, &good, uncompressed());
    let mut bytes = fs::read(&path).unwrap();
    let footer = bytes.len()
        - 8
        - usize::try_from(u32::from_le_bytes(bytes[bytes.len() - 8..][..4].try_into().unwrap())).unwrap();
    // The count of 100 rows, as a signed varint of two bytes, wherever it stands in the footer.
    let mut found = 0;
    for place in footer..bytes.len() - 9 {
        if bytes[place..place + 2] == [0xc8, 0x01] {
            bytes[place..place + 2].copy_from_slice(&[0xfe, 0x7f]);
            found += 1;
        }
    }
    assert!(found >= 2, "of the file and of the row group");
    fs::write(&path, &bytes).unwrap();
    refused(&bench, &ingest, &["x.parquet"]);

    // One bit of the data is another than when its checksum was made.
    const SCRIPT: &str = "import sys, pyarrow.parquet as pq\n\
        pq.write_table(pq.read_table(sys.argv[1]), sys.argv[1], compression='none', use_dictionary=False, write_page_checksum=True)";
    write(&path, &good, uncompressed());
    let written = Command::new(python()).args(["-c", SCRIPT]).arg(&path).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    refused(&bench, &ingest, &["x.parquet", "CRC"]);
}

/// Writes impressions of two items each by pyarrow, with code that makes `ids` and says how to write them.
fn by_pyarrow(path: &Path, code: &str) {
    let script = format!(
        "import sys, pyarrow as pa, pyarrow.parquet as pq\n\
        element = pa.list_(pa.struct([('item_id', pa.int64()), ('is_order', pa.bool_())]))\n\
        def table(ids, lists=None):\n\
        \x20   shown = pa.array(lists or [[{{'item_id': 1, 'is_order': False}}] * 2] * len(ids), element)\n\
        \x20   return pa.table({{'ranking_id': ids, 'customer_id': [1] * len(ids), 'impressions': shown}})\n\
        {code}\n"
    );
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let written = Command::new(python()).args(["-c", &script]).arg(path).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
}

/// One impression whose list goes on over many pages, none of them large. The usual writers end a page with a row; here
/// the pages are put together by hand.
fn list_over_pages(path: &Path, pages: usize, page_values: usize) {
    let schema = "message schema { optional binary ranking_id (UTF8); required int64 customer_id;
        required group impressions (LIST) { repeated group list { required group element {
        required int64 item_id; required int64 is_order; } } } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let descriptor = SchemaDescriptor::new(Arc::clone(&schema));
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(fs::File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for leaf in 0..4 {
        let is_list = leaf > 1;
        let (pages, values) = if is_list { (pages, page_values) } else { (1, 1) };
        let mut sink = TrackedWrite::new(Vec::new());
        for number in 0..pages {
            let run = |count: usize, level: u8| {
                let mut run = Vec::new();
                let mut head = count << 1;
                while head >= 0x80 {
                    run.push(head as u8 | 0x80);
                    head >>= 7;
                }
                run.extend([head as u8, level]);
                run
            };
            let levels = |levels: Vec<u8>| [&u32::try_from(levels.len()).unwrap().to_le_bytes()[..], &levels].concat();
            let mut bytes = Vec::new();
            if is_list {
                let first = usize::from(number == 0);
                bytes
                    .extend(levels([if first == 1 { run(1, 0) } else { Vec::new() }, run(values - first, 1)].concat()));
                bytes.extend(levels(run(values, 1)));
            }
            // The first column has one null.
            bytes.extend(if leaf == 0 { levels(run(1, 0)) } else { vec![0; 8 * values] });
            let page = Page::DataPage {
                buf: bytes.clone().into(),
                num_values: values as u32,
                encoding: Encoding::PLAIN,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            let page = CompressedPage::new(page, bytes.len());
            SerializedPageWriter::new(&mut sink).write_page(page).unwrap();
        }
        let bytes = sink.into_inner().unwrap();
        let size = i64::try_from(bytes.len()).unwrap();
        let metadata = ColumnChunkMetaData::builder(descriptor.column(leaf))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_num_values((pages * values) as i64)
            .set_total_compressed_size(size)
            .set_total_uncompressed_size(size)
            .build()
            .unwrap();
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: 1,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        group.append_column(&bytes::Bytes::from(bytes), close).unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn values_far_larger_than_their_pages_are_refused_within_the_limit() {
    let produce = "produce --store store --input input --dt 2026-01-02 --out out";
    let bench = one_batch();
    let path = day_folder(&bench.input(), "impressions", "2026-01-02").join("x.parquet");
    let texts = [
        // One text that the dictionary gives to every row.
        "pq.write_table(table(pa.DictionaryArray.from_arrays([0] * 3000, ['x' * (6 << 20)])), sys.argv[1])",
        // Each row has a page of its own, of which nearly nothing is left when it is compressed.
        "pq.write_table(table(['x' * (6 << 20)] * 30), sys.argv[1], compression='zstd', use_dictionary=False, data_page_size=1, write_batch_size=1)",
        // Each text is the one before and another end.
        "pq.write_table(table(['x' * (1 << 20) + str(number) for number in range(300)]), sys.argv[1], use_dictionary=False, \
         column_encoding={'ranking_id': 'DELTA_BYTE_ARRAY'})",
    ];
    for code in texts {
        by_pyarrow(&path, code);
        assert!(fs::metadata(&path).unwrap().len() < 8 << 20, "a small file");
        refused(&bench, produce, &["x.parquet row 1 column ranking_id is longer than 4096 bytes"]);
    }
    list_over_pages(&path, 6, 500_000);
    let words = ["x.parquet has a row with a list of 3000000 values", "--memory-limit"];
    refused(&bench, produce, &words);
    assert!(!bench.out().exists());
}

#[test]
fn many_lists_that_are_each_short_are_read_within_the_limit() {
    let bench = one_batch();
    let path = day_folder(&bench.input(), "impressions", "2026-01-02").join("x.parquet");
    by_pyarrow(&path, "pq.write_table(table(['a'] * 600_000), sys.argv[1])");
    let (ran, peak) =
        measured(&bench, "produce --store store --input input --dt 2026-01-02 --out out --max-history 1 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&summary["rows"], &summary["impressions"]), (&1_200_000.into(), &600_000.into()));
}
