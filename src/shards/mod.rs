//! Floor 7, the commands on a sharded store: its shards one after the other on this machine. Where a cluster does the
//! same, each shard is a task ([`crate::store::ShardedStore`] has the steps), and nothing else differs.

mod checkout;
mod deal;
mod ingest;
mod merged;
mod produce;
mod remove;
mod rewrite;
mod run;
mod verify;

pub use checkout::checkout;
pub use ingest::{IngestedShards, ingest};
pub use produce::{ProducedShards, produce};
pub use remove::{ForgottenOfShards, RemovedFromShards, forget, remove};
pub use rewrite::{Rewritten, export, import, split};
pub use run::Traffic;
pub use verify::{VerifiedShards, verify};

/// How often a command begins again that has lost the next version to another run.
const TRIES: u32 = 5;
