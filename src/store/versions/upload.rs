//! Files on their way to objects: only content that is not there yet is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_128;

use super::document::{Document, StoredFile};
use super::name::{Content, ObjectName};
use super::place::{GRACE_MIN, Versions, age};
use crate::error::{Error, Result};
use crate::message::message;
use crate::parallel::{each, ordered_map};
use crate::progress::Progress;
use crate::resources::Resources;
use crate::storage::{Fingerprint, KeptFile, regular_file};
use crate::text::Shown as _;

/// Files that are written at once.
const UPLOADS: usize = 4;

/// The most bytes of a part of an upload.
const PART_BYTES_MAX: usize = 16 << 20;

/// Small files up to this size lie behind one another in one object.
const SMALL_BYTES_MAX: u64 = 1 << 20;

/// A file on a disk that nobody changes.
#[derive(Clone, Debug)]
pub(crate) struct LocalFile {
    /// The name that it has in the version.
    pub name: String,
    pub path: PathBuf,
    /// Whether it changes with every version, and lies with others in one object if it is small.
    pub is_bundled: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Uploaded {
    pub objects: usize,
    pub bytes: u64,
}

/// The version that a new one follows.
#[derive(Debug)]
pub(crate) struct Base {
    pub document: Document,
    pub modified_ms: i64,
}

/// Which object has which content, and which objects are still to be written.
struct Plan<'a> {
    run: &'a str,
    objects: BTreeMap<Content, ObjectName>,
    missing: Vec<(ObjectName, Source)>,
}

enum Source {
    File(PathBuf),
    Bundle(Vec<u8>),
}

impl Plan<'_> {
    /// Returns the object of this content, which is written if there is none.
    fn object(&mut self, content: Content, source: Source) -> ObjectName {
        if let Some(object) = self.objects.get(&content) {
            return object.clone();
        }
        let object = ObjectName { content: content.clone(), run: self.run.to_owned() };
        self.objects.insert(content, object.clone());
        self.missing.push((object.clone(), source));
        object
    }
}

impl Versions {
    /// Writes the content of files that is not there yet, and returns what a document of run `run` then names. `base`,
    /// which was read before, is the newest version.
    ///
    /// Memory: [`Resources::uploads_bytes`], and the bundle of small files.
    pub(crate) fn upload(
        &self,
        run: &str,
        base: Option<&Base>,
        files: &[LocalFile],
        resources: &Resources,
        progress: &dyn Progress,
    ) -> Result<(Vec<StoredFile>, Uploaded)> {
        let reusable = self.reusable(base, progress)?;
        self.upload_beside(run, reusable, files, &|_| Ok(None), resources, progress)
    }

    /// Does the same beside objects that are there, and reads no file of which `known` says the content.
    pub(crate) fn upload_beside(
        &self,
        run: &str,
        objects: BTreeMap<Content, ObjectName>,
        files: &[LocalFile],
        known: &(dyn Fn(&LocalFile) -> Result<Option<Content>> + Sync),
        resources: &Resources,
        progress: &dyn Progress,
    ) -> Result<(Vec<StoredFile>, Uploaded)> {
        progress.begin("comparing", "files", Some(files.len() as u64));
        let prints = each(resources, files, |file| {
            let content = match known(file)? {
                Some(content) => content,
                None => {
                    let print = Fingerprint::of(&file.path, resources.cancel())?;
                    Content { xxh3_128: print.hex(), bytes: print.bytes }
                }
            };
            progress.advance(1);
            Ok(content)
        })?;
        let mut plan = Plan { run, objects, missing: Vec::new() };
        let (mut stored, mut bundled) = (Vec::new(), Vec::new());
        for (file, content) in files.iter().zip(prints) {
            if file.is_bundled && content.bytes <= SMALL_BYTES_MAX {
                bundled.push((file, content));
            } else {
                let object = plan.object(content.clone(), Source::File(file.path.clone()));
                stored.push(stored_file(&file.name, content, object, 0));
            }
        }
        let mut bundle = Vec::new();
        for (file, content) in &bundled {
            let bytes = regular_file::read(&file.path).map_err(|error| Error::io("read", &file.path, error))?;
            if bytes.len() as u64 != content.bytes {
                return Err(Error::internal(format!("{} has changed", file.path.shown())));
            }
            bundle.extend(bytes);
        }
        let content = Content { xxh3_128: format!("{:032x}", xxh3_128(&bundle)), bytes: bundle.len() as u64 };
        let object = plan.object(content, Source::Bundle(bundle));
        let mut offset = 0;
        for (file, content) in bundled {
            let bytes = content.bytes;
            stored.push(stored_file(&file.name, content, object.clone(), offset));
            offset += bytes;
        }
        let uploaded = self.write(plan.missing, resources, progress)?;
        Ok((stored, uploaded))
    }

    /// Returns the objects that a new version may name: see [`super`] for why not all that are there.
    fn reusable(&self, base: Option<&Base>, progress: &dyn Progress) -> Result<BTreeMap<Content, ObjectName>> {
        let there = self.stored()?;
        let is_whole = |object: &ObjectName| there.get(object).is_some_and(|found| found.bytes == object.content.bytes);
        let is_young = |found: &KeptFile| base.is_none_or(|base| age(base.modified_ms, found.modified_ms) <= GRACE_MIN);
        let young = there.iter().filter(|(_, found)| is_young(found)).map(|(object, _)| object.clone());
        let named = base.map(|base| base.document.objects()).unwrap_or_default();
        if let (Some(base), Some(lost)) = (base, named.iter().find(|object| !is_whole(object))) {
            progress.note(&message![(
                "backup {} at {} is damaged: files/{lost} is missing or has another size; the new backup has its content",
                base.document.number,
                self.place().shown()
            )]);
        }
        let whole = young.chain(named.iter().cloned()).filter(is_whole);
        Ok(whole.map(|object| (object.content.clone(), object)).collect())
    }

    fn write(
        &self,
        missing: Vec<(ObjectName, Source)>,
        resources: &Resources,
        progress: &dyn Progress,
    ) -> Result<Uploaded> {
        let bytes = missing.iter().map(|(object, _)| object.content.bytes).sum();
        let uploaded = Uploaded { objects: missing.len(), bytes };
        progress.begin("copying", "bytes", Some(bytes));
        let part_bytes = (resources.uploads_bytes() / UPLOADS).min(PART_BYTES_MAX);
        let work = |(object, source): (ObjectName, Source)| {
            let path = self.path_of(&object);
            match source {
                Source::Bundle(bytes) => self.kept.write(&path, &bytes)?,
                Source::File(from) => {
                    let file: File = regular_file::open(&from).map_err(|error| Error::io("open", &from, error))?;
                    self.kept.upload(&path, &file, part_bytes)?;
                }
            }
            progress.advance(object.content.bytes);
            Ok(())
        };
        let mut missing = missing.into_iter();
        let uploads = UPLOADS.min(resources.request_limits().at_once.get().into());
        ordered_map(resources.cancel(), vec![&work; uploads], uploads, || Ok(missing.next()), |()| Ok(()))?;
        Ok(uploaded)
    }
}

fn stored_file(name: &str, content: Content, object: ObjectName, offset: u64) -> StoredFile {
    StoredFile { name: name.to_owned(), object, offset, bytes: content.bytes, xxh3_128: content.xxh3_128 }
}
