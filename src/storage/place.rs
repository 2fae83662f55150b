//! Where files come from: a folder on a disk of this machine, or the objects below a URL.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::fingerprint::Fingerprint;
use super::objects::{Fetch, FetchedFile, Found, Level, Objects};
use super::regular_file;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::text::{Shown as _, is_url};

/// The most objects below one folder that are looked at together.
const OBJECTS_MAX: usize = 1_000_000;

/// A folder on a disk of this machine, or the objects below a URL, as a command sees it.
///
/// What is asked of an object store is kept as long as this value: a list is made once.
#[derive(Clone, Debug)]
pub struct Place(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Folder(PathBuf),
    Objects(Arc<Tree>),
}

/// The objects below a URL, with the levels listed so far.
struct Tree {
    objects: Objects,
    levels: Mutex<BTreeMap<PathBuf, Arc<Level>>>,
    /// What [`Place::above_with`] has found.
    above: OnceLock<Option<(PathBuf, usize)>>,
    local: Local,
}

impl Tree {
    fn place(objects: Objects, local: Local) -> Place {
        let tree = Tree { objects, levels: Mutex::default(), above: OnceLock::new(), local };
        Place(Kind::Objects(Arc::new(tree)))
    }
}

/// What reading and writing at a URL needs on a disk of this machine.
#[derive(Clone)]
pub(crate) struct Local {
    /// Creates an empty scratch file, open for reading and writing.
    pub new_file: NewFile,
    /// The folder for scratch files.
    pub folder: PathBuf,
    /// The most bytes of a part of an upload.
    pub part_bytes: usize,
}

/// A file that is read: on a disk of this machine, or an object that is fetched when it is opened.
#[derive(Clone, Debug)]
pub struct PlacedFile {
    path: PathBuf,
    fetched: Option<FetchedFile>,
}

impl From<PathBuf> for PlacedFile {
    fn from(path: PathBuf) -> Self {
        PlacedFile { path, fetched: None }
    }
}

impl PlacedFile {
    /// The path or URL.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is an object.
    pub(crate) fn is_object(&self) -> bool {
        self.fetched.is_some()
    }

    /// Opens the file, or the object once all of it has arrived.
    pub(crate) fn open(&self) -> Result<File> {
        match &self.fetched {
            Some(fetched) => fetched.open(),
            None => regular_file::open(&self.path).map_err(|error| Error::io("open", &self.path, error)),
        }
    }

    /// Returns the fingerprint of its content, for which it is read.
    pub(crate) fn fingerprint(&self, cancel: &Cancel) -> Result<Fingerprint> {
        self.fetched.as_ref().map_or_else(|| Fingerprint::of(&self.path, cancel), FetchedFile::fingerprint)
    }

    /// Returns its size, without reading it.
    pub(crate) fn bytes(&self) -> Result<u64> {
        self.fetched.as_ref().map_or_else(|| Fingerprint::size_of(&self.path), |fetched| Ok(fetched.bytes()))
    }

    /// Fails if a file has been written or replaced since its fingerprint was begun. An object was fetched as one
    /// version of it.
    pub(crate) fn check_unchanged(&self, fingerprint: &Fingerprint) -> Result<()> {
        if self.is_object() { Ok(()) } else { fingerprint.check_unchanged(&self.path) }
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tree").field(&self.objects.url()).finish()
    }
}

/// Creates an empty scratch file, open for reading and writing.
pub(crate) type NewFile = Arc<dyn Fn() -> Result<File> + Send + Sync>;

/// What is at a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EntryKind {
    /// A folder, or a part of the names of objects.
    Folder,
    /// A file or an object.
    File,
}

/// A name in a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub path: PathBuf,
    pub kind: EntryKind,
    /// The size of a file.
    pub bytes: u64,
}

impl Place {
    /// Opens a folder or, with `connect`, a URL.
    pub(crate) fn open(
        path: &Path,
        connect: impl FnOnce(&Path) -> Result<Objects>,
        local: impl FnOnce() -> Local,
    ) -> Result<Self> {
        if !is_object_url(path) {
            return Ok(Place(Kind::Folder(path.to_owned())));
        }
        Ok(Tree::place(connect(path)?, local()))
    }

