//! The manifest of one partition.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::{MANIFEST_VERSION, MANIFEST_VERSION_MIN};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::message::message;
use crate::model::{
    Day, Duplicates, ExtraColumn, ExtraColumns, ItemType, OrderKind, RowColumns, RowOrder, Shards, TypeType, Zone,
};
use crate::sources::is_memory_name;
use crate::text::escaped_json;

/// The description of a partition and its inputs. One JSON document, fields in this order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`] of the program that wrote it.
    pub manifest_version: u32,
    /// The version of the program.
    pub tool_version: String,
    /// The format version of the store.
    pub format_version: u8,
    /// The day of the rows.
    pub dt: Day,
    /// Every action in the rows is earlier; as in the metadata of the part files.
    pub cut_off: String,
    /// The settings that determine the rows.
    pub settings: RowShape,
    /// The newest batch used. A run with `--known-as-of` this day gives the same bytes. `null` without batches.
    pub newest_batch: Option<Day>,
    /// Training rows.
    pub rows: u64,
    /// Impressions that became rows.
    pub impressions: u64,
    /// Customers with a row.
    pub customers: u64,
    /// The names of the numbers in `action_types`, such as `view=1,buy=2`: those of all batches used. Omitted if they
    /// are click 1, add_to_cart 2, order 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_types: Option<String>,
    /// A hash over the columns that the impressions were read from, 32 hexadecimal digits. Omitted for the columns that
    /// apply without a configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impression_mapping: Option<String>,
    /// The counts for a report. Partitions of earlier versions lack them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<RowTally>,
    /// The number of shards of the sharded store that the rows are from: they stand shard by shard, each with the rows
    /// of its customers in the order of the settings. Omitted for rows of one store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// The part files, in the order of their names.
    pub parts: Vec<PartFile>,
    /// The impression files, in the order of their names; one named `memory://impressions` stands for impressions from
    /// memory.
    pub impression_files: Vec<ImpressionFile>,
    /// One hash over everything that determines the bytes of the part files, 32 hexadecimal digits.
    pub inputs: String,
    /// The batches used, days ascending.
    pub batches: Vec<RestsOn>,
    /// XXH3-128 of the document before this field, 32 hexadecimal digits: set by [`Manifest::to_json`] and compared by
    /// [`Manifest::from_json`], regardless of the value here. `None` if read from a partition of 0.4.0 or before, which
    /// has no checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// The settings that determine the rows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RowShape {
    /// The zone of the days.
    pub time_zone: String,
    /// A hash over the zone's rules up to the day, as the store recorded them, 32 hexadecimal digits. Omitted for UTC;
    /// partitions of versions before 0.5.0 lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_rules: Option<String>,
    /// Length of the padded arrays.
    pub max_history: usize,
    /// How many days back actions may lie; `null` for no limit.
    pub lookback_days: Option<u32>,
    /// The codec of the pages, as a person types it.
    pub compression: String,
    /// Rows of a row group.
    pub row_group_rows: usize,
    /// Rows of a part file.
    pub part_rows: usize,
    /// Columns besides those that all rows have. This field and the following ones are omitted if they have the
    /// default.
    #[serde(default, skip_serializing_if = "ExtraColumns::is_empty")]
    pub with: ExtraColumns,
    /// The type of items.
    #[serde(default, skip_serializing_if = "is_default")]
    pub item_type: ItemType,
    /// The type of action types.
    #[serde(default, skip_serializing_if = "is_default")]
    pub type_type: TypeType,
    /// The order of the rows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub order: OrderKind,
    /// The seed of a shuffled order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seed: Option<u64>,
    /// What became of equal actions in the store.
    #[serde(default, skip_serializing_if = "is_default")]
    pub duplicates: Duplicates,
}

impl RowShape {
    /// Returns the columns of the rows.
    pub fn columns(&self) -> RowColumns {
        RowColumns { with: self.with, item_type: self.item_type, type_type: self.type_type }
    }

    /// Returns the order of the rows.
    pub(crate) fn row_order(&self) -> Result<RowOrder> {
        RowOrder::of(self.order, self.seed).held("only a shuffled order has a seed")
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Counts over all rows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct RowTally {
    /// Rows with label 1.
    pub ordered: u64,
    /// Rows of customers without any history, which are all padding.
    pub rows_without_history: u64,
    /// Elements of the rows' `actions` that hold an action. The others, of `rows` times `max_history`, are padding.
    pub filled: u64,
}

impl std::iter::Sum for RowTally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(RowTally::default(), |sum, one| RowTally {
            ordered: sum.ordered + one.ordered,
            rows_without_history: sum.rows_without_history + one.rows_without_history,
            filled: sum.filled + one.filled,
        })
    }
}

