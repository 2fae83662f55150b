//! The stores to measure on, built untimed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lookback::error::{Error, Result};
use lookback::ingest::{IngestOptions, IngestSummary, Ingester};
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::Folder;

use crate::input::Input;

/// Two stores, both settled and closed.
pub struct Stores {
    /// Without the newest batch.
    pub before: Folder,
    /// With it.
    pub full: Folder,
    /// What ingests may take.
    pub resources: Resources,
    work: PathBuf,
}

impl Stores {
    /// Builds them below `work`.
    #[expect(clippy::print_stderr, reason = "it takes a while")]
    pub fn build(input: &Input, work: &Path, resources: Resources) -> Result<Self> {
        let before = Folder::with(&work.join("before"), &resources);
        let mut ingester = Ingester::open_or_create(&before, &Silent)?;
        for (number, day) in (1..).zip(&input.earlier) {
            eprintln!("building a store: batch {number} of {}, {day}", input.earlier.len() + 1);
            ingest(&mut ingester, &resources, &input.root, *day)?;
        }
        ingester.finish_compaction(&Silent)?;
        drop(ingester);
        let full = copy(&before, &work.join("full"))?;
        let mut ingester = Ingester::open(&full, &Silent)?;
        ingest(&mut ingester, &resources, &input.root, input.newest)?;
        ingester.finish_compaction(&Silent)?;
        Ok(Stores { before, full, resources, work: work.to_owned() })
    }

    /// The folder that they lie in, and that is removed at the end.
    pub fn work(&self) -> &Path {
        &self.work
    }
}

/// Takes one batch as `lookback ingest` does without options.
pub fn ingest(ingester: &mut Ingester, resources: &Resources, root: &Path, day: Day) -> Result<IngestSummary> {
    let options = IngestOptions::new(root, day).resources(resources.clone());
    ingester.ingest(&options, &Silent)
}

/// Copies a closed store. The copy is fsynced, or the system would write it while something is measured.
pub fn copy(store: &Folder, to: &Path) -> Result<Folder> {
    copy_folder(store.path(), to)?;
    Ok(Folder::with(to, store.resources()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|error| Error::io("create", to, error))?;
    for entry in fs::read_dir(from).map_err(|error| Error::io("list", from, error))? {
        let entry = entry.map_err(|error| Error::io("list", from, error))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            let copied = fs::copy(&path, &target).and_then(|_| File::open(&target)?.sync_all());
            copied.map_err(|error| Error::io("copy to", &target, error))?;
        }
    }
    Ok(())
}
