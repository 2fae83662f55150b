//! The pass over every key of a store.

use super::counters::Tallies;
use super::fault::{Fault, Report, place};
use super::index::check_index;
use super::list::ListCheck;
use super::range::{Checked, Event, Found, RangeCheck, Rules};
use super::record::Records;
use crate::error::{Kind, Result};
use crate::format::{CustomerState, Key, Keyspace, Record, Totals};
use crate::history::SinceKeyframe;
use crate::model::{Day, Duplicates};
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::store::{Step, Store, Unreadable};

/// How many checked ranges for each thread may wait for an earlier range.
const RANGES_AHEAD: usize = 2;

/// Reads a store from its first key to its last, and reports faults: within each keyspace in the order of its keys.
/// Fails only if `report` fails.
///
/// The table files are checked first; if one would mislead a reader, only these faults are reported, since the file
/// would mislead this pass too.
///
/// Each thread checks the next range of keys, and the findings are taken in the order of the ranges.
///
/// Memory: for each thread the findings of two ranges, 4 MiB each at most and usually a twentieth of that, and that of
/// a [`RangeCheck`].
pub(super) fn check(store: &Store, deep: bool, progress: &dyn Progress, report: Report<'_>) -> Result<Checked> {
    progress.begin("reading table files", "", None);
    let mut is_sound = true;
    let survey = store.survey(|after, what| {
        is_sound = false;
        report(Fault::lost(after, what))
    })?;
    if !is_sound {
        return Ok(Checked::default());
    }
    progress.begin("checking", "keys", None);
    let block_list = match store.block_list() {
        // The value is too long for the memory available, which is no fault of the store.
        Err(error) if error.kind() == Kind::Refused => return Err(error),
        // Others are faults of its keys, which the pass reports; so is an unreadable horizon.
        list => list.unwrap_or_default(),
    };
    let horizon = store.horizon().unwrap_or_default();
    let look_up = (deep || !survey.are_all_known).then_some(!survey.are_all_known);
    let rules = Rules { store, deep, block_list, horizon, look_up };
    let mut pass = Pass {
        rules: &rules,
        progress,
        report,
        range: RangeCheck::new(&rules),
        at_next: Vec::new(),
        go_on: Vec::new(),
        is_over: false,
        checked: Checked::default(),
        customers_held: 0,
        customer_index: ListCheck::new(store, &[Keyspace::CustomerIndex as u8], Day::FIRST, |_, first| {
            Key::CustomerIndex { first }
        }),
        tallies: Tallies::default(),
        records: Records::default(),
        totals: None,
        unreadable: Vec::new(),
    };
    let resources = store.folder().resources();
    let worker = |_| {
        let mut range = RangeCheck::new(&rules);
        move |(from, until)| Ok((from, until, range.check(from, until)))
    };
    let workers = (0..resources.threads()).map(worker).collect();
    let mut ranges = survey.ranges();
    let take = |(from, until, found)| pass.range(from, until, found);
    ordered_map(resources.cancel(), workers, RANGES_AHEAD, || Ok(ranges.next()), take)?;
    progress.begin("comparing", "", None);
    pass.finish()
}

/// Combines the findings of the ranges, in their order, and the unreadable spans between their keys.
struct Pass<'a> {
    rules: &'a Rules<'a>,
    progress: &'a dyn Progress,
    report: Report<'a>,
    /// For ranges that must be read in order.
    range: RangeCheck<'a>,
    /// The events that follow the end of the last customer.
    at_next: Vec<Event>,
    /// The first key after an unreadable span.
    go_on: Vec<u8>,
    /// Whether nothing after the span can be read.
    is_over: bool,
    checked: Checked,
    /// Customers with a delta.
    customers_held: u64,
    customer_index: ListCheck<'a, CustomerState>,
    tallies: Tallies,
    records: Records,
    /// The totals, or their fault.
    totals: Option<Result<Totals, String>>,
    unreadable: Vec<Unreadable>,
}

