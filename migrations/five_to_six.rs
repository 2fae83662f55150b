//! From version 5 to version 6, which can have ids that were text, and histories without equal actions. A store of
//! version 5 has neither, so only its version changes.

use super::step::{Migration, Switch};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::{BulkLoad, RawStore};

pub(super) struct FiveToSix;

const STORE_RECORD: [u8; 2] = [0, 0];

/// The first keyspace that version 5 does not have and version 6 has.
const IDS: u8 = 0x1b;

impl Migration for FiveToSix {
    fn from(&self) -> u8 {
        5
    }

    fn name(&self) -> &'static str {
        "ids that are text"
    }

    fn writes(&self) -> (Vec<u8>, Vec<u8>) {
        (vec![IDS], vec![0x20])
    }

    fn rewrite(&self, _: &RawStore, _: &mut BulkLoad<'_>, _: &dyn Progress) -> Result<()> {
        Ok(())
    }

    /// There is nothing behind the keys of version 5.
    fn validate(&self, store: &RawStore, _: &dyn Progress) -> Result<()> {
        match store.entries(&[IDS]).next().transpose()? {
            None => Ok(()),
            Some(_) => Err(Error::corrupt("the store of format version 5 has keys of another version")),
        }
    }

    fn switch(&self, store: &RawStore) -> Result<Switch> {
        let record = store.get(&STORE_RECORD)?;
        let mut record =
            record.ok_or_else(|| Error::corrupt("the store of format version 5 lacks its store record"))?;
        record.first_mut().into_iter().for_each(|version| *version = 6);
        Ok(Switch { set: vec![(STORE_RECORD.to_vec(), record)], removed: Vec::new() })
    }
}
