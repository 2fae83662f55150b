//! Outputs that are Delta tables: what is in the log, what readers see, and what becomes of older versions.

mod foreign;
mod python;
mod races;
mod requests;
mod scrubbed;
mod vacuum;
mod written;

use std::collections::BTreeMap;

use crate::at_urls::{AtUrl, DT, batch};
use crate::support::delta::{Table, table};
use crate::support::output::tree;

const PRODUCE: &str = "produce --store store --input input --dt 2026-01-04 --out out --table delta";

/// Corrects the batch of 2 January, so that the rows of the 4th are others.
fn correct(at_url: &AtUrl, seed: u64) {
    batch(&at_url.bench, 2, seed);
    at_url.bench.ok("ingest --store store --input input --dt 2026-01-02");
}

/// The files of the local output.
fn files(at_url: &AtUrl) -> BTreeMap<String, Vec<u8>> {
    tree(&at_url.bench.out())
}

/// The newest version of the local output.
fn local(at_url: &AtUrl) -> Table {
    table(&files(at_url)).unwrap()
}

/// The names of the parts of the day in an output, with those of older versions.
fn parts_there(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let parts = files.keys().filter(|path| path.starts_with(&format!("dt={DT}/part-")));
    parts.cloned().collect()
}
