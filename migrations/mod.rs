//! Floor 6, converting a store from one format version to the next. A sibling of ingest and produce; opening a store
//! never migrates it.
//!
//! Each step is one file named by the version it leads to. A released step never changes: existing stores were made by
//! it.
//!
//! A step writes the keys of its version beside those of the old version, checks them, and then, in one atomic write,
//! sets the store record and removes the old keys. So the store has the old version until that write. An interrupted
//! step leaves keys that nothing reads; the next run first removes them. A step needs disk space for both versions.
//!
//! Rules for a step:
//! 1. It reads the old version with types of its own named by that version, never with those of `format/`, which
//!    change.
//! 2. The step to the current version writes with `format/`. An assertion on the version ensures this, so that raising
//!    the version requires giving the step writers of its own first.
//! 3. `validate` compares the new keys with the old ones; and a test shows that the store equals one written fresh, key
//!    by key.

mod five_to_six;
mod four_to_five;
mod one_to_two;
pub(crate) mod step;
mod three_to_four;
mod two_to_three;
mod version_1;

pub(crate) use step::{Migration, Switch};

use crate::error::{Error, Result};
use crate::format::FORMAT_VERSION;
use crate::progress::Progress;
use crate::store::{Folder, RawStore};
use crate::text::Shown;
use serde::Serialize;

/// The steps of a program, and the version that they lead to.
pub struct Registry {
    steps: Vec<Box<dyn Migration>>,
    target: u8,
}

/// The result of a migration.
#[derive(Clone, Debug, Serialize)]
pub struct MigrationSummary {
    /// The version before.
    pub from: u8,
    /// The version now.
    pub to: u8,
    /// The steps taken, in order.
    pub steps: Vec<String>,
    /// Whether this was a dry run, which only names the steps.
    pub dry_run: bool,
}

impl Registry {
    /// Returns all steps of this program.
    pub fn current() -> Self {
        Registry {
            steps: vec![
                Box::new(one_to_two::OneToTwo),
                Box::new(two_to_three::TwoToThree),
                Box::new(three_to_four::ThreeToFour),
                Box::new(four_to_five::FourToFive),
                Box::new(five_to_six::FiveToSix),
            ],
            target: FORMAT_VERSION,
        }
    }

    /// Returns a registry of other steps, in any order; `target` is the version that the last of them leads to.
    pub fn with(steps: Vec<Box<dyn Migration>>, target: u8) -> Self {
        Registry { steps, target }
    }

    /// Migrates the store to the target version, step by step. Fails for a store that is newer, or if a step is
    /// missing.
    ///
    /// A store at the target version stays unchanged. Holds the store's write lock.
    pub fn migrate(&self, folder: &Folder, dry_run: bool, progress: &dyn Progress) -> Result<MigrationSummary> {
        let store = if dry_run { RawStore::open_reader(folder)? } else { RawStore::open_writer(folder)? };
        let from = store.format_version()?;
        if from > self.target {
            return Err(Error::refused(
                format!(
                    "the store at {} has format version {from}, and this program (lookback {}) knows versions up to {}",
                    folder.path().shown(),
                    env!("CARGO_PKG_VERSION"),
                    self.target
                ),
                "use a newer lookback",
            ));
        }
        // All steps are found before the first runs, so that a missing step does not leave a store halfway.
        let steps = (from..self.target).map(|version| self.step(version)).collect::<Result<Vec<_>>>()?;
        let mut summary = MigrationSummary { from, to: self.target, steps: Vec::new(), dry_run };
        for (index, step) in steps.iter().enumerate() {
            summary.steps.push(format!("{} to {}: {}", step.from(), step.from() + 1, step.name()));
            if dry_run {
                continue;
            }
            progress.item(step.name(), index + 1, steps.len());
            // Removes what an interrupted run has left, if anything: a table file with a recorded removal is read
            // through RocksDB, which takes longer, until it is compacted.
            let (first, end) = step.writes();
            if store.entries(&first).next().transpose()?.is_some_and(|(key, _)| key.as_ref() < end.as_slice()) {
                store.write(&[], &[(first, end)])?;
            }
            let mut load = store.bulk_load()?;
            step.rewrite(&store, &mut load, progress)?;
            folder.resources().check()?;
            load.commit()?;
            step.validate(&store, progress)?;
            let Switch { set, removed } = step.switch(&store)?;
            store.write(&set, &removed)?;
            let reached = store.format_version()?;
            if reached != step.from() + 1 {
                return Err(Error::corrupt(format!(
                    "the step from version {} has left the store at version {reached}",
                    step.from()
                )));
            }
            if !removed.is_empty() {
                progress.begin("compacting", "", None);
                store.compact()?;
            }
        }
        Ok(summary)
    }

    fn step(&self, version: u8) -> Result<&dyn Migration> {
        let step = self.steps.iter().find(|step| step.from() == version);
        step.map(Box::as_ref).ok_or_else(|| {
            Error::refused(
                format!("this program has no step from format version {version}"),
                "migrate with the lookback release that has this step, then with this one",
            )
        })
    }
}
