//! The record that ingesting sorts: an action with its customer and day.

use std::cmp::Ordering;

use crate::history::newest_first;
use crate::input::ReadAction;
use crate::model::{Action, ActionType, CustomerId, Day};
use crate::sort::{Fields, Record};

/// An action on its way into the store, in 32 bytes. Ordered by customer, then newest first, and so newest day first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DatedAction {
    pub customer: CustomerId,
    time_us: i64,
    item_id: i64,
    pub day: Day,
    action_type: ActionType,
}

impl DatedAction {
    /// Returns the number of its type.
    pub(super) fn type_number(&self) -> u8 {
        self.action_type.number()
    }
}

impl From<DatedAction> for Action {
    fn from(dated: DatedAction) -> Self {
        let DatedAction { time_us, item_id, action_type, .. } = dated;
        Action { time_us, item_id, action_type }
    }
}

impl From<ReadAction> for DatedAction {
    fn from(read: ReadAction) -> Self {
        let ReadAction { customer, action: Action { time_us, item_id, action_type }, day } = read;
        DatedAction { customer, time_us, item_id, day, action_type }
    }
}

impl Ord for DatedAction {
    fn cmp(&self, other: &Self) -> Ordering {
        let leading = |one: &Self| (one.sort_key(), one.low_sort_key());
        match leading(self).cmp(&leading(other)) {
            Ordering::Equal => newest_first(&(*self).into(), &(*other).into()),
            decided => decided,
        }
    }
}

impl PartialOrd for DatedAction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Record for DatedAction {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let DatedAction { customer, time_us, item_id, day, action_type } = self;
        bytes.extend_from_slice(&customer.0.to_le_bytes());
        bytes.extend_from_slice(&time_us.to_le_bytes());
        bytes.extend_from_slice(&item_id.to_le_bytes());
        bytes.extend_from_slice(&day.number().to_le_bytes());
        bytes.push(action_type.number());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let dated = DatedAction {
            customer: CustomerId(i64::from_le_bytes(fields.take()?)),
            time_us: i64::from_le_bytes(fields.take()?),
            item_id: i64::from_le_bytes(fields.take()?),
            day: Day::from_number(i32::from_le_bytes(fields.take()?))?,
            action_type: ActionType::from_number(u8::from_le_bytes(fields.take()?))?,
        };
        fields.end(dated)
    }

    fn memory_bytes(&self) -> usize {
        // Spreading records over buckets takes a quarter more.
        std::mem::size_of::<Self>() * 5 / 4
    }

    fn sort_key(&self) -> u64 {
        sort_key_of(self.customer)
    }

    fn low_sort_key(&self) -> u64 {
        (!self.time_us ^ i64::MIN).cast_unsigned()
    }
}

/// Returns the sort key of a customer's actions.
pub(super) fn sort_key_of(customer: CustomerId) -> u64 {
    (customer.0 ^ i64::MIN).cast_unsigned()
}

/// Returns the customer whose actions have this sort key.
pub(super) fn customer_of(leading: u64) -> CustomerId {
    CustomerId(leading.cast_signed() ^ i64::MIN)
}
