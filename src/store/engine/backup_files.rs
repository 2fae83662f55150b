//! The files of backups and the checksums that RocksDB's backup engine has stored for them.
//!
//! Each backup has a list, `meta/NUMBER`: its time, its sequence number, in some lists a line of metadata, the number
//! of files, then a line for each file: its path below the backup folder, the word `crc32`, and its CRC-32C in decimal
//! digits. Source: RocksDB 11.8, `BackupMeta::LoadFromFile`, first schema.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

use super::crc32c::Crc32c;
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::exact::at_most;
use crate::message::message;
use crate::progress::Progress;
use crate::storage::regular_file;
use crate::text::Shown as _;

/// Limit for the size of a list: a backup has only some tens of files.
const LIST_BYTES_MAX: u64 = 16 << 20;

/// The amount of data that was compared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct CheckedBackups {
    /// Number of backups.
    pub backups: usize,
    /// Number of their files; a file counts once however many backups use it.
    pub files: usize,
    /// Total size of the files.
    pub bytes: u64,
}

/// Reads every file of the backups with these numbers in a folder, each file once, and compares its checksum. Fails on
/// the first damaged or missing file, and names the first backup that has it. Changes nothing. Memory: 1 MiB, and the
/// lists.
pub(crate) fn check(
    folder: &Path,
    numbers: &[u32],
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<CheckedBackups> {
    let mut files: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for number in numbers {
        for (name, crc) in list(folder, *number)? {
            match files.get(&name) {
                Some((_, other)) if *other != crc => {
                    return Err(damaged(
                        folder,
                        *number,
                        &format!("its list has another checksum of {name} than others"),
                    ));
                }
                Some(_) => {}
                None => drop(files.insert(name, (*number, crc))),
            }
        }
    }
    progress.begin("comparing", "files", Some(files.len() as u64));
    let mut bytes = 0;
    for (name, (number, expected)) in &files {
        cancel.check()?;
        let (crc, read) = crc_of(&folder.join(name))
            .map_err(|error| damaged(folder, *number, &format!("{name}: {error}")).caused_by(error))?;
        if crc != *expected {
            return Err(damaged(folder, *number, &format!("{name} does not match its checksum")));
        }
        bytes += read;
        progress.advance(1);
    }
    Ok(CheckedBackups { backups: numbers.len(), files: files.len(), bytes })
}

/// Returns the numbers of all backups that have a list, ascending.
pub(crate) fn numbers(folder: &Path) -> Result<Vec<u32>> {
    let lists = folder.join("meta");
    let mut numbers = Vec::new();
    for entry in fs::read_dir(&lists).map_err(|error| Error::io("list", &lists, error))? {
        let name = entry.map_err(|error| Error::io("list", &lists, error))?.file_name();
        // Files with other names are unfinished lists.
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Returns the files of a backup, each with its checksum.
fn list(folder: &Path, number: u32) -> Result<Vec<(String, u32)>> {
    let path = folder.join("meta").join(number.to_string());
    let mut text = String::new();
    let read = regular_file::open(&path).and_then(|file| file.take(LIST_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| damaged(folder, number, &format!("its list meta/{number}: {error}")).caused_by(error))?;
    parse(&text).ok_or_else(|| damaged(folder, number, &format!("its list meta/{number} cannot be read")))
}

fn parse(text: &str) -> Option<Vec<(String, u32)>> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let (time, sequence_number) = (lines.next()?, lines.next()?);
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    let count = lines.next().and_then(|line| if line.starts_with("metadata ") { lines.next() } else { Some(line) })?;
    let count = count.parse::<usize>().ok().filter(|_| is_number(time) && is_number(sequence_number))?;
    let file = |line: &str| {
        let (name, crc) = line.split_once(" crc32 ")?;
        Some((name.to_owned(), crc.parse().ok()?))
    };
    let files = lines.map(file).collect::<Option<Vec<(String, u32)>>>()?;
    (files.len() == count).then_some(files)
}

fn crc_of(path: &Path) -> std::io::Result<(u32, u64)> {
    let mut file = regular_file::open(path)?;
    let (mut crc, mut bytes, mut buffer) = (Crc32c::new(), 0, vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((crc.value(), bytes));
        }
        crc.take(at_most(&buffer, read));
        bytes += read as u64;
    }
}

/// Returns the error for a damaged backup.
pub(crate) fn damaged(folder: &Path, number: u32, what: &str) -> Error {
    Error::new(
        Kind::Corrupt,
        format!("backup {number} at {} is damaged ({what})", folder.shown()),
        message![
            "move the named file away and run ",
            [Backup],
            " again, which copies it again if the store still has it; or restore another backup with ",
            Number
        ],
    )
}
