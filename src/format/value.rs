//! Values: records in bincode behind one version byte. The only file that names bincode.

use bincode::config::{self, Config};
use bincode::de::BorrowDecoder;
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Encode};

use super::{CONFIGURED_VERSION, FORMAT_VERSION, LAYOUT_VERSION, Secret, ZONED_VERSION};
use crate::error::{Error, Result};
use crate::model::{OffsetChange, RULES_BEGIN_S, TypeCounts, TypeTable, ZoneRules};
use crate::sources::{ActionSource, BUILT_IN, Mapping};

/// The most memory that decoding one value may claim. A record of 100,000 files takes about 15 MB; so damaged bytes
/// that announce more are an error. What announces less than that and is not there is an error too, and not an
/// allocation: see [`text`] and the list of files.
const DECODED_BYTES_MAX: usize = 64 << 20;

/// The settings of a store, fixed for its life.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct StoreRecord {
    /// How many actions a history has at most.
    pub max_history: u32,
    /// IANA name of the zone in which days begin.
    pub time_zone: String,
}

/// What is counted over the whole store, kept in step with every batch.
#[derive(BorrowDecode, Clone, Copy, Debug, Default, Encode, Eq, PartialEq)]
pub struct Totals {
    /// Customers with at least one delta.
    pub customers: u64,
}

/// What the block list rests on; there as soon as a customer has been forgotten.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub struct BlockListRecord {
    /// With what the marks of the list are made.
    pub secret: Secret,
}

/// A customer on the block list; the key tells which.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub struct Forgotten;

/// How far back the store goes; there as soon as something has been pruned.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub struct Horizon {
    /// The first day whose actions are kept, as the number of days since 1970-01-01.
    pub first_day: u32,
}

/// There while table files may still have keys of forgotten customers or pruned days in them.
#[derive(BorrowDecode, Clone, Copy, Debug, Encode, Eq, PartialEq)]
pub struct Purge;

/// The names of the action types; there as soon as they are others than click 1, add_to_cart 2, order 3.
#[derive(Clone, Debug, Default, Encode, Eq, PartialEq)]
pub struct TypesRecord {
    /// Numbers and names, numbers ascending.
    pub types: Vec<(u8, String)>,
}

/// The rules of the store's zone; there unless that is UTC.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct ZoneRulesRecord {
    /// The edition of tzdata that they come from; empty where it is not known.
    pub version: String,
    /// How many seconds clocks are ahead of UTC at the beginning of what rules tell of.
    pub first_offset_s: i32,
    /// When clocks are set otherwise: how many seconds after the time before (the first: after that beginning), and
    /// how many seconds they are ahead then.
    pub changes: Vec<(u64, i32)>,
}

/// What a batch took from the rules of the store's zone, besides the days on which its actions lie.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum ZoneUse {
    /// Nothing: the times in its files say how far from UTC they are.
    #[default]
    Nothing,
    /// Times of actions, from wall times; or perhaps, where it was ingested into a store of format 4 or before.
    WallTimes,
    /// What other rules than those that the store has now gave it: it has to be ingested again.
    Outdated,
}

impl ZoneUse {
    const ALL: [ZoneUse; 3] = [ZoneUse::Nothing, ZoneUse::WallTimes, ZoneUse::Outdated];
}

/// A source that a batch has files of, as it was described when the batch was ingested.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct SourceRecord {
    /// Its name.
    pub name: String,
    /// What its rows become: see [`crate::sources::ActionSource::mapping`].
    pub mapping: Mapping,
}

/// One file of a batch, as it was when the batch was ingested.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct FileRecord {
    /// The place of its source in [`BatchRecord::sources`], from 1; without those, its place in
    /// [`crate::sources::BUILT_IN`].
    pub source: u8,
    /// Path below the folder that the source's pattern names, with `/` between its parts.
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    /// XXH3-128 of the file's content, big-endian.
    pub xxh3_128: [u8; 16],
}

/// What the store knows of a batch as a whole.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BatchRecord {
    /// The sources with files, in the order of [`crate::sources::source_rank`]; none where all are as without a
    /// configuration.
    pub sources: Vec<SourceRecord>,
    /// The files, in the order of (source, path).
    pub files: Vec<FileRecord>,
    /// Actions in the files, those of forgotten customers and from before the horizon too; so it is with all counts of
    /// actions.
    pub actions: TypeCounts,
    /// Of the actions, those whose day is before the batch day.
    pub late: u64,
    /// Of the actions, those whose day is after the batch day.
    pub early: u64,
    /// Rows that were left out and written to the quarantine.
    pub quarantined: u64,
    /// Rows that are no actions, as the description of their source says.
    pub ignored: u64,
    /// Customers of whom the store holds at least one action that the batch brought.
    pub customers: u64,
    /// What it took from the rules of the store's zone.
    pub zone_use: ZoneUse,
}

impl BatchRecord {
    /// Whether it can be written as stores were before they had tables of types: which it then is, byte for byte.
    fn is_plain(&self) -> bool {
        let is_built_in = |number| (1..=3).contains(&number);
        self.sources.is_empty() && self.ignored == 0 && self.actions.iter().all(|(number, _)| is_built_in(number))
    }

