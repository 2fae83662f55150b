//! An action with its customer and day, as it is sorted.

use std::cmp::Ordering;

use crate::files::ReadAction;
use crate::history::newest_first;
use crate::model::{Action, ActionType, CustomerId, Day};
use crate::sort::{Record, sort_by_leading};

/// An action on its way into the store. Ordered by customer, then newest first, which is also newest day first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DatedAction(pub ReadAction);

impl Ord for DatedAction {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, other) = (&self.0, &other.0);
        one.customer.cmp(&other.customer).then_with(|| newest_first(&one.action, &other.action))
    }
}

impl PartialOrd for DatedAction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Record for DatedAction {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let ReadAction { customer, action: Action { time_us, item_id, action_type }, day } = self.0;
        bytes.extend_from_slice(&customer.0.to_le_bytes());
        bytes.extend_from_slice(&time_us.to_le_bytes());
        bytes.extend_from_slice(&item_id.to_le_bytes());
        bytes.extend_from_slice(&day.number().to_le_bytes());
        bytes.push(action_type.number());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (customer, bytes) = bytes.split_first_chunk()?;
        let (time_us, bytes) = bytes.split_first_chunk()?;
        let (item_id, bytes) = bytes.split_first_chunk()?;
        let (day, bytes) = bytes.split_first_chunk()?;
        let [action_type] = bytes else { return None };
        let action = Action {
            time_us: i64::from_le_bytes(*time_us),
            item_id: i64::from_le_bytes(*item_id),
            action_type: ActionType::from_number(*action_type)?,
        };
        let customer = CustomerId(i64::from_le_bytes(*customer));
        Some(DatedAction(ReadAction { customer, action, day: Day::from_number(i32::from_le_bytes(*day))? }))
    }

    fn memory_bytes(&self) -> usize {
        // Sorted into a copy.
        2 * std::mem::size_of::<Self>()
    }

    fn sort(records: &mut Vec<Self>) {
        sort_by_leading(records, |record| (record.0.customer.0 ^ i64::MIN).cast_unsigned());
    }
}
