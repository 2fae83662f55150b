//! lookback keeps each customer's history materialised, and writes training rows from it: for every item shown to a
//! customer, that customer's most recent actions from strictly before that day.
//!
//! This documentation is for those who build on the library or change it. To run the program, read the guide,
//! `docs/guide.md`, a page for each task with commands that the tests run.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = example();
//! # let at = |name: &str| folder.path().join(name);
//! use lookback::ingest::{IngestOptions, Ingester};
//! use lookback::model::{CustomerId, Day};
//! use lookback::produce::{ProduceOptions, produce};
//! use lookback::progress::Silent;
//! use lookback::store::{Folder, Settings, Store};
//!
//! let store = Folder::new(&at("store"));
//! Store::create(&store, Settings::default())?;
//! let (first, second): (Day, Day) = ("2026-01-01".parse()?, "2026-01-02".parse()?);
//! Ingester::open(&store, &Silent)?.ingest(&IngestOptions::new(at("input"), first), &Silent)?;
//!
//! let store = Store::open_reader(&store)?;
//! let summary = produce(&store, &ProduceOptions::new(at("input"), second, at("out")), &Silent)?;
//! assert_eq!((summary.rows, summary.ordered), (2, 1));
//! assert_eq!(store.history(CustomerId(7), second)?.len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! | to | use |
//! |---|---|
//! | make, open and copy a store, and read one history | [`store`] |
//! | fill it | [`ingest`], [`backfill`], [`preview`] |
//! | write rows, and read them back | [`produce`], [`output`], [`manifest`] |
//! | train on rows in memory, batch by batch | [`training`] |
//! | number the items or customers of an input | [`vocabulary`] |
//! | write histories, and say why an action is in one | [`histories`] |
//! | prove rows and stores | [`audit`], [`verify`], [`diff`], [`stale`] |
//! | keep customers in many stores, here or by tasks of a cluster | [`shards`], [`store::ShardedStore`] |
//! | remove data | [`removal`], and [`ingest::Ingester::remove`] |
//! | bring a store up to date | [`migrations`], [`rezone`] |
//! | describe an input, or give it in memory | [`config`], [`sources`], [`model`], [`input`] |
//! | limit what work uses, stop it, and follow it | [`resources`], [`progress`] |
//! | tell failures apart | [`error`], [`message`] |
//!
//! Options have a method for each setting that has a default. The library sets no limit, handler or global of the
//! process: two uses of it in one process share nothing. With the feature `report` there is a page about a store
//! ([`report`]), and with `cli`, on by default, the program ([`cli`]).
//!
//! `docs/architecture.md` describes the floors, each of which imports only lower ones, the way of an action and of an
//! impression through them, and the glossary; `src/format/specification.md` draws the bytes of a store.

// With the internals, since their items are reachable only then.
#![cfg_attr(feature = "internals", warn(unreachable_pub))]

// The program sees of the library what every other user sees: `cli` names it as a crate, and `tests/main.rs` compiles
// it as a part of another crate.
#[cfg(feature = "cli")]
extern crate self as lookback;

pub mod audit;
pub mod backfill;
mod cancel;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod diff;
pub mod error;
pub mod exact;
mod format;
pub mod histories;
mod history;
pub mod ingest;
pub mod input;
pub mod manifest;
pub mod message;
#[path = "../migrations/mod.rs"]
pub mod migrations;
pub mod model;
mod options;
pub mod output;
mod parallel;
pub mod preview;
pub mod produce;
pub mod progress;
pub mod removal;
#[cfg(feature = "report")]
pub mod report;
pub mod resources;
pub mod rezone;
pub mod shards;
mod sort;
pub mod sources;
pub mod stale;
pub mod storage;
pub mod store;
pub mod text;
pub mod training;
pub mod verify;
pub mod vocabulary;
pub mod zoneinfo;

pub use input::is_guarded as is_panic_caught;

/// What tests, benchmark and fuzz targets look at beside the facade. It changes without notice.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
