//! The record of a batch, in each of its layouts.

use bincode::de::BorrowDecoder;
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Encode};

use super::codec::{Record, decode, encode, list, text};
use crate::error::Result;
use crate::format::{CONFIGURED_VERSION, IDS_VERSION, LAYOUT_VERSION, ZONED_VERSION};
use crate::model::TypeCounts;
use crate::sources::{ActionSource, BUILT_IN, Mapping, is_memory_name};

/// How a batch depends on the rules of the store's time zone, besides the days of its actions.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum ZoneUse {
    /// It does not: the times in its files have an offset from UTC.
    #[default]
    Nothing,
    /// Its times come from wall times; or may come from them, if it was ingested into a store of format 4 or earlier.
    WallTimes,
    /// Its times come from other rules than the store's current ones: it has to be ingested again.
    Outdated,
}

impl ZoneUse {
    const ALL: [ZoneUse; 3] = [ZoneUse::Nothing, ZoneUse::WallTimes, ZoneUse::Outdated];
}

/// A source of a batch's files, as described when the batch was ingested.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct SourceRecord {
    /// Its name.
    pub name: String,
    /// The mapping of its rows: see [`crate::sources::ActionSource::mapping`].
    pub mapping: Mapping,
}

/// One file of a batch, as it was when the batch was ingested.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct FileRecord {
    /// The 1-based index of its source in [`BatchRecord::sources`]; if those are empty, in
    /// [`crate::sources::BUILT_IN`].
    pub source: u8,
    /// Path below the folder that the source's pattern names, with `/` as separator; for rows from memory
    /// [`crate::sources::memory_name`].
    pub path: String,
    /// Size of the file, or of the rows.
    pub bytes: u64,
    /// XXH3-128 of the file's content, or the hash of the rows; big-endian.
    pub xxh3_128: [u8; 16],
}

/// Rows of a batch that a rule of their source leaves out, and records that have no row.
#[derive(BorrowDecode, Clone, Copy, Debug, Default, Encode, Eq, PartialEq)]
pub struct LeftOutRows {
    /// Rows whose customer is null, where the source leaves those out.
    pub without_customer: u64,
    /// Rows with the event id of an earlier row of their source.
    pub deduplicated: u64,
    /// Records whose list is null, missing or empty, where its elements are the rows.
    pub empty_lists: u64,
}

/// The store's record of a whole batch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BatchRecord {
    /// The sources with files, in the order of [`crate::sources::source_rank`]; empty if all are as without a
    /// configuration.
    pub sources: Vec<SourceRecord>,
    /// The files, in the order of (source, path).
    pub files: Vec<FileRecord>,
    /// Actions in the files. Like all counts of actions here, it includes those of forgotten customers and from before
    /// the horizon.
    pub actions: TypeCounts,
    /// Of the actions, those whose day is before the batch day.
    pub late: u64,
    /// Of the actions, those whose day is after the batch day.
    pub early: u64,
    /// Rows written to the quarantine.
    pub quarantined: u64,
    /// Rows that the source's description lists as no actions.
    pub ignored: u64,
    /// Customers of whom the store holds at least one action that the batch brought.
    pub customers: u64,
    /// How the batch depends on the rules of the store's time zone.
    pub zone_use: ZoneUse,
    /// Rows that are no actions by the rules of their source.
    pub left_out: LeftOutRows,
}

impl LeftOutRows {
    /// Adds the counts of another batch; a sum beyond u64 stays at its maximum.
    pub fn add(&mut self, other: &Self) {
        let LeftOutRows { without_customer, deduplicated, empty_lists } = other;
        self.without_customer = self.without_customer.saturating_add(*without_customer);
        self.deduplicated = self.deduplicated.saturating_add(*deduplicated);
        self.empty_lists = self.empty_lists.saturating_add(*empty_lists);
    }
}

impl BatchRecord {
    /// Whether the record, apart from its `zone_use` and `left_out`, fits the layout from before there were tables of
    /// types.
    fn is_plain(&self) -> bool {
        let is_built_in = |number| (1..=3).contains(&number);
        self.sources.is_empty() && self.ignored == 0 && self.actions.iter().all(|(number, _)| is_built_in(number))
    }

    /// Returns the source name of one of its files; `None` for an unknown source number.
    pub(crate) fn source_of(&self, file: &FileRecord) -> Option<&str> {
        let place = usize::from(file.source).checked_sub(1)?;
        match self.sources.is_empty() {
            true => BUILT_IN.get(place).copied(),
            false => self.sources.get(place).map(|source| source.name.as_str()),
        }
    }

