//! Input in whatever layout a configuration describes, written by what `lookback config check` says of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, ListArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use serde_json::Value;

use super::input::{RawAction, RawImpression, write_parquet};
use super::program::{Bench, write_file};
use super::random::Random;

/// The layout that the configuration of a bench describes.
pub struct Layout {
    /// The numbers of the types by name.
    pub types: BTreeMap<String, u8>,
    sources: Vec<Source>,
}

struct Source {
    name: String,
    pattern: String,
    columns: BTreeMap<String, String>,
    /// Microseconds that one step of an integer time has; `None`: times are timestamps.
    unit_us: Option<i64>,
    /// Values of the column of types with what each means; without a column, one without a value.
    types: Vec<(Option<String>, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Layout {
    pub fn of(bench: &Bench) -> Self {
        std::fs::create_dir_all(bench.input()).unwrap();
        let checked = bench.json("config check --input input");
        let types = checked["types"].as_object().unwrap().iter();
        let types =
            types.map(|(name, number)| (name.clone(), u8::try_from(number.as_u64().unwrap()).unwrap())).collect();
        let source = |source: &Value| {
            let columns = source["columns"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1])));
            let types = source["types"].as_array().unwrap().iter();
            let unit_us = source["time_unit"].as_str().map(|unit| match unit {
                "s" => 1_000_000,
                "ms" => 1_000,
                "us" => 1,
                other => panic!("{other}"),
            });
            Source {
                name: text(&source["name"]),
                pattern: text(&source["pattern"]),
                columns: columns.collect(),
                unit_us,
                types: types.map(|pair| (pair[0].as_str().map(str::to_owned), text(&pair[1]))).collect(),
            }
        };
        Layout { types, sources: checked["sources"].as_array().unwrap().iter().map(source).collect() }
    }

    /// Puts a batch where the layout has it, each action into the first source that can say its type, with rows between
    /// them that are to be ignored. Gives how many of those there are.
    pub fn write_batch(&self, bench: &Bench, day: &str, actions: &[RawAction], random: &mut Random) -> u64 {
        let (mut left, mut ignored) = (actions.to_vec(), 0);
        for source in self.sources.iter().filter(|source| source.name != "impressions") {
            let numbers: Vec<u8> = source.types.iter().filter_map(|(_, name)| self.types.get(name)).copied().collect();
            let (taken, others) = left.into_iter().partition(|action| numbers.contains(&action.kind));
            left = others;
            ignored += self.write_source(bench, day, source, taken, random);
        }
        assert_eq!(left, [], "every type has a source");
        ignored
    }

    fn write_source(
        &self,
        bench: &Bench,
        day: &str,
        source: &Source,
        actions: Vec<RawAction>,
        random: &mut Random,
    ) -> u64 {
        let mut rows: Vec<(Option<RawAction>, String)> = Vec::new();
        let mut ignored = 0;
        for action in actions {
            let values = source.types.iter().filter(|(_, name)| self.types.get(name) == Some(&action.kind));
            let values: Vec<String> = values.map(|(value, _)| value.clone().unwrap_or_default()).collect();
            let chosen = usize::try_from(random.below(values.len() as u64)).unwrap();
            rows.push((Some(action), values[chosen].clone()));
            for (value, _) in source.types.iter().filter(|(_, name)| name == "ignored") {
                rows.push((None, value.clone().unwrap()));
                ignored += 1;
            }
        }
        if rows.is_empty() {
            return 0;
        }
        random.shuffle(&mut rows);
        let column = |of: &dyn Fn(&RawAction) -> i64| -> ArrayRef {
            Arc::new(rows.iter().map(|(action, _)| action.as_ref().map(of)).collect::<Int64Array>())
        };
        let times: ArrayRef = match source.unit_us {
            Some(unit_us) => column(&|action| {
                assert_eq!(action.time_us % unit_us, 0, "a time that the unit can say");
                action.time_us / unit_us
            }),
            None => {
                let times = rows.iter().map(|(action, _)| action.map(|action| action.time_us));
                Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
        };
        let name = |key: &str| source.columns[key].as_str();
        let mut columns = vec![
            (name("customer_id"), column(&|action| action.customer)),
            (name("item_id"), column(&|action| action.item)),
            (name("time"), times),
            ("something_else", column(&|action| action.item)),
        ];
        if let Some(column) = source.columns.get("type") {
            // Codes are written as integers, names as texts.
            let codes: Option<Vec<i64>> = rows.iter().map(|(_, value)| value.parse().ok()).collect();
            let values: ArrayRef = match codes {
                Some(codes) => Arc::new(Int64Array::from(codes)),
                None => Arc::new(rows.iter().map(|(_, value)| Some(value)).collect::<StringArray>()),
            };
            columns.push((column, values));
        }
        // Each row is another event, and none comes before another of its time.
        let numbers = || 0..i64::try_from(rows.len()).unwrap();
        if let Some(column) = source.columns.get("distinct_by") {
            columns.push((column, Arc::new(numbers().collect::<Int64Array>())));
        }
        if let Some(column) = source.columns.get("order_column") {
            columns.push((column, Arc::new(numbers().map(|_| 0).collect::<Int64Array>())));
        }
        let path = bench.input().join(place(&source.pattern, day));
        write_parquet(&path, &columns);
        // What is no data, and what is of no day.
        write_file(&path.with_file_name("_SUCCESS"), b"");
        write_file(&path.with_file_name(".log-1.crc"), b"no Parquet");
        ignored
    }

    pub fn write_impressions(&self, bench: &Bench, day: &str, rows: &[RawImpression]) {
        let source = self.sources.iter().find(|source| source.name == "impressions").unwrap();
        let name = |key: &str| source.columns[key].as_str();
        let elements = || rows.iter().flat_map(|row| &row.elements);
        let items: ArrayRef = Arc::new(elements().map(|(item, _)| Some(*item)).collect::<Int64Array>());
        let orders: ArrayRef = Arc::new(elements().map(|(_, order)| *order).collect::<BooleanArray>());
        let fields = Fields::from(vec![
            Field::new("noise", DataType::Int64, true),
            Field::new(name("is_order"), DataType::Boolean, true),
            Field::new(name("item_id"), DataType::Int64, true),
        ]);
        let values = StructArray::new(fields.clone(), vec![Arc::clone(&items), orders, items], None);
        let element = Arc::new(Field::new("element", DataType::Struct(fields), true));
        let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.elements.len()));
        let ranking_ids: StringArray = rows.iter().map(|row| row.ranking_id.as_deref()).collect();
        let customers: Int64Array = rows.iter().map(|row| Some(row.customer)).collect();
        let columns: [(&str, ArrayRef); 3] = [
            (name("ranking_id"), Arc::new(ranking_ids)),
            (name("customer_id"), Arc::new(customers)),
            (name("impressions"), Arc::new(ListArray::new(element, offsets, Arc::new(values), None))),
        ];
        write_parquet(&bench.input().join(place(&source.pattern, day)), &columns);
    }
}

/// A file that a pattern matches on a day.
fn place(pattern: &str, day: &str) -> String {
    let day_parts: Vec<&str> = day.split('-').collect();
    let mut path = pattern.replace("{dt}", day).replace("/**", "/deep/er");
    for (place, part) in ["{yyyy}", "{mm}", "{dd}"].iter().zip(day_parts) {
        path = path.replace(place, part);
    }
    let has_star = path.rsplit('/').next().unwrap().contains('*');
    let is_file = path.ends_with(".parquet");
    let path = path.replace('*', if has_star && !is_file { "1.parquet" } else { "1" });
    if is_file || has_star { path } else { format!("{path}/part-0.parquet") }
}
