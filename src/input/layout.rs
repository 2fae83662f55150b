//! The layout of the input: which files belong to a day.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatchReader;

use super::memory::MemoryRows;
use super::subject::Subject;
use super::table_folder;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::message::message;
use crate::model::Day;
use crate::resources::{Cancel, Resources};
use crate::sources::{Component, FileFormat, Pattern, memory_name};
use crate::storage::{Entry, EntryKind, Fingerprint, Place, PlacedFile};
use crate::text::Shown;

/// Folders nested deeper than this below a folder that a pattern names count as a loop of links.
const DEPTH_MAX: usize = 32;

/// The most files of one batch, so that its record stays small enough to read back, and the most that a pattern may
/// match on one day.
pub(crate) const FILES_MAX: usize = 100_000;

/// What Hadoop's connectors append to the name of a folder for an empty file that stands for it on an object store.
const FOLDER_MARK: &str = "_$folder$";

/// One data file of a day, or the rows of a source that were given in memory.
#[derive(Clone, Debug)]
pub struct DayFile {
    /// Path below the folder that the pattern names, with `/` between its components; of rows in memory
    /// [`memory_name`].
    pub name: String,
    /// The path to open it; of rows in memory the name of their source, as messages show it.
    pub path: PathBuf,
    /// The format that the configuration gives, whatever the name says.
    pub(super) format: Option<FileFormat>,
    /// The rows in memory: then there is no file.
    pub(super) rows: Option<Arc<MemoryRows>>,
    /// How it is read.
    placed: PlacedFile,
}

impl DayFile {
    /// Returns a file.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        DayFile::of(name.into(), path.into().into(), None)
    }

    fn of(name: String, placed: PlacedFile, format: Option<FileFormat>) -> Self {
        DayFile { name, path: placed.path().to_owned(), format, rows: None, placed }
    }

    /// Returns the rows of a source in memory.
    pub(super) fn in_memory(source: &str, rows: MemoryRows) -> Self {
        DayFile { rows: Some(Arc::new(rows)), ..DayFile::new(memory_name(source), source) }
    }

    /// Puts the rows aside that `reader` gives: see [`MemoryRows::fill`].
    pub(super) fn fill(
        &mut self,
        reader: Box<dyn RecordBatchReader + Send>,
        rows_max: usize,
        resources: &Resources,
    ) -> Result<()> {
        let rows = self.rows.as_mut().and_then(Arc::get_mut);
        rows.held("rows in memory have one owner until they are put aside")?.fill(reader, rows_max, resources)
    }

    /// What messages call it.
    pub(super) fn subject(&self) -> Subject<'_> {
        self.rows.as_ref().map_or(Subject::File(&self.path), |rows| rows.subject())
    }

    /// Opens the file, or the object once it has arrived.
    pub(super) fn open(&self) -> Result<File> {
        self.placed.open()
    }

    /// Returns the fingerprint of its content, for which a file is read.
    pub(crate) fn fingerprint(&self, cancel: &Cancel) -> Result<Fingerprint> {
        self.rows.as_ref().map_or_else(|| self.placed.fingerprint(cancel), |rows| rows.fingerprint())
    }

    /// Returns only its size.
    pub(crate) fn size(&self) -> Result<u64> {
        self.rows.as_ref().map_or_else(|| self.placed.bytes(), |rows| Ok(rows.fingerprint()?.bytes))
    }

    /// Fails if a file has been written or replaced since its fingerprint was begun.
    pub(crate) fn check_unchanged(&self, fingerprint: &Fingerprint) -> Result<()> {
        if self.rows.is_some() { Ok(()) } else { self.placed.check_unchanged(fingerprint) }
    }

    /// Whether it lies on a disk of this machine.
    pub(super) fn is_on_disk(&self) -> bool {
        self.rows.is_none() && !self.placed.is_object()
    }
}

