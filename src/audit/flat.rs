//! The lists of the flat layout, made again from single items: all items of a customer, sorted and grouped in memory.

use super::raw::{Place, RawImpression};
use crate::error::Result;
use crate::model::Impression;
use crate::resources::Resources;
use crate::sort::{Fields, Record, Sorter, put_text};

/// An item of a list. The derived order is that of a list: by position, those without one last, then item and label.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct RawItem {
    ranking_id: Option<String>,
    has_no_position: bool,
    position: Option<i64>,
    element: (i64, i32),
    place: Place,
}

impl RawItem {
    /// Returns the item of a row.
    pub(super) fn of(impression: Impression, position: Option<i64>, place: Place) -> Option<Self> {
        let element = impression.elements.first().map(|element| (element.item_id, element.label))?;
        let ranking_id = impression.ranking_id;
        Some(RawItem { ranking_id, has_no_position: position.is_none(), position, element, place })
    }

    /// The size of its text.
    pub(super) fn text_bytes(&self) -> usize {
        self.ranking_id.as_ref().map_or(0, String::capacity)
    }
}

/// Makes lists of the items of a customer; each stands where its first item does.
pub(super) fn lists(mut items: Vec<RawItem>) -> Vec<RawImpression> {
    items.sort_unstable();
    let mut lists: Vec<RawImpression> = Vec::new();
    for RawItem { ranking_id, element, place, .. } in items {
        match lists.last_mut().filter(|last| ranking_id.is_some() && last.ranking_id == ranking_id) {
            Some(last) => last.elements.push(element),
            None => lists.push(RawImpression { ranking_id, elements: vec![element], place }),
        }
    }
    lists
}

/// Counts the lists of a day.
pub(super) struct ListCount {
    named: Sorter<ListName>,
    unnamed: u64,
}

impl ListCount {
    /// Memory: the budget of an audit, and scratch files beyond it.
    pub(super) fn new(resources: &Resources) -> Self {
        ListCount { named: Sorter::new(resources.audit_bytes(), resources.scratch(), resources), unnamed: 0 }
    }

    /// Counts the list of an item, if it is another one.
    pub(super) fn add(&mut self, customer: i64, ranking_id: Option<String>) -> Result<()> {
        match ranking_id {
            Some(ranking_id) => self.named.push(ListName { customer, ranking_id }),
            None => {
                self.unnamed += 1;
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> Result<u64> {
        let (mut count, mut last) = (self.unnamed, None);
        for name in self.named.finish()? {
            let name = Some(name?);
            count += u64::from(name != last);
            last = name;
        }
        Ok(count)
    }
}

/// What tells lists apart.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct ListName {
    customer: i64,
    ranking_id: String,
}

impl Record for ListName {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.customer.to_le_bytes());
        put_text(Some(&self.ranking_id), bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let name = ListName { customer: i64::from_le_bytes(fields.take()?), ranking_id: fields.text()?? };
        fields.end(name)
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() * 5 / 4 + self.ranking_id.capacity()
    }

    fn absorb(&mut self, following: &Self) -> bool {
        self == following
    }

    fn sort_key(&self) -> u64 {
        (self.customer ^ i64::MIN).cast_unsigned()
    }
}
