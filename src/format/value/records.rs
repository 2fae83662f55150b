//! The small records: settings, totals, what was removed, types, the rules of the zone, ids.

use bincode::de::BorrowDecoder;
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Encode};

use super::codec::{Record, decode, encode, list, text};
use crate::error::{Error, Result};
use crate::format::{CONFIGURED_VERSION, FORMAT_VERSION, IDS_VERSION, LAYOUT_VERSION, Secret, ZONED_VERSION};
use crate::model::{OffsetChange, RULES_BEGIN_S, TypeTable, ZoneRules};

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

// These are not derived: derived decoders would allocate the length that the first bytes of a field announce before
// reading the field.

impl<'bytes, C> BorrowDecode<'bytes, C> for StoreRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok(StoreRecord { max_history: u32::borrow_decode(from)?, time_zone: text(from)? })
    }
}

impl<'bytes, C> BorrowDecode<'bytes, C> for TypesRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok(TypesRecord { types: list(from, |from| Ok((u8::borrow_decode(from)?, text(from)?)))? })
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
        let types = TypesRecord { types: vec![(1, "view".to_owned()), (255, "x".to_owned())] };
        assert_eq!(types.to_bytes().unwrap(), bytes_of("04 02 01 0476696577 ff 0178"));
        assert_eq!(TypesRecord::from_bytes(&types.to_bytes().unwrap()).unwrap(), types);
        assert_eq!(TypesRecord::of(&types.table().unwrap()), Some(types));
        assert_eq!(StoreRecord::from_bytes(&bytes_of("06 fbe803 03 555443")).unwrap(), store);
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
    fn other_versions_and_bytes_behind_the_end_are_errors() {
        assert!(Totals::from_bytes(&bytes_of("01 00")).unwrap_err().to_string().contains("format version 1"));
        assert!(Totals::from_bytes(&bytes_of("02 00 00")).is_err(), "bytes behind the end");
        assert!(Totals::from_bytes(&[]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (StoreRecord::from_bytes(&bytes), Totals::from_bytes(&bytes), TypesRecord::from_bytes(&bytes));
            let _ = ZoneRulesRecord::from_bytes(&bytes).and_then(|record| record.rules());
        }
    }
}
