//! What is wrong with rows in memory is said as it is of files.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use lookback::error::{Error, Kind};
use lookback::input::MemoryInput;
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::sources::Sources;
use lookback::store::{Folder, Store};

use super::{Reader, batch, create, day, given, ingest, lazy, options, reader, resources};
use crate::support::input::{impression_lists, us};

fn ids(ids: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(ids.to_vec()))
}

fn times(texts: &[&str]) -> ArrayRef {
    let times: TimestampMicrosecondArray = texts.iter().map(|text| Some(us(text))).collect();
    Arc::new(times.with_timezone("UTC"))
}

fn clicks(items: &[i64]) -> Vec<(&'static str, ArrayRef)> {
    let time = "2026-01-02T03:04:05Z";
    vec![("customer_id", ids(items)), ("item_id", ids(items)), ("click_time", times(&vec![time; items.len()]))]
}

fn add(source: &str, columns: &[(&str, ArrayRef)]) -> String {
    given(source, vec![batch(columns)]).map(drop).unwrap_err().to_string()
}

/// A command with what is in memory, in a store that has nothing yet.
fn refused(input: MemoryInput) -> Error {
    let folder = tempfile::tempdir().unwrap();
    ingest(&folder.path().join("store"), &options(input)).unwrap_err()
}

#[test]
fn a_name_that_no_source_has_is_answered_with_the_nearest() {
    let said = add("clikcs", &clicks(&[1]));
    assert!(said.starts_with("there is no source clikcs (there are: clicks, add_to_carts, orders); "), "{said}");
    assert!(said.ends_with("did you mean clicks?"), "{said}");
}

#[test]
fn a_source_is_given_once() {
    let mut input = given("clicks", vec![batch(&clicks(&[1]))]).unwrap();
    let again = input.add("clicks", reader(vec![batch(&clicks(&[2]))])).unwrap_err();
    assert_eq!(
        again.to_string(),
        "clicks were given twice in memory; give all rows of a source as one reader of record batches"
    );
    let shown = || reader(vec![batch(&[("customer_id", ids(&[1])), ("impressions", impression_lists(&[None]))])]);
    input.add_impressions(shown()).unwrap();
    assert!(input.add_impressions(shown()).unwrap_err().to_string().starts_with("impressions were given twice"));
}

#[test]
fn columns_are_refused_before_anything_is_read() {
    let without = &clicks(&[1])[1..];
    assert_eq!(
        add("clicks", without),
        "the data given as clicks has no column customer_id (it has: item_id, click_time); give the data with that column"
    );
    let mut wrong = clicks(&[1]);
    wrong[0].1 = Arc::new(BooleanArray::from(vec![true]));
    assert_eq!(
        add("clicks", &wrong),
        "the data given as clicks has a column customer_id of type Boolean, but needs integers, decimals, whole floats, or text of digits; give the column with such a type"
    );
    let twice = [clicks(&[1]), clicks(&[1])].concat();
    assert_eq!(
        add("clicks", &twice),
        "the data given as clicks has two columns customer_id; give the data with one of them"
    );
    let lists = [("customer_id", ids(&[1])), ("impressions", ids(&[1]))];
    let said = add("impressions", &lists);
    assert!(said.contains("the data given as impressions has a column impressions of type Int64, but needs a list"));

    // The reader is not asked for a batch, which would fail.
    let schema = batch(&wrong).schema();
    let mut input = MemoryInput::new(&Sources::default(), &resources());
    let fails: Reader = lazy(schema, std::iter::once_with(|| panic!("nothing is read")));
    assert!(input.add("clicks", fails).unwrap_err().to_string().contains("Boolean"));
}

#[test]
fn a_reader_that_fails_adds_nothing() {
    let rows = batch(&clicks(&[1, 2]));
    let schema = rows.schema();
    let mut input = MemoryInput::new(&Sources::default(), &resources());
    let broken = || Err(ArrowError::ExternalError("the connection was lost".into()));
    let batches = [Ok(rows.clone()), broken()];
    let failed = input.add("clicks", lazy(Arc::clone(&schema), batches.into_iter())).unwrap_err();
    assert_eq!(failed.kind(), Kind::Input);
    let said = failed.to_string();
    assert!(
        said.starts_with("the record batches given as clicks are broken: ") && said.contains("connection was lost"),
        "{said}"
    );
    assert!(std::error::Error::source(&failed).is_some_and(|cause| cause.is::<ArrowError>()));
    let panics = std::iter::once_with(|| panic!("an odd offset"));
    let said = input.add("clicks", lazy(Arc::clone(&schema), panics)).unwrap_err().to_string();
    assert!(said.contains("are broken: an odd offset; "), "{said}");
    // Batches of another schema than the one that was announced.
    let other = batch(&[("customer_id", ids(&[1]))]);
    assert!(input.add("clicks", lazy(schema, std::iter::once(Ok(other)))).is_err());
    input.add("clicks", reader(vec![rows])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ingest(&folder.path().join("store"), &options(input)).unwrap().actions, 2);
}

