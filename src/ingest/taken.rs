//! Actions of a batch on their way to the sorter.

use super::admission::{Admission, LeftOut};
use super::dated_action::DatedAction;
use crate::error::Result;
use crate::exact::of_byte_mut;
use crate::input::ReadAction;
use crate::model::{Day, TypeCounts};
use crate::sort::{Feed, SharedSorter};

/// Where admitted actions go.
pub(super) struct Destination<'a> {
    pub dt: Day,
    pub admission: &'a Admission,
    pub sorter: &'a SharedSorter<DatedAction>,
}

/// Actions on their way to the sorter, with their counts.
pub(super) struct Taking<'a> {
    destination: &'a Destination<'a>,
    feed: Feed<'a, DatedAction>,
    /// An array indexed by the type's number, since each action is counted in it.
    types: [u64; 256],
    counts: Taken,
}

/// The counts of actions that were taken.
#[derive(Clone, Copy, Default)]
pub(super) struct Taken {
    pub late: u64,
    pub early: u64,
    pub left_out: LeftOut,
}

impl<'a> Taking<'a> {
    /// Begins to take actions, on one thread.
    pub(super) fn begin(destination: &'a Destination<'a>) -> Result<Self> {
        Ok(Taking { destination, feed: destination.sorter.feed()?, types: [0; 256], counts: Taken::default() })
    }

    /// Counts an action, and takes it if the store admits it.
    pub(super) fn take(&mut self, action: ReadAction) -> Result<()> {
        let Destination { dt, admission, .. } = self.destination;
        *of_byte_mut(&mut self.types, action.action.action_type.number()) += 1;
        if action.day != *dt {
            self.counts.late += u64::from(action.day < *dt);
            self.counts.early += u64::from(action.day > *dt);
        }
        if !admission.admits(action.customer, action.day, &mut self.counts.left_out) {
            return Ok(());
        }
        self.feed.push(DatedAction::from(action))
    }

    /// Hands over the last actions.
    pub(super) fn finish(self) -> Result<(TypeCounts, Taken)> {
        self.feed.finish()?;
        Ok(((0..=u8::MAX).zip(self.types).collect(), self.counts))
    }
}