impl Pass<'_> {
    /// Takes the next range. Reads the range here, key by key, if it has no findings, or if damage extends into it.
    fn range(&mut self, from: &[u8], until: Option<&[u8]>, found: Option<Found>) -> Result<()> {
        match found {
            _ if self.is_over || until.is_some_and(|until| until <= self.go_on.as_slice()) => Ok(()),
            Some(found) if !self.range.is_behind_gap => self.take(found),
            _ => self.walk(from.max(&self.go_on).to_vec(), until),
        }
    }

    fn walk(&mut self, from: Vec<u8>, until: Option<&[u8]>) -> Result<()> {
        let mut walk = self.rules.store.walk(&from, None);
        while let Some(step) = walk.next() {
            self.rules.store.folder().resources().check()?;
            match step {
                Step::Entry { key, .. } if until.is_some_and(|until| key >= until) => break,
                Step::Entry { key, value } => self.range.entry(key, value),
                Step::Unreadable(range) => self.unreadable(range)?,
            }
            if self.range.found.is_full() {
                self.take_found()?;
            }
        }
        let found = self.range.finish();
        self.take(found)
    }

    fn take_found(&mut self) -> Result<()> {
        let found = std::mem::take(&mut self.range.found);
        self.take(found)
    }

    fn take(&mut self, found: Found) -> Result<()> {
        self.progress.advance(found.checked.keys);
        self.checked += found.checked;
        found.events.into_iter().try_for_each(|event| self.event(event))?;
        self.at_next.extend(found.at_next);
        found.batches.into_iter().for_each(|(batch, counters)| self.tallies.add(batch, counters));
        self.records.add(found.records);
        self.totals = found.totals.or(self.totals.take());
        Ok(())
    }

    fn event(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Fault(fault) => (self.report)(*fault),
            Event::Begin => self.tell_at_next(),
            Event::Customer(customer, customer_state) => {
                self.customers_held += 1;
                let any = CustomerState { newest: Day::FIRST, keyframe: None, since: SinceKeyframe::default() };
                match customer_state {
                    Some(customer_state) => self.customer_index.push(customer, customer_state, self.report),
                    None => self.customer_index.push_unknown(customer, any, self.report),
                }
            }
        }
    }

    fn tell_at_next(&mut self) -> Result<()> {
        std::mem::take(&mut self.at_next).into_iter().try_for_each(|event| self.event(event))
    }

    fn unreadable(&mut self, range: Unreadable) -> Result<()> {
        self.take_found()?;
        let until = range.until.as_deref().map_or("the end of the store".to_owned(), place);
        let what = format!("nothing between it and {until} can be read ({})", range.cause);
        (self.report)(Fault::lost(&range.after, what))?;
        let history = [Keyspace::History as u8];
        let end = [Keyspace::History as u8 + 1];
        if range.after.as_slice() < &end[..] && range.until.as_deref().is_none_or(|until| until > &history[..]) {
            // The customer before the range and the customer after it may have more keys in it; so may customers that
            // are not met at all.
            self.range.push_gap();
            self.at_next.clear();
            self.customer_index.push_gap();
            self.tallies.gap = true;
        }
        self.is_over = range.until.is_none();
        self.go_on = range.until.clone().unwrap_or_default();
        self.unreadable.push(range);
        Ok(())
    }

    fn finish(mut self) -> Result<Checked> {
        self.tell_at_next()?;
        self.customer_index.finish(self.report)?;
        let suspects = self.tallies.suspects();
        let store = self.rules.store;
        check_index(store, &suspects, self.report)?;
        // Records count the files' content, including what was removed from the store or left out of it.
        let drops = store.settings().duplicates == Duplicates::Drop;
        let is_reduced = drops || !self.rules.block_list.is_empty() || self.rules.horizon.is_some();
        self.records.compare(&self.tallies, is_reduced, &self.unreadable, store, self.report)?;
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
            Some(Ok(found)) if found == totals => return Ok(()),
            Some(Ok(found)) => format!("count {} customers, but {} have deltas", found.customers, totals.customers),
            Some(Err(_)) => "cannot be decoded".to_owned(),
            None => "are missing".to_owned(),
        };
        (self.report)(Fault::derived(Key::Totals, what, Some(totals.to_bytes()?)))
    }
}
