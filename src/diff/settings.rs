//! Compares two manifests.

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::exact::Held;
use crate::manifest::Manifest;

/// Fields of the manifest that are no settings: they are compared separately, or follow from the rows.
const NO_SETTINGS: [&str; 10] =
    ["dt", "rows", "impressions", "customers", "tally", "shards", "parts", "inputs", "impression_files", "checksum"];

/// The maximum number of days or files named.
const NAMED_MAX: usize = 10;

/// One difference between two manifests.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SettingDifference {
    /// The setting, or `manifest`, `batches` or `impression_files`.
    pub what: String,
    /// The value in the first manifest.
    pub one: Value,
    /// The value in the second manifest.
    pub other: Value,
}

/// Compares all settings, by name, then batches and impression files. Reports a manifest that is unusable.
pub(super) fn compare(one: &Result<Manifest>, other: &Result<Manifest>) -> Result<Vec<SettingDifference>> {
    let (one, other) = match (one, other) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(_), Err(_)) => return Ok(Vec::new()),
        _ => {
            let text = |manifest: &Result<Manifest>| match manifest {
                Ok(_) => "usable".into(),
                Err(error) => error.what().to_string().into(),
            };
            return Ok(vec![SettingDifference { what: "manifest".to_owned(), one: text(one), other: text(other) }]);
        }
    };
    let mut differences = Vec::new();
    compare_fields("", &fields(one)?, &fields(other)?, &mut differences);
    let days = |manifest: &Manifest| -> Vec<(String, String)> {
        manifest.batches.iter().map(|batch| (batch.day.to_string(), batch.files.clone())).collect()
    };
    let files = |manifest: &Manifest| -> Vec<(String, String)> {
        manifest.impression_files.iter().map(|file| (file.name.clone(), file.xxh3_128.clone())).collect()
    };
    differences.extend(compare_lists("batches", &days(one), &days(other)));
    differences.extend(compare_lists("impression_files", &files(one), &files(other)));
    Ok(differences)
}

fn fields(manifest: &Manifest) -> Result<Value> {
    serde_json::from_str(&manifest.to_json()?).held("a manifest is JSON")
}

/// Compares objects field by field, including fields that a later version adds.
fn compare_fields(prefix: &str, one: &Value, other: &Value, differences: &mut Vec<SettingDifference>) {
    let (Value::Object(one), Value::Object(other)) = (one, other) else { return };
    let more = other.keys().filter(|name| !one.contains_key(*name));
    for name in one.keys().chain(more) {
        if prefix.is_empty() && (name == "batches" || NO_SETTINGS.contains(&name.as_str())) {
            continue;
        }
        let (is, was) = (one.get(&**name).unwrap_or(&Value::Null), other.get(&**name).unwrap_or(&Value::Null));
        match (is, was) {
            (Value::Object(_), Value::Object(_)) => compare_fields(name, is, was, differences),
            _ if is != was => {
                differences.push(SettingDifference { what: name.clone(), one: is.clone(), other: was.clone() });
            }
            _ => {}
        }
    }
}

/// Returns the entries of names and hashes that only one list has, or that have different hashes.
fn compare_lists(what: &str, one: &[(String, String)], other: &[(String, String)]) -> Option<SettingDifference> {
    let alone = |these: &[(String, String)], those: &[(String, String)]| -> Option<Value> {
        let those: std::collections::BTreeSet<&(String, String)> = those.iter().collect();
        let names: Vec<&str> =
            these.iter().filter(|entry| !those.contains(entry)).map(|(name, _)| name.as_str()).collect();
        let more = names.len().saturating_sub(NAMED_MAX);
        let mut named: Vec<String> = names.into_iter().take(NAMED_MAX).map(str::to_owned).collect();
        if more > 0 {
            named.push(format!("… and {more} more"));
        }
        (!named.is_empty()).then(|| named.into())
    };
    let (is, was) = (alone(one, other), alone(other, one));
    if is.is_none() && was.is_none() {
        return None;
    }
    let list = |names: Option<Value>| names.unwrap_or_else(|| Value::Array(Vec::new()));
    Some(SettingDifference { what: what.to_owned(), one: list(is), other: list(was) })
}