    /// A folder on a disk of this machine.
    pub(crate) fn on_disk(path: &Path) -> Self {
        Place(Kind::Folder(path.to_owned()))
    }

    /// Returns the same place, of which nothing is known yet.
    pub(crate) fn afresh(&self) -> Self {
        match &self.0 {
            Kind::Folder(_) => self.clone(),
            Kind::Objects(tree) => Tree::place(tree.objects.clone(), tree.local.clone()),
        }
    }

    /// The objects, with what they need on a disk, if it is a URL.
    pub(crate) fn objects(&self) -> Option<(&Objects, &Local)> {
        match &self.0 {
            Kind::Folder(_) => None,
            Kind::Objects(tree) => Some((&tree.objects, &tree.local)),
        }
    }

    /// The folder or the URL.
    pub fn path(&self) -> &Path {
        match &self.0 {
            Kind::Folder(path) => path,
            Kind::Objects(tree) => tree.objects.url(),
        }
    }

    /// The folder, if it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Folder(path) => Some(path),
            Kind::Objects(_) => None,
        }
    }

    /// Returns what is at a path below; `None` if nothing is there.
    pub(crate) fn kind(&self, path: &Path) -> Result<Option<EntryKind>> {
        let tree = match &self.0 {
            Kind::Objects(tree) => tree,
            Kind::Folder(_) => {
                if !path.try_exists().map_err(|error| Error::io("look for", path, error))? {
                    return Ok(None);
                }
                let metadata = fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
                return Ok(Some(if metadata.is_dir() { EntryKind::Folder } else { EntryKind::File }));
            }
        };
        let (Some(above), Some(name)) = (path.parent().filter(|_| path != self.path()), path.file_name()) else {
            let level = tree.level(path)?;
            return Ok((!level.is_empty()).then_some(EntryKind::Folder));
        };
        let level = tree.level(above)?;
        if level.folders.iter().any(|folder| name == folder.as_str()) {
            return Ok(Some(EntryKind::Folder));
        }
        Ok(level.objects.iter().any(|object| object.path == path).then_some(EntryKind::File))
    }

    /// Returns the entries of a folder whose names are wanted. Links are followed.
    pub(crate) fn entries(&self, folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Entry>> {
        match &self.0 {
            Kind::Folder(_) => entries_on_disk(folder, wanted),
            Kind::Objects(tree) => {
                let level = tree.level(folder)?;
                let folders = level.folders.iter().map(|name| Entry {
                    name: name.clone(),
                    path: folder.join(name),
                    kind: EntryKind::Folder,
                    bytes: 0,
                });
                // An empty object with the name of a folder stands for it.
                let is_mark =
                    |object: &Found, name: &str| object.bytes == 0 && level.folders.iter().any(|folder| folder == name);
                let files = level.objects.iter().filter_map(|object| {
                    let name = object.path.file_name()?.to_str()?.to_owned();
                    (!is_mark(object, &name)).then(|| Entry {
                        name,
                        path: object.path.clone(),
                        kind: EntryKind::File,
                        bytes: object.bytes,
                    })
                });
                Ok(folders.chain(files).filter(|entry| wanted(&entry.name)).collect())
            }
        }
    }

    /// Says that all files below a folder are wanted: an object store is asked for their names at once.
    pub(crate) fn gather(&self, folder: &Path) -> Result<()> {
        match &self.0 {
            Kind::Folder(_) => Ok(()),
            Kind::Objects(tree) => tree.gather(folder),
        }
    }

    /// Returns the nearest folder above the root of a URL that has an entry of one of these names, and which.
    pub(crate) fn above_with(&self, names: &[&str]) -> Result<Option<(PathBuf, usize)>> {
        let Kind::Objects(tree) = &self.0 else { return Ok(None) };
        if let Some(found) = tree.above.get() {
            return Ok(found.clone());
        }
        let mut found = None;
        for (place, name) in names.iter().enumerate() {
            if let Some(folder) = tree.objects.above_with(name)? {
                found = Some((folder, place));
                break;
            }
        }
        Ok(tree.above.get_or_init(|| found).clone())
    }

    /// Prepares to read files: objects are fetched together, in this order, once one of them is asked for.
    pub(crate) fn files(&self, paths: Vec<PathBuf>) -> Result<Vec<PlacedFile>> {
        let Kind::Objects(tree) = &self.0 else { return Ok(paths.into_iter().map(PlacedFile::from).collect()) };
        let found = paths.iter().map(|path| tree.found(path)).collect::<Result<Vec<_>>>()?;
        let new_file = Arc::clone(&tree.local.new_file);
        let fetched = Fetch::of(&tree.objects, found, Box::new(move || new_file())).into_iter().map(Some);
        Ok(paths.into_iter().zip(fetched).map(|(path, fetched)| PlacedFile { path, fetched }).collect())
    }

    /// Reads a small file; `None` if there is none. Reads at most one byte more than `bytes_max`.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
        match &self.0 {
            Kind::Folder(_) => {
                if !path.try_exists().map_err(|error| Error::io("look for", path, error))? {
                    return Ok(None);
                }
                let mut bytes = Vec::new();
                let read = regular_file::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes));
                read.map_err(|error| Error::io("read", path, error))?;
                Ok(Some(bytes))
            }
            Kind::Objects(tree) => Ok(tree.objects.read(path, bytes_max)?.map(|(bytes, _)| bytes)),
        }
    }
}

