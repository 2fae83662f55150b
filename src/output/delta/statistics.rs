//! The statistics of a part, as a Delta table has them: by these, readers pass over files that cannot match.
//!
//! Customers and ranking ids have no least and greatest value there: a log keeps the commits of older versions, so a
//! value of a forgotten customer would stay in it. The row groups of the parts have these, and go with the parts.

use std::collections::BTreeMap;
use std::fs::File;

use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use serde::Serialize;

use crate::error::Result;
use crate::exact::Held;
use crate::input::parquet::metadata::metadata;
use crate::manifest::PartFile;
use crate::model::RowColumn;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileStatistics {
    num_records: u64,
    min_values: BTreeMap<String, i64>,
    max_values: BTreeMap<String, i64>,
    null_count: BTreeMap<String, u64>,
}

/// Returns the statistics of a part, as JSON, from its metadata.
pub(in crate::output) fn statistics_of(part: &PartFile, file: &File) -> Result<String> {
    let metadata = metadata(file).held("a part that was just written can be read")?;
    let mut statistics = FileStatistics {
        num_records: part.rows,
        min_values: BTreeMap::new(),
        max_values: BTreeMap::new(),
        null_count: BTreeMap::new(),
    };
    for (number, column) in metadata.file_metadata().schema_descr().columns().iter().enumerate() {
        if column.max_rep_level() > 0 {
            continue;
        }
        let (name, nulls) = (column.name().to_owned(), nulls_of(&metadata, number));
        statistics.null_count.insert(name.clone(), nulls);
        if let Some((least, greatest)) = bounds_of(&metadata, number).filter(|_| may_have_bounds(&name)) {
            statistics.min_values.insert(name.clone(), least);
            statistics.max_values.insert(name, greatest);
        }
    }
    serde_json::to_string(&statistics).held("names and numbers can be written as JSON")
}

/// Whether the values of a column belong to no single customer.
fn may_have_bounds(name: &str) -> bool {
    name != RowColumn::CustomerId.name() && name != RowColumn::RankingId.name()
}

fn statistics_in(metadata: &ParquetMetaData, column: usize) -> impl Iterator<Item = Option<&Statistics>> {
    let groups = metadata.row_groups().iter();
    groups.map(move |group| group.columns().get(column).and_then(|chunk| chunk.statistics()))
}

/// Returns the number of nulls in a column, of which each row group says its own.
fn nulls_of(metadata: &ParquetMetaData, column: usize) -> u64 {
    statistics_in(metadata, column).flatten().filter_map(Statistics::null_count_opt).sum()
}

/// Returns the least and the greatest number in a column; `None` if it has no row, or no numbers.
fn bounds_of(metadata: &ParquetMetaData, column: usize) -> Option<(i64, i64)> {
    let mut bounds: Option<(i64, i64)> = None;
    for of_group in statistics_in(metadata, column) {
        let (least, greatest) = match of_group? {
            Statistics::Int32(numbers) => (i64::from(*numbers.min_opt()?), i64::from(*numbers.max_opt()?)),
            Statistics::Int64(numbers) => (*numbers.min_opt()?, *numbers.max_opt()?),
            _ => return None,
        };
        let (before, after) = bounds.unwrap_or((least, greatest));
        bounds = Some((before.min(least), after.max(greatest)));
    }
    bounds
}
