//! A Delta table as its log says, by other code than the program's.

use std::collections::BTreeMap;

use serde_json::Value;

/// Files with their bytes, by path.
type Files = BTreeMap<String, Vec<u8>>;

/// A table at a version.
pub struct Table {
    pub version: usize,
    pub protocol: Value,
    pub metadata: Value,
    /// The add actions of its files, by path.
    pub active: BTreeMap<String, Value>,
    /// The remove actions of the files that left it.
    pub removed: BTreeMap<String, Value>,
}

/// Whether there is a log among the files of an output.
pub fn is_table(files: &Files) -> bool {
    files.keys().any(|path| path.starts_with("_delta_log/"))
}

/// The commits of an output, by their versions from 0 on, each with its actions.
pub fn commits(files: &Files) -> Vec<Vec<Value>> {
    let log = files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("_delta_log/")?, bytes)));
    let commits: Vec<_> = log.filter(|(name, _)| name.ends_with(".json")).collect();
    for (number, (name, _)) in commits.iter().enumerate() {
        assert_eq!(*name, format!("{number:020}.json"));
    }
    let lines = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    commits.into_iter().map(|(_, bytes)| lines(bytes)).collect()
}

/// The newest version of a table; `None` if no version has been committed.
pub fn table(files: &Files) -> Option<Table> {
    let commits = commits(files);
    let version = commits.len().checked_sub(1)?;
    let (protocol, metadata) = (Value::Null, Value::Null);
    let mut table = Table { version, protocol, metadata, active: BTreeMap::new(), removed: BTreeMap::new() };
    for action in commits.iter().flatten() {
        let (kind, content) = action.as_object().unwrap().iter().next().unwrap();
        let path = || content["path"].as_str().unwrap().to_owned();
        match kind.as_str() {
            "protocol" => table.protocol = content.clone(),
            "metaData" => table.metadata = content.clone(),
            "add" => {
                table.removed.remove(&path());
                table.active.insert(path(), content.clone());
            }
            "remove" => {
                table.active.remove(&path());
                table.removed.insert(path(), content.clone());
            }
            "commitInfo" => {}
            other => panic!("{other}"),
        }
    }
    Some(table)
}

/// What readers see of an output that is a table: below `_delta_log` the files of the newest version, as a Delta reader
/// does; below `dt=…` what is seen by who takes the names from the manifest.
pub fn seen(files: &Files) -> BTreeMap<String, Files> {
    let mut seen: BTreeMap<String, Files> = BTreeMap::new();
    if let Some(table) = table(files) {
        let active = table.active.keys().map(|path| (path.clone(), files[path].clone()));
        seen.insert("_delta_log".to_owned(), active.collect());
    }
    let is_manifest = |path: &str| path.starts_with("dt=") && path.ends_with("/_manifest.parquet");
    for (path, bytes) in files.iter().filter(|(path, _)| is_manifest(path)) {
        let folder = path.strip_suffix("/_manifest.parquet").unwrap();
        let mut named = Files::from([("_manifest.parquet".to_owned(), bytes.clone())]);
        let names = parts(bytes).into_iter().chain(["_SUCCESS".to_owned()]);
        named.extend(names.map(|name| (name.clone(), files[&format!("{folder}/{name}")].clone())));
        seen.insert(folder.to_owned(), named);
    }
    seen
}

/// The names of the parts in a manifest.
pub fn parts(manifest: &[u8]) -> Vec<String> {
    let bytes = bytes::Bytes::copy_from_slice(manifest);
    let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&bytes).unwrap();
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    let json = pairs.iter().find(|pair| pair.key == "lookback.manifest").unwrap().value.as_ref().unwrap();
    let manifest: Value = serde_json::from_str(json).unwrap();
    manifest["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap().to_owned()).collect()
}
