//! lookback keeps each customer's history materialised, and writes training rows from it: for every item shown to a customer, that
//! customer's most recent actions from strictly before that day.
//!
//! Whoever runs the program reads the guide, `docs/guide.md`: a page for each task, from the first store to an upgrade, with commands that the tests run, and
//! `docs/messages.md`, which has every message and what to do. What stands here is for those who change it, or build on it: the shortest way in
//! is [`ingest::Ingester`], which fills a store, and [`produce::produce`], which reads a [`store::Store`]; the bytes of a store are drawn in `src/format/specification.md`.
//!
//! Floors; each imports only lower ones, and those on one floor do not know each other (a test holds this):
//!
//! ```text
//! 7  main, cli                        arguments, stdout, exit codes, progress bars
//! 6  backfill                         the order of days
//! 5  ingest  produce  removal  stale  what the commands do
//!    audit   verify   histories  diff  report  rezone
//!    migrations                       from one format version to the next
//! 4  store   files    sort            RocksDB; Arrow and Parquet; sorting within a budget
//! 3  format  manifest  config         bytes to values and back: of the store; of what a partition says of itself; what lookback.toml says
//! 2  history  sources                 order, merge, fold, keyframes; what there is to read: pure
//!    zoneinfo                         where the rules of time zones come from
//! 1  resources                        memory, threads, scratch files
//!    model   durable                  customers, days, zones, actions, impressions; outlasting a power loss
//!    fresh   apart                    names that nothing else has; places that must not lie in one another
//!    parallel                         several threads whose results are taken in order, by one or by several
//! 0  error   progress                  failures; who listens to the work
//!    said                             under these two: sentences in which settings and commands are values
//!    exact                            above errors: what must hold, or is a fault of our own
//!    text    regular_file              under these two: numbers and names for people; opening files that end
//! ```
//!
//! An action goes up and down once: `files` reads it, `ingest` sorts it and folds it into its customer's history, `format` makes bytes of
//! them, `store` keeps them. An impression: `files` reads it, `produce` sorts it and asks `store` for the history as of the day before,
//! `files` makes padded rows of both and writes them.

pub mod audit;
pub mod backfill;
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
pub mod said;
pub mod sort;
pub mod sources;
pub mod stale;
pub mod storage;
pub mod store;
pub mod text;
pub mod verify;
pub mod zoneinfo;