/// One file of rows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PartFile {
    /// Its name in the partition's folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// XXH3-128 of its content, 32 hexadecimal digits.
    pub xxh3_128: String,
    /// The time of the newest action in its rows, in UTC; as in its metadata. `null` if no row has a history.
    pub newest_action: Option<String>,
}

/// One file of impressions.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ImpressionFile {
    /// Path below the folder that the pattern of the impressions names, with `/` as separator.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// XXH3-128 of its content, 32 hexadecimal digits.
    pub xxh3_128: String,
}

/// A batch that the rows rest on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RestsOn {
    /// The batch day.
    pub day: Day,
    /// One hash over the source, path, size and hash of each of its files, 32 hexadecimal digits; a source from a
    /// configuration is hashed by the parts of its description that determine its rows.
    pub files: String,
}

impl PartFile {
    /// Returns the name of the part with this number, from 0. Readers read files in the order of their names.
    pub(crate) fn name_of(number: usize) -> String {
        format!("part-{number:05}.parquet")
    }

    /// Returns the name at a URL of a part that a task has put there, which of its parts it is, and what tells it from
    /// others: 32 hexadecimal digits.
    pub(crate) fn name_of_task(task: u32, number: usize, digits: &str) -> String {
        format!("part-{task:05}{number:05}-{digits}.parquet")
    }

