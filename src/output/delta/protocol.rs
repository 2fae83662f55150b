//! Which Delta tables are read and written.
//!
//! Tables of reader version 1 and writer version 2, and those of newer versions that use no feature beyond these. A
//! feature that is not known may change what a file, a value or a commit means.

use super::action::{Metadata, Protocol};
use super::schema::Schema;
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{RowColumn, RowColumns};
use crate::storage::Place;
use crate::text::Shown as _;

/// What a table of this program needs.
pub(super) const READER_VERSION: i32 = 1;
pub(super) const WRITER_VERSION: i32 = 2;

/// Features that writer version 2 has too.
const KNOWN_FEATURES: [&str; 2] = ["appendOnly", "invariants"];

/// The property of tables whose rows may not be replaced.
const APPEND_ONLY: &str = "delta.appendOnly";

/// Fails if rows with these columns cannot be in a Delta table.
pub(super) fn check_columns(columns: RowColumns) -> Result<()> {
    Schema::of(columns).map(drop)
}

/// Fails if a table needs more than this program knows.
pub(super) fn check_protocol(out: &Place, protocol: &Protocol) -> Result<()> {
    let features = || protocol.reader_features.iter().chain(&protocol.writer_features).flatten();
    let unknown = features().find(|feature| !KNOWN_FEATURES.contains(&feature.as_str()));
    let needs = match (protocol.min_reader_version, protocol.min_writer_version, unknown) {
        (READER_VERSION, 1..=WRITER_VERSION, _) | (READER_VERSION | 3, 7, None) => return Ok(()),
        (_, _, Some(feature)) => format!("the feature {feature}"),
        (reader, writer, None) => format!("reader version {reader} and writer version {writer}"),
    };
    Err(Error::refused(
        format!("the Delta table {} needs {needs}, which this program does not write", out.path().shown()),
        message!["name a new folder with ", Out, ", and leave that feature off there"],
    ))
}

/// Fails if rows with these columns cannot replace those of a table.
pub(super) fn check_metadata(out: &Place, metadata: &Metadata, own: &Schema) -> Result<()> {
    let path = out.path().shown();
    let is_append_only = metadata.configuration.get(APPEND_ONLY).is_some_and(|set| set.as_deref() == Some("true"));
    if is_append_only {
        return Err(Error::refused(
            format!("the Delta table {path} has the property {APPEND_ONLY}, so no partition of it can be replaced"),
            message!["remove that property, or name a new folder with ", Out],
        ));
    }
    let difference = if metadata.partition_columns != [RowColumn::Dt.name()] {
        Some(format!("its partition columns are [{}], not [dt]", metadata.partition_columns.join(", ")))
    } else if metadata.format.provider != "parquet" {
        Some(format!("its files are {}, not parquet", metadata.format.provider))
    } else {
        match Schema::parse(&metadata.schema_string) {
            Ok(table) => own.difference(&table),
            Err(reason) => Some(format!("its schema cannot be read: {reason}")),
        }
    };
    match difference {
        None => Ok(()),
        Some(difference) => Err(Error::refused(
            format!("the rows do not fit the Delta table {path}: {difference}"),
            message!["give the options of columns that the table was made with, or name a new folder with ", Out],
        )),
    }
}