    /// Whether the batch came from rows in memory, so that no file has them.
    pub(crate) fn is_from_memory(&self) -> bool {
        self.files.iter().any(|file| is_memory_name(&file.path))
    }

    /// Returns the source name of each file.
    pub(crate) fn sources_of_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter_map(|file| self.source_of(file))
    }

    /// Returns the mapping of a source by its name; `None` for an unknown name.
    pub(crate) fn mapping_of(&self, name: &str) -> Option<Mapping> {
        match self.sources.is_empty() {
            true => ActionSource::built_in(name).map(|source| source.mapping()),
            false => self.sources.iter().find(|source| source.name == name).map(|source| source.mapping),
        }
    }
}

impl Record for BatchRecord {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        let BatchRecord { sources, files, actions, late, early, quarantined, ignored, customers, zone_use, left_out } =
            self;
        let by_type = || actions.iter().collect::<Vec<(u8, u64)>>();
        let counts = (late, early, quarantined, ignored, customers);
        if *left_out != LeftOutRows::default() {
            encode(IDS_VERSION, &(sources, files, by_type(), counts, *zone_use as u8, left_out))
        } else if *zone_use != ZoneUse::Nothing {
            encode(ZONED_VERSION, &(sources, files, by_type(), counts, *zone_use as u8))
        } else if self.is_plain() {
            let of_type = |number| actions.of(number);
            encode(LAYOUT_VERSION, &(files, of_type(1), of_type(2), of_type(3), late, early, quarantined, customers))
        } else {
            encode(CONFIGURED_VERSION, &(sources, files, by_type(), late, early, quarantined, ignored, customers))
        }
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match bytes.first() {
            Some(&CONFIGURED_VERSION) => decode::<ConfiguredBatch>(CONFIGURED_VERSION, bytes).map(|batch| batch.0),
            Some(&ZONED_VERSION) => decode::<ZonedBatch>(ZONED_VERSION, bytes).map(|batch| batch.0),
            Some(&IDS_VERSION) => decode::<RuledBatch>(IDS_VERSION, bytes).map(|batch| batch.0),
            _ => decode::<PlainBatch>(LAYOUT_VERSION, bytes).map(|batch| batch.0),
        }
    }
}

/// A batch record in the layout without a configuration.
struct PlainBatch(BatchRecord);

/// A batch record in the layout with a configuration.
struct ConfiguredBatch(BatchRecord);

/// A batch record in the layout of batches that depend on the time zone rules.
struct ZonedBatch(BatchRecord);

/// A batch record in the layout of batches of which rules left rows out.
struct RuledBatch(BatchRecord);

// Not derived, as the small records are not: see `records.rs`.

