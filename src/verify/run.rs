//! Runs one verification from its options to its summary.

use serde::{Serialize, Serializer};

use super::fault::{Fault, Remedy};
use super::pass::check;
use super::range::Checked;
use crate::error::{Error, Kind, Result};
use crate::message::{Message, message};
use crate::progress::Progress;
use crate::store::Store;
use crate::text::Shown;

/// The findings of a verification.
#[derive(Debug, Serialize)]
pub struct VerifySummary {
    /// The store's folder.
    pub store: String,
    /// Whether the content of keyframes was compared.
    pub deep: bool,
    /// What was checked.
    #[serde(flatten)]
    pub checked: Checked,
    /// Number of faults.
    pub faults: u64,
    /// Faults among them that `lookback repair` fixes.
    pub repairable: u64,
}

impl VerifySummary {
    /// Returns the error for a store with faults; `None` for a store without.
    pub fn failure(&self) -> Option<Error> {
        let VerifySummary { store, faults, repairable, .. } = self;
        let what = match faults {
            0 => return None,
            1 => format!("the store at {store} has a fault"),
            _ => format!("the store at {store} has {faults} faults"),
        };
        let remedy = if repairable == faults {
            message!["rebuild the derived data with ", [Repair Store=(store)]]
        } else {
            Message::from("do what each of these lines on stdout ends with")
        };
        Some(Error::new(Kind::Corrupt, what, remedy))
    }
}

/// Reads a whole store and calls `report` as faults are found. Changes nothing; can run beside a writer.
///
/// `deep` also computes the content of each keyframe from the deltas. Memory: see the module.
pub fn verify(
    store: &Store,
    deep: bool,
    progress: &dyn Progress,
    report: &mut (dyn FnMut(&Fault) -> Result<()> + Send),
) -> Result<VerifySummary> {
    let (mut faults, mut repairable) = (0, 0);
    let checked = check(store, deep, progress, &mut |fault| {
        faults += 1;
        repairable += u64::from(matches!(fault.remedy, Remedy::Rebuild(_)));
        report(&fault)
    })?;
    Ok(VerifySummary { store: store.folder().path().plain(), deep, checked, faults, repairable })
}

/// A fault as shown in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct ShownFault {
    /// The name of the key.
    pub place: String,
    /// The key, in hexadecimal.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub remedy: Message,
}

impl Fault {
    /// Returns the fault as shown in JSON.
    pub fn shown(&self) -> ShownFault {
        ShownFault { place: self.place(), key: self.key_hex(), what: self.what.clone(), remedy: self.remedy.said() }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}
