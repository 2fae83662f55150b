//! The output folder, which holds partitions: whether it is lookback's, and what may be replaced in it.
//!
//! 1. It is lookback's if it is new or empty, or has a file named [`MARKER`], which is written before the first
//!    partition.
//! 2. A folder without that file, as written up to 0.4.0, is lookback's too if each entry in it is: a partition with a
//!    readable manifest, or with parts that lookback wrote, or leftovers of a killed run. The next partition adds the
//!    file.
//! 3. A partition in it is replaced if it has only files that its manifest names, and the files that every partition
//!    has.
//!
//! Only names are checked, and manifests, so the size of a partition does not matter.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use super::manifest_file::MANIFEST;
use super::partition_folder::{PartitionFolder, SUCCESS};
use crate::error::{Error, Result};
use crate::input::parquet::metadata::{has_version, metadata};
use crate::message::message;
use crate::model::Day;
use crate::storage::{Level, Objects, Place, fresh, lock, lock_created, regular_file};
use crate::text::Shown as _;

/// The marker file. It is empty and begins with a dot, since readers take each file in a folder of rows for data:
/// Spark, pyarrow and Hugging Face datasets skip its name, and Polars skips empty files.
const MARKER: &str = ".lookback-output";

/// A folder of empty files beside the partitions, left by versions before manifests.
const OLD_MARKS: &str = ".lookback";

/// Fails unless `out` is missing, or is a folder that lookback may fill. Changes nothing.
pub(crate) fn check_output(place: &Place) -> Result<()> {
    if let Some((objects, _)) = place.objects() {
        return check_objects(place, &objects.level(place.path())?);
    }
    let out = place.path();
    if fs::symlink_metadata(out.join(MARKER)).is_ok_and(|marker| marker.is_file()) {
        return Ok(());
    }
    let names = match names_in(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        names => names.map_err(|error| Error::io("list", out, error))?,
    };
    for name in names {
        if let Some(reason) = foreign(place, &name) {
            return Err(not_ours(out, &name, &reason));
        }
    }
    Ok(())
}

/// The same for what lies directly below a URL.
fn check_objects(place: &Place, level: &Level) -> Result<()> {
    let out = place.path();
    if level.objects.iter().any(|object| object.path.ends_with(MARKER)) {
        return Ok(());
    }
    if let Some(name) = level.objects.iter().find_map(|object| object.path.file_name()) {
        return Err(not_ours(out, &name.to_string_lossy(), "is not a partition"));
    }
    let foreign = |name: &str| match day_of(name) {
        None => Some("is not a partition".to_owned()),
        Some(day) => match PartitionFolder::new(place, day).read_manifest() {
            Ok(_) => None,
            Err(reason) => Some(format!("has no usable manifest ({reason})")),
        },
    };
    match level.folders.iter().find_map(|name| foreign(name).map(|reason| (name, reason))) {
        None => Ok(()),
        Some((name, reason)) => Err(not_ours(out, name, &reason)),
    }
}

/// Makes a URL an output of lookback, and fails as [`check_output`] does, or if the store takes no conditional writes.
/// The mark stays when nothing is published: another run may be about to.
///
/// One request if the URL is an output already.
pub(super) fn claim_objects(place: &Place, objects: &Objects) -> Result<()> {
    let marker = place.path().join(MARKER);
    if !objects.claim(&marker)? {
        return Ok(());
    }
    let mut level = objects.level(place.path())?;
    level.objects.retain(|object| object.path != marker);
    check_objects(place, &level).inspect_err(|_| {
        // Nothing was there that this run knows; the next one finds it as it was.
        let _ = objects.remove([marker.as_path()]);
    })
}

fn not_ours(out: &Path, name: &str, reason: &str) -> Error {
    Error::refused(
        format!("{} is not an output folder of lookback: {name} in it {reason}", out.shown()),
        message!["move that entry away, or name an empty or new folder with ", Out],
    )
}

fn day_of(name: &str) -> Option<Day> {
    name.strip_prefix("dt=").and_then(|day| day.parse::<Day>().ok())
}

