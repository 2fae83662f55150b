//! The order of a partition's rows.

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::{Day, Impression};
use crate::message::named;

named! {
    /// The kinds of order.
    #[derive(Default, Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OrderKind {
        /// By customer, ranking id (null first), list; each list in its own order.
        #[default]
        Customer = "customer",
        /// All rows shuffled.
        Shuffled = "shuffled",
        /// Impressions shuffled; the rows of an impression stay together, in the order of its list.
        Carousel = "carousel",
    }
    ALL
}

/// The order of a partition's rows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum RowOrder {
    /// [`OrderKind::Customer`].
    #[default]
    Customer,
    /// [`OrderKind::Shuffled`], with this seed.
    Shuffled(u64),
    /// [`OrderKind::Carousel`], with this seed.
    Carousel(u64),
}

impl RowOrder {
    /// Returns the order of this kind; `None` for the order by customer with a seed, which has no use for a seed. The
    /// default seed is 0.
    pub fn of(kind: OrderKind, seed: Option<u64>) -> Option<Self> {
        match (kind, seed) {
            (OrderKind::Customer, None) => Some(RowOrder::Customer),
            (OrderKind::Customer, Some(_)) => None,
            (OrderKind::Shuffled, seed) => Some(RowOrder::Shuffled(seed.unwrap_or(0))),
            (OrderKind::Carousel, seed) => Some(RowOrder::Carousel(seed.unwrap_or(0))),
        }
    }

    /// Returns the kind of the order.
    pub fn kind(self) -> OrderKind {
        match self {
            RowOrder::Customer => OrderKind::Customer,
            RowOrder::Shuffled(_) => OrderKind::Shuffled,
            RowOrder::Carousel(_) => OrderKind::Carousel,
        }
    }

    /// Returns the seed of a shuffled order.
    pub fn seed(self) -> Option<u64> {
        match self {
            RowOrder::Customer => None,
            RowOrder::Shuffled(seed) | RowOrder::Carousel(seed) => Some(seed),
        }
    }
}

/// The sort key of an impression or row in a shuffled order: ascending within a day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct OrderKey(pub u128);

/// Computes the sort keys of an impression and its rows in a shuffled order.
///
/// The key is SipHash-2-4 with 128 bits of the hashed value, keyed with the seed, so it depends on that value alone.
/// All integers are little-endian: the day as days since 1970-01-01 (4 bytes), customer (8), ranking id (0, or 1 with
/// its length in 8 bytes and its text), number of elements (8) and each element (item 8, label 4), then the ordinal
/// among equal impressions, from 0 (8); and in a shuffled order the position of the row in the list (4). The hash key
/// is the seed and then the epoch: 0 for a partition, and for a training reader as often as it has read the day before.
///
/// Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    hasher: SipHasher24,
}

impl Places {
    /// Returns the keys of an impression of `dt` that `copy` equal impressions precede, in a partition.
    pub(crate) fn of(seed: u64, dt: Day, impression: &Impression, copy: u64) -> Self {
        Self::of_epoch(seed, 0, dt, impression, copy)
    }

    /// Returns the same keys in an epoch.
    pub(crate) fn of_epoch(seed: u64, epoch: u64, dt: Day, impression: &Impression, copy: u64) -> Self {
        let Impression { customer, ranking_id, elements } = impression;
        let mut hasher = SipHasher24::new_with_keys(seed, epoch);
        hasher.write(&dt.number().to_le_bytes());
        hasher.write(&customer.0.to_le_bytes());
        match ranking_id {
            None => hasher.write(&[0]),
            Some(text) => {
                hasher.write(&[1]);
                hasher.write(&(text.len() as u64).to_le_bytes());
                hasher.write(text.as_bytes());
            }
        }
        hasher.write(&(elements.len() as u64).to_le_bytes());
        for element in elements {
            hasher.write(&element.item_id.to_le_bytes());
            hasher.write(&element.label.to_le_bytes());
        }
        hasher.write(&copy.to_le_bytes());
        Places { hasher }
    }

    /// Returns the key of the whole impression.
    pub(crate) fn whole(&self) -> OrderKey {
        OrderKey(self.hasher.finish128().as_u128())
    }

    /// Returns the key of one row of the impression.
    pub(crate) fn row(&self, position: i32) -> OrderKey {
        let mut hasher = self.hasher;
        hasher.write(&position.to_le_bytes());
        OrderKey(hasher.finish128().as_u128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CustomerId, Element};

    /// The bytes as the documentation lists them, hashed at once.
    #[test]
    fn a_place_is_the_hash_of_the_bytes_that_are_documented() {
        let elements = vec![Element { item_id: 5, label: 1 }, Element { item_id: -2, label: 0 }];
        let impression = Impression { customer: CustomerId(-7), ranking_id: Some("ä".to_owned()), elements };
        let dt = Day::from_number(20_000).unwrap();
        let mut bytes = Vec::new();
        bytes.extend(20_000_i32.to_le_bytes());
        bytes.extend((-7_i64).to_le_bytes());
        bytes.push(1);
        bytes.extend(2_u64.to_le_bytes());
        bytes.extend("ä".bytes());
        bytes.extend(2_u64.to_le_bytes());
        bytes.extend(5_i64.to_le_bytes());
        bytes.extend(1_i32.to_le_bytes());
        bytes.extend((-2_i64).to_le_bytes());
        bytes.extend(0_i32.to_le_bytes());
        bytes.extend(3_u64.to_le_bytes());
        let hash = |bytes: &[u8]| OrderKey(SipHasher24::new_with_keys(9, 0).hash(bytes).as_u128());
        let fourth = SipHasher24::new_with_keys(9, 4).hash(&bytes).as_u128();
        let places = Places::of(9, dt, &impression, 3);
        assert_eq!(places.whole(), hash(&bytes));
        assert_eq!(Places::of_epoch(9, 4, dt, &impression, 3).whole(), OrderKey(fourth));
        bytes.extend(1_i32.to_le_bytes());
        assert_eq!(places.row(1), hash(&bytes));
        let unnamed = Impression { ranking_id: None, ..impression };
        assert_ne!(Places::of(9, dt, &unnamed, 3).whole(), places.whole());
    }

    #[test]
    fn a_seed_belongs_to_an_order_by_chance() {
        assert_eq!(RowOrder::of(OrderKind::Customer, Some(1)), None);
        assert_eq!(RowOrder::of(OrderKind::Carousel, None), Some(RowOrder::Carousel(0)));
        for order in [RowOrder::Customer, RowOrder::Shuffled(3), RowOrder::Carousel(u64::MAX)] {
            assert_eq!(RowOrder::of(order.kind(), order.seed()), Some(order));
        }
    }
}
