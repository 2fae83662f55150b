//! Checks the keys of a range, on any thread and without the ranges before it.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

use super::counters::RangeTally;
use super::customer::{CustomerHistory, Stands};
use super::delta::{DeltaBuffers, read_delta};
use super::fault::{Fault, Remedy};
use super::record::{self, Records};
use crate::format::{
    BlockListRecord, CustomerState, DropDuplicates, Forgotten, Horizon, IdsRecord, Key, Purge, Record, StoreRecord,
    Totals, TypesRecord, ZoneRulesRecord,
};
use crate::model::{CustomerId, Day};
use crate::store::{BlockList, Lookup, Step, Store};

/// The approximate maximum size of a range's findings while they wait to be combined. A range of 1 MiB has 3 MiB of
/// findings if each customer has one action, and usually a fifth of a MiB.
const FOUND_BYTES_MAX: usize = 4 << 20;

/// The numbers of what was checked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Checked {
    /// Keys, of all kinds.
    pub keys: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Batch records.
    pub batches: u64,
    /// Customers with keys of their own.
    pub customers: u64,
    /// Deltas.
    #[serde(rename = "portions")]
    pub deltas: u64,
    /// Actions in the deltas.
    pub actions: u64,
    /// Keyframes.
    pub keyframes: u64,
    /// Leaves of the index.
    pub index_leaves: u64,
    /// Leaves of the customer index.
    #[serde(rename = "roster_leaves")]
    pub customer_index_leaves: u64,
}

impl AddAssign for Checked {
    fn add_assign(&mut self, other: Checked) {
        let Checked {
            keys,
            bytes,
            batches,
            customers,
            deltas,
            actions,
            keyframes,
            index_leaves,
            customer_index_leaves,
        } = other;
        self.keys += keys;
        self.bytes += bytes;
        self.batches += batches;
        self.customers += customers;
        self.deltas += deltas;
        self.actions += actions;
        self.keyframes += keyframes;
        self.index_leaves += index_leaves;
        self.customer_index_leaves += customer_index_leaves;
    }
}

/// The context for judging keys.
pub(super) struct Rules<'store> {
    pub store: &'store Store,
    pub deep: bool,
    /// Empty if it cannot be read: the walk reports the fault.
    pub block_list: BlockList,
    /// `None` likewise.
    pub horizon: Option<Day>,
    /// Whether each key is looked up; and if so, whether each separately.
    pub look_up: Option<bool>,
}

/// What keys imply, in their order.
pub(super) enum Event {
    Fault(Box<Fault>),
    /// The first customer of the range begins, so the last customer of the ranges before it has ended.
    Begin,
    /// The state that the customer index should have for a customer; `None` if it is unknown.
    Customer(CustomerId, Option<CustomerState>),
}

/// The findings of a range.
#[derive(Default)]
pub(super) struct Found {
    pub checked: Checked,
    pub events: Vec<Event>,
    /// The events that follow the end of the last customer, released when the next customer begins.
    pub at_next: Vec<Event>,
    pub batches: BTreeMap<Day, RangeTally>,
    pub records: Records,
    /// The totals, or their fault.
    pub totals: Option<Result<Totals, String>>,
    /// The size of the findings, without that of the records.
    bytes: usize,
}

impl Found {
    /// Whether the findings have reached the maximum size that may wait.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= FOUND_BYTES_MAX
    }

    fn push(&mut self, event: Event) {
        self.bytes += size_of::<Event>();
        self.events.push(event);
    }

    fn fault(&mut self, fault: Fault) {
        let Fault { key, what, remedy } = &fault;
        let value = if let Remedy::Rebuild(Some(value)) = remedy { value.len() } else { 0 };
        self.bytes += size_of::<Fault>() + key.len() + what.len() + value;
        self.push(Event::Fault(Box::new(fault)));
    }

    fn batch(&mut self, batch: Day) -> &mut RangeTally {
        self.batches.entry(batch).or_insert_with(|| {
            self.bytes += size_of::<RangeTally>();
            RangeTally::default()
        })
    }
}

/// Checks each key of a range by itself, and each customer by its keys. Ranges are checked in ascending order.
///
/// Memory: the findings, 4 MiB; the deltas of one customer.
pub(super) struct RangeCheck<'a> {
    rules: &'a Rules<'a>,
    /// The lookup to use if each key is looked up.
    lookup: Option<Lookup<'a>>,
    /// The customer whose keys are being read.
    customer: Option<CustomerHistory>,
    /// Whether the next customer may have had keys that cannot be read.
    pub is_behind_gap: bool,
    /// The findings since they were last taken.
    pub found: Found,
    buffers: DeltaBuffers,
}

impl<'a> RangeCheck<'a> {
    /// Returns a check before the first range.
    pub(super) fn new(rules: &'a Rules<'a>) -> Self {
        let lookup = rules.look_up.map(|each| rules.store.lookup(each));
        let (found, buffers) = (Found::default(), DeltaBuffers::default());
        RangeCheck { rules, lookup, customer: None, is_behind_gap: false, found, buffers }
    }

    /// Reads all keys of a range; `None` if some of them cannot be read, or the findings exceed what may wait.
    pub(super) fn check(&mut self, from: &[u8], until: Option<&[u8]>) -> Option<Found> {
        let mut walk = self.rules.store.walk(from, until);
        while let Some(step) = walk.next() {
            match step {
                Step::Entry { key, value } if !self.found.is_full() => self.entry(key, value),
                _ => {
                    (self.customer, self.found) = (None, Found::default());
                    return None;
                }
            }
        }
        Some(self.finish())
    }

