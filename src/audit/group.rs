//! A group of customers with all their actions and impressions in the raw files.

use std::collections::{BTreeMap, BTreeSet};

use super::events::RawEvents;
use super::flat::{RawItem, lists};
use super::raw::{Place, RawAction, RawImpression};
use super::sources::Sources;
use crate::error::Result;
use crate::input::{BadRows, QuarantineFolder, ReadAction, read_actions_with_event_ids, read_shown};
use crate::model::{CustomerId, Day, Duplicates, RowColumns, Shards, TypeTable, Zone};
use crate::progress::Progress;
use crate::resources::Resources;
use crate::sources::ImpressionLayout;
use crate::store::BlockList;

/// What the raw files have of one customer.
#[derive(Default)]
pub(super) struct Case {
    /// In the order of the output, once the group is complete.
    pub impressions: Vec<RawImpression>,
    /// Newest first and at most `max_history`, once the group is complete.
    pub actions: Vec<RawAction>,
    /// Of the flat layout, the items of lists that are not made yet.
    items: Vec<RawItem>,
    /// The size of the impressions' texts and lists.
    text_bytes: usize,
}

/// Where a customer's rows stand among those of others in an order by customers: shard by shard.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct CustomerPlace {
    /// 0 for the rows of one store.
    pub shard: u32,
    pub customer: i64,
}

/// What to gather.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub sources: &'a Sources<'a>,
    /// The names of the types.
    pub types: &'a TypeTable,
    /// `None`: all customers.
    pub sample: Option<&'a BTreeSet<i64>>,
    /// Customers in it have no rows.
    pub block_list: &'a BlockList,
    /// The shards that the rows are from; `None`: one store.
    pub shards: Option<Shards>,
    pub dt: Day,
    pub zone: &'a Zone,
    /// Only actions from this instant on, in microseconds.
    pub oldest_us: i64,
    /// Only actions before this instant.
    pub cut_off_us: i64,
    pub max_history: usize,
    /// What becomes of equal actions.
    pub duplicates: Duplicates,
    pub columns: RowColumns,
    pub budget_bytes: usize,
    /// What reading and sorting may use.
    pub resources: &'a Resources,
}

impl Wanted<'_> {
    /// Returns where the rows of a customer stand.
    pub(super) fn place_of(&self, customer: i64) -> CustomerPlace {
        let shard = self.shards.map_or(0, |shards| shards.of(CustomerId(customer)));
        CustomerPlace { shard, customer }
    }
}

/// The next customers in the order of their places, as many as fit the budget.
///
/// Reads all raw files, and collects the data of the customers above a bound; whenever the data exceeds the budget, the
/// upper customers that make up half of it are left to the next group. So the total size need not be known.
///
/// Memory: the budget; but at least one customer with twice `max_history` actions of 40 bytes and with all impressions.
pub(super) struct Group {
    pub customers: BTreeMap<CustomerPlace, Case>,
    /// Whether this is the last group: no customers were left to a next one.
    pub is_last: bool,
    bytes: usize,
}

/// The size of a customer's map entry, without the content of its lists.
const CASE_BYTES: usize = 128;

/// With fewer actions, cutting is not worthwhile.
const CUT_ACTIONS_MIN: usize = 64;

impl Group {
    /// Gathers the customers above `after`; `None` for the first group.
    pub(super) fn gather(wanted: &Wanted<'_>, after: Option<CustomerPlace>, progress: &dyn Progress) -> Result<Self> {
        let mut group = Group::empty();
        group.take_impressions(wanted, after)?;
        progress.begin("reading", "files", Some(wanted.sources.action_files() as u64));
        group.take_actions(wanted, progress)?;
        for case in group.customers.values_mut() {
            case.impressions.sort_unstable();
            case.cut(wanted);
        }
        Ok(group)
    }

    /// Gathers the customers above `after` with only their impressions.
    pub(super) fn gather_impressions(wanted: &Wanted<'_>, after: Option<CustomerPlace>) -> Result<Self> {
        let mut group = Group::empty();
        group.take_impressions(wanted, after)?;
        group.customers.values_mut().for_each(|case| case.impressions.sort_unstable());
        Ok(group)
    }

    fn empty() -> Self {
        Group { customers: BTreeMap::new(), is_last: true, bytes: 0 }
    }

    fn take_impressions(&mut self, wanted: &Wanted<'_>, after: Option<CustomerPlace>) -> Result<()> {
        let mut bad = BadRows::new(QuarantineFolder::Impressions, wanted.dt, None);
        let is_flat = wanted.sources.shown().layout == ImpressionLayout::Flat;
        // The first customer that was left to the next group.
        let mut end: Option<CustomerPlace> = None;
        for (file, day_file) in (0..).zip(&wanted.sources.impressions) {
            read_shown(
                wanted.sources.shown(),
                day_file,
                wanted.resources,
                &mut bad,
                |number, impression, position| {
                    let customer = wanted.place_of(impression.customer.0);
                    let is_wanted = after.is_none_or(|after| customer > after)
                        && end.is_none_or(|end| customer < end)
                        && wanted.sample.is_none_or(|sample| sample.contains(&customer.customer))
                        && !wanted.block_list.holds(impression.customer);
                    if is_wanted {
                        let place = Place { file, number };
                        let case = self.customers.entry(customer).or_default();
                        let before = case.bytes();
                        if is_flat {
                            case.items.extend(
                                RawItem::of(impression, position, place)
                                    .inspect(|item| case.text_bytes += item.text_bytes()),
                            );
                        } else {
                            let elements = impression.elements.iter().map(|element| (element.item_id, element.label));
                            let elements: Vec<(i64, i32)> = elements.collect();
                            case.show(RawImpression { ranking_id: impression.ranking_id, elements, place });
                        }
                        self.bytes = self.bytes + case.bytes() - before;
                        end = self.fit(wanted.budget_bytes).or(end);
                    }
                    Ok(())
                },
            )?;
        }
        if is_flat {
            self.customers.values_mut().for_each(Case::make_lists);
            self.bytes = self.customers.values().map(Case::bytes).sum();
        }
        Ok(())
    }

