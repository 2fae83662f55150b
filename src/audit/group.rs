//! A group of customers with all their actions and impressions in the raw files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::sources::Sources;
use crate::error::Result;
use crate::input::{BadRows, QuarantineFolder, read_actions, read_impressions};
use crate::model::{Day, RowColumns, TypeTable, Zone};
use crate::progress::Progress;
use crate::resources::Resources;
use crate::store::BlockList;

/// A position in the raw files: the number of the file among its kind, and the position in it, as in
/// [`crate::input::DayFile::place`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    pub file: u32,
    pub number: u64,
}

/// An action of a raw file. Memory: 40 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawAction {
    pub time_us: i64,
    pub item: i64,
    /// The number of its type.
    pub kind: u8,
    pub place: Place,
}

impl RawAction {
    /// Returns the order of the contract: newest first, then the higher type, then the higher item; the position orders
    /// duplicates.
    fn order(&self) -> impl Ord + use<> {
        (Reverse(self.time_us), Reverse(self.kind), Reverse(self.item), self.place)
    }
}

/// An impression of a raw file; the derived order is that of the output: ranking id (null first, then by bytes), then
/// the list.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct RawImpression {
    pub ranking_id: Option<String>,
    /// Items and labels.
    pub elements: Vec<(i64, i32)>,
    pub place: Place,
}

/// What the raw files have of one customer.
#[derive(Default)]
pub(super) struct Case {
    /// In the order of the output, once the group is complete.
    pub impressions: Vec<RawImpression>,
    /// Newest first and at most `max_history`, once the group is complete.
    pub actions: Vec<RawAction>,
    /// The size of the impressions' texts and lists.
    text_bytes: usize,
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
    pub dt: Day,
    pub zone: &'a Zone,
    /// Only actions from this instant on, in microseconds.
    pub oldest_us: i64,
    /// Only actions before this instant.
    pub cut_off_us: i64,
    pub max_history: usize,
    pub columns: RowColumns,
    pub budget_bytes: usize,
    /// What reading and sorting may use.
    pub resources: &'a Resources,
}

/// The next customers in ascending order, as many as fit the budget.
///
/// Reads all raw files, and collects the data of the customers above a bound; whenever the data exceeds the budget, the
/// upper customers that make up half of it are left to the next group. So the total size need not be known.
///
/// Memory: the budget; but at least one customer with twice `max_history` actions of 40 bytes and with all impressions.
pub(super) struct Group {
    pub customers: BTreeMap<i64, Case>,
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
    pub(super) fn gather(wanted: &Wanted<'_>, after: Option<i64>, progress: &dyn Progress) -> Result<Self> {
        let mut group = Group::empty();
        group.take_impressions(wanted, after)?;
        progress.begin("reading", "files", Some(wanted.sources.action_files() as u64));
        group.take_actions(wanted, progress)?;
        for case in group.customers.values_mut() {
            case.impressions.sort_unstable();
            case.cut(wanted.max_history);
        }
        Ok(group)
    }

    /// Gathers the customers above `after` with only their impressions.
    pub(super) fn gather_impressions(wanted: &Wanted<'_>, after: Option<i64>) -> Result<Self> {
        let mut group = Group::empty();
        group.take_impressions(wanted, after)?;
        group.customers.values_mut().for_each(|case| case.impressions.sort_unstable());
        Ok(group)
    }

    fn empty() -> Self {
        Group { customers: BTreeMap::new(), is_last: true, bytes: 0 }
    }

    fn take_impressions(&mut self, wanted: &Wanted<'_>, after: Option<i64>) -> Result<()> {
        let mut bad = BadRows::new(QuarantineFolder::Impressions, wanted.dt, None);
        // The first customer that was left to the next group.
        let mut end: Option<i64> = None;
        for (file, day_file) in (0..).zip(&wanted.sources.impressions) {
            read_impressions(wanted.sources.shown(), day_file, wanted.resources, &mut bad, |number, impression| {
                let customer = impression.customer.0;
                let is_wanted = after.is_none_or(|after| customer > after)
                    && end.is_none_or(|end| customer < end)
                    && wanted.sample.is_none_or(|sample| sample.contains(&customer))
                    && !wanted.block_list.holds(impression.customer);
                if is_wanted {
                    let elements = impression.elements.iter().map(|element| (element.item_id, element.label));
                    let elements: Vec<(i64, i32)> = elements.collect();
                    let raw =
                        RawImpression { ranking_id: impression.ranking_id, elements, place: Place { file, number } };
                    let case = self.customers.entry(customer).or_default();
                    let before = case.bytes();
                    case.show(raw);
                    self.bytes = self.bytes + case.bytes() - before;
                    end = self.fit(wanted.budget_bytes).or(end);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn take_actions(&mut self, wanted: &Wanted<'_>, progress: &dyn Progress) -> Result<()> {
        let mut bad = BadRows::new(QuarantineFolder::Actions, wanted.dt, None);
        wanted.sources.each_action_file(|file, source, action_file| {
            read_actions(source, action_file, wanted.zone, wanted.resources, &mut bad, |number, read| {
                let (customer, action) = (read.customer.0, read.action);
                let counts = wanted.oldest_us <= action.time_us && action.time_us < wanted.cut_off_us;
                if let Some(case) = self.customers.get_mut(&customer).filter(|_| counts) {
                    let (time_us, item, kind) = (action.time_us, action.item_id, action.action_type.number());
                    let before = case.bytes();
                    case.act(RawAction { time_us, item, kind, place: Place { file, number } }, wanted.max_history);
                    self.bytes = self.bytes + case.bytes() - before;
                    self.fit(wanted.budget_bytes);
                }
                Ok(())
            })?;
            progress.advance(1);
            Ok(())
        })
    }

    /// Leaves customers to the next group if they exceed the budget. Returns the first customer left.
    fn fit(&mut self, budget_bytes: usize) -> Option<i64> {
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
        if self.impressions.is_empty() {
            return 0;
        }
        let impressions = self.impressions.capacity() * std::mem::size_of::<RawImpression>();
        let actions = self.actions.capacity() * std::mem::size_of::<RawAction>();
        CASE_BYTES + self.text_bytes + impressions + actions
    }

    fn show(&mut self, impression: RawImpression) {
        let text = impression.ranking_id.as_ref().map_or(0, String::capacity);
        self.text_bytes += text + impression.elements.capacity() * std::mem::size_of::<(i64, i32)>();
        self.impressions.push(impression);
    }

    fn act(&mut self, action: RawAction, max_history: usize) {
        if self.actions.len() >= max_history.saturating_mul(2).max(CUT_ACTIONS_MIN) {
            self.cut(max_history);
        }
        self.actions.push(action);
    }

    /// Keeps the newest actions. An action cut here has `max_history` newer ones, whatever follows.
    fn cut(&mut self, max_history: usize) {
        self.actions.sort_unstable_by_key(RawAction::order);
        self.actions.truncate(max_history);
    }
}
