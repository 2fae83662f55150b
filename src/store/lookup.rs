//! Checks that every key can be found: by the structure of the table files, and by looking keys up.

use rocksdb::DBRawIterator;

use super::engine::failure::failure;
use super::engine::options::{by_customer, scanning};
use super::handle::Store;
use super::sst::{self, Survey, TableFault};
use crate::error::Result;
use crate::format::{HISTORY_PREFIX_BYTES, Keyspace};

impl Store {
    /// Checks that the structure of the table files lets every key be found, and reports faults to `report`: the last
    /// key before the fault, and a phrase that names the fault and the file. Memory: see [`sst::survey`].
    pub(crate) fn survey(&self, mut report: impl FnMut(&[u8], String) -> Result<()> + Send) -> Result<Survey> {
        let files = self.db.live_files().map_err(|error| failure("read", &self.folder, error))?;
        sst::survey(&files, &self.folder, &mut |TableFault { name, after, what }| {
            report(&after, format!("after this key the table file {name} is damaged: {what}"))
        })
    }

    /// Returns a [`Lookup`], which finds keys as readers do: it seeks the first key of each customer's history and
    /// steps to the others, which suffices for sound table files; with `each` it seeks every key.
    pub(crate) fn lookup(&self, each: bool) -> Lookup<'_> {
        let (scanning, by_customer) = (self.db.raw_iterator_opt(scanning()), self.db.raw_iterator_opt(by_customer()));
        Lookup { scanning, by_customer, each, customer: None }
    }
}

/// Looks keys up by index and filters of the table files, as readers do. Memory: two blocks of each sorted run.
pub(crate) struct Lookup<'store> {
    scanning: DBRawIterator<'store>,
    by_customer: DBRawIterator<'store>,
    each: bool,
    /// The key prefix of the customer whose history the iterator is in.
    customer: Option<[u8; HISTORY_PREFIX_BYTES]>,
}

impl Lookup<'_> {
    /// Returns whether a key is found. Keys come in ascending order. Also true if the lookup meets unreadable data,
    /// which the walk over all keys reports.
    pub(crate) fn finds(&mut self, key: &[u8]) -> bool {
        let is_history = key.first() == Some(&(Keyspace::History as u8));
        let prefix = key.first_chunk::<HISTORY_PREFIX_BYTES>().filter(|_| is_history).copied();
        let iterator = if prefix.is_some() { &mut self.by_customer } else { &mut self.scanning };
        if prefix.is_some() && prefix == self.customer && !self.each {
            iterator.next();
        } else {
            iterator.seek(key);
        }
        let is_found = iterator.key().map_or(iterator.status().is_err(), |found| found == key);
        self.customer = prefix.filter(|_| is_found);
        is_found
    }
}
