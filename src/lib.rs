//! lookback keeps each customer's history materialised, and writes training rows from it: for every item shown to a customer, that
//! customer's most recent actions from strictly before that day.
//!
//! Floors; each imports only lower ones, and those on one floor do not know each other (a test holds this):
//!
//! ```text
//! 7  main, cli                        arguments, stdout, exit codes, progress bars
//! 6  backfill                         the order of days
//! 5  ingest  produce  removal  migrations   what the commands do
//! 4  store   files    sort            RocksDB; Arrow and Parquet; sorting within a budget
//! 3  format                           bytes to values and back; the specification of the store
//! 2  history                          order, merge, fold, keyframes: pure
//! 1  model   durable                  customers, days, zones, actions, impressions; outlasting a power loss
//! 0  error   progress
//! ```
//!
//! An action goes up and down once: `files` reads it, `ingest` sorts it and folds it into its customer's history, `format` makes bytes of
//! them, `store` keeps them. An impression: `files` reads it, `produce` sorts it and asks `store` for the history as of the day before,
//! `files` makes padded rows of both and writes them.

pub mod backfill;
pub mod cli;
pub mod durable;
pub mod error;
pub mod files;
pub mod format;
pub mod history;
pub mod ingest;
#[path = "../migrations/mod.rs"]
pub mod migrations;
pub mod model;
pub mod produce;
pub mod progress;
pub mod removal;
pub mod sort;
pub mod store;
