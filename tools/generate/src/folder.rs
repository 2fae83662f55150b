//! The folders of a day: `<table>/dt=YYYY-MM-DD` under the root, and in each nothing but the parts of this run.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::failure::Failure;

/// The name of a part of a day folder.
pub fn part_name(number: u32) -> String {
    format!("part-{number:05}.parquet")
}

/// Makes the folder of a table's day, unless it is there, and gives its path.
///
/// Fails when it holds data other than the parts 0 up to `files`: they would stay and count into the day, which would
/// then depend on more than the parameters, and they may be somebody's.
pub fn prepare(root: &Path, table: &str, date: NaiveDate, files: u32) -> Result<PathBuf, Failure> {
    let folder = root.join(table).join(format!("dt={date}"));
    fs::create_dir_all(&folder).map_err(Failure::at("create", &folder))?;
    for entry in fs::read_dir(&folder).map_err(Failure::at("read", &folder))? {
        let name = entry.map_err(Failure::at("read", &folder))?.file_name();
        let is_data = !name.as_encoded_bytes().starts_with(b".") && !name.as_encoded_bytes().starts_with(b"_");
        if is_data && !is_part_below(name.to_str(), files) {
            let why = "it holds data that this run would not replace; remove it or choose another --out";
            return Err(Failure::at("write into", &folder)(format!("{why} (found {})", name.display())));
        }
    }
    Ok(folder)
}

fn is_part_below(name: Option<&str>, files: u32) -> bool {
    let number = name
        .and_then(|name| name.strip_prefix("part-"))
        .and_then(|name| name.strip_suffix(".parquet"))
        .and_then(|digits| digits.parse::<u32>().ok());
    number.is_some_and(|number| number < files && name == Some(part_name(number).as_str()))
}
