//! Objects on their way back to files, several at once, each compared with its hash.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::document::{Document, StoredFile};
use super::name::{Content, ObjectName};
use super::place::Versions;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::resources::Resources;
use crate::storage::{Fingerprint, HashedFile, KeptFile};

/// Objects that are fetched together, each with an open file.
const OBJECTS_AT_ONCE: usize = 16;

/// An object that is wanted, and the number of the first version that names it, for messages.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    number: u32,
    object: ObjectName,
    /// The files to make of it; none where it is only compared.
    files: Vec<StoredFile>,
}

impl Wanted {
    /// Whether the object is one whole file, which is then written at its place.
    fn whole(&self) -> Option<&StoredFile> {
        match self.files.as_slice() {
            [file] if file.content() == self.object.content => Some(file),
            _ => None,
        }
    }
}

impl Versions {
    /// Returns the objects of versions, each once.
    pub(crate) fn objects_of(documents: &[Document]) -> Vec<Wanted> {
        let mut wanted: BTreeMap<ObjectName, u32> = BTreeMap::new();
        for document in documents {
            for object in document.objects() {
                wanted.entry(object).or_insert(document.number);
            }
        }
        wanted.into_iter().map(|(object, number)| Wanted { number, object, files: Vec::new() }).collect()
    }

    /// Makes the files of a version below a folder, durably. A file that an earlier call has left is kept if it has the
    /// content; the caller has removed all others. Fails if an object is missing or does not match its hash, and
    /// names it.
    pub(crate) fn fetch_into(
        &self,
        document: &Document,
        folder: &Path,
        resources: &Resources,
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut wanted: BTreeMap<ObjectName, Vec<StoredFile>> = BTreeMap::new();
        for file in &document.files {
            let path = folder.join(&file.name);
            if path.exists() && content_of(&path, resources)? == file.content() {
                continue;
            }
            wanted.entry(file.object.clone()).or_default().push(file.clone());
        }
        let number = document.number;
        let wanted: Vec<Wanted> = wanted.into_iter().map(|(object, files)| Wanted { number, object, files }).collect();
        self.fetch(&wanted, Some(folder), resources, progress)
    }

    /// Makes files of a version below a folder, durably, without a list of what is there: objects are never changed,
    /// and each is compared with its hash.
    pub(crate) fn fetch_named(
        &self,
        number: u32,
        files: Vec<StoredFile>,
        folder: &Path,
        resources: &Resources,
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut wanted: BTreeMap<ObjectName, Vec<StoredFile>> = BTreeMap::new();
        files.into_iter().for_each(|file| wanted.entry(file.object.clone()).or_default().push(file));
        let wanted: Vec<Wanted> = wanted.into_iter().map(|(object, files)| Wanted { number, object, files }).collect();
        let mut found = Vec::new();
        for Wanted { object, .. } in &wanted {
            found.push(self.kept.named(self.path_of(object), object.content.bytes)?);
        }
        progress.begin("copying", "bytes", Some(found.iter().map(|found| found.bytes).sum()));
        for (wanted, found) in wanted.chunks(OBJECTS_AT_ONCE).zip(found.chunks(OBJECTS_AT_ONCE)) {
            self.fetch_some(wanted, found, Some(folder), resources, progress)?;
        }
        Ok(())
    }

    /// Fetches objects and compares them with their hashes; with a folder, makes their files in it.
    ///
    /// Memory: what the network has delivered and the disk has not taken. Scratch: up to [`OBJECTS_AT_ONCE`] objects
    /// that are not whole files.
    pub(crate) fn fetch(
        &self,
        wanted: &[Wanted],
        folder: Option<&Path>,
        resources: &Resources,
        progress: &dyn Progress,
    ) -> Result<()> {
        let bytes = wanted.iter().map(|wanted| wanted.object.content.bytes).sum();
        progress.begin(if folder.is_some() { "copying" } else { "comparing" }, "bytes", Some(bytes));
        if wanted.is_empty() {
            return Ok(());
        }
        let there = self.stored()?;
        let mut found = Vec::new();
        for wanted in wanted {
            let there = there.get(&wanted.object);
            let name = format!("files/{}", wanted.object);
            let there = there.ok_or_else(|| self.damaged(wanted.number, &name, "it is missing"))?;
            if there.bytes != wanted.object.content.bytes {
                return Err(self.damaged(wanted.number, &name, "it has another size"));
            }
            found.push(there.clone());
        }
        for (wanted, found) in wanted.chunks(OBJECTS_AT_ONCE).zip(found.chunks(OBJECTS_AT_ONCE)) {
            self.fetch_some(wanted, found, folder, resources, progress)?;
        }
        Ok(())
    }

    fn fetch_some(
        &self,
        wanted: &[Wanted],
        found: &[KeptFile],
        folder: Option<&Path>,
        resources: &Resources,
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut scratch = resources.scratch();
        let mut files = VecDeque::new();
        for wanted in wanted {
            files.push_back(match (folder, wanted.whole()) {
                (Some(folder), Some(file)) => new_file(&folder.join(&file.name))?,
                _ => scratch.file()?.1,
            });
        }
        let files = Mutex::new(files);
        let next = move || {
            let file = files.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            file.ok_or_else(|| Error::internal("more objects are fetched than were asked for"))
        };
        let copied = self.kept.copy(found, Box::new(next));
        for (wanted, copied) in wanted.iter().zip(copied) {
            let copied = copied?;
            let arrived = content(copied.fingerprint()?);
            if arrived != wanted.object.content {
                let name = format!("files/{}", wanted.object);
                return Err(self.damaged(wanted.number, &name, "it does not match its checksum"));
            }
            if let Some(folder) = folder {
                self.make(wanted, &copied.open()?, folder)?;
            }
            progress.advance(arrived.bytes);
        }
        Ok(())
    }

    /// Makes the files of an object that has arrived, and makes their content durable.
    fn make(&self, wanted: &Wanted, mut whole: &File, folder: &Path) -> Result<()> {
        let synced = |path: &Path, file: &File| file.sync_all().map_err(|error| Error::io("fsync", path, error));
        if let Some(file) = wanted.whole() {
            return synced(&folder.join(&file.name), whole);
        }
        for file in &wanted.files {
            let path = folder.join(&file.name);
            let failed = |error: std::io::Error| Error::io("write", &path, error);
            whole.seek(SeekFrom::Start(file.offset)).map_err(failed)?;
            let to = new_file(&path)?;
            let mut hashed = HashedFile::new(to.try_clone().map_err(failed)?);
            std::io::copy(&mut whole.take(file.bytes), &mut hashed).map_err(failed)?;
            let (bytes, xxh3_128) = hashed.written();
            if (Content { xxh3_128, bytes }) != file.content() {
                return Err(self.damaged(wanted.number, &file.name, "it does not match its checksum"));
            }
            synced(&path, &to)?;
        }
        Ok(())
    }
}

fn content(print: Fingerprint) -> Content {
    Content { xxh3_128: print.hex(), bytes: print.bytes }
}

fn content_of(path: &Path, resources: &Resources) -> Result<Content> {
    Fingerprint::of(path, resources.cancel()).map(content)
}

/// Creates a file, or empties it, with the folders above it.
fn new_file(path: &Path) -> Result<File> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(|error| Error::io("create", above, error))?;
    }
    let opened = File::options().read(true).write(true).create(true).truncate(true).open(path);
    opened.map_err(|error| Error::io("create", path, error))
}
