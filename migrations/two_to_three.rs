//! From version 2 to version 3, which has the same keys and values and room for three more: block list, horizon, purge
//! record. A program of version 2 would not see those, and would take in again whom the store has forgotten; hence the
//! new version.

use super::step::{Migration, Switch};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::{BulkLoad, RawStore};

pub(super) struct TwoToThree;

const STORE_RECORD: [u8; 2] = [0, 0];

/// Where version 2 has no keys and version 3 has its new ones.
const NEW_KEYSPACES: u8 = 0x16;

impl Migration for TwoToThree {
    fn from(&self) -> u8 {
        2
    }

    fn name(&self) -> &'static str {
        "a block list and a horizon"
    }

    fn writes(&self) -> (Vec<u8>, Vec<u8>) {
        (vec![NEW_KEYSPACES], vec![0x20])
    }

    fn rewrite(&self, _: &RawStore, _: &mut BulkLoad<'_>, _: &dyn Progress) -> Result<()> {
        Ok(())
    }

    /// There is nothing behind the keys of version 2.
    fn validate(&self, store: &RawStore, _: &dyn Progress) -> Result<()> {
        match store.entries(&[NEW_KEYSPACES]).next().transpose()? {
            None => Ok(()),
            Some(_) => Err(Error::corrupt("the store of format version 2 has keys of another version")),
        }
    }

    fn switch(&self, store: &RawStore) -> Result<Switch> {
        let record = store.get(&STORE_RECORD)?;
        let mut record =
            record.ok_or_else(|| Error::corrupt("the store of format version 2 lacks its store record"))?;
        record.first_mut().into_iter().for_each(|version| *version = 3);
        Ok(Switch { set: vec![(STORE_RECORD.to_vec(), record)], removed: Vec::new() })
    }
}
