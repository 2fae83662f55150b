//! The commit that replaces a partition.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::action::{Add, Format, Line, Metadata, Protocol, Remove};
use super::log::path_of;
use super::protocol::{READER_VERSION, WRITER_VERSION};
use super::schema::Schema;
use super::snapshot::{ActiveFile, Snapshot};
use crate::error::{Error, Kind, Result};
use crate::exact::Held;
use crate::model::{Day, RowColumn};
use crate::output::log_folder::LOG;
use crate::storage::{Place, Written, put_if_absent, sync_with_folders_above};
use crate::text::Shown as _;

/// How often a version is lost to runs of other days before this run gives up.
const ATTEMPTS: usize = 100;

/// What a commit replaces the files of a day with.
pub(super) struct Commit<'a> {
    pub out: &'a Place,
    pub dt: Day,
    pub schema: &'a Schema,
    /// The files of the day when the run began.
    pub replaced: &'a BTreeMap<String, ActiveFile>,
    /// The files of the new rows.
    pub adds: &'a [Add],
    /// When the commit is made, in milliseconds since 1970.
    pub now_ms: i64,
    /// A folder on the disk of a local table, for the file before it has its name.
    pub staging: &'a Path,
}

impl Commit<'_> {
    /// Makes the commit; none if the table has these files already. Returns the version that has them. Fails, with
    /// nothing changed, if another run has committed other files of the day since this run began.
    pub(super) fn make(&self, mut snapshot: Option<Snapshot>) -> Result<u64> {
        for _ in 0..ATTEMPTS {
            // The first look sees what was committed while the rows were made.
            match &mut snapshot {
                Some(snapshot) => snapshot.advance(self.out)?,
                None => snapshot = Snapshot::read(self.out)?,
            }
            if let Some(snapshot) = &snapshot {
                snapshot.check(self.out, self.schema)?;
                let there = snapshot.of_day(self.dt);
                if self.is_there(&there) {
                    return Ok(snapshot.version);
                }
                if there != *self.replaced {
                    return Err(Error::new(
                        Kind::Busy,
                        format!(
                            "another run has committed {}={} to the Delta table {} meanwhile, and its rows stay",
                            RowColumn::Dt.name(),
                            self.dt,
                            self.out.path().shown()
                        ),
                        "wait for the other run, and run the same command again",
                    ));
                }
            }
            let version = snapshot.as_ref().map_or(0, |snapshot| snapshot.version + 1);
            if let Written::Done = self.write(version, &self.lines(version)?)? {
                return Ok(version);
            }
        }
        Err(Error::new(
            Kind::Busy,
            format!("other runs have taken {ATTEMPTS} versions of the Delta table {}", self.out.path().shown()),
            "run the same command again",
        ))
    }

    /// Whether the files of the day in the newest version are the new ones.
    pub(super) fn is_newest(&self) -> Result<bool> {
        let snapshot = Snapshot::read(self.out)?;
        Ok(snapshot.is_some_and(|snapshot| self.is_there(&snapshot.of_day(self.dt))))
    }

    /// Whether these files of the day are the new ones.
    fn is_there(&self, there: &BTreeMap<String, ActiveFile>) -> bool {
        let has = |add: &Add| there.get(&add.path).is_some_and(|file| file.bytes == add.size);
        there.len() == self.adds.len() && self.adds.iter().all(has)
    }

    fn lines(&self, version: u64) -> Result<Vec<u8>> {
        let mut lines = vec![Line { commit_info: Some(self.info()?), ..Line::default() }];
        if version == 0 {
            let protocol = Protocol {
                min_reader_version: READER_VERSION,
                min_writer_version: WRITER_VERSION,
                ..Protocol::default()
            };
            lines.push(Line { protocol: Some(protocol), ..Line::default() });
            lines.push(Line { meta_data: Some(self.metadata()?), ..Line::default() });
        }
        let is_new = |path: &String| self.adds.iter().any(|add| add.path == *path);
        for (path, file) in self.replaced.iter().filter(|(path, _)| !is_new(path)) {
            let remove = Remove {
                path: path.clone(),
                deletion_timestamp: Some(self.now_ms),
                data_change: true,
                extended_file_metadata: Some(true),
                partition_values: Some(file.partition_values.clone()),
                size: Some(file.bytes),
            };
            lines.push(Line { remove: Some(remove), ..Line::default() });
        }
        let has = |add: &&Add| self.replaced.get(&add.path).is_some_and(|file| file.bytes == add.size);
        for add in self.adds.iter().filter(|add| !has(add)) {
            lines.push(Line { add: Some(add.clone()), ..Line::default() });
        }
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, &line).held("text and numbers can be written as JSON")?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// Returns what the history of a table shows of the commit.
    fn info(&self) -> Result<Value> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Info {
            timestamp: i64,
            operation: &'static str,
            operation_parameters: BTreeMap<&'static str, String>,
            is_blind_append: bool,
            engine_info: String,
        }
        let dt = RowColumn::Dt.name();
        let parameters = [
            ("mode", "Overwrite".to_owned()),
            ("partitionBy", format!("[\"{dt}\"]")),
            ("predicate", format!("{dt} = '{}'", self.dt)),
        ];
        let info = Info {
            timestamp: self.now_ms,
            operation: "WRITE",
            operation_parameters: parameters.into_iter().collect(),
            is_blind_append: false,
            engine_info: format!("lookback/{}", env!("CARGO_PKG_VERSION")),
        };
        serde_json::to_value(info).held("text and numbers can be written as JSON")
    }

    fn metadata(&self) -> Result<Metadata> {
        let schema_string = self.schema.text()?;
        let out = self.out.path().to_string_lossy();
        Ok(Metadata {
            id: table_id(&format!("{out}\n{}\n{schema_string}", self.now_ms)),
            format: Format { provider: "parquet".to_owned(), ..Format::default() },
            schema_string,
            partition_columns: vec![RowColumn::Dt.name().to_owned()],
            created_time: Some(self.now_ms),
            ..Metadata::default()
        })
    }

    /// Creates the file of a version, unless it exists.
    fn write(&self, version: u64, bytes: &[u8]) -> Result<Written> {
        let path = path_of(self.out, version);
        if let Some((objects, _)) = self.out.objects() {
            return objects.write_if(&path, bytes, None);
        }
        let log = self.out.path().join(LOG);
        match fs::create_dir(&log) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Error::io("create", &log, error)),
            _ => {}
        }
        let aside = self.staging.join("commit.json");
        fs::write(&aside, bytes).map_err(|error| Error::io("write", &aside, error))?;
        if !put_if_absent(&aside, &path)? {
            return Ok(Written::Other);
        }
        sync_with_folders_above(&log)?;
        Ok(Written::Done)
    }
}

/// Returns the id of a new table: a UUID (version 8 of RFC 9562) that follows from where, when and with which columns
/// the table was made.
fn table_id(made: &str) -> String {
    let hash = xxh3_128(made.as_bytes());
    let id = hash & !(0xf << 76) & !(0b11 << 62) | (8 << 76) | (0b10 << 62);
    let mut text = String::new();
    for (place, digit) in format!("{id:032x}").chars().enumerate() {
        if [8, 12, 16, 20].contains(&place) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_8_that_follows_from_its_table() {
        let id = table_id("out\n1\n{}");
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(&id[14..15], "8", "{id}");
        assert!(["8", "9", "a", "b"].contains(&&id[19..20]), "{id}");
        assert_eq!(id, table_id("out\n1\n{}"));
        assert_ne!(id, table_id("out\n2\n{}"));
    }
}