/// Returns the data files of a day that a pattern matches below `root`, each once, ordered by name; an empty list if
/// there is no such file or folder. All are of the `format`, if it is given.
///
/// Names are relative to the folder that the pattern names before its first `*`; if the whole pattern names a file, to
/// the folder of that file. Files and folders whose names begin with `_` or `.` are skipped, and empty files that stand
/// for a folder on an object store ([`FOLDER_MARK`]). Links are followed anywhere. Only folders that can hold files of
/// the day are listed. Fails if a folder on the way to the files, or above the root, is a table with a log: see
/// [`table_folder`].
pub fn day_files(root: &Place, pattern: &Pattern, format: Option<FileFormat>, day: Day) -> Result<Vec<DayFile>> {
    let path = root.path();
    // Without this check, a mistyped root would look like a day without files.
    if root.kind(path)? != Some(EntryKind::Folder) {
        return Err(Error::input(
            format!("the input root {} is not a folder", path.shown()),
            message![
                "check ",
                Input,
                ": it is the folder that holds clicks/, add_to_carts/, orders/ and impressions/, or what lookback.toml names"
            ],
        ));
    }
    table_folder::refuse_above(root)?;
    let parts = pattern.on(day);
    let fixed = parts.iter().map_while(|part| match part {
        Component::Name(name) => Some(name),
        Component::Glob(_) | Component::Folders => None,
    });
    let fixed: Vec<&String> = fixed.collect();
    let mut files = Files { root, found: BTreeMap::new() };
    match parts.get(fixed.len()..).filter(|rest| !rest.is_empty()) {
        None => files.named(&fixed)?,
        Some(rest) => {
            let base = files.fixed_path(&fixed)?;
            if root.kind(&base)? == Some(EntryKind::Folder) {
                files.matching(&base, "", rest, 0)?;
            }
        }
    }
    files.in_order(format)
}

/// The files found so far, by name.
struct Files<'a> {
    root: &'a Place,
    found: BTreeMap<String, PathBuf>,
}