    /// The name of the source of one of its files; `None` for a number that it does not have.
    pub fn source_of(&self, file: &FileRecord) -> Option<&str> {
        let place = usize::from(file.source).checked_sub(1)?;
        match self.sources.is_empty() {
            true => BUILT_IN.get(place).copied(),
            false => self.sources.get(place).map(|source| source.name.as_str()),
        }
    }

    /// The names of the sources of its files, one for each file.
    pub fn sources_of_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter_map(|file| self.source_of(file))
    }

    /// What the rows of a source became, by its name; `None` for a name that it does not have.
    pub fn mapping_of(&self, name: &str) -> Option<Mapping> {
        match self.sources.is_empty() {
            true => ActionSource::built_in(name).map(|source| source.mapping()),
            false => self.sources.iter().find(|source| source.name == name).map(|source| source.mapping),
        }
    }
}

impl ZoneRulesRecord {
    /// The record of rules.
    pub fn of(rules: &ZoneRules) -> Self {
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

    /// The rules. Fails on what [`ZoneRulesRecord::of`] does not give.
    pub fn rules(&self) -> Result<ZoneRules> {
        let mut at_s = Some(RULES_BEGIN_S);
        let changes = self.changes.iter().map(|(after_s, offset_s)| {
            at_s = at_s.and_then(|at_s| at_s.checked_add_unsigned(*after_s));
            Some(OffsetChange { at_s: at_s?, offset_s: *offset_s })
        });
        let changes = changes.collect::<Option<Vec<_>>>();
        let version = Some(self.version.clone()).filter(|version| !version.is_empty());
        let rules = changes.and_then(|changes| ZoneRules::new(version, self.first_offset_s, changes));
        rules.ok_or_else(|| Error::corrupt("the rules of the zone in the store are none that a zone has"))
    }
}

impl TypesRecord {
    /// The record of a table; `None` for the default one, which has none.
    pub fn of(types: &TypeTable) -> Option<Self> {
        let named = types.iter().map(|(number, name)| (number, name.to_owned()));
        (!types.is_default()).then(|| TypesRecord { types: named.collect() })
    }

    /// The table. Fails on what [`TypesRecord::of`] does not give.
    pub fn table(&self) -> Result<TypeTable> {
        let table = TypeTable::new(self.types.iter().cloned());
        let table = table.filter(|table| TypesRecord::of(table).as_ref() == Some(self));
        table.ok_or_else(|| Error::corrupt("the names of the action types in the store are none that a table has"))
    }
}

/// A record that is one value of the store.
pub trait Record: Sized {
    /// The bytes of the value.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// The record with these bytes. Fails on bytes that [`Record::to_bytes`] does not write.
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
record!(ZoneRulesRecord: ZONED_VERSION);

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

/// A batch record in the layout that it has without a configuration.
struct PlainBatch(BatchRecord);

/// A batch record in the layout that it has with one.
struct ConfiguredBatch(BatchRecord);

/// The same in the layout that it has where it took something from the rules of the zone.
struct ZonedBatch(BatchRecord);

// Derived, the fields that have a length would be given room for as much as their first bytes announce, before the
// bytes are looked at.

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
        // Without any use the record has another layout.
        let found = ZoneUse::ALL.into_iter().skip(1).find(|zone_use| *zone_use as u8 == number);
        let zone_use = found.ok_or(DecodeError::Other("it names no use of the zone's rules"))?;
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

/// A list whose elements are all there. A length is written like any other integer.
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

/// A text whose bytes are all there.
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
            Ok(_) => Err(Error::corrupt("a value in the store has bytes behind its end")),
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
        assert_eq!(store.to_bytes().unwrap(), bytes_of("05 fbe803 03 555443"));
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
        assert_eq!(StoreRecord::from_bytes(&bytes_of("05 fbe803 03 555443")).unwrap(), store);
        let zoned = BatchRecord { zone_use: ZoneUse::Outdated, ..configured };
        // The same, and the use of the zone's rules.
        let expected = expected.replacen("04", "05", 1) + " 02";
        assert_eq!(zoned.to_bytes().unwrap(), bytes_of(&expected));
        assert_eq!(BatchRecord::from_bytes(&bytes_of(&expected)).unwrap(), zoned);
        assert!(BatchRecord::from_bytes(&bytes_of(&(expected[..expected.len() - 2].to_owned() + "00"))).is_err());
        assert!(BatchRecord::from_bytes(&bytes_of(&(expected[..expected.len() - 2].to_owned() + "03"))).is_err());
        let changes = vec![OffsetChange { at_s: 0, offset_s: -3_600 }, OffsetChange { at_s: 1 << 32, offset_s: 7_200 }];
        let rules = ZoneRules::new(Some("2026f".to_owned()), 60, changes).unwrap();
        // version; the edition; 60; two changes: 172,800 s after the beginning, and as far behind as 2^32 s take nine
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
