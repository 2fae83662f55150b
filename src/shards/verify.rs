//! Verifies all shards of a version.

use serde::Serialize;

use super::run::Traffic;
use crate::error::{Error, Kind, Result};
use crate::model::CustomerId;
use crate::progress::Progress;
use crate::store::{Pinned, ShardedStore, Store};
use crate::verify::{Checked, Fault};

/// The findings of a verification of a sharded store.
#[derive(Debug, Serialize)]
pub struct VerifiedShards {
    /// The version.
    pub version: u32,
    /// Number of shards.
    pub shards: u32,
    /// Whether the content of keyframes was compared.
    pub deep: bool,
    /// What was checked, in all shards together.
    #[serde(flatten)]
    pub checked: Checked,
    /// Number of faults.
    pub faults: u64,
    /// What came from the place.
    #[serde(flatten)]
    pub traffic: Traffic,
}

impl VerifiedShards {
    /// Returns the error for a version with faults; `None` for one without.
    pub fn failure(&self) -> Option<Error> {
        let VerifiedShards { version, faults, .. } = self;
        (*faults > 0).then(|| {
            let what = format!("version {version} of the sharded store has faults: {faults}");
            Error::new(Kind::Corrupt, what, "go on from an earlier version, or ingest the batches again that are named")
        })
    }
}

/// Brings each shard of a version here and reads all of it, as [`crate::verify::verify`] does, and checks that its
/// customers are those of the shard. `report` takes each fault with its shard.
///
/// Memory: that of [`crate::verify`]. Disk: one shard.
pub fn verify(
    store: &ShardedStore,
    pinned: &Pinned,
    deep: bool,
    progress: &dyn Progress,
    report: &mut (dyn FnMut(u32, &Fault) -> Result<()> + Send),
) -> Result<VerifiedShards> {
    let (version, shards) = (pinned.version(), pinned.shards().number());
    let (checked, traffic) = (Checked::default(), Traffic::default());
    let mut verified = VerifiedShards { version, shards, deep, checked, faults: 0, traffic };
    for number in 0..shards {
        let open = store.open(pinned, number, progress)?;
        verified.traffic.add_fetched(&open);
        let of_shard = Store::open_reader(open.folder())?;
        let summary = crate::verify::verify(&of_shard, deep, progress, &mut |fault| report(number, fault))?;
        verified.checked += summary.checked;
        verified.faults += summary.faults;
        for leaf in of_shard.customer_index() {
            let foreign = leaf?.entries.into_iter().map(|(customer, _)| customer).find(|of| !open.shard().holds(*of));
            if let Some(CustomerId(customer)) = foreign {
                let what = format!("customer {customer} is in shard {number}, where nobody looks for it");
                return Err(Error::new(Kind::Corrupt, what, "go on from an earlier version"));
            }
        }
    }
    Ok(verified)
}