impl<'bytes, C> BorrowDecode<'bytes, C> for FileRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok(FileRecord {
            source: u8::borrow_decode(from)?,
            path: text(from)?,
            bytes: u64::borrow_decode(from)?,
            xxh3_128: <[u8; 16]>::borrow_decode(from)?,
        })
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for SourceRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok(SourceRecord { name: text(from)?, mapping: Mapping::borrow_decode(from)? })
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for PlainBatch {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        let files = list(from, FileRecord::borrow_decode)?;
        let mut count = || u64::borrow_decode(from);
        Ok(PlainBatch(BatchRecord {
            files,
            actions: [(1, count()?), (2, count()?), (3, count()?)].into_iter().collect(),
            late: count()?,
            early: count()?,
            quarantined: count()?,
            customers: count()?,
            ..BatchRecord::default()
        }))
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for ConfiguredBatch {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        let sources = list(from, SourceRecord::borrow_decode)?;
        let files = list(from, FileRecord::borrow_decode)?;
        let actions = list(from, |from| Ok((u8::borrow_decode(from)?, u64::borrow_decode(from)?)))?;
        let mut count = || u64::borrow_decode(from);
        Ok(ConfiguredBatch(BatchRecord {
            sources,
            files,
            actions: actions.into_iter().collect(),
            late: count()?,
            early: count()?,
            quarantined: count()?,
            ignored: count()?,
            customers: count()?,
            ..BatchRecord::default()
        }))
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for ZonedBatch {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        let ConfiguredBatch(batch) = ConfiguredBatch::borrow_decode(from)?;
        match zone_use(from)? {
            ZoneUse::Nothing => Err(DecodeError::Other("it does not use the zone's rules, so its layout is another")),
            zone_use => Ok(ZonedBatch(BatchRecord { zone_use, ..batch })),
        }
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for RuledBatch {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        let ConfiguredBatch(batch) = ConfiguredBatch::borrow_decode(from)?;
        let zone_use = zone_use(from)?;
        let left_out = LeftOutRows::borrow_decode(from)?;
        if left_out == LeftOutRows::default() {
            return Err(DecodeError::Other("no row is left out, so its layout is another"));
        }
        Ok(RuledBatch(BatchRecord { zone_use, left_out, ..batch }))
    }
}

fn zone_use<'bytes, D: BorrowDecoder<'bytes>>(from: &mut D) -> Result<ZoneUse, DecodeError> {
    let number = u8::borrow_decode(from)?;
    let found = ZoneUse::ALL.into_iter().find(|zone_use| *zone_use as u8 == number);
    found.ok_or(DecodeError::Other("its use of the zone's rules is unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::bytes_of;
    use proptest::prelude::*;

    #[test]
    fn golden_bytes_of_each_layout() {
        let file = FileRecord { source: 3, path: "a/b".to_owned(), bytes: 70_000, xxh3_128: [0xab; 16] };
        let actions = [(1, 1), (3, 2)].into_iter().collect();
        let batch = BatchRecord { files: vec![file], actions, late: 3, customers: 1, ..Default::default() };
        // version; one file: source, path, size in four bytes, hash; the seven counts.
        let expected = format!("02 01 03 03612f62 fc70110100 {} 01 00 02 03 00 00 01", "ab".repeat(16));
        assert_eq!(batch.to_bytes().unwrap(), bytes_of(&expected));
        assert_eq!(BatchRecord::from_bytes(&bytes_of(&expected)).unwrap(), batch);
        let source = SourceRecord { name: "ev".to_owned(), mapping: [0xef; 16] };
        let configured = BatchRecord { sources: vec![source], ignored: 9, ..batch };
        // version; one source: name, mapping; one file; types 1 and 3; the five other counts.
        let [ef, ab] = ["ef", "ab"].map(|byte| byte.repeat(16));
        let expected = format!("04 01 026576 {ef} 01 03 03612f62 fc70110100 {ab} 02 0101 0302 03 00 00 09 01");
        assert_eq!(configured.to_bytes().unwrap(), bytes_of(&expected));
        assert_eq!(BatchRecord::from_bytes(&bytes_of(&expected)).unwrap(), configured);
        let zoned = BatchRecord { zone_use: ZoneUse::Outdated, ..configured };
        // The same record, followed by its use of the time zone rules.
        let expected = expected.replacen("04", "05", 1) + " 02";
        assert_eq!(zoned.to_bytes().unwrap(), bytes_of(&expected));
        assert_eq!(BatchRecord::from_bytes(&bytes_of(&expected)).unwrap(), zoned);
        assert!(BatchRecord::from_bytes(&bytes_of(&(expected[..expected.len() - 2].to_owned() + "00"))).is_err());
        assert!(BatchRecord::from_bytes(&bytes_of(&(expected[..expected.len() - 2].to_owned() + "03"))).is_err());
        let left_out = LeftOutRows { without_customer: 4, deduplicated: 300, empty_lists: 0 };
        // The same again, followed by the rows left out.
        let expected = expected.replacen("05", "06", 1) + " 04 fb2c01 00";
        let ruled = BatchRecord { left_out, ..zoned };
        assert_eq!(ruled.to_bytes().unwrap(), bytes_of(&expected));
        assert_eq!(BatchRecord::from_bytes(&bytes_of(&expected)).unwrap(), ruled);
        let unzoned = BatchRecord { zone_use: ZoneUse::Nothing, ..ruled };
        assert_eq!(unzoned.to_bytes().unwrap(), bytes_of(&expected.replace(" 02 04 fb", " 00 04 fb")));
        assert_eq!(BatchRecord::from_bytes(&unzoned.to_bytes().unwrap()).unwrap(), unzoned);
        assert!(BatchRecord::from_bytes(&bytes_of(&expected.replace(" 04 fb2c01 00", " 00 00 00"))).is_err());
        assert!(BatchRecord::from_bytes(&bytes_of(&expected.replace(" 02 04 fb", " 03 04 fb"))).is_err());
    }

    #[test]
    fn an_announced_length_beyond_the_limit_is_an_error() {
        let error = BatchRecord::from_bytes(&bytes_of("02 fd ffffffffffffff7f")).unwrap_err();
        assert!(std::error::Error::source(&error).is_some_and(|cause| cause.is::<DecodeError>()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_record_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for version in [LAYOUT_VERSION, CONFIGURED_VERSION, ZONED_VERSION, IDS_VERSION] {
                let _ = BatchRecord::from_bytes(&[&[version], &bytes[..]].concat());
            }
        }
    }
}
