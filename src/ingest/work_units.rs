//! Dealing out a load: ranges of customers, each with all that one thread needs to work on it.

use std::iter::Peekable;

use super::dated_action::{DatedAction, customer_of, sort_key_of};
use crate::error::Result;
use crate::format::{CustomerState, Entry, TouchedDay};
use crate::model::{CustomerId, Day};
use crate::sort::{BUCKET_RECORDS, Bucket, Buckets, Sorted};
use crate::store::{Leaves, Store};

/// Customers of the customer index that one work unit has at most.
const CUSTOMER_INDEX_LINES_MAX: usize = 4_096;

/// A range of customers.
pub(super) struct WorkUnit {
    /// The actions that the batch brings of them, in no order.
    pub brought: Bucket<DatedAction>,
    /// The days that the batch held so far touched, of each customer the newest first.
    pub held: Vec<(CustomerId, TouchedDay)>,
    /// All of them that the store has, whether the batch changes them or not.
    pub customer_index: Vec<(CustomerId, CustomerState)>,
    /// What the batch brings beyond `brought`.
    pub cut: Cut,
}

/// Actions that were not dealt out, since of their customer and day `max_history` newer ones were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Cut {
    /// All of them.
    pub actions: u64,
    /// Of them, those that are equal to the action before them.
    pub duplicates: u64,
}

/// Deals out all customers, range by range, ascending.
///
/// Memory: what the buckets take, and one leaf each of index and customer index. A work unit has at most 4,096
/// customers of the customer index, and one bucket, which has some 4,096 actions or those of one customer; buckets
/// merged from disk, no more than `max_history` of them for each day.
pub(super) struct WorkUnits<'store> {
    buckets: Source,
    /// What is left of a bucket that had to be cut.
    left: Option<Bucket<DatedAction>>,
    held: Lines<'store, TouchedDay>,
    customer_index: Lines<'store, CustomerState>,
    is_dealt: bool,
}

impl<'store> WorkUnits<'store> {
    /// The work units of a batch that brings `buckets`.
    pub fn new(store: &'store Store, batch: Day, buckets: Buckets<DatedAction>) -> Self {
        let buckets = match buckets {
            Buckets::Apart(buckets) => Source::Apart(buckets.peekable()),
            Buckets::Merged(sorted) => Source::Merged(Box::new(sorted.peekable()), store.settings().max_history),
        };
        let (held, customer_index) = (Lines::of(store.touched_by(batch)), Lines::of(store.customer_index()));
        WorkUnits { buckets, left: None, held, customer_index, is_dealt: false }
    }

    /// The next work unit; `None` when all are dealt out.
    pub fn next_unit(&mut self) -> Result<Option<WorkUnit>> {
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
                let (before, behind) = brought.cut(sort_key_of(next));
                (brought, self.left, until) = (before, Some(behind), Some(next));
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
enum Source {
    Apart(Peekable<std::vec::IntoIter<Bucket<DatedAction>>>),
    /// Merged from disk, with `max_history`.
    Merged(Box<Peekable<Box<Sorted<DatedAction>>>>, usize),
}

impl Source {
    fn bucket(&mut self) -> Result<Option<(Bucket<DatedAction>, Cut)>> {
        let (sorted, max_history) = match self {
            Source::Apart(buckets) => return Ok(buckets.next().map(|bucket| (bucket, Cut::default()))),
            Source::Merged(sorted, max_history) => (sorted, *max_history),
        };
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
            let goes_on = actions.last().is_some_and(|last| (last.customer, last.day) == (next.customer, next.day));
            of_day = if goes_on { of_day + 1 } else { 1 };
            if of_day <= max_history {
                actions.push(next);
            } else {
                cut.actions += 1;
                cut.duplicates += u64::from(last == Some(next));
            }
            last = Some(next);
        }
        Ok((!actions.is_empty()).then(|| (Bucket::new(actions), cut)))
    }

    /// Before which customer the bucket given last ends; `None` if it was the last.
    fn next_customer(&mut self) -> Option<CustomerId> {
        match self {
            Source::Apart(buckets) => buckets.peek().map(|bucket| customer_of(bucket.from())),
            // An error at the head comes out with the next bucket; the first customer of all stands for it.
            Source::Merged(sorted, _) => {
                sorted.peek().map(|next| next.as_ref().map_or(CustomerId(i64::MIN), |next| next.customer))
            }
        }
    }
}

/// The lines of index or customer index.
struct Lines<'store, E> {
    leaves: Leaves<'store, E>,
    open: std::vec::IntoIter<(CustomerId, E)>,
}

impl<'store, E: Entry> Lines<'store, E> {
    fn of(leaves: Leaves<'store, E>) -> Self {
        Lines { leaves, open: Vec::new().into_iter() }
    }

    /// Whose line is next.
    fn head(&mut self) -> Result<Option<CustomerId>> {
        while self.open.as_slice().is_empty() {
            let Some(leaf) = self.leaves.next().transpose()? else { return Ok(None) };
            self.open = leaf.entries.into_iter();
        }
        Ok(self.open.as_slice().first().map(|(customer, _)| *customer))
    }

    /// The next line, if it is of a customer before `until`.
    fn next_before(&mut self, until: Option<CustomerId>) -> Result<Option<(CustomerId, E)>> {
        match self.head()? {
            Some(customer) if until.is_none_or(|until| customer < until) => Ok(self.open.next()),
            _ => Ok(None),
        }
    }
}
