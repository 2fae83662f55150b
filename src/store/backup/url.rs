//! Backups of a store at a URL: versions of the files of a checkpoint.

use std::fs;
use std::path::Path;

use rocksdb::DB;

use super::restored::{no_backup, no_whole_backup, openable_version, refuse_damaged};
use crate::error::{Error, Kind, Result};
use crate::message::message;
use crate::progress::Progress;
use crate::resources::Resources;
use crate::storage::sync;
use crate::store::engine::backup_files::CheckedBackups;
use crate::store::engine::checkpoint::at_checkpoint;
use crate::store::folder::Folder;
use crate::store::new_store::Making;
use crate::store::versions::{Base, Document, LocalFile, Origin, Removed, Uploaded, Versions, VersionsOf};
use crate::text::Shown as _;

/// Backups at a URL.
#[derive(Debug)]
pub struct UrlBackups {
    versions: Versions,
    resources: Resources,
}

/// Which backups remain after a new one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// The number of backups, at least one.
    pub keep: usize,
    /// Files that no backup names are removed when they are older, at least an hour, by the store's own clock.
    pub grace: std::time::Duration,
}

/// A backup that was made at a URL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MadeAtUrl {
    /// Its number.
    pub number: u32,
    /// Number of its files, those that other backups also use included.
    pub files: usize,
    /// Total size of its files.
    pub bytes: u64,
    /// Number of backups there now.
    pub backups: usize,
    /// Number of objects that were written.
    pub uploaded_files: usize,
    /// Total size of the objects that were written.
    pub uploaded_bytes: u64,
    /// Number of objects that were removed.
    pub removed_files: usize,
    /// Total size of the objects that were removed.
    pub removed_bytes: u64,
}

impl UrlBackups {
    /// Connects to the store of a URL. Fails if there are no credentials for it; makes no request.
    pub fn connect(url: &Path, resources: &Resources) -> Result<Self> {
        Ok(UrlBackups {
            versions: Versions::connect(url, VersionsOf::Backups, resources)?,
            resources: resources.clone(),
        })
    }

    /// Copies the current state of a store, with or without a writer beside it; the backup appears with one request,
    /// when all its files are there. With `check`, reads it back. Then removes old backups.
    ///
    /// If it fails or is stopped before, nothing has changed, and the next backup takes up what was copied. If only the
    /// removal fails, a note says so, and the next backup removes it. Fails if the backups there are of another store,
    /// and if another run makes one at the same time.
    pub fn back_up(
        &self,
        store: &Folder,
        retention: Option<Retention>,
        check: bool,
        progress: &dyn Progress,
    ) -> Result<MadeAtUrl> {
        self.versions.claim()?;
        let listed = self.versions.list()?;
        let base = self.base(
            listed
                .iter()
                .rev()
                .filter(|version| !version.is_removed)
                .map(|version| (version.number, version.modified_ms)),
        )?;
        let newest = listed.last().map_or(0, |version| version.number);
        let number =
            newest.checked_add(1).ok_or_else(|| Error::refused("there is no further number", "name another URL"))?;
        let (document, uploaded) = at_checkpoint(store, |db| self.copy(db, store, number, base.as_ref(), progress))?;
        if !self.versions.publish(&document)? {
            return Err(Error::new(
                Kind::Busy,
                format!("another run has made backup {number} at {} meanwhile", self.versions.place().shown()),
                "nothing is lost: run the same command again",
            ));
        }
        if check {
            self.compare(std::slice::from_ref(&document), progress)?;
        }
        let mut backups = 1 + listed.iter().filter(|version| !version.is_removed).count();
        let mut removed = Removed::default();
        if let Some(Retention { keep, grace }) = retention {
            progress.begin("removing", "", None);
            match self.versions.collect(&document, keep, grace) {
                Ok(done) => {
                    removed = done;
                    backups = backups.saturating_sub(done.versions);
                }
                Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                Err(error) => progress.note(&message![
                    "old backups at ",
                    ("{}", self.versions.place().shown()),
                    " are not removed, which the next backup does: ",
                    { error.message() }
                ]),
            }
        }
        let Uploaded { objects: uploaded_files, bytes: uploaded_bytes } = uploaded;
        Ok(MadeAtUrl {
            number,
            files: document.files.len(),
            bytes: document.bytes(),
            backups,
            uploaded_files,
            uploaded_bytes,
            removed_files: removed.objects,
            removed_bytes: removed.bytes,
        })
    }

