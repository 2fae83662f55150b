//! The same rows as text, written by hand: CSV and JSON lines, plain or compressed.

use std::io::Write;
use std::path::Path;

use chrono::{DateTime, FixedOffset};

use super::input::{RawAction, RawList};
use super::program::write_file;

/// How the names of text files end.
pub const ENDINGS: [&str; 12] = [
    "csv",
    "csv.gz",
    "csv.zst",
    "jsonl",
    "jsonl.gz",
    "jsonl.zst",
    "ndjson",
    "ndjson.gz",
    "ndjson.zst",
    "json",
    "json.gz",
    "json.zst",
];

/// A row with columns in order: name, and the cell; `None` is null.
pub type Cells = Vec<(&'static str, Option<Cell>)>;

#[derive(Clone, Debug)]
pub enum Cell {
    Number(i64),
    Text(String),
    List(Vec<(i64, Option<bool>)>),
}

/// Writes rows to a file by the end of its name. There is at least one row, of whose names the header is made.
pub fn write_rows(path: &Path, rows: &[Cells]) {
    let name = path.to_str().unwrap();
    let text = if name.contains(".csv") { csv(rows) } else { json_lines(rows) };
    write_file(path, &packed(name, text.as_bytes()));
}

/// Compressed as the end of the name says.
pub fn packed(name: &str, text: &[u8]) -> Vec<u8> {
    if name.ends_with(".gz") {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        gzip.finish().unwrap()
    } else if name.ends_with(".zst") {
        zstd::encode_all(text, 1).unwrap()
    } else {
        text.to_vec()
    }
}

fn csv(rows: &[Cells]) -> String {
    let mut lines = vec![rows[0].iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>().join(",")];
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().map(|(_, cell)| match cell {
            None => String::new(),
            // As some writers do it.
            Some(Cell::Number(id)) if number % 5 == 0 => format!("\"{id}\""),
            Some(Cell::Number(id)) => id.to_string(),
            Some(Cell::Text(text)) if text.is_empty() || text.contains([',', '"', '\n', '\r']) || number % 3 == 0 => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Some(Cell::Text(text)) => text.clone(),
            Some(Cell::List(list)) => format!("\"{}\"", json_list(list).replace('"', "\"\"")),
        });
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    // Both ends of lines, and none behind the last.
    if rows.len().is_multiple_of(2) { lines.join("\n") + "\n" } else { lines.join("\r\n") }
}

fn json_lines(rows: &[Cells]) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let mut fields: Vec<String> = Vec::new();
        for (name, cell) in row {
            let value = match cell {
                // Some writers leave nulls out; the first row has all names here.
                None if number % 2 == 1 => continue,
                None => "null".to_owned(),
                Some(Cell::Number(id)) if number % 5 == 0 => format!("\"{id}\""),
                Some(Cell::Number(id)) => id.to_string(),
                Some(Cell::Text(text)) => serde_json::to_string(text).unwrap(),
                Some(Cell::List(list)) => json_list(list),
            };
            fields.push(format!("\"{name}\":{value}"));
        }
        if number % 2 == 1 {
            fields.reverse();
        }
        text.push_str(&format!("{{{}}}\n", fields.join(", ")));
    }
    text
}

fn json_list(list: &[(i64, Option<bool>)]) -> String {
    let elements = list.iter().enumerate().map(|(place, (item, ordered))| match (ordered, place % 3) {
        (Some(ordered), 0) => format!("{{\"item_id\":{item},\"is_order\":{}}}", i32::from(*ordered)),
        (Some(ordered), _) => format!("{{\"is_order\":{ordered}, \"x\":[{{}}], \"item_id\":\"{item}\"}}"),
        (None, 0) => format!("{{\"item_id\":{item}}}"),
        (None, _) => format!("{{\"item_id\":{item},\"is_order\":null}}"),
    });
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// An action with the names of its folder. `number` chooses how its time is written.
pub fn action_cells(action: &RawAction, number: usize) -> Cells {
    let (item, time) = match action.kind {
        1 => ("item_id", "click_time"),
        _ => ("config_id", "occurred_at"),
    };
    vec![
        ("other", Some(Cell::Text(format!("\"{number}\", and\nmore")))),
        (time, Some(Cell::Text(time_text(action.time_us, number)))),
        ("customer_id", Some(Cell::Number(action.customer))),
        (item, Some(Cell::Number(action.item))),
    ]
}

pub fn impression_cells(ranking_id: Option<&str>, customer: i64, list: &RawList) -> Cells {
    vec![
        ("customer_id", Some(Cell::Number(customer))),
        ("ranking_id", ranking_id.map(|text| Cell::Text(text.to_owned()))),
        ("impressions", list.clone().map(Cell::List)),
    ]
}

/// One of the forms of ISO 8601 with an offset.
fn time_text(time_us: i64, form: usize) -> String {
    let utc = DateTime::from_timestamp_micros(time_us).unwrap();
    let at = |seconds: i32| utc.with_timezone(&FixedOffset::east_opt(seconds).unwrap());
    match form % 4 {
        0 => utc.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        1 => utc.format("%Y-%m-%d %H:%M:%S%.fZ").to_string(),
        2 => at(7_200).format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
        _ => at(-34_200).format("%Y-%m-%d %H:%M:%S%.9f %z").to_string(),
    }
}
