//! How impressions are sorted and spilled; their order is `Impression`'s own.

use crate::model::{CustomerId, Element, Impression};
use crate::sort::Record;

impl Record for Impression {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let Impression { customer, ranking_id, elements } = self;
        bytes.extend_from_slice(&customer.0.to_le_bytes());
        bytes.extend_from_slice(&(elements.len() as u64).to_le_bytes());
        for Element { item_id, label } in elements {
            bytes.extend_from_slice(&item_id.to_le_bytes());
            bytes.extend_from_slice(&label.to_le_bytes());
        }
        // The ranking id is last, so the record's end is its end; the byte before it tells null from empty.
        bytes.push(u8::from(ranking_id.is_some()));
        bytes.extend_from_slice(ranking_id.as_deref().unwrap_or_default().as_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (customer, bytes) = bytes.split_first_chunk()?;
        let (length, mut bytes) = bytes.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let mut elements = Vec::with_capacity(length.min(bytes.len() / 12));
        for _ in 0..length {
            let (item_id, rest) = bytes.split_first_chunk()?;
            let (label, rest) = rest.split_first_chunk()?;
            elements.push(Element { item_id: i64::from_le_bytes(*item_id), label: i32::from_le_bytes(*label) });
            bytes = rest;
        }
        let (present, text) = bytes.split_first()?;
        let text = String::from_utf8(text.to_vec()).ok()?;
        let ranking_id = (*present == 1).then_some(text);
        Some(Impression { customer: CustomerId(i64::from_le_bytes(*customer)), ranking_id, elements })
    }

    fn memory_bytes(&self) -> usize {
        let text = self.ranking_id.as_ref().map_or(0, String::capacity);
        std::mem::size_of::<Self>() + text + self.elements.capacity() * std::mem::size_of::<Element>()
    }

    fn sort_key(&self) -> u64 {
        (self.customer.0 ^ i64::MIN).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spilled_impressions_come_back(
            customer in any::<i64>(),
            ranking_id in proptest::option::of(".{0,9}"),
            fields in proptest::collection::vec((any::<i64>(), 0..=1), 0..9),
        ) {
            let elements = fields.into_iter().map(|(item_id, label)| Element { item_id, label }).collect();
            let impression = Impression { customer: CustomerId(customer), ranking_id, elements };
            let mut bytes = Vec::new();
            impression.encode(&mut bytes);
            prop_assert_eq!(Impression::decode(&bytes), Some(impression));
        }
    }
}
