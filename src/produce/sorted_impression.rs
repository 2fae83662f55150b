//! How impressions are sorted and spilled; their order is `Impression`'s own.

use crate::model::{CustomerId, Element, Impression};
use crate::sort::{Fields, Record, put_text};

impl Record for Impression {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let Impression { customer, ranking_id, elements } = self;
        bytes.extend_from_slice(&customer.0.to_le_bytes());
        bytes.extend_from_slice(&(elements.len() as u64).to_le_bytes());
        for Element { item_id, label } in elements {
            bytes.extend_from_slice(&item_id.to_le_bytes());
            bytes.extend_from_slice(&label.to_le_bytes());
        }
        put_text(ranking_id.as_deref(), bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let customer = CustomerId(i64::from_le_bytes(fields.take()?));
        let length = usize::try_from(u64::from_le_bytes(fields.take()?)).ok()?;
        let mut elements = Vec::with_capacity(length.min(bytes.len() / 12));
        for _ in 0..length {
            let (item_id, label) = (fields.take()?, fields.take()?);
            elements.push(Element { item_id: i64::from_le_bytes(item_id), label: i32::from_le_bytes(label) });
        }
        let ranking_id = fields.text()?;
        fields.end(Impression { customer, ranking_id, elements })
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
