//! Values that are records: one version byte, then bincode. This is the only file that uses bincode.

use bincode::config::{self, Config};
use bincode::de::BorrowDecoder;
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Encode};

use super::{CONFIGURED_VERSION, FORMAT_VERSION, IDS_VERSION, LAYOUT_VERSION, Secret, ZONED_VERSION};
use crate::error::{Error, Result};
use crate::model::{OffsetChange, RULES_BEGIN_S, TypeCounts, TypeTable, ZoneRules};
use crate::sources::{ActionSource, BUILT_IN, Mapping, is_memory_name};

/// Maximum memory for decoding one value. A record of 100,000 files takes about 15 MB; damaged bytes that announce more
/// than the maximum are an error. Announced but missing data below it is an error too, without an allocation: see
/// [`text`] and [`list`].
const DECODED_BYTES_MAX: usize = 64 << 20;

/// The settings of a store, which never change.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct StoreRecord {
    /// Maximum number of actions in a history.
    pub max_history: u32,
    /// IANA name of the time zone of days.
    pub time_zone: String,
}

/// Counts over the whole store, updated with every batch.
#[derive(BorrowDecode, Clone, Copy, Debug, Default, Encode, Eq, PartialEq)]
pub struct Totals {
    /// Customers with at least one delta.
    pub customers: u64,
}

/// The secret of the block list; present once a customer has been forgotten.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub(crate) struct BlockListRecord {
    /// The key of the tokens in the list.
    pub secret: Secret,
}

/// A customer on the block list, identified by the key.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub(crate) struct Forgotten;

/// The horizon of the store; present once days have been pruned.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub struct Horizon {
    /// The first day whose actions are kept, as the number of days since 1970-01-01.
    pub first_day: u32,
}

/// Present while table files may still contain keys of forgotten customers or pruned days.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub(crate) struct Purge;

/// The names of the action types; present once they differ from click 1, add_to_cart 2, order 3.
#[derive(Clone, Debug, Default, Encode, Eq, PartialEq)]
pub struct TypesRecord {
    /// Numbers and names, numbers ascending.
    pub types: Vec<(u8, String)>,
}

/// The rules of the store's time zone; present unless the zone is UTC.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub(crate) struct ZoneRulesRecord {
    /// The tzdata version that they come from; empty if unknown.
    pub version: String,
    /// How many seconds clocks are ahead of UTC at the beginning of the rules.
    pub first_offset_s: i32,
    /// Changes of the offset: seconds since the change before (the first: since that beginning), and the new offset in
    /// seconds.
    pub changes: Vec<(u64, i32)>,
}

/// How ids became numbers; present unless all are integers that stayed what they were.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub(crate) struct IdsRecord {
    /// What customers are: 0 integers, 1 text.
    pub customer: u8,
    /// What items are, likewise.
    pub item: u8,
    /// What was added to items that are integers.
    pub item_offset: i64,
}

/// Present in a store whose histories hold equal actions once.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub(crate) struct DropDuplicates;

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
}

impl BatchRecord {
    /// Whether the record, apart from its `zone_use`, fits the layout from before there were tables of types.
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

impl ZoneRulesRecord {
    /// Returns the record of the rules.
    pub(crate) fn of(rules: &ZoneRules) -> Self {
        let times = rules.changes().iter().map(|change| change.at_s);
        let before = std::iter::once(RULES_BEGIN_S).chain(times);
        let changes = rules.changes().iter().zip(before);
        let changes = changes.map(|(change, before_s)| (change.at_s.abs_diff(before_s), change.offset_s));
        ZoneRulesRecord {
            version: rules.version().unwrap_or_default().to_owned(),
            first_offset_s: rules.first_offset_s(),
            changes: changes.collect(),
        }
    }

    /// Returns the rules. Fails on a record that [`ZoneRulesRecord::of`] does not return.
    pub(crate) fn rules(&self) -> Result<ZoneRules> {
        let mut at_s = Some(RULES_BEGIN_S);
        let changes = self.changes.iter().map(|(after_s, offset_s)| {
            at_s = at_s.and_then(|at_s| at_s.checked_add_unsigned(*after_s));
            Some(OffsetChange { at_s: at_s?, offset_s: *offset_s })
        });
        let changes = changes.collect::<Option<Vec<_>>>();
        let version = Some(self.version.clone()).filter(|version| !version.is_empty());
        let rules = changes.and_then(|changes| ZoneRules::new(version, self.first_offset_s, changes));
        rules.ok_or_else(|| Error::corrupt("the rules of the time zone in the store are invalid"))
    }
}

impl TypesRecord {
    /// Returns the record of a table; `None` for the default table, which is not stored.
    pub fn of(types: &TypeTable) -> Option<Self> {
        let named = types.iter().map(|(number, name)| (number, name.to_owned()));
        (!types.is_default()).then(|| TypesRecord { types: named.collect() })
    }