    fn take_actions(&mut self, wanted: &Wanted<'_>, progress: &dyn Progress) -> Result<()> {
        let mut bad = BadRows::new(QuarantineFolder::Actions, wanted.dt, None);
        // The actions with event ids of the batch and source that is being read.
        let mut events: Option<((Day, &str), RawEvents)> = None;
        wanted.sources.each_action_file(|batch, file, source, action_file| {
            let of = (batch, source.name.as_str());
            if let Some((_, events)) = events.take_if(|(before, _)| *before != of) {
                events.finish(|customer, action| self.act(wanted, customer, action))?;
            }
            let read_action = |number, read: ReadAction, id: Option<&str>| {
                let (customer, action) = (read.customer.0, read.action);
                let (time_us, item, kind) = (action.time_us, action.item_id, action.action_type.number());
                let action = RawAction { time_us, item, kind, place: Place { file, number } };
                match id {
                    Some(id) => {
                        let (_, events) = events.get_or_insert_with(|| (of, RawEvents::new(wanted.resources)));
                        events.push(id, customer, action)?;
                    }
                    None => self.act(wanted, customer, action),
                }
                Ok(())
            };
            read_actions_with_event_ids(source, action_file, wanted.zone, wanted.resources, &mut bad, read_action)?;
            progress.advance(1);
            Ok(())
        })?;
        events.map_or(Ok(()), |(_, events)| events.finish(|customer, action| self.act(wanted, customer, action)))
    }

    /// Adds an action if it can be in a history of the group.
    fn act(&mut self, wanted: &Wanted<'_>, customer: i64, action: RawAction) {
        let counts = wanted.oldest_us <= action.time_us && action.time_us < wanted.cut_off_us;
        if let Some(case) = self.customers.get_mut(&wanted.place_of(customer)).filter(|_| counts) {
            let before = case.bytes();
            case.act(action, wanted);
            self.bytes = self.bytes + case.bytes() - before;
            self.fit(wanted.budget_bytes);
        }
    }

    /// Leaves customers to the next group if they exceed the budget. Returns the first customer left.
    fn fit(&mut self, budget_bytes: usize) -> Option<CustomerPlace> {
        if self.bytes <= budget_bytes || self.customers.len() < 2 {
            return None;
        }
        let mut bytes = 0;
        let beyond = self.customers.iter().enumerate().find_map(|(place, (customer, case))| {
            bytes += case.bytes();
            (place > 0 && bytes > budget_bytes / 2).then_some(*customer)
        });
        let first_left = beyond.or_else(|| self.customers.keys().next_back().copied())?;
        let left = self.customers.split_off(&first_left);
        self.bytes -= left.values().map(Case::bytes).sum::<usize>();
        self.is_last = false;
        Some(first_left)
    }
}

impl Case {
    fn bytes(&self) -> usize {
        // A new entry has no content yet.
        if self.impressions.is_empty() && self.items.is_empty() {
            return 0;
        }
        let impressions = self.impressions.capacity() * std::mem::size_of::<RawImpression>();
        let items = self.items.capacity() * std::mem::size_of::<RawItem>();
        let actions = self.actions.capacity() * std::mem::size_of::<RawAction>();
        CASE_BYTES + self.text_bytes + impressions + items + actions
    }

    fn show(&mut self, impression: RawImpression) {
        let text = impression.ranking_id.as_ref().map_or(0, String::capacity);
        self.text_bytes += text + impression.elements.capacity() * std::mem::size_of::<(i64, i32)>();
        self.impressions.push(impression);
    }

    /// Makes lists of the items.
    fn make_lists(&mut self) {
        self.text_bytes = 0;
        lists(std::mem::take(&mut self.items)).into_iter().for_each(|list| self.show(list));
    }

    fn act(&mut self, action: RawAction, wanted: &Wanted<'_>) {
        if self.actions.len() >= wanted.max_history.saturating_mul(2).max(CUT_ACTIONS_MIN) {
            self.cut(wanted);
        }
        self.actions.push(action);
    }

    /// Keeps the newest actions. An action cut here has `max_history` newer ones, whatever follows.
    fn cut(&mut self, wanted: &Wanted<'_>) {
        self.actions.sort_unstable_by_key(RawAction::order);
        if wanted.duplicates == Duplicates::Drop {
            self.actions.dedup_by_key(|action| (action.time_us, action.kind, action.item));
        }
        self.actions.truncate(wanted.max_history);
    }
}
