//! From the stream of changes to one atomic load.

use super::edits::Edits;
use super::refold::refold_unit;
use super::work_units::{WorkUnit, WorkUnits};
use crate::error::{Error, Result};
use crate::format::{BatchRecord, CustomerState, Key, Record, Totals, TouchedDay, TypesRecord};
use crate::model::{Day, TypeTable};
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::store::{BulkLoad, ListWriter, Store};

/// How many work units of each thread may wait to be written.
const UNITS_AHEAD: usize = 8;

/// What a load did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Loaded {
    /// Customers of the batch as it is now.
    pub customers: u64,
    /// Of them, those that the store did not know before.
    pub new_customers: u64,
    /// Of them, those with a full history now.
    pub customers_at_cap: u64,
    /// Of the actions, those equal to another: of n equal ones, n - 1.
    pub duplicates: u64,
    /// Keyframes written or removed.
    pub keyframes: u64,
    /// Customers who have left the store, since the batch had brought all that it held of them.
    pub customers_left: u64,
}

/// Writes the edits of all `work units`, and then `record`, completed with the number of customers, and `types` if they
/// are others than before, and commits them together. Without a record the batch goes, and there must be nothing that
/// it brings.
///
/// Each thread takes the next work unit and works on it; the table file is written in the order of the work units,
/// since it has to be. Of several errors, gives that of the first work unit.
///
/// Memory: eight work units for each thread, or their edits: typically 100 bytes for a customer, and the keyframes
/// since for one whose late action is old.
pub(super) fn load(
    store: &Store,
    batch: Day,
    mut work_units: WorkUnits<'_>,
    mut record: Option<&mut BatchRecord>,
    types: Option<&TypeTable>,
    progress: &dyn Progress,
) -> Result<Loaded> {
    let mut writer = Writer::new(store, batch)?;
    let (max_history, resources) = (store.settings().max_history, store.folder().resources());
    let worker = |_| {
        let (mut cursor, mut room) = (store.cursor(), Vec::new());
        move |unit: WorkUnit| refold_unit(&mut cursor, unit, batch, max_history, &mut room, resources)
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
    // From here on it is done to its end.
    resources.check()?;
    writer.commit(store, batch, record.as_deref(), types)
}

/// Writes edits and counts them.
struct Writer<'store> {
    bulk: BulkLoad<'store>,
    index: ListWriter<'store, TouchedDay>,
    customer_index: ListWriter<'store, CustomerState>,
    loaded: Loaded,
    /// Customers that have come less those that have left.
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
        types: Option<&TypeTable>,
    ) -> Result<Loaded> {
        self.index.finish(&mut self.bulk)?;
        self.customer_index.finish(&mut self.bulk)?;
        let negative = || Error::corrupt("the store counts fewer customers than it loses");
        let customers = store.totals()?.customers.checked_add_signed(self.balance).ok_or_else(negative)?;
        let record = record.map(Record::to_bytes).transpose()?;
        self.bulk.set(Key::Batch(batch), record.as_deref())?;
        self.bulk.set(Key::Totals, Some(&Totals { customers }.to_bytes()?))?;
        if let Some(types) = types {
            let record = TypesRecord::of(types).map(|record| record.to_bytes()).transpose()?;
            self.bulk.set(Key::Types, record.as_deref())?;
        }
        self.bulk.commit()?;
        Ok(self.loaded)
    }
}
