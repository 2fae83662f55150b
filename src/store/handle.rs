//! An open store: its settings, its batches, its totals.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, OnceLock};

use rocksdb::{ErrorKind, WaitForCompactOptions};

use super::batches::Batches;
use super::engine::database::Database;
use super::engine::failure::failure;
use super::engine::options::scanning;
use super::folder::Folder;
use super::open;
use super::query::OldestLate;
use super::scan::Scan;
use super::settings::{MAX_HISTORY_LIMIT, Settings};
use super::sst::Tables;
use crate::error::{Error, Result};
use crate::exact::usize_of;
use crate::format::{
    BatchRecord, Delta, DropDuplicates, FORMAT_VERSION, IdsRecord, Key, Keyspace, Record, StoreRecord, Totals,
    TypesRecord, ZoneRulesRecord, hex,
};
use crate::message::{Message, message};
use crate::model::{Action, CustomerId, Day, Duplicates, TypeTable, Zone, is_zone_name};
use crate::text::Shown;

/// Interval at which a wait for compaction checks whether it is asked to stop.
const LOOK_MICROSECONDS: u64 = 100_000;

/// An open store. Memory: 8 MiB for blocks, and the index and filters of all table files, which take less than 0.5 % of
/// the store; as much again for reading table files directly, if requested.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// # use lookback::{ingest::{IngestOptions, Ingester}, model::Day, progress::Silent, store::{Folder, Settings, Store}};
/// # let store_folder = Folder::new(&at("store"));
/// # Store::create(&store_folder, Settings::default())?;
/// # let batch = IngestOptions::new(at("input"), "2026-01-01".parse::<Day>()?);
/// # Ingester::open(&store_folder, &Silent)?.ingest(&batch, &Silent)?;
/// # let store = Store::open_reader(&store_folder)?;
/// use lookback::model::CustomerId;
///
/// let history = store.history(CustomerId(7), "2026-01-02".parse()?)?;
/// let items: Vec<i64> = history.iter().map(|action| action.item_id).collect();
/// assert_eq!(items, [12, 11]);
/// # Ok(())
/// # }
/// ```
pub struct Store {
    pub(super) db: Database,
    pub(super) folder: Folder,
    settings: Settings,
    tables: OnceLock<Option<Tables>>,
    /// Number of histories that were read through RocksDB although they were to be read from table files.
    pub(super) through_rocksdb: AtomicU64,
    pub(super) oldest_late: Mutex<OldestLate>,
}

impl Store {
    /// Opens a store for writing. Fails while another process writes.
    pub fn open_writer(folder: &Folder) -> Result<Self> {
        Self::with(open::for_writing(folder)?, folder)
    }

    /// Opens a store for reading, with or without a writer beside it. It sees the state committed at this moment for as
    /// long as it is open.
    pub fn open_reader(folder: &Folder) -> Result<Self> {
        Self::with(open::for_reading(folder)?, folder)
    }

    pub(super) fn with(db: Database, folder: &Folder) -> Result<Self> {
        let value = db.get(Key::Store.encode()).map_err(|error| failure("read", folder, error))?;
        let value = value.ok_or_else(|| {
            Error::refused(
                format!("the database at {} is not a store of lookback", folder.database().shown()),
                message!["name another folder with ", Store],
            )
        })?;
        check_version(value.first().copied(), folder)?;
        let record = StoreRecord::from_bytes(&value).map_err(|error| {
            Error::corrupt(format!("the store record (key {}): {}", hex(&Key::Store.encode()), error.what()))
                .caused_by(error)
        })?;
        let max_history = usize_of(record.max_history);
        if !(1..=MAX_HISTORY_LIMIT).contains(&max_history) {
            return Err(Error::corrupt(format!("the store record has the invalid max_history {max_history}")));
        }
        let zone = zone(&db, folder, &record.time_zone)?;
        let setting = Setting { db: &db, folder };
        let types = setting.read(Key::Types, "table of types", |record: TypesRecord| record.table())?;
        let ids = setting.read(Key::Ids, "description of ids", IdsRecord::ids)?;
        let drop = setting.read(Key::DropDuplicates, "mark of duplicates", |DropDuplicates| Ok(Duplicates::Drop))?;
        let settings = Settings {
            max_history,
            zone,
            types: types.unwrap_or_default(),
            ids: ids.unwrap_or_default(),
            duplicates: drop.unwrap_or_default(),
        };
        Ok(Store {
            db,
            folder: folder.clone(),
            settings,
            tables: OnceLock::new(),
            through_rocksdb: AtomicU64::new(0),
            oldest_late: Mutex::default(),
        })
    }

