//! Values: records in bincode behind one version byte. The only file that names bincode.

use bincode::config::{self, Config};
use bincode::de::BorrowDecoder;
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Encode};

use super::{FORMAT_VERSION, LAYOUT_VERSION, Secret};
use crate::error::{Error, Result};
use crate::model::ActionType;

/// The most memory that decoding one value may claim. A record of 100,000 files takes about 15 MB; so damaged bytes that announce more are an
/// error. What announces less than that and is not there is an error too, and not an allocation: see [`text`] and the list of files.
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
    /// Customers with at least one portion.
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

/// The three kinds of action files.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// Folder `clicks`.
    Clicks,
    /// Folder `add_to_carts`.
    AddToCarts,
    /// Folder `orders`.
    Orders,
}

impl Source {
    /// All of them, in the order of their numbers.
    pub const ALL: [Source; 3] = [Source::Clicks, Source::AddToCarts, Source::Orders];

    /// The type of the actions in its files; its number is the source's number in the store.
    pub fn action_type(self) -> ActionType {
        match self {
            Source::Clicks => ActionType::CLICK,
            Source::AddToCarts => ActionType::ADD_TO_CART,
            Source::Orders => ActionType::ORDER,
        }
    }

    /// The name of its folder below the input root.
    pub fn folder(self) -> &'static str {
        match self {
            Source::Clicks => "clicks",
            Source::AddToCarts => "add_to_carts",
            Source::Orders => "orders",
        }
    }
}

/// One file of a batch, as it was when the batch was ingested.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub struct FileRecord {
    /// Number of the [`Source`], 1 to 3.
    pub source: u8,
    /// Path below the source's day folder, with `/` between its parts.
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    /// XXH3-128 of the file's content, big-endian.
    pub xxh3_128: [u8; 16],
}

/// What the store knows of a batch as a whole.
#[derive(Clone, Debug, Default, Encode, Eq, PartialEq)]
pub struct BatchRecord {
    /// The files, in the order of (source, path).
    pub files: Vec<FileRecord>,
    /// Clicks in the files, those of forgotten customers and from before the horizon too; so it is with all counts of actions.
    pub clicks: u64,
    /// Add-to-carts taken.
    pub add_to_carts: u64,
    /// Orders taken.
    pub orders: u64,
    /// Actions taken whose day is before the batch day.
    pub late: u64,
    /// Actions taken whose day is after the batch day.
    pub early: u64,
    /// Rows that were left out and written to the quarantine.
    pub quarantined: u64,
    /// Customers of whom the store holds at least one action that the batch brought.
    pub customers: u64,
}

impl BatchRecord {
    /// Actions taken, of all types.
    pub fn actions(&self) -> u64 {
        self.clicks + self.add_to_carts + self.orders
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
record!(StoreRecord: FORMAT_VERSION, Totals: LAYOUT_VERSION, BatchRecord: LAYOUT_VERSION);
record!(BlockListRecord: 3, Forgotten: 3, Horizon: 3, Purge: 3);

// Derived, the fields that have a length would be given room for as much as their first bytes announce, before the bytes are looked at.

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

impl<'bytes, C> BorrowDecode<'bytes, C> for BatchRecord {
    fn borrow_decode<D: BorrowDecoder<'bytes, Context = C>>(from: &mut D) -> Result<Self, DecodeError> {
        let mut files = Vec::new();
        // A length is written like any other integer.
        for _ in 0..u64::borrow_decode(from)? {
            files.push(FileRecord::borrow_decode(from)?);
        }
        let mut count = || u64::borrow_decode(from);
        Ok(BatchRecord {
            files,
            clicks: count()?,
            add_to_carts: count()?,
            orders: count()?,
            late: count()?,
            early: count()?,
            quarantined: count()?,
            customers: count()?,
        })
    }
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
    bincode::encode_into_std_write(value, &mut bytes, layout())
        .map_err(|cause| Error::refused(format!("a value is too large for the store ({cause})"), "split the batch"))?;
    Ok(bytes)
}

fn decode<'bytes, T: BorrowDecode<'bytes, ()>>(version: u8, bytes: &'bytes [u8]) -> Result<T> {
    match bytes.split_first() {
        Some((found, rest)) if *found == version => match bincode::borrow_decode_from_slice(rest, layout()) {
            Ok((value, read)) if read == rest.len() => Ok(value),
            Ok(_) => Err(Error::corrupt("a value in the store has bytes behind its end")),
            Err(cause) => Err(Error::corrupt(format!("a value in the store cannot be read ({cause})"))),
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
        assert_eq!(store.to_bytes().unwrap(), bytes_of("03 fbe803 03 555443"));
        assert_eq!(Totals { customers: 251 }.to_bytes().unwrap(), bytes_of("02 fbfb00"));
        let file = FileRecord { source: 3, path: "a/b".to_owned(), bytes: 70_000, xxh3_128: [0xab; 16] };
        let batch =
            BatchRecord { files: vec![file], clicks: 1, orders: 2, late: 3, customers: 1, ..Default::default() };
        // version; one file: source, path, size in four bytes, hash; the seven counts.
        let expected = format!("02 01 03 03612f62 fc70110100 {} 01 00 02 03 00 00 01", "ab".repeat(16));
        assert_eq!(batch.to_bytes().unwrap(), bytes_of(&expected));
        assert_eq!(BatchRecord::from_bytes(&bytes_of(&expected)).unwrap(), batch);
        assert_eq!(StoreRecord::from_bytes(&bytes_of("03 fbe803 03 555443")).unwrap(), store);
        let list = BlockListRecord { secret: [0xcd; 16] };
        assert_eq!(list.to_bytes().unwrap(), bytes_of(&format!("03 {}", "cd".repeat(16))));
        assert_eq!(Horizon { first_day: 20_000 }.to_bytes().unwrap(), bytes_of("03 fb204e"));
        assert_eq!(Purge.to_bytes().unwrap(), bytes_of("03"));
    }

    #[test]
    fn an_announced_length_beyond_the_limit_is_an_error() {
        assert!(BatchRecord::from_bytes(&bytes_of("02 fd ffffffffffffff7f")).is_err());
        assert!(Totals::from_bytes(&bytes_of("01 00")).unwrap_err().to_string().contains("format version 1"));
        assert!(Totals::from_bytes(&bytes_of("02 00 00")).is_err(), "bytes behind the end");
        assert!(Totals::from_bytes(&[]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (StoreRecord::from_bytes(&bytes), Totals::from_bytes(&bytes), BatchRecord::from_bytes(&bytes));
        }
    }
}