    /// Returns the table. Fails on a record that [`TypesRecord::of`] does not return.
    pub fn table(&self) -> Result<TypeTable> {
        let table = TypeTable::new(self.types.iter().cloned());
        let table = table.filter(|table| TypesRecord::of(table).as_ref() == Some(self));
        table.ok_or_else(|| Error::corrupt("the action types in the store are invalid"))
    }
}

/// A record stored as one value.
pub trait Record: Sized {
    /// Returns the bytes of the value.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// Returns the record with these bytes. Fails on bytes that [`Record::to_bytes`] does not write.
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
}

macro_rules! record {
    ($($name:ty: $version:expr),*) => {$(
        impl Record for $name {
            fn to_bytes(&self) -> Result<Vec<u8>> {
                encode($version, self)
            }
            fn from_bytes(bytes: &[u8]) -> Result<Self> {
                decode($version, bytes)
            }
        }
    )*};
}
record!(StoreRecord: FORMAT_VERSION, Totals: LAYOUT_VERSION);
record!(BlockListRecord: 3, Forgotten: 3, Horizon: 3, Purge: 3, TypesRecord: CONFIGURED_VERSION);
record!(ZoneRulesRecord: ZONED_VERSION, IdsRecord: IDS_VERSION, DropDuplicates: IDS_VERSION);

impl Record for BatchRecord {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        let BatchRecord { sources, files, actions, late, early, quarantined, ignored, customers, zone_use } = self;
        let by_type = || actions.iter().collect::<Vec<(u8, u64)>>();
        if *zone_use != ZoneUse::Nothing {
            let counts = (late, early, quarantined, ignored, customers);
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

// These are not derived: derived decoders would allocate the length that the first bytes of a field announce before
// reading the field.

impl<'bytes, C> BorrowDecode<'bytes, C> for StoreRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok(StoreRecord { max_history: u32::borrow_decode(from)?, time_zone: text(from)? })
    }
}

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

impl<'bytes, C> BorrowDecode<'bytes, C> for TypesRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok(TypesRecord { types: list(from, |from| Ok((u8::borrow_decode(from)?, text(from)?)))? })
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for PlainBatch {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        let files = list(from, FileRecord::borrow_decode)?;
        let mut count = || u64::borrow_decode(from);
        Ok(PlainBatch(BatchRecord {
            sources: Vec::new(),
            files,
            actions: [(1, count()?), (2, count()?), (3, count()?)].into_iter().collect(),
            late: count()?,
            early: count()?,
            quarantined: count()?,
            ignored: 0,
            customers: count()?,
            zone_use: ZoneUse::Nothing,
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
            zone_use: ZoneUse::Nothing,
        }))
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for ZonedBatch {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        let ConfiguredBatch(batch) = ConfiguredBatch::borrow_decode(from)?;
        let number = u8::borrow_decode(from)?;
        // Records with `ZoneUse::Nothing` have another layout.
        let found = ZoneUse::ALL.into_iter().skip(1).find(|zone_use| *zone_use as u8 == number);
        let zone_use = found.ok_or(DecodeError::Other("its use of the zone's rules is unknown"))?;
        Ok(ZonedBatch(BatchRecord { zone_use, ..batch }))
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for ZoneRulesRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok(ZoneRulesRecord {
            version: text(from)?,
            first_offset_s: i32::borrow_decode(from)?,
            changes: list(from, |from| Ok((u64::borrow_decode(from)?, i32::borrow_decode(from)?)))?,
        })
    }
}

/// Decodes a list without allocating its announced length. The length is encoded like any other integer.
fn list<'bytes, D: BorrowDecoder<'bytes>, T>(
    from: &mut D,
    mut element: impl FnMut(&mut D) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut elements = Vec::new();
    for _ in 0..u64::borrow_decode(from)? {
        elements.push(element(from)?);
    }
    Ok(elements)
}

/// Decodes a text without allocating its announced length.
fn text<'bytes, D: BorrowDecoder<'bytes>>(from: &mut D) -> Result<String, DecodeError> {
    <&str>::borrow_decode(from).map(str::to_owned)
}

fn layout() -> impl Config {
    config::standard().with_limit::<DECODED_BYTES_MAX>()
}

fn encode<T: Encode>(version: u8, value: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![version];
    bincode::encode_into_std_write(value, &mut bytes, layout()).map_err(|cause| {
        Error::refused(format!("a value is too large for the store ({cause})"), "split the batch").caused_by(cause)
    })?;
    Ok(bytes)
}

fn decode<'bytes, T: BorrowDecode<'bytes, ()>>(version: u8, bytes: &'bytes [u8]) -> Result<T> {
    match bytes.split_first() {
        Some((found, rest)) if *found == version => match bincode::borrow_decode_from_slice(rest, layout()) {
            Ok((value, read)) if read == rest.len() => Ok(value),
            Ok(_) => Err(Error::corrupt("a value in the store has bytes after its end")),
            Err(cause) => {
                Err(Error::corrupt(format!("a value in the store cannot be read ({cause})")).caused_by(cause))
            }
        },
        Some((other, _)) => Err(super::wrong_version(*other, version)),
        None => Err(Error::corrupt("a value in the store is empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::bytes_of;
    use proptest::prelude::*;

    #[test]
    fn golden_bytes_of_the_records() {
        let store = StoreRecord { max_history: 1_000, time_zone: "UTC".to_owned() };
        // version; 1000 in two bytes; three letters.
        assert_eq!(store.to_bytes().unwrap(), bytes_of("06 fbe803 03 555443"));
        assert_eq!(Totals { customers: 251 }.to_bytes().unwrap(), bytes_of("02 fbfb00"));
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
        let types = TypesRecord { types: vec![(1, "view".to_owned()), (255, "x".to_owned())] };
        assert_eq!(types.to_bytes().unwrap(), bytes_of("04 02 01 0476696577 ff 0178"));
        assert_eq!(TypesRecord::from_bytes(&types.to_bytes().unwrap()).unwrap(), types);
        assert_eq!(TypesRecord::of(&types.table().unwrap()), Some(types));
        assert_eq!(StoreRecord::from_bytes(&bytes_of("06 fbe803 03 555443")).unwrap(), store);
        let zoned = BatchRecord { zone_use: ZoneUse::Outdated, ..configured };
        // The same record, followed by its use of the time zone rules.
        let expected = expected.replacen("04", "05", 1) + " 02";
        assert_eq!(zoned.to_bytes().unwrap(), bytes_of(&expected));
        assert_eq!(BatchRecord::from_bytes(&bytes_of(&expected)).unwrap(), zoned);
        assert!(BatchRecord::from_bytes(&bytes_of(&(expected[..expected.len() - 2].to_owned() + "00"))).is_err());
        assert!(BatchRecord::from_bytes(&bytes_of(&(expected[..expected.len() - 2].to_owned() + "03"))).is_err());
        let changes = vec![OffsetChange { at_s: 0, offset_s: -3_600 }, OffsetChange { at_s: 1 << 32, offset_s: 7_200 }];
        let rules = ZoneRules::new(Some("2026f".to_owned()), 60, changes).unwrap();
        // version; tzdata version; 60; two changes: 172,800 s after the beginning, then 2^32 s later, which takes nine
        // bytes.
        let expected = bytes_of("05 05 3230323666 78 02 fc00a30200 fb1f1c fd0000000001000000 fb4038");
        assert_eq!(ZoneRulesRecord::of(&rules).to_bytes().unwrap(), expected);
        let read = ZoneRulesRecord::from_bytes(&expected).unwrap().rules().unwrap();
        assert!(read.agree(&rules) && read.version() == rules.version());
        let [none, endless] =
            [0, u64::MAX].map(|after_s| ZoneRulesRecord { changes: vec![(after_s, 1)], ..ZoneRulesRecord::of(&rules) });
        assert!(none.rules().is_err() && endless.rules().is_err());
        let list = BlockListRecord { secret: [0xcd; 16] };
        assert_eq!(list.to_bytes().unwrap(), bytes_of(&format!("03 {}", "cd".repeat(16))));
        assert_eq!(Horizon { first_day: 20_000 }.to_bytes().unwrap(), bytes_of("03 fb204e"));
        assert_eq!(Purge.to_bytes().unwrap(), bytes_of("03"));
    }

    #[test]
    fn an_announced_length_beyond_the_limit_is_an_error() {
        let error = BatchRecord::from_bytes(&bytes_of("02 fd ffffffffffffff7f")).unwrap_err();
        assert!(std::error::Error::source(&error).is_some_and(|cause| cause.is::<DecodeError>()));
        assert!(Totals::from_bytes(&bytes_of("01 00")).unwrap_err().to_string().contains("format version 1"));
        assert!(Totals::from_bytes(&bytes_of("02 00 00")).is_err(), "bytes behind the end");
        assert!(Totals::from_bytes(&[]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (StoreRecord::from_bytes(&bytes), Totals::from_bytes(&bytes), TypesRecord::from_bytes(&bytes));
            let _ = ZoneRulesRecord::from_bytes(&bytes).and_then(|record| record.rules());
            for version in [LAYOUT_VERSION, CONFIGURED_VERSION, ZONED_VERSION] {
                let _ = BatchRecord::from_bytes(&[&[version], &bytes[..]].concat());
            }
        }
    }
}