    /// Returns the settings that are fixed for the life of the store.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the folder of the store.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Returns the table files, opened on first use; `None` if only RocksDB can read them, or if the store is open for
    /// writing, since the files then change.
    pub(super) fn tables(&self) -> Option<&Tables> {
        let open = || if self.db.is_read_only() { Tables::open(&self.db, &self.folder) } else { None };
        self.tables.get_or_init(open).as_ref()
    }

    /// Returns the record of a batch; `None` if the store does not hold the batch.
    pub fn batch(&self, day: Day) -> Result<Option<BatchRecord>> {
        self.record(Key::Batch(day))
    }

    /// Returns whether the store has a record of a batch, readable or not.
    pub(crate) fn holds_batch(&self, day: Day) -> Result<bool> {
        Ok(self.get(Key::Batch(day))?.is_some())
    }

    /// Returns the table of types that binds the next batch; `None` if the store has neither a batch nor a table of its
    /// own.
    pub(crate) fn binding_types(&self) -> Result<Option<TypeTable>> {
        let is_open = self.settings.types.is_default() && !self.holds_any_batch()?;
        Ok((!is_open).then(|| self.settings.types.clone()))
    }

    /// Returns whether the store has a record of any batch, readable or not.
    pub(super) fn holds_any_batch(&self) -> Result<bool> {
        let mut scan = Scan::new(self.db.raw_iterator_opt(scanning()), &self.folder);
        scan.seek(Key::Batch(Day::FIRST).encode());
        Ok(scan.entry()?.is_some_and(|(key, _)| key.first() == Some(&(Keyspace::Batches as u8))))
    }

    /// Returns all batches held, by batch day. Memory: as for [`Batches`], and one record at a time.
    pub fn batches(&self) -> Result<Batches> {
        self.batches_where(|record| record.map(Some))
    }

    /// Returns all batches except those with unreadable records: `verify` reports these, and ingesting the batch again
    /// repairs them.
    pub(crate) fn readable_batches(&self) -> Result<Batches> {
        self.batches_where(|record| Ok(record.ok()))
    }

    fn batches_where(&self, take: impl Fn(Result<BatchRecord>) -> Result<Option<BatchRecord>>) -> Result<Batches> {
        let mut batches = std::collections::BTreeMap::new();
        for entry in self.records() {
            let (day, record) = entry?;
            batches.extend(take(record)?.map(|record| (day, record.into())));
        }
        Ok(Batches::new(batches))
    }

    /// Returns the records of all batches held, by batch day. Memory: one record at a time.
    pub fn batch_records(&self) -> impl Iterator<Item = Result<(Day, BatchRecord)>> {
        self.records().map(|entry| entry.and_then(|(day, record)| Ok((day, record?))))
    }

    /// Returns the records of all batches held, readable or not.
    fn records(&self) -> impl Iterator<Item = Result<(Day, Result<BatchRecord>)>> {
        let mut scan = Scan::new(self.db.raw_iterator_opt(scanning()), &self.folder);
        scan.seek(Key::Batch(Day::FIRST).encode());
        let mut next = move || {
            let Some((key, value)) = scan.entry()? else { return Ok(None) };
            let Key::Batch(day) = Key::decode(key)? else { return Ok(None) };
            let record = BatchRecord::from_bytes(value);
            scan.next();
            Ok(Some((day, record)))
        };
        std::iter::from_fn(move || next().transpose())
    }

    /// Returns the totals over the whole store.
    pub fn totals(&self) -> Result<Totals> {
        self.record(Key::Totals)?.ok_or_else(|| Error::corrupt("the store has no totals"))
    }