impl Files<'_> {
    /// The path below the root that these names form.
    fn fixed_path(&self, names: &[&String]) -> Result<PathBuf> {
        names.iter().try_fold(self.root.path().to_owned(), |folder, name| {
            let folder = folder.join(name);
            table_folder::refuse(self.root, &folder).map(|()| folder)
        })
    }

    /// Adds the files of a pattern without `*`: one file, or all below a folder.
    fn named(&mut self, parts: &[&String]) -> Result<()> {
        let path = self.fixed_path(parts)?;
        match (self.root.kind(&path)?, parts.last()) {
            (Some(EntryKind::Folder), _) => self.below(&path, "", 0),
            (Some(EntryKind::File), Some(name)) => self.add((*name).clone(), path),
            _ => Ok(()),
        }
    }

    fn add(&mut self, name: String, path: PathBuf) -> Result<()> {
        check_count(self.found.len(), &path)?;
        self.found.insert(name, path);
        Ok(())
    }

    fn in_order(self, format: Option<FileFormat>) -> Result<Vec<DayFile>> {
        let (names, paths): (Vec<String>, Vec<PathBuf>) = self.found.into_iter().unzip();
        let placed = self.root.files(paths)?;
        Ok(names.into_iter().zip(placed).map(|(name, placed)| DayFile::of(name, placed, format)).collect())
    }

    /// Adds the files that the parts of a pattern match below a folder; `prefix` is its name below the base.
    fn matching(&mut self, folder: &Path, prefix: &str, parts: &[Component], depth: usize) -> Result<()> {
        let Some((part, rest)) = parts.split_first() else { return self.below(folder, prefix, depth) };
        table_folder::refuse(self.root, folder)?;
        match part {
            Component::Name(name) => {
                let path = folder.join(name);
                match self.root.kind(&path)? {
                    Some(found) => self.step(found, path, format!("{prefix}{name}"), rest, depth),
                    None => Ok(()),
                }
            }
            Component::Glob(glob) => {
                for Entry { name, path, kind, .. } in entries(self.root, folder, depth, |name| glob.matches(name))? {
                    self.step(kind, path, format!("{prefix}{name}"), rest, depth)?;
                }
                Ok(())
            }
            Component::Folders => {
                self.root.gather(folder)?;
                self.matching(folder, prefix, rest, depth)?;
                // A final `**` matches all files, which were just added.
                if rest.is_empty() {
                    return Ok(());
                }
                for Entry { name, path, kind, .. } in entries(self.root, folder, depth, |_| true)? {
                    if kind == EntryKind::Folder {
                        self.matching(&path, &format!("{prefix}{name}/"), parts, depth + 1)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Continues below a name that matched.
    fn step(&mut self, found: EntryKind, path: PathBuf, name: String, rest: &[Component], depth: usize) -> Result<()> {
        match found {
            EntryKind::Folder => self.matching(&path, &format!("{name}/"), rest, depth + 1),
            EntryKind::File if rest.is_empty() => self.add(name, path),
            EntryKind::File => Ok(()),
        }
    }

    /// Adds all files below a folder.
    fn below(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<()> {
        self.root.gather(folder)?;
        table_folder::refuse(self.root, folder)?;
        for Entry { name, path, kind, .. } in entries(self.root, folder, depth, |_| true)? {
            let name = format!("{prefix}{name}");
            match kind {
                EntryKind::Folder => self.below(&path, &format!("{name}/"), depth + 1)?,
                EntryKind::File => self.add(name, path)?,
            }
        }
        Ok(())
    }
}

/// Fails if the number of files has reached the limit.
fn check_count(files: usize, more: &Path) -> Result<()> {
    if files < FILES_MAX {
        return Ok(());
    }
    Err(Error::input(
        format!("more than {FILES_MAX} files are of one day, among them {}", more.shown()),
        "merge some of the files",
    ))
}

/// Returns the entries of a folder with a wanted name, without names that begin with `_` or `.` and without empty files
/// that stand for a folder.
fn entries(root: &Place, folder: &Path, depth: usize, wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>> {
    if depth > DEPTH_MAX {
        return Err(Error::input(
            format!("{} is nested more than {DEPTH_MAX} folders deep", folder.shown()),
            "remove the link that leads back to a folder above it",
        ));
    }
    let mut found = root.entries(folder, &|name| !name.starts_with(['_', '.']) && wanted(name))?;
    let is_mark =
        |entry: &Entry| entry.kind == EntryKind::File && entry.bytes == 0 && entry.name.ends_with(FOLDER_MARK);
    found.retain(|entry| !is_mark(entry));
    check_count(found.len().saturating_sub(1), folder)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn on_disk(root: &Path) -> Place {
        Resources::default().place(root).unwrap()
    }

    fn names(root: &Path, pattern: &str) -> Vec<String> {
        let files =
            day_files(&on_disk(root), &Pattern::new(pattern).unwrap(), None, "2026-01-02".parse().unwrap()).unwrap();
        assert!(files.iter().all(|file| file.path.is_file()));
        files.into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn each_kind_of_pattern_finds_the_files_of_its_day() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        for path in [
            "clicks/dt=2026-01-02/a.parquet",
            "clicks/dt=2026-01-02/deep/er/b",
            "clicks/dt=2026-01-02/_SUCCESS",
            "clicks/dt=2026-01-02/.x/c",
            "clicks/dt=2026-01-03/a.parquet",
            "events/2026-01-02/clicks-2.parquet",
            "events/2026-01-02/clicks-1.parquet",
            "events/2026-01-02/clicks-3.parquet/part-0",
            "events/2026-01-02/orders-1.parquet",
            "events/2026-01-02/x/clicks-4.parquet",
            "log/2026/01/02.csv",
            "log/2026/01/03.csv",
            "shop/de/2026-01-02/x",
            "shop/fr/2026-01-02/x",
            "shop/_at/2026-01-02/x",
            "clicks/dt=2026-01-02/deep_$folder$",
            "parts/year=2026/month=1/day=2/a",
            "parts/year=2026/month=1/day=02/a",
            "parts/year=2026/month=1/day=12/a",
            "parts/year=2026/month=1/day=2_$folder$",
            "parts/year=2026/month=01/day=2/a",
            "parts/year=2026/month=1-2.csv",
            "parts/year=2026/month=1-12.csv",
            "parts/year=2026/month=11-2.csv",
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        assert_eq!(names(root, "clicks/dt={dt}"), ["a.parquet", "deep/er/b"]);
        assert_eq!(names(root, "clicks/dt={dt}/**"), ["a.parquet", "deep/er/b"]);
        assert_eq!(names(root, "clicks/dt={dt}/**/b"), ["deep/er/b"]);
        assert_eq!(names(root, "clicks/dt={dt}/**/er"), ["deep/er/b"]);
        let clicks = ["clicks-1.parquet", "clicks-2.parquet", "clicks-3.parquet/part-0"];
        assert_eq!(names(root, "events/{dt}/clicks-*.parquet"), clicks);
        assert_eq!(names(root, "events/{dt}/**/clicks-*.parquet").len(), 4, "each once");
        assert_eq!(names(root, "events/{dt}/*").len(), 5);
        assert_eq!(names(root, "log/{yyyy}/{mm}/{dd}.csv"), ["02.csv"]);
        assert_eq!(names(root, "log/{yyyy}/{mm}/{dd}.*"), ["02.csv"]);
        assert_eq!(names(root, "parts/year={yyyy}/month={m}/day={d}"), ["a"]);
        assert_eq!(names(root, "parts/*={yyyy}/month={m}/day={d}"), ["year=2026/month=1/day=2/a"]);
        assert_eq!(names(root, "parts/year={yyyy}/month={m}-{d}.*"), ["month=1-2.csv"]);
        assert_eq!(names(root, "shop/*/{dt}"), ["de/2026-01-02/x", "fr/2026-01-02/x"]);
        for nothing in ["none/{dt}", "none/{dt}/*", "clicks/dt={dt}/*/b/c", "clicks/dt={dt}/a.parquet/*"] {
            assert_eq!(names(root, nothing), [""; 0], "{nothing}");
        }
        let below_a_file = Pattern::new("clicks/dt={dt}/a.parquet/b").unwrap();
        let error = day_files(&on_disk(root), &below_a_file, None, "2026-01-02".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("a.parquet/b"), "{error}");
    }

    #[test]
    fn more_files_than_may_be_are_refused_and_those_of_other_days_do_not_count() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        let folder = root.join("2026-01-02");
        fs::create_dir_all(&folder).unwrap();
        (0..=FILES_MAX).for_each(|number| drop(fs::File::create(folder.join(format!("2026-01-03-{number}"))).unwrap()));
        fs::write(folder.join("2026-01-02-0"), b"").unwrap();
        assert_eq!(names(root, "2026-01-02/{dt}-*"), ["2026-01-02-0"]);
        for pattern in ["{dt}", "{dt}/*", "{dt}/**"] {
            let found = day_files(&on_disk(root), &Pattern::new(pattern).unwrap(), None, "2026-01-02".parse().unwrap());
            assert!(found.unwrap_err().to_string().contains("more than 100000 files are of one day"), "{pattern}");
        }
    }

    /// An unreadable folder of another day does no harm.
    #[test]
    fn other_days_are_not_walked_through() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        for day in ["2026-01-02", "2026-01-03"] {
            fs::create_dir_all(root.join("e").join(day).join("x")).unwrap();
            fs::write(root.join("e").join(day).join("x/a"), b"").unwrap();
        }
        let other = root.join("e/2026-01-03");
        std::os::unix::fs::symlink(&other, other.join("loop")).unwrap();
        for pattern in ["e/{dt}", "e/{dt}/**/a", "e/{dt}/*/a", "*/{dt}/x/a"] {
            assert_eq!(names(root, pattern).len(), 1, "{pattern}");
        }
        let other: Day = "2026-01-03".parse().unwrap();
        let looped = day_files(&on_disk(root), &Pattern::new("e/{dt}/**/a").unwrap(), None, other);
        assert!(looped.unwrap_err().to_string().contains("nested more than 32 folders deep"));
    }
}
