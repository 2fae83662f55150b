//! Floor 7, the commands on a sharded store: its shards one after the other on this machine, or each as a task of an
//! engine such as Spark ([`Engine`]). [`crate::store::ShardedStore`] has the steps, which are the same.

mod audit;
mod backfill;
mod checkout;
mod content;
mod current;
mod deal;
mod engine;
mod ingest;
mod merged;
mod migrate;
mod produce;
mod remove;
mod rewrite;
mod run;
mod stale;
mod verify;

pub use audit::{AuditedShards, audit};
pub use backfill::{BackfilledShards, backfill};
pub use checkout::checkout;
pub use engine::{Engine, Task, Tasks};
pub use ingest::{IngestedShard, IngestedShards, ingest, ingest_by, ingest_task};
pub use migrate::{MigratedShards, migrate};
pub use produce::{ProducedShard, ProducedShards, produce, produce_by, produce_task};
pub use remove::{ForgottenOfShards, RemovedFromShards, forget, remove};
pub use rewrite::{Rewritten, export, import, split};
pub use run::Traffic;
pub use stale::{StaleByShards, stale};
pub use verify::{VerifiedShards, verify};

/// How often a command begins again that has lost the next version to another run.
const TRIES: u32 = 5;
