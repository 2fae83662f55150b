//! lookback keeps each customer's history materialised, and writes training rows from it: for every item shown to a
//! customer, that customer's most recent actions from strictly before that day.
//!
//! Whoever runs the program reads the guide, `docs/guide.md`: a page for each task, from the first store to an upgrade,
//! with commands that the tests run, and `docs/messages.md`, which has every message and what to do. What stands here
//! is for those who change it, or build on it: the shortest way in is [`ingest::Ingester`], which fills a store, and
//! [`produce::produce`], which reads a [`store::Store`]; the bytes of a store are drawn in
//! `src/format/specification.md`.
//!
//! Floors, of which each imports only lower ones, the way of an action and of an impression through them, and the
//! glossary stand in `docs/architecture.md`.
//!
//! An action goes up and down once: `input` reads it, `ingest` sorts it and folds it into its customer's history,
//! `format` makes bytes of them, `store` keeps them. An impression: `input` reads it, `produce` sorts it and asks
//! `store` for the history as of the day before, `output` makes padded rows of both and writes them.

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
pub mod verify;
pub mod zoneinfo;

/// What the fuzzer runs; see `fuzz/README.md`.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzz {
    pub use crate::output::zstd_frame;
    pub use crate::store::sst_table;
}
