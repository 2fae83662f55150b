//! One verification from its options to its summary.

use serde::{Serialize, Serializer};

use super::fault::{Fault, Remedy};
use super::pass::check;
use super::range::Checked;
use crate::error::{Error, Kind, Result};
use crate::message::{Message, message};
use crate::progress::Progress;
use crate::store::Store;
use crate::text::Shown;

/// What a verification found.
#[derive(Debug, Serialize)]
pub struct VerifySummary {
    /// The store's folder.
    pub store: String,
    /// Whether the content of keyframes was compared.
    pub deep: bool,
    /// What was checked.
    #[serde(flatten)]
    pub checked: Checked,
    /// How many faults there are.
    pub faults: u64,
    /// Of them, those that `lookback repair` mends.
    pub repairable: u64,
}

impl VerifySummary {
    /// The error that a store with faults is; none for one without.
    pub fn failure(&self) -> Option<Error> {
        let VerifySummary { store, faults, repairable, .. } = self;
        let what = match faults {
            0 => return None,
            1 => format!("the store at {store} has a fault"),
            _ => format!("the store at {store} has {faults} faults"),
        };
        let remedy = if repairable == faults {
            message!["mend what is derived from the deltas with ", [Repair Store=(store)]]
        } else {
            Message::from("do what stands behind each of them on stdout")
        };
        Some(Error::new(Kind::Corrupt, what, remedy))
    }
}

/// Reads everything in a store and gives each fault to `report`, as it is found. Changes nothing; runs beside a writer.
///
/// `deep` also works out the content of each keyframe from the deltas. Memory: see the module.
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

/// A fault as JSON has it.
#[derive(Clone, Debug, Serialize)]
pub struct ShownFault {
    /// What the key is of.
    pub place: String,
    /// The key, in hexadecimal.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What is to be done.
    pub remedy: Message,
}

impl Fault {
    /// Itself as JSON has it.
    pub fn shown(&self) -> ShownFault {
        ShownFault { place: self.place(), key: self.key_hex(), what: self.what.clone(), remedy: self.remedy.said() }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}
