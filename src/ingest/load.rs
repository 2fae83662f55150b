//! Writes the changes of a batch to the store in one atomic load.

use super::edits::Edits;
use super::refold::refold_unit;
use super::work_units::{WorkUnit, WorkUnits};
use crate::error::{Error, Result};
use crate::format::{BatchRecord, CustomerState, IdsRecord, Key, Record, Totals, TouchedDay, TypesRecord};
use crate::model::{Day, Ids, TypeTable};
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::store::{BulkLoad, ListWriter, Store};

/// Maximum number of work units of each thread that wait to be written.
const UNITS_AHEAD: usize = 8;

/// The counts of a load.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Loaded {
    /// Customers in the batch as it is now.
    pub customers: u64,
    /// Of them, those that are new to the store.
    pub new_customers: u64,
    /// Of them, those with a full history now.
    pub customers_at_cap: u64,
    /// Of the actions, those equal to another: of `n` equal ones, all but one.
    pub duplicates: u64,
    /// Keyframes written or removed.
    pub keyframes: u64,
    /// Customers who have left the store, since the batch had brought all their actions.
    pub customers_left: u64,
}

/// Settings of the store that a batch changes.
#[derive(Clone, Copy, Default)]
pub(super) struct NewSettings<'a> {
    pub types: Option<&'a TypeTable>,
    pub ids: Option<Ids>,
}

/// Writes the edits of all `work_units`, then `record` with the number of customers filled in, and the new settings,
/// and commits them together. Without a record it removes the batch, and the work units must bring no actions.
///
/// Threads process the work units in parallel; the table file is written in their order, as its keys must ascend. Of
/// several errors, returns that of the first work unit.
///
/// Memory: eight work units for each thread, or their edits: typically 100 bytes per customer, plus all later keyframes
/// for a customer with an old late action.
pub(super) fn load(
    store: &Store,
    batch: Day,
    mut work_units: WorkUnits<'_>,
    mut record: Option<&mut BatchRecord>,
    settings: NewSettings<'_>,
    progress: &dyn Progress,
) -> Result<Loaded> {
    let mut writer = Writer::new(store, batch)?;
    let (settings_of_store, resources) = (store.settings(), store.folder().resources());
    let worker = |_| {
        let (mut cursor, mut buffer) = (store.cursor(), Vec::new());
        move |unit: WorkUnit| refold_unit(&mut cursor, unit, batch, settings_of_store, &mut buffer, resources)
    };
    let workers = (0..resources.threads()).map(worker).collect();
    let take = |edits: Edits| {
        progress.advance(edits.actions);
        writer.write(edits)
    };
    ordered_map(resources.cancel(), workers, UNITS_AHEAD, || work_units.next_unit(), take)?;
    if let Some(record) = &mut record {
        record.customers = writer.loaded.customers;
    }
    // From here on, a request to stop is ignored.
    resources.check()?;
    writer.commit(store, batch, record.as_deref(), settings)
}

/// Writes edits and counts them.
struct Writer<'store> {
    bulk: BulkLoad<'store>,
    index: ListWriter<'store, TouchedDay>,
    customer_index: ListWriter<'store, CustomerState>,
    loaded: Loaded,
    /// New customers minus those that have left.
    balance: i64,
}

impl<'store> Writer<'store> {
    fn new(store: &'store Store, batch: Day) -> Result<Self> {
        let (index, customer_index) = (store.index_writer(batch), store.customer_index_writer());
        Ok(Writer { bulk: store.bulk_load()?, index, customer_index, loaded: Loaded::default(), balance: 0 })
    }

    fn write(&mut self, edits: Edits) -> Result<()> {
        edits.write(&mut self.bulk)?;
        self.loaded.keyframes += edits.keyframes();
        self.loaded.customers += edits.customers;
        self.loaded.new_customers += edits.new_customers;
        self.loaded.customers_at_cap += edits.customers_at_cap;
        self.loaded.duplicates += edits.duplicates;
        self.loaded.customers_left += edits.customers_left;
        self.balance += edits.balance;
        edits.index.into_iter().try_for_each(|line| self.index.push(&mut self.bulk, line))?;
        edits.customer_index.into_iter().try_for_each(|line| self.customer_index.push(&mut self.bulk, line))
    }

    fn commit(
        mut self,
        store: &Store,
        batch: Day,
        record: Option<&BatchRecord>,
        settings: NewSettings<'_>,
    ) -> Result<Loaded> {
        self.index.finish(&mut self.bulk)?;
        self.customer_index.finish(&mut self.bulk)?;
        let negative = || Error::corrupt("the store's count of customers would fall below 0");
        let customers = store.totals()?.customers.checked_add_signed(self.balance).ok_or_else(negative)?;
        let record = record.map(Record::to_bytes).transpose()?;
        self.bulk.set(Key::Batch(batch), record.as_deref())?;
        self.bulk.set(Key::Totals, Some(&Totals { customers }.to_bytes()?))?;
        if let Some(types) = settings.types {
            let record = TypesRecord::of(types).map(|record| record.to_bytes()).transpose()?;
            self.bulk.set(Key::Types, record.as_deref())?;
        }
        if let Some(record) = settings.ids.and_then(IdsRecord::of) {
            self.bulk.set(Key::Ids, Some(&record.to_bytes()?))?;
        }
        self.bulk.commit()?;
        Ok(self.loaded)
    }
}
