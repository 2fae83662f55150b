//! The pass over every key of a store.

use serde::Serialize;

use super::customer::{CustomerHistory, Stands};
use super::fault::{Fault, Report, place};
use super::index::check_index;
use super::list::ListCheck;
use super::portion::read_portion;
use super::record::{self, Records};
use super::tally::Tallies;
use crate::error::{Kind, Result};
use crate::format::{
    BlockListRecord, Forgotten, Horizon, Key, Keyspace, Purge, Record, Standing, StoreRecord, Totals, TypesRecord,
    ZoneRulesRecord,
};
use crate::history::Since;
use crate::model::{CustomerId, Day};
use crate::progress::Progress;
use crate::store::{BlockList, Lookup, Step, Store, Unreadable};

/// Progress is told after so many keys.
const KEYS_PER_STEP: u64 = 4_096;

/// What was checked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Checked {
    /// Keys, of all kinds.
    pub keys: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Batch records.
    pub batches: u64,
    /// Customers with a key of their own.
    pub customers: u64,
    /// Portions.
    pub portions: u64,
    /// Actions in them.
    pub actions: u64,
    /// Keyframes.
    pub keyframes: u64,
    /// Leaves of the index.
    pub index_leaves: u64,
    /// Leaves of the roster.
    pub roster_leaves: u64,
}

/// Reads a store from its first key to its last, and reports what is wrong: of each keyspace in the order of its keys. Fails only where `report` does.
///
/// Before that, the table files are judged; where one would lead a reader astray, that is all that is reported, since it would lead this one astray too.
pub(super) fn check(store: &Store, deep: bool, progress: &dyn Progress, report: Report<'_>) -> Result<Checked> {
    progress.begin("reading table files", "", None);
    let mut is_sound = true;
    let are_all_known = store.survey(|after, what| {
        is_sound = false;
        report(Fault::lost(after, what))
    })?;
    if !is_sound {
        return Ok(Checked::default());
    }
    progress.begin("checking", "keys", None);
    let roster = ListCheck::new(store, &[Keyspace::Roster as u8], Day::FIRST, |_, first| Key::Roster { first });
    let block_list = match store.block_list() {
        // Too long for the memory that there is, which is no fault of it.
        Err(error) if error.kind() == Kind::Refused => return Err(error),
        list => list.unwrap_or_default(),
    };
    let mut pass = Pass {
        store,
        deep,
        report,
        checked: Checked::default(),
        last: Vec::new(),
        customer: None,
        is_behind_gap: false,
        customers_held: 0,
        roster,
        block_list,
        horizon: store.horizon().unwrap_or_default(),
        tallies: Tallies::default(),
        records: Records::default(),
        totals: Found::Missing,
        unreadable: Vec::new(),
        lookup: (deep || !are_all_known).then(|| store.lookup(!are_all_known)),
    };
    let mut walk = store.walk(&[], None);
    while let Some(step) = walk.next() {
        store.folder().resources().check()?;
        match step {
            Step::Entry { key, value } => pass.entry(key, value)?,
            Step::Unreadable(range) => pass.unreadable(range)?,
        }
        if pass.checked.keys.is_multiple_of(KEYS_PER_STEP) {
            progress.advance(KEYS_PER_STEP);
        }
    }
    progress.advance(pass.checked.keys % KEYS_PER_STEP);
    progress.begin("comparing", "", None);
    pass.finish()
}

/// The totals, as they were met.
#[derive(Clone, Copy)]
enum Found {
    Missing,
    Damaged,
    There(Totals),
}

struct Pass<'a> {
    store: &'a Store,
    deep: bool,
    report: Report<'a>,
    checked: Checked,
    /// The key before.
    last: Vec<u8>,
    /// The customer whose keys are being met.
    customer: Option<CustomerHistory>,
    /// Whether the next customer may have had keys that cannot be read.
    is_behind_gap: bool,
    /// Customers with a portion.
    customers_held: u64,
    roster: ListCheck<'a, Standing>,
    /// Empty where it cannot be read: the walk comes to it.
    block_list: BlockList,
    /// Likewise.
    horizon: Option<Day>,
    tallies: Tallies,
    records: Records,
    totals: Found,
    unreadable: Vec<Unreadable>,
    /// Where each key is looked up.
    lookup: Option<Lookup<'a>>,
}