impl Tree {
    /// Lists what lies directly below a folder.
    fn level(&self, folder: &Path) -> Result<Arc<Level>> {
        if let Some(level) = self.levels().get(folder) {
            return Ok(Arc::clone(level));
        }
        let level = Arc::new(self.objects.level(folder)?);
        self.levels().insert(folder.to_owned(), Arc::clone(&level));
        Ok(level)
    }

    /// Lists all that lies below a folder.
    fn gather(&self, folder: &Path) -> Result<()> {
        if self.levels().contains_key(folder) {
            return Ok(());
        }
        let mut levels: BTreeMap<PathBuf, Level> = BTreeMap::from([(folder.to_owned(), Level::default())]);
        for object in self.objects.below(folder, OBJECTS_MAX)? {
            let mut below = object.path.clone();
            let mut is_object = true;
            while below != folder {
                let (Some(above), Some(name)) = (below.parent().map(Path::to_owned), below.file_name()) else { break };
                let level = levels.entry(above.clone()).or_default();
                let name = name.to_string_lossy().into_owned();
                if is_object {
                    level.objects.push(object.clone());
                } else if level.folders.last() != Some(&name) {
                    level.folders.push(name);
                }
                (below, is_object) = (above, false);
            }
        }
        let mut known = self.levels();
        for (folder, mut level) in levels {
            level.folders.sort_unstable();
            level.folders.dedup();
            known.insert(folder, Arc::new(level));
        }
        Ok(())
    }

    fn found(&self, path: &Path) -> Result<Found> {
        let missing = || {
            let what = format!("the file {} is missing", path.shown());
            Error::input(what, "check the URL, or write the file again")
        };
        let level = self.level(path.parent().ok_or_else(missing)?)?;
        level.objects.iter().find(|object| object.path == path).cloned().ok_or_else(missing)
    }

    fn levels(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Arc<Level>>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a path is the URL of an object store; `file://` is none.
pub(crate) fn is_object_url(path: &Path) -> bool {
    is_url(path.as_os_str()) && !path.to_string_lossy().starts_with("file:")
}

fn entries_on_disk(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Entry>> {
    let failed = |error: std::io::Error| Error::io("list", folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str().map(str::to_owned));
        let Some(name) = name else {
            return Err(Error::input(format!("the file name {} is not UTF-8", path.shown()), "rename the file"));
        };
        if !wanted(&name) {
            continue;
        }
        let metadata = fs::metadata(&path).map_err(|error| Error::io("read", &path, error))?;
        let kind = if metadata.is_dir() { EntryKind::Folder } else { EntryKind::File };
        found.push(Entry { name, path, kind, bytes: metadata.len() });
    }
    Ok(found)
}