    /// Returns the findings, at the end of a range.
    pub(super) fn finish(&mut self) -> Found {
        let events_before = self.found.events.len();
        if self.customer.is_some() {
            self.settle();
        }
        let mut found = std::mem::take(&mut self.found);
        found.at_next = found.events.split_off(events_before);
        found
    }

    /// Records unreadable keys of histories, possibly of the customer before or the customer after.
    pub(super) fn push_gap(&mut self) {
        self.customer = None;
        self.is_behind_gap = true;
    }

    /// Checks the next key.
    pub(super) fn entry(&mut self, key: &[u8], value: &[u8]) {
        self.found.checked.keys += 1;
        self.found.checked.bytes += (key.len() + value.len()) as u64;
        if self.lookup.as_mut().is_some_and(|lookup| !lookup.finds(key)) {
            self.found.fault(Fault::lost(key, "is there, but looking it up does not find it"));
        }
        let decoded = match Key::decode(key) {
            Ok(decoded) if *decoded.encode() == *key => decoded,
            Ok(_) => return self.found.fault(Fault::lost(key, "has other bytes than lookback writes for this key")),
            Err(_) => return self.found.fault(Fault::lost(key, "is not a key that this program writes")),
        };
        match decoded {
            // Opening the store has checked that the record exists and decodes, but not its bytes.
            Key::Store => self.record::<StoreRecord>(key, value),
            Key::Delta { customer, day, batch } => self.delta(customer, day, batch, value),
            Key::Keyframe { customer, day } => {
                self.found.checked.keyframes += 1;
                self.customer(customer).keyframe(day, value);
            }
            Key::Index { batch, first } => {
                self.found.checked.index_leaves += 1;
                self.found.batch(batch).stored_leaf(first, value);
            }
            // Read alongside the history, which comes before it.
            Key::CustomerIndex { .. } => self.found.checked.customer_index_leaves += 1,
            Key::Batch(batch) => {
                if let Err(what) = self.found.records.take(batch, value) {
                    self.found.fault(Fault::of_batch(decoded, what, batch));
                }
            }
            Key::Totals => self.found.totals = Some(record::read(value)),
            Key::BlockList => self.record::<BlockListRecord>(key, value),
            Key::Forgotten(_) => {
                if self.rules.block_list.record().is_none() {
                    self.found.fault(Fault::lost(key, "cannot be identified, since the block list has no secret"));
                }
                self.record::<Forgotten>(key, value);
            }
            Key::Horizon => self.record::<Horizon>(key, value),
            Key::Purge => self.record::<Purge>(key, value),
            // As for the store record.
            Key::Types => self.record::<TypesRecord>(key, value),
            Key::ZoneRules => self.record::<ZoneRulesRecord>(key, value),
            Key::Ids => self.record::<IdsRecord>(key, value),
            Key::DropDuplicates => self.record::<DropDuplicates>(key, value),
        }
    }

    /// Checks a record that nothing else in the store determines.
    fn record<R: Record>(&mut self, key: &[u8], value: &[u8]) {
        if let Err(what) = record::read::<R>(value) {
            self.found.fault(Fault::lost(key, what));
        }
    }

    fn delta(&mut self, customer: CustomerId, day: Day, batch: Day, value: &[u8]) {
        let settings = self.rules.store.settings();
        let key = Key::Delta { customer, day, batch };
        self.found.checked.deltas += 1;
        let actions = read_delta(day, value, settings, &mut self.buffers);
        let actions = actions.map_err(|what| self.found.fault(Fault::of_batch(key, what, batch))).ok();
        let removed = if self.rules.block_list.holds(customer) {
            Some("is of a customer who has been forgotten")
        } else {
            self.rules.horizon.filter(|horizon| day < *horizon).map(|_| "is of a day that has been pruned")
        };
        if let Some(what) = removed {
            self.found.fault(Fault::of_batch(key, what, batch));
        }
        self.found.checked.actions += actions.as_ref().map_or(0, Vec::len) as u64;
        self.found.bytes += size_of::<(CustomerId, Day)>();
        self.found.batch(batch).delta(customer, day, batch, actions.as_deref(), settings.max_history);
        self.customer(customer).delta(day, actions);
    }

    /// Returns the history for the customer of the next key; settles the customer before.
    fn customer(&mut self, customer: CustomerId) -> &mut CustomerHistory {
        if self.customer.as_ref().is_none_or(|current| current.customer != customer) {
            self.settle();
            self.found.checked.customers += 1;
        }
        let is_whole = !std::mem::take(&mut self.is_behind_gap);
        self.customer.get_or_insert_with(|| CustomerHistory::new(customer, is_whole))
    }

    fn settle(&mut self) {
        let Some(history) = self.customer.take() else { return self.found.push(Event::Begin) };
        let (customer, found) = (history.customer, &mut self.found);
        match history.settle(self.rules.store.settings(), self.rules.deep, |fault| found.fault(fault)) {
            Stands::Nowhere => {}
            Stands::At(customer_state) => found.push(Event::Customer(customer, Some(customer_state))),
            Stands::Unknown => found.push(Event::Customer(customer, None)),
        }
    }
}