    /// Whether a name is one of those.
    fn is_of_task(name: &str) -> bool {
        let parts = name.strip_prefix("part-").and_then(|name| name.strip_suffix(".parquet"));
        parts.and_then(|name| name.split_once('-')).is_some_and(|(number, digits)| {
            (number.len(), digits.len()) == (10, 32)
                && number.bytes().all(|digit| digit.is_ascii_digit())
                && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    }

    /// Returns its name at a URL, as the part with this number: it follows from the content.
    pub(crate) fn name_with_hash(&self, number: usize) -> String {
        format!("part-{number:05}-{}.parquet", self.xxh3_128)
    }
}

impl Manifest {
    /// Whether the impressions came from memory, so that no file has them.
    pub(crate) fn is_from_memory(&self) -> bool {
        self.impression_files.iter().any(|file| is_memory_name(&file.name))
    }

    /// Returns the JSON for the file: on one line, with its checksum as the last field.
    pub(crate) fn to_json(&self) -> Result<String> {
        let unsealed = Manifest { checksum: None, ..self.clone() };
        let json = serde_json::to_string(&unsealed).held("text, numbers and lists can be written as JSON")?;
        let mut json = escaped_json(&json).into_owned();
        if json.pop().is_some() {
            let checksum = checksum_of(&json);
            json += &format!("{CHECKSUM_BEGINS}{checksum}{CHECKSUM_ENDS}");
        }
        Ok(json)
    }

    /// Reads JSON written by [`Manifest::to_json`]. Fails, with the reason as a phrase, on anything else: another
    /// version, a field that is missing or of another type, a part whose name leads out of the folder, contradictory
    /// numbers, a wrong checksum. Ignores unknown fields. In the result, `with` names all columns, whatever the
    /// version.
    pub(crate) fn from_json(json: &str) -> Result<Self, String> {
        /// The one field that every version has.
        #[derive(Deserialize)]
        struct Head {
            manifest_version: u32,
        }
        let head: Head = serde_json::from_str(json).map_err(|error| short(&error))?;
        if !(MANIFEST_VERSION_MIN..=MANIFEST_VERSION).contains(&head.manifest_version) {
            return Err(format!(
                "it has version {}, but this program reads versions {MANIFEST_VERSION_MIN} to {MANIFEST_VERSION}",
                head.manifest_version
            ));
        }
        check_checksum(json, head.manifest_version)?;
        let mut manifest: Manifest = serde_json::from_str(json).map_err(|error| short(&error))?;
        if !manifest.names_dt() {
            let with = &mut manifest.settings.with;
            *with = with.iter().chain([ExtraColumn::Dt]).collect();
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// Whether `with`, and the metadata of the part files, name the column `dt` if the files have it. Files before
    /// version 2 always have it and never name it.
    fn names_dt(&self) -> bool {
        self.manifest_version >= 2
    }

    /// Returns the columns that the metadata of the part files names under `lookback.with`.
    pub(crate) fn with_of_files(&self) -> ExtraColumns {
        self.settings.with.iter().filter(|column| self.names_dt() || *column != ExtraColumn::Dt).collect()
    }

    /// Returns the fingerprint of a batch that the rows rest on; `None` if they do not rest on it.
    pub fn batch(&self, day: Day) -> Option<&RestsOn> {
        let place = self.batches.binary_search_by_key(&day, |batch| batch.day).ok()?;
        self.batches.get(place)
    }

    /// Fails if the partition is from a store of another time zone, whose days differ.
    pub fn refuse_other_zone(&self, zone: &Zone) -> Result<()> {
        let Manifest { dt, settings: RowShape { time_zone, .. }, .. } = self;
        if time_zone == zone.name() {
            return Ok(());
        }
        Err(Error::refused(
            format!("the partition of {dt} is from a store in {time_zone}, and this one is in {}", zone.name()),
            message!["check ", Store, " and ", Out],
        ))
    }

    fn check(&self) -> Result<(), String> {
        let hashes = self.parts.iter().map(|part| &part.xxh3_128);
        let hashes = hashes.chain(self.impression_files.iter().map(|file| &file.xxh3_128));
        let hashes = hashes
            .chain(self.batches.iter().map(|batch| &batch.files))
            .chain([&self.inputs])
            .chain(&self.impression_mapping);
        let is_hash = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hashes.into_iter().any(|hash| !is_hash(hash)) {
            return Err("one of its hashes does not have 32 hexadecimal digits".to_owned());
        }
        let named = |(number, part): (usize, &PartFile)| {
            part.name == PartFile::name_of(number) || part.name == part.name_with_hash(number)
        };
        let are_of_tasks = self.parts.iter().all(|part| PartFile::is_of_task(&part.name))
            && self.parts.is_sorted_by(|one, next| one.name < next.name);
        if !(are_of_tasks || self.parts.iter().enumerate().all(named)) {
            return Err("its part files are not named part-00000.parquet, part-00001.parquet and so on".to_owned());
        }
        if self.shards.is_some_and(|shards| Shards::new(shards).is_none()) {
            return Err("its number of shards is not a power of two".to_owned());
        }
        let RowShape { max_history, lookback_days, row_group_rows, part_rows, order, seed, .. } = &self.settings;
        if (*order == OrderKind::Customer) != seed.is_none() {
            return Err("its seed does not fit its order".to_owned());
        }
        if [*max_history, *row_group_rows, *part_rows].contains(&0) || *lookback_days == Some(0) {
            return Err("one of its settings is 0".to_owned());
        }
        let rows = self.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.rows));
        if rows != Some(self.rows) {
            return Err("its number of rows is not the sum of those of its part files".to_owned());
        }
        let most = |max_history: usize| self.rows.saturating_mul(max_history as u64);
        let is_too_much = |tally: RowTally| {
            tally.ordered.max(tally.rows_without_history) > self.rows || tally.filled > most(*max_history)
        };
        if self.tally.is_some_and(is_too_much) {
            return Err("one of its counts is greater than its number of rows".to_owned());
        }
        if !self.batches.is_sorted_by(|one, next| one.day < next.day) {
            return Err("its batches are not in ascending order".to_owned());
        }
        if self.newest_batch != self.batches.last().map(|batch| batch.day) {
            return Err("its newest batch is not the last in its list of batches".to_owned());
        }
        Ok(())
    }
}

/// The text around the checksum, up to the end of the document.
const CHECKSUM_BEGINS: &str = ",\"checksum\":\"";
const CHECKSUM_ENDS: &str = "\"}";

/// In version 1 the last field is a list, so only a document without a checksum ends with this text.
const ENDS_WITHOUT: &str = "]}";

fn checksum_of(document: &str) -> String {
    format!("{:032x}", xxh3_128(document.as_bytes()))
}

/// Compares the checksum at the end of a document with the text before it. Documents of version 1 have no checksum.
fn check_checksum(json: &str, manifest_version: u32) -> Result<(), String> {
    if manifest_version < 2 && json.ends_with(ENDS_WITHOUT) {
        return Ok(());
    }
    let split = json.strip_suffix(CHECKSUM_ENDS).and_then(|rest| rest.rsplit_once(CHECKSUM_BEGINS));
    match split {
        Some((document, checksum)) if checksum == checksum_of(document) => Ok(()),
        Some(_) => Err("its checksum does not match its content".to_owned()),
        None => Err("it does not end with its checksum".to_owned()),
    }
}

/// The maximum length of a decoder's reason in a sentence; the reason may cite an input text of any length.
const REASON_CHARS: usize = 160;

fn short(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let short: String = text.chars().take(REASON_CHARS).collect();
    if short.len() < text.len() { short + "…" } else { text }
}
