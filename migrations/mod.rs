//! Floor 5, bringing a store from one format version to the next. A sibling of ingest and produce; opening a store never comes here.
//!
//! Each step is one file named by the version it leads to. A step that has been released never changes: stores in the world were made by it.
//!
//! Rules for a step:
//! 1. It reads and writes raw keys and values, with types of its own named by version, never with those of `format/`, which move on.
//! 2. It can be stopped anywhere and run again.
//! 3. The store record, with the new version as its first byte, is in its last write. Until then the store is of the old version.
//! 4. `validate` then checks what was written; and a test shows that the store equals one written fresh, key by key.

use crate::error::{Error, Result};
use crate::format::FORMAT_VERSION;
use crate::progress::Progress;
use crate::store::{Folder, RawStore};
use serde::Serialize;

/// A step from one format version to the next.
pub trait Migration: Sync {
    /// The version that it starts from; it leads to the one after.
    fn from(&self) -> u8;
    /// What it does, as a phrase for the log.
    fn name(&self) -> &'static str;
    /// Rewrites the store; its last write holds the store record of the new version.
    fn apply(&self, store: &RawStore, progress: &dyn Progress) -> Result<()>;
    /// Fails if the store is not as `apply` should have left it.
    fn validate(&self, store: &RawStore) -> Result<()>;
}

/// The steps that a program knows, and the version that they lead to.
pub struct Registry {
    steps: Vec<Box<dyn Migration>>,
    target: u8,
}

/// What a migration did.
#[derive(Clone, Debug, Serialize)]
pub struct MigrationSummary {
    /// The version before.
    pub from: u8,
    /// The version now.
    pub to: u8,
    /// The steps taken, in order.
    pub steps: Vec<String>,
    /// Whether nothing was done and only the steps were named.
    pub dry_run: bool,
}

impl Registry {
    /// All steps of this program. Format 1 is the first, so there is none yet.
    pub fn current() -> Self {
        Registry { steps: Vec::new(), target: FORMAT_VERSION }
    }

    /// A registry of other steps, in any order; `target` is the version that the last of them leads to.
    pub fn with(steps: Vec<Box<dyn Migration>>, target: u8) -> Self {
        Registry { steps, target }
    }

    /// Takes the store to the target version, step by step. Refused for a store that is newer, or for which a step is missing.
    ///
    /// A store that is at the target is left as it is. Holds the store's write lock.
    pub fn migrate(&self, folder: &Folder, dry_run: bool, progress: &dyn Progress) -> Result<MigrationSummary> {
        let store = if dry_run { RawStore::open_reader(folder)? } else { RawStore::open_writer(folder)? };
        let from = store.format_version()?;
        if from > self.target {
            return Err(Error::refused(
                format!(
                    "the store at {} has format version {from}, and this program (lookback {}) knows versions up to {}",
                    folder.path().display(),
                    env!("CARGO_PKG_VERSION"),
                    self.target
                ),
                "use a newer lookback",
            ));
        }
        // All steps are found before the first is taken, so that a store is not left halfway for want of one.
        let steps = (from..self.target).map(|version| self.step(version)).collect::<Result<Vec<_>>>()?;
        let mut summary = MigrationSummary { from, to: self.target, steps: Vec::new(), dry_run };
        for (index, step) in steps.iter().enumerate() {
            summary.steps.push(format!("{} to {}: {}", step.from(), step.from() + 1, step.name()));
            if dry_run {
                continue;
            }
            progress.item(step.name(), index + 1, steps.len());
            step.apply(&store, progress)?;
            let reached = store.format_version()?;
            if reached != step.from() + 1 {
                return Err(Error::corrupt(format!(
                    "the step from version {} has left version {reached}",
                    step.from()
                )));
            }
            step.validate(&store)?;
        }
        Ok(summary)
    }

    fn step(&self, version: u8) -> Result<&dyn Migration> {
        let step = self.steps.iter().find(|step| step.from() == version);
        step.map(Box::as_ref).ok_or_else(|| {
            Error::refused(
                format!("this program has no step from format version {version}"),
                "use the lookback release that had it, then this one",
            )
        })
    }
}