    /// Returns the size of the table files in use.
    pub fn disk_bytes(&self) -> Result<u64> {
        let files = self.db.live_files().map_err(|error| failure("read", &self.folder, error))?;
        Ok(files.iter().map(|file| file.size as u64).sum())
    }

    /// Runs the compaction that is due and waits for its end: otherwise the end of the process would discard it, and
    /// reads would become slower from day to day. A failure loses no committed data. If asked to stop, closing the
    /// store discards the compaction.
    pub fn finish_compaction(&self) -> Result<()> {
        let mut options = WaitForCompactOptions::default();
        options.set_timeout(LOOK_MICROSECONDS);
        loop {
            self.folder.resources().check()?;
            match self.db.wait_for_compact(&options) {
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                settled => return settled.map_err(|error| failure("compact", &self.folder, error)),
            }
        }
    }

    /// Returns a customer's history as of a day: the most recent actions from strictly before it, newest first, at most
    /// as many as the store keeps.
    pub fn history(&self, customer: CustomerId, dt: Day) -> Result<Vec<Action>> {
        self.cursor().actions(customer, dt)
    }

    /// Returns the actions of a customer on a day that a batch brought, newest first; `None` if there are none.
    pub fn delta(&self, customer: CustomerId, day: Day, batch: Day) -> Result<Option<Vec<Action>>> {
        let bytes = self.get(Key::Delta { customer, day, batch })?;
        bytes.map(|bytes| Delta::read(&bytes)?.actions(day)).transpose()
    }

    /// Returns the record at a key, if there is one.
    pub(super) fn record<R: Record>(&self, key: Key) -> Result<Option<R>> {
        self.get(key)?.map(|bytes| R::from_bytes(&bytes)).transpose()
    }

    fn get(&self, key: Key) -> Result<Option<Vec<u8>>> {
        self.db.get(key.encode()).map_err(|error| failure("read", &self.folder, error))
    }
}

/// Where settings of a store are read that not every store has.
struct Setting<'a> {
    db: &'a Database,
    folder: &'a Folder,
}

impl Setting<'_> {
    /// Returns the setting at a key, if it is there; `what` names it in errors.
    fn read<R: Record, T>(&self, key: Key, what: &str, read: impl FnOnce(R) -> Result<T>) -> Result<Option<T>> {
        let value = self.db.get(key.encode()).map_err(|error| failure("read", self.folder, error))?;
        let setting = value.map(|value| R::from_bytes(&value).and_then(read)).transpose();
        setting.map_err(|error| {
            Error::corrupt(format!("the {what} (key {}): {}", hex(&key.encode()), error.what())).caused_by(error)
        })
    }
}

/// Returns the zone of this name with the rules in the database.
fn zone(db: &Database, folder: &Folder, name: &str) -> Result<Zone> {
    if name == Zone::utc().name() {
        return Ok(Zone::utc());
    }
    if !is_zone_name(name) {
        return Err(Error::corrupt(format!("the store record has the invalid time zone {name:?}")));
    }
    let key = Key::ZoneRules.encode();
    let value = db.get(key).map_err(|error| failure("read", folder, error))?;
    let value = value.ok_or_else(|| Error::corrupt(format!("the store lacks the rules of its time zone, {name}")))?;
    let rules = ZoneRulesRecord::from_bytes(&value).and_then(|record| record.rules());
    let rules = rules.map_err(|error| {
        Error::corrupt(format!("the rules of {name} (key {}): {}", hex(&key), error.what())).caused_by(error)
    })?;
    Ok(Zone::new(name, rules))
}

fn check_version(found: Option<u8>, folder: &Folder) -> Result<()> {
    let Some(found) = found else {
        return Err(Error::corrupt("the store does not record its format version"));
    };
    if found == FORMAT_VERSION {
        return Ok(());
    }
    let program = env!("CARGO_PKG_VERSION");
    let what = format!(
        "the store at {} has format version {found}, and this program (lookback {program}) works with format version {FORMAT_VERSION}",
        folder.path().shown()
    );
    let remedy = if found > FORMAT_VERSION {
        Message::from("use a newer lookback")
    } else {
        message!["migrate it with ", [Migrate Store = (folder.path().shown())]]
    };
    Err(Error::refused(what, remedy))
}