/// Returns why an entry of a folder without a marker is not lookback's; `None` if it is.
fn foreign(place: &Place, name: &str) -> Option<String> {
    let out = place.path();
    let staging = name.strip_prefix('.').and_then(|name| name.split_once(".staging-"));
    if staging.is_some_and(|(day, end)| day_of(day).is_some() && fresh::is_drawn(end, "")) {
        return None;
    }
    match day_of(name) {
        None if name == OLD_MARKS => None,
        Some(_) if !is_folder(&out.join(name)) => Some("is not a folder".to_owned()),
        Some(day) => match PartitionFolder::new(place, day).read_manifest() {
            Ok(_) => None,
            Err(_) if is_by_lookback(&out.join(name)) => None,
            Err(reason) => Some(format!("has no usable manifest ({reason})")),
        },
        None => Some("is not a partition".to_owned()),
    }
}

/// Whether each file of a partition without a usable manifest identifies itself as lookback's.
fn is_by_lookback(partition: &Path) -> bool {
    let names = names_in(partition).unwrap_or_default();
    let mut parts = names.iter().filter(|name| name.as_str() != MANIFEST && name.as_str() != SUCCESS).peekable();
    parts.peek().is_some() && parts.all(|name| is_part_by_lookback(&partition.join(name)))
}

fn is_part_by_lookback(part: &Path) -> bool {
    regular_file::open(part).is_ok_and(|part| metadata(&part).is_some_and(|found| has_version(&found)))
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Creates the folder if it is missing, and adds the marker. Returns the lock on it. Fails as [`check_output`] does.
pub(super) fn claim(out: &Path) -> Result<File> {
    let turn = lock_created(out)?;
    check_output(&Place::on_disk(out))?;
    let marker = out.join(MARKER);
    match File::options().write(true).create_new(true).open(&marker) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::io("create", &marker, error)),
        _ => Ok(turn),
    }
}

/// Removes a folder that is empty or has only the marker, after a run without a result.
pub(super) fn give_up(out: &Path) {
    // If the folder cannot be removed, the next run may fill it.
    let Ok(_turn) = lock(out) else { return };
    if names_in(out).is_ok_and(|names| names.iter().all(|name| name == MARKER)) {
        let _ = fs::remove_file(out.join(MARKER));
        let _ = fs::remove_dir(out);
    }
}

/// Fails, naming the first file, if a partition has anything that lookback did not write, so that replacing it would
/// lose that file.
pub(super) fn check_replaceable(folder: &PartitionFolder) -> Result<()> {
    let path = folder.path();
    if !check_folder(&path)? {
        return Ok(());
    }
    let names = names_in(&path).map_err(|error| Error::io("list", &path, error))?;
    let manifest = folder.read_manifest().ok();
    let parts: Option<BTreeSet<&str>> =
        manifest.as_ref().map(|manifest| manifest.parts.iter().map(|part| part.name.as_str()).collect());
    let has_manifest = names.iter().any(|name| name == MANIFEST);
    let is_own = |name: &str| match &parts {
        _ if name == MANIFEST || name == SUCCESS => true,
        Some(parts) => parts.contains(name),
        // A damaged manifest names no file. Without a manifest, each part has to identify itself.
        None => is_part_name(name) && (has_manifest || is_part_by_lookback(&path.join(name))),
    };
    let is_file = |name: &str| fs::symlink_metadata(path.join(name)).is_ok_and(|found| found.is_file());
    match names.iter().find(|name| !is_own(name) || !is_file(name)) {
        None => Ok(()),
        Some(name) => Err(Error::refused(
            format!("the partition {} would be replaced, but {name} in it was not written by lookback", path.shown()),
            message!["move that entry away, or name another folder with ", Out],
        )),
    }
}

/// Whether there is a folder at the path of a partition. Fails if something else is there.
pub(super) fn check_folder(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("open", path, error)),
        Ok(found) if !found.is_dir() => Err(Error::refused(
            format!("{} is not a folder, so no partition can be written there", path.shown()),
            message!["move it away, or name another folder with ", Out],
        )),
        Ok(_) => Ok(true),
    }
}

/// Whether a name has the form `part-00000.parquet`.
fn is_part_name(name: &str) -> bool {
    let number = name.strip_prefix("part-").and_then(|name| name.strip_suffix(".parquet"));
    number.is_some_and(|number| number.len() >= 5 && number.bytes().all(|letter| letter.is_ascii_digit()))
}

/// Returns the names in a folder, in order. A name that is not UTF-8 is never one of lookback's, whatever replaces its
/// invalid characters.
fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
