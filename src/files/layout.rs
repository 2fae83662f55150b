//! The Hive layout of the input: which files belong to a day.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::Day;

/// The folder of the impressions below the input root.
pub const IMPRESSIONS: &str = "impressions";

/// Folders nested deeper than this below a day folder are taken for a loop of links.
const DEPTH_MAX: usize = 32;

/// One data file of a day.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DayFile {
    /// Path below the day folder, with `/` between its parts.
    pub name: String,
    /// Where to open it.
    pub path: PathBuf,
}

/// The data files of `ROOT/<folder>/dt=<day>/`, at any depth, ordered by name. None if the folder is not there.
///
/// Names beginning with `_` or `.` are no data, neither files nor folders. Links are followed, wherever they lead.
pub fn day_files(root: &Path, folder: &str, day: Day) -> Result<Vec<DayFile>> {
    // A mistyped root would otherwise look like a day without any files.
    if !root.is_dir() {
        return Err(Error::input(
            format!("the input root {} is not a folder", root.display()),
            "check --input: it is the folder that holds clicks/, add_to_carts/, orders/ and impressions/",
        ));
    }
    let day_folder = root.join(folder).join(format!("dt={day}"));
    let mut files = Vec::new();
    if day_folder.try_exists().map_err(|error| Error::io("look for", &day_folder, &error))? {
        collect(&day_folder, "", 0, &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, depth: usize, files: &mut Vec<DayFile>) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(Error::input(
            format!("{} is nested more than {DEPTH_MAX} folders deep", folder.display()),
            "remove the link that leads back to a folder above it",
        ));
    }
    let entries = fs::read_dir(folder).map_err(|error| Error::io("list", folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", folder, &error))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            return Err(Error::input(format!("the file name {} is not UTF-8", path.display()), "rename the file"));
        };
        if name.starts_with(['_', '.']) {
            continue;
        }
        let name = format!("{prefix}{name}");
        let kind = fs::metadata(&path).map_err(|error| Error::io("read", &path, &error))?;
        if kind.is_dir() {
            collect(&path, &format!("{name}/"), depth + 1, files)?;
        } else {
            files.push(DayFile { name, path });
        }
    }
    Ok(())
}
