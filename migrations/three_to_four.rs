//! From version 3 to version 4, which has the same keys and values and room for more: a table of types, and batch
//! records that tell sources and types. A store of version 3 has neither, and without them means in version 4 what it
//! meant. A program of version 3 would refuse such a record and could not name such a type; hence the new version.

use super::step::{Migration, Switch};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::{BulkLoad, RawStore};

pub(super) struct ThreeToFour;

const STORE_RECORD: [u8; 2] = [0, 0];

/// The keyspace that version 3 does not have and version 4 has.
const TYPES: u8 = 0x19;

impl Migration for ThreeToFour {
    fn from(&self) -> u8 {
        3
    }

    fn name(&self) -> &'static str {
        "more types of action"
    }

    fn writes(&self) -> (Vec<u8>, Vec<u8>) {
        (vec![TYPES], vec![0x20])
    }

    fn rewrite(&self, _: &RawStore, _: &mut BulkLoad<'_>, _: &dyn Progress) -> Result<()> {
        Ok(())
    }

    /// There is nothing behind the keys of version 3.
    fn validate(&self, store: &RawStore, _: &dyn Progress) -> Result<()> {
        match store.entries(&[TYPES]).next().transpose()? {
            None => Ok(()),
            Some(_) => Err(Error::corrupt("the store of format version 3 has keys of another version")),
        }
    }

    fn switch(&self, store: &RawStore) -> Result<Switch> {
        let record = store.get(&STORE_RECORD)?;
        let mut record =
            record.ok_or_else(|| Error::corrupt("the store of format version 3 lacks its store record"))?;
        record.first_mut().into_iter().for_each(|version| *version = 4);
        Ok(Switch { set: vec![(STORE_RECORD.to_vec(), record)], removed: Vec::new() })
    }
}