    /// Reads the newest version. One that was removed since the list is passed over.
    fn base(&self, versions: impl Iterator<Item = (u32, i64)>) -> Result<Option<Base>> {
        for (number, modified_ms) in versions {
            if let Some(document) = self.versions.document(number)? {
                return Ok(Some(Base { document, modified_ms }));
            }
        }
        Ok(None)
    }

    /// Copies the files of a checkpoint.
    fn copy(
        &self,
        db: &DB,
        store: &Folder,
        number: u32,
        base: Option<&Base>,
        progress: &dyn Progress,
    ) -> Result<(Document, Uploaded)> {
        let origin = Origin::of(db, store)?;
        if let Some(Base { document, .. }) = base.filter(|base| base.document.origin.store != origin.store) {
            return Err(Error::refused(
                format!(
                    "the backups at {} are of another store ({}, not {})",
                    self.versions.place().shown(),
                    document.origin.store.shown(),
                    origin.store.shown()
                ),
                message!["name another URL with ", To],
            ));
        }
        let files = LocalFile::of(db, store)?;
        let (stored, uploaded) = self.versions.upload(&origin.run, base, &files, &self.resources, progress)?;
        Ok((Document::new(number, origin, stored), uploaded))
    }

    /// Makes a store from a backup, the newest if none is named, where no store exists. Each file is compared with its
    /// checksum. Returns the number, and the format version of the store: see
    /// [`Backups::restore`](super::Backups::restore).
    ///
    /// If it fails or is stopped, the files that have arrived stay in the folder, and the next call goes on with them.
    pub fn restore(&self, number: Option<u32>, to: &Folder, progress: &dyn Progress) -> Result<(u32, u8)> {
        let document = self.chosen(number)?;
        let number = document.number;
        let making = Making::resume(to)?;
        let aside = making.aside.root().to_path_buf();
        keep_only(&aside, &document)?;
        self.versions.fetch_into(&document, &aside, &self.resources, progress)?;
        let database = making.aside.database();
        sync(&database)?;
        sync(&aside)?;
        let format_version = refuse_damaged(number, self.versions.place(), openable_version(&making.aside))?;
        making.put_in_place()?;
        Ok((number, format_version))
    }

    /// Reads every file of all backups, or of one, each once, and compares its checksum, without restoring. Fails on
    /// the first damaged or missing file, and names it.
    pub fn check(&self, number: Option<u32>, progress: &dyn Progress) -> Result<CheckedBackups> {
        let documents = match number {
            Some(_) => vec![self.chosen(number)?],
            None => {
                let mut documents = Vec::new();
                for number in self.numbers()? {
                    documents.extend(self.versions.document(number)?);
                }
                documents
            }
        };
        if documents.is_empty() {
            return Err(no_whole_backup(self.versions.place()));
        }
        self.compare(&documents, progress)
    }

    fn compare(&self, documents: &[Document], progress: &dyn Progress) -> Result<CheckedBackups> {
        let mut files: Vec<(&str, &str, u64)> = Vec::new();
        for file in documents.iter().flat_map(|document| &document.files) {
            files.push((&file.name, &file.xxh3_128, file.bytes));
        }
        files.sort_unstable();
        files.dedup();
        self.versions.fetch(&Versions::objects_of(documents), None, &self.resources, progress)?;
        let bytes = files.iter().map(|(_, _, bytes)| bytes).sum();
        Ok(CheckedBackups { backups: documents.len(), files: files.len(), bytes })
    }

    fn numbers(&self) -> Result<Vec<u32>> {
        let there = self.versions.list()?.into_iter().filter(|version| !version.is_removed);
        Ok(there.map(|version| version.number).collect())
    }

    fn chosen(&self, number: Option<u32>) -> Result<Document> {
        let numbers = self.numbers()?;
        let Some(newest) = numbers.last() else { return Err(no_whole_backup(self.versions.place())) };
        let number = number.unwrap_or(*newest);
        let document = if numbers.contains(&number) { self.versions.document(number)? } else { None };
        document.ok_or_else(|| no_backup(number, self.versions.place(), &numbers))
    }
}

/// Removes from a folder what an earlier attempt has left and the version does not have.
fn keep_only(folder: &Path, document: &Document) -> Result<()> {
    let database = folder.join("db");
    for within in [folder, &database] {
        let entries = match fs::read_dir(within) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|error| Error::io("list", within, error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("list", within, error))?;
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_wanted = document.files.iter().any(|file| folder.join(&file.name) == path);
            if path == database && is_folder || is_wanted && !is_folder {
                continue;
            }
            let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
}