#[test]
fn bad_rows_are_named_by_their_place_in_all_batches() {
    let batches = vec![batch(&clicks(&[1, 2])), batch(&clicks(&[3, 0, 4]))];
    let error = refused(given("clicks", batches).unwrap());
    assert_eq!(
        error.to_string(),
        "the actions of 2026-01-02 have 1 bad row: row 4 of clicks column item_id is 0, which is the padding: [ids] item_offset in lookback.toml moves ids that count from 0; correct \
         the data, or set the rows aside with quarantine DIR; nothing was changed"
    );
}

#[test]
fn times_in_a_wrong_unit_are_refused() {
    let mut far = clicks(&[1, 2]);
    far[2].1 = times(&["1970-01-21T10:55:23Z", "1970-01-21T10:55:23Z"]);
    let said = refused(given("clicks", vec![batch(&far)]).unwrap()).to_string();
    assert!(
        said.starts_with("2 of the 2 actions of 2026-01-02 lie over ten years from that day, such as one of"),
        "{said}"
    );
    assert!(said.contains(" in clicks: its unit is likely 1,000 times as large"), "{said}");
}

#[test]
fn an_input_without_the_rows_that_are_asked_for_says_so() {
    let shown = vec![batch(&[("customer_id", ids(&[1])), ("impressions", impression_lists(&[None]))])];
    let input = given("impressions", shown).unwrap();
    let said = refused(input).to_string();
    assert!(said.starts_with("the input in memory for 2026-01-02 has no actions; give it the rows"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let input = MemoryInput::new(&Sources::default(), &resources());
    assert_eq!(ingest(&store, &options(input).allow_empty(true)).unwrap().actions, 0, "an empty batch");
    let input = given("clicks", vec![batch(&clicks(&[1]))]).unwrap();
    let store = Store::open_reader(&Folder::new(&store)).unwrap();
    let options = ProduceOptions::new(input, day("2026-01-03"), folder.path().join("out"));
    let said = produce(&store, &options, &Silent).unwrap_err().to_string();
    assert_eq!(
        said,
        "the input in memory for the rows of 2026-01-03 has no impressions; give it the impressions of the day"
    );
}

#[test]
fn the_options_have_the_sources_of_the_input() {
    let mut renamed = Sources::default();
    renamed.actions[0].item_id = "sku".to_owned();
    let folder = tempfile::tempdir().unwrap();
    let input = given("clicks", vec![batch(&clicks(&[1]))]).unwrap();
    let error = ingest(&folder.path().join("store"), &options(input).sources(renamed)).unwrap_err();
    assert!(error.to_string().starts_with("the rows in memory were read by other sources than the options describe; "));
}

#[test]
fn a_source_that_was_always_there_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    create(&store, "UTC");
    let orders = |time: &'static str| {
        let orders = [
            ("customer_id", ids(&[1])),
            ("config_id", ids(&[1])),
            ("order_date", { Arc::new(StringArray::from(vec![time])) as ArrayRef }),
        ];
        reader(vec![batch(&orders)])
    };
    for dt in ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"] {
        let mut input = given("clicks", vec![batch(&clicks(&[1]))]).unwrap();
        if dt != "2026-01-04" {
            input.add("orders", orders(dt)).unwrap();
        }
        let done = ingest(&store, &lookback::ingest::IngestOptions::new(input, day(dt)).resources(resources()));
        match done {
            Ok(summary) => assert_eq!((summary.orders, dt != "2026-01-04"), (Some(1), true)),
            Err(error) => {
                assert_eq!(dt, "2026-01-04");
                let said = error.to_string();
                assert!(
                    said.starts_with("there is no file of orders for 2026-01-04, but each of the batches"),
                    "{said}"
                );
            }
        }
    }
}

/// Names come from outside, and a message is one line.
#[test]
fn odd_names_are_escaped() {
    let mut odd = clicks(&[1]);
    odd[0].0 = "customer\nid";
    let said = add("clicks", &odd);
    assert!(said.contains("(it has: customer\\nid, item_id, click_time)"), "{said}");
}