impl Pass<'_> {
    fn entry(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.checked.keys += 1;
        self.checked.bytes += (key.len() + value.len()) as u64;
        if self.checked.keys > 1 && key <= self.last.as_slice() {
            (self.report)(Fault::lost(key, "does not come behind the key before it"))?;
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        if self.lookup.as_mut().is_some_and(|lookup| !lookup.finds(key)) {
            (self.report)(Fault::lost(key, "is there and not found by who looks it up"))?;
        }
        let decoded = match Key::decode(key) {
            Ok(decoded) if *decoded.encode() == *key => decoded,
            Ok(_) => return (self.report)(Fault::lost(key, "has other bytes than are written for this key")),
            Err(_) => return (self.report)(Fault::lost(key, "is nothing that this program writes")),
        };
        match decoded {
            // That the store can be opened says that the record is there and what it says; not that it says it in these bytes.
            Key::Store => self.record::<StoreRecord>(key, value),
            Key::Portion { customer, day, batch } => self.portion(customer, day, batch, value),
            Key::Keyframe { customer, day } => {
                self.checked.keyframes += 1;
                self.customer(customer)?.keyframe(day, value);
                Ok(())
            }
            Key::Index { batch, first } => {
                self.checked.index_leaves += 1;
                self.tallies.stored_leaf(batch, first, value);
                Ok(())
            }
            // Read alongside the history, which comes before it.
            Key::Roster { .. } => {
                self.checked.roster_leaves += 1;
                Ok(())
            }
            Key::Batch(batch) => self.records.take(batch, value, self.report),
            Key::Totals => self.totals(value),
            Key::BlockList => self.record::<BlockListRecord>(key, value),
            Key::Forgotten(_) => {
                if self.block_list.record().is_none() {
                    (self.report)(Fault::lost(key, "cannot be told from others, since the block list has no secret"))?;
                }
                self.record::<Forgotten>(key, value)
            }
            Key::Horizon => self.record::<Horizon>(key, value),
            Key::Purge => self.record::<Purge>(key, value),
            // As with the store record.
            Key::Types => self.record::<TypesRecord>(key, value),
            Key::ZoneRules => self.record::<ZoneRulesRecord>(key, value),
        }
    }

    /// A record that nothing else in the store tells.
    fn record<R: Record>(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        match record::read::<R>(value) {
            Ok(_) => Ok(()),
            Err(what) => (self.report)(Fault::lost(key, what)),
        }
    }

    fn portion(&mut self, customer: CustomerId, day: Day, batch: Day, value: &[u8]) -> Result<()> {
        let settings = self.store.settings();
        self.checked.portions += 1;
        let actions = match read_portion(day, value, settings) {
            Ok(actions) => Some(actions),
            Err(what) => {
                (self.report)(Fault::of_batch(Key::Portion { customer, day, batch }, what, batch))?;
                None
            }
        };
        let removed = if self.block_list.holds(customer) {
            Some("is of a customer who has been forgotten")
        } else {
            self.horizon.filter(|horizon| day < *horizon).map(|_| "is of a day that has been pruned")
        };
        if let Some(what) = removed {
            (self.report)(Fault::of_batch(Key::Portion { customer, day, batch }, what, batch))?;
        }
        self.checked.actions += actions.as_ref().map_or(0, Vec::len) as u64;
        self.tallies.portion(customer, day, batch, actions.as_deref(), settings.max_history);
        self.customer(customer)?.portion(day, actions);
        Ok(())
    }

    /// The customer whose key comes next; settles the one before.
    fn customer(&mut self, customer: CustomerId) -> Result<&mut CustomerHistory> {
        if self.customer.as_ref().is_none_or(|current| current.customer != customer) {
            self.settle()?;
            self.checked.customers += 1;
        }
        let is_whole = !std::mem::take(&mut self.is_behind_gap);
        Ok(self.customer.get_or_insert_with(|| CustomerHistory::new(customer, is_whole)))
    }

    fn settle(&mut self) -> Result<()> {
        let Some(history) = self.customer.take() else { return Ok(()) };
        let customer = history.customer;
        match history.settle(self.store.settings(), self.deep, self.report)? {
            Stands::Nowhere => return Ok(()),
            Stands::At(standing) => self.roster.push(customer, standing, self.report)?,
            Stands::Unknown => {
                let any = Standing { newest: Day::FIRST, keyframe: None, since: Since::default() };
                self.roster.push_unknown(customer, any, self.report)?;
            }
        }
        self.customers_held += 1;
        Ok(())
    }

    fn totals(&mut self, value: &[u8]) -> Result<()> {
        self.totals = match record::read(value) {
            Ok(totals) => Found::There(totals),
            Err(_) => Found::Damaged,
        };
        Ok(())
    }

    fn unreadable(&mut self, range: Unreadable) -> Result<()> {
        let until = range.until.as_deref().map_or("the end of the store".to_owned(), place);
        let what = format!("nothing between it and {until} can be read ({})", range.cause);
        (self.report)(Fault::lost(&range.after, what))?;
        let history = [Keyspace::History as u8];
        let behind = [Keyspace::History as u8 + 1];
        if range.after.as_slice() < &behind[..] && range.until.as_deref().is_none_or(|until| until > &history[..]) {
            // Of the customer before the range and the one behind it there may be more; and of others that are not met at all.
            self.customer = None;
            self.is_behind_gap = true;
            self.roster.push_gap();
            self.tallies.gap = true;
        }
        self.unreadable.push(range);
        Ok(())
    }

    fn finish(mut self) -> Result<Checked> {
        self.settle()?;
        self.roster.finish(self.report)?;
        let suspects = self.tallies.suspects();
        check_index(self.store, &suspects, self.report)?;
        // Records tell of the files, with what was removed from the store or left out of it.
        let is_reduced = !self.block_list.is_empty() || self.horizon.is_some();
        self.records.compare(&self.tallies, is_reduced, &self.unreadable, self.store, self.report)?;
        self.checked.batches = self.records.count();
        self.compare_totals()?;
        Ok(self.checked)
    }

    fn compare_totals(&mut self) -> Result<()> {
        let is_lost = self.unreadable.iter().any(|range| range.may_hold(&Key::Totals.encode()));
        if self.tallies.gap || is_lost {
            return Ok(());
        }
        let totals = Totals { customers: self.customers_held };
        let what = match self.totals {
            Found::There(found) if found == totals => return Ok(()),
            Found::There(found) => format!("say {} customers, and {} have portions", found.customers, totals.customers),
            Found::Damaged => "cannot be decoded".to_owned(),
            Found::Missing => "are missing".to_owned(),
        };
        (self.report)(Fault::derived(Key::Totals, what, Some(totals.to_bytes()?)))
    }
}
