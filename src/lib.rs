//! lookback keeps each customer's history materialised, and writes training rows from it: for every item shown to a
//! customer, that customer's most recent actions from strictly before that day.
//!
//! To run the program, read the guide, `docs/guide.md`: a page for each task, from the first store to an upgrade, with
//! commands that the tests run, and `docs/messages.md`, which has every message and what to do. This documentation is
//! for those who change the library, or build on it: start with [`ingest::Ingester`], which fills a store, and
//! [`produce::produce`], which reads a [`store::Store`]; `src/format/specification.md` draws the bytes of a store.
//!
//! `docs/architecture.md` describes the floors, each of which imports only lower ones, the way of an action and of an
//! impression through them, and the glossary.
//!
//! An action passes the floors once: `input` reads it, `ingest` sorts it and folds it into its customer's history,
//! `format` encodes it, `store` keeps it. An impression: `input` reads it, `produce` sorts it and asks `store` for the
//! history as of the day before, `output` makes padded rows of both and writes them. Or [`training`] hands the rows to
//! a training in memory, batch by batch.

pub mod audit;
pub mod backfill;
pub mod cancel;
pub mod cli;
pub mod config;
pub mod diff;
pub mod error;
pub mod exact;
pub mod format;
pub mod histories;
pub mod history;
pub mod ingest;
pub mod input;
pub mod manifest;
pub mod message;
#[path = "../migrations/mod.rs"]
pub mod migrations;
pub mod model;
pub mod output;
pub mod parallel;
pub mod produce;
pub mod progress;
pub mod removal;
pub mod report;
pub mod resources;
pub mod rezone;
pub mod sort;
pub mod sources;
pub mod stale;
pub mod storage;
pub mod store;
pub mod text;
pub mod training;
pub mod verify;
pub mod zoneinfo;

/// The entry points of the fuzzer; see `fuzz/README.md`.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzz {
    pub use crate::output::zstd_frame;
    pub use crate::store::sst_table;
}
