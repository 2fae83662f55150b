//! Divides a load into work units: ranges of customers, each with all data that one thread needs.

use std::iter::Peekable;

use super::dated_action::{DatedAction, customer_of, sort_key_of};
use crate::error::Result;
use crate::format::{CustomerState, Entry, TouchedDay};
use crate::model::{CustomerId, Day, Duplicates};
use crate::sort::{BUCKET_RECORDS, Bucket, Buckets, Sorted};
use crate::store::{Leaves, Settings, Store};

/// Maximum number of customer index lines in a work unit.
const CUSTOMER_INDEX_LINES_MAX: usize = 4_096;

/// A range of customers.
pub(super) struct WorkUnit {
    /// The batch's actions of these customers, unordered.
    pub brought: Bucket<DatedAction>,
    /// The days that the earlier version of the batch touched, newest first for each customer.
    pub held: Vec<(CustomerId, TouchedDay)>,
    /// The states of all customers of the range in the store, changed by the batch or not.
    pub customer_index: Vec<(CustomerId, CustomerState)>,
    /// The batch's actions that are not in `brought`.
    pub cut: Cut,
}

/// Actions left out of a work unit because `max_history` newer ones have the same customer and day, or as duplicates
/// that are dropped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Cut {
    /// Their number.
    pub actions: u64,
    /// Of them, those equal to the action before them.
    pub duplicates: u64,
}

/// Produces the work units of all customers, range by range, ascending.
///
/// Memory: that of the buckets, and one leaf each of index and customer index. A work unit has at most 4,096 customers
/// of the customer index, and one bucket: some 4,096 actions, or those of one customer; if merged from disk, at most
/// `max_history` per customer and day.
pub(super) struct WorkUnits<'store> {
    buckets: Source<'store>,
    /// The rest of a bucket that was cut.
    left: Option<Bucket<DatedAction>>,
    held: Lines<'store, TouchedDay>,
    customer_index: Lines<'store, CustomerState>,
    is_dealt: bool,
}

impl<'store> WorkUnits<'store> {
    /// Returns the work units of a batch with these buckets.
    pub(super) fn new(store: &'store Store, batch: Day, buckets: Buckets<DatedAction>) -> Self {
        let buckets = match buckets {
            Buckets::Apart(buckets) => Source::Apart(buckets.peekable()),
            Buckets::Merged(sorted) => Source::Merged(Box::new(sorted.peekable()), store.settings()),
        };
        let (held, customer_index) = (Lines::of(store.touched_by(batch)), Lines::of(store.customer_index()));
        WorkUnits { buckets, left: None, held, customer_index, is_dealt: false }
    }

    /// Returns the next work unit; `None` at the end.
    pub(super) fn next_unit(&mut self) -> Result<Option<WorkUnit>> {
        if self.is_dealt {
            return Ok(None);
        }
        let bucket = match self.left.take() {
            Some(left) => Some((left, Cut::default())),
            None => self.buckets.bucket()?,
        };
        let (mut brought, cut) = bucket.unwrap_or_else(|| (Bucket::new(Vec::new()), Cut::default()));
        let mut until = self.buckets.next_customer();
        let mut customer_index = Vec::new();
        while let Some(line) = self.customer_index.next_before(until)? {
            customer_index.push(line);
            if customer_index.len() == CUSTOMER_INDEX_LINES_MAX
                && let Some(next) = self.customer_index.head()?.filter(|next| until.is_none_or(|until| *next < until))
            {
                let (before, after) = brought.cut(sort_key_of(next));
                (brought, self.left, until) = (before, Some(after), Some(next));
            }
        }
        let mut held = Vec::new();
        while let Some(line) = self.held.next_before(until)? {
            held.push(line);
        }
        self.is_dealt = until.is_none();
        Ok(Some(WorkUnit { brought, held, customer_index, cut }))
    }
}

/// Where the buckets come from.
enum Source<'store> {
    Apart(Peekable<std::vec::IntoIter<Bucket<DatedAction>>>),
    /// Merged from disk, to be cut by these settings.
    Merged(Box<Peekable<Box<Sorted<DatedAction>>>>, &'store Settings),
}

impl Source<'_> {
    fn bucket(&mut self) -> Result<Option<(Bucket<DatedAction>, Cut)>> {
        let (sorted, settings) = match self {
            Source::Apart(buckets) => return Ok(buckets.next().map(|bucket| (bucket, Cut::default()))),
            Source::Merged(sorted, settings) => (sorted, *settings),
        };
        let drops = settings.duplicates == Duplicates::Drop;
        let (mut actions, mut of_day) = (Vec::<DatedAction>::new(), 0);
        let (mut cut, mut last) = (Cut::default(), None);
        let belongs = |next: &DatedAction, actions: &[DatedAction]| {
            let goes_on = actions.last().is_some_and(|last| last.customer == next.customer);
            goes_on || actions.len() < BUCKET_RECORDS
        };
        while let Some(next) =
            sorted.next_if(|next| next.as_ref().is_ok_and(|next| belongs(next, &actions)) || next.is_err())
        {
            let next = next?;
            if drops && last == Some(next) {
                cut.actions += 1;
                cut.duplicates += 1;
                continue;
            }
            let goes_on = actions.last().is_some_and(|last| (last.customer, last.day) == (next.customer, next.day));
            of_day = if goes_on { of_day + 1 } else { 1 };
            if of_day <= settings.max_history {
                actions.push(next);
            } else {
                cut.actions += 1;
                cut.duplicates += u64::from(last == Some(next));
            }
            last = Some(next);
        }
        Ok((!actions.is_empty()).then(|| (Bucket::new(actions), cut)))
    }

    /// Returns the exclusive upper bound of the current bucket; `None` if it is the last.
    fn next_customer(&mut self) -> Option<CustomerId> {
        match self {
            Source::Apart(buckets) => buckets.peek().map(|bucket| customer_of(bucket.from())),
            // An error at the head is returned with the next bucket; here the smallest customer id stands for it.
            Source::Merged(sorted, _) => {
                sorted.peek().map(|next| next.as_ref().map_or(CustomerId(i64::MIN), |next| next.customer))
            }
        }
    }
}

/// Iterates over the lines of the index or the customer index.
struct Lines<'store, E> {
    leaves: Leaves<'store, E>,
    open: std::vec::IntoIter<(CustomerId, E)>,
}

impl<'store, E: Entry> Lines<'store, E> {
    fn of(leaves: Leaves<'store, E>) -> Self {
        Lines { leaves, open: Vec::new().into_iter() }
    }

    /// Returns the customer of the next line.
    fn head(&mut self) -> Result<Option<CustomerId>> {
        while self.open.as_slice().is_empty() {
            let Some(leaf) = self.leaves.next().transpose()? else { return Ok(None) };
            self.open = leaf.entries.into_iter();
        }
        Ok(self.open.as_slice().first().map(|(customer, _)| *customer))
    }

    /// Returns the next line, if its customer is before `until`.
    fn next_before(&mut self, until: Option<CustomerId>) -> Result<Option<(CustomerId, E)>> {
        match self.head()? {
            Some(customer) if until.is_none_or(|until| customer < until) => Ok(self.open.next()),
            _ => Ok(None),
        }
    }
}
