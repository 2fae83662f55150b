//! Keys: order-preserving bytes. The layout is in the specification of this module's parent.

use crate::error::{Error, Result};
use crate::model::{CustomerId, Day};

/// The first byte of a key.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Keyspace {
    /// The store record and the totals.
    Settings = 0,
    /// One record per batch.
    Batches = 1,
    /// Which (customer, day)s a batch touched.
    Index = 2,
    /// The truth: the actions of a (customer, day, batch).
    Portions = 3,
    /// Derived: the newest actions at the end of a (customer, day).
    Snapshots = 4,
}

/// A key of the store, with meaning.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// The store record.
    Store,
    /// The totals.
    Totals,
    /// The record of a batch.
    Batch(Day),
    /// That a batch brought actions of a customer on a day.
    Index {
        /// The batch that brought them.
        batch: Day,
        /// Whose they are.
        customer: CustomerId,
        /// When they happened.
        day: Day,
    },
    /// The actions that a batch brought of a customer on a day.
    Portion {
        /// Whose they are.
        customer: CustomerId,
        /// When they happened.
        day: Day,
        /// The batch that brought them.
        batch: Day,
    },
    /// A customer's newest actions at the end of a day.
    Snapshot {
        /// Whose they are.
        customer: CustomerId,
        /// At the end of which day.
        day: Day,
    },
}

impl Key {
    /// The bytes of the key, at most 17.
    pub fn encode(self) -> Vec<u8> {
        match self {
            Key::Store => vec![Keyspace::Settings as u8, 0],
            Key::Totals => vec![Keyspace::Settings as u8, 1],
            Key::Batch(batch) => [&[Keyspace::Batches as u8][..], &day_bytes(batch)].concat(),
            Key::Index { batch, customer, day } => {
                [&batch_prefix(batch)[..], &customer_bytes(customer), &complement_bytes(day)].concat()
            }
            Key::Portion { customer, day, batch } => {
                [&customer_prefix(Keyspace::Portions, customer)[..], &complement_bytes(day), &day_bytes(batch)].concat()
            }
            Key::Snapshot { customer, day } => {
                [&customer_prefix(Keyspace::Snapshots, customer)[..], &complement_bytes(day)].concat()
            }
        }
    }

    /// The key with these bytes. Fails on bytes that no key has.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes)
            .ok_or_else(|| Error::corrupt(format!("the store has a key of no known form ({})", hex(bytes))))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (keyspace, mut rest) = bytes.split_first()?;
        let rest = &mut rest;
        let key = match (keyspace, rest.len()) {
            (0, 1) => match take::<1>(rest)? {
                [0] => Key::Store,
                [1] => Key::Totals,
                _ => return None,
            },
            (1, 4) => Key::Batch(take_day(rest)?),
            (2, 16) => {
                Key::Index { batch: take_day(rest)?, customer: take_customer(rest)?, day: take_complement(rest)? }
            }
            (3, 16) => {
                Key::Portion { customer: take_customer(rest)?, day: take_complement(rest)?, batch: take_day(rest)? }
            }
            (4, 12) => Key::Snapshot { customer: take_customer(rest)?, day: take_complement(rest)? },
            _ => return None,
        };
        Some(key)
    }
}

/// What the index keys of one batch begin with.
pub fn batch_prefix(batch: Day) -> [u8; 5] {
    let mut bytes = [Keyspace::Index as u8; 5];
    let (_, tail) = bytes.split_at_mut(1);
    tail.copy_from_slice(&day_bytes(batch));
    bytes
}

/// What the portion or snapshot keys of one customer begin with.
fn customer_prefix(keyspace: Keyspace, customer: CustomerId) -> [u8; 9] {
    let mut bytes = [keyspace as u8; 9];
    let (_, tail) = bytes.split_at_mut(1);
    tail.copy_from_slice(&customer_bytes(customer));
    bytes
}

fn customer_bytes(customer: CustomerId) -> [u8; 8] {
    (customer.0 ^ i64::MIN).to_be_bytes()
}

fn day_bytes(day: Day) -> [u8; 4] {
    (day.number() ^ i32::MIN).to_be_bytes()
}

fn complement_bytes(day: Day) -> [u8; 4] {
    (!(day.number() ^ i32::MIN)).to_be_bytes()
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

fn take_customer(bytes: &mut &[u8]) -> Option<CustomerId> {
    Some(CustomerId(i64::from_be_bytes(take(bytes)?) ^ i64::MIN))
}

fn take_day(bytes: &mut &[u8]) -> Option<Day> {
    Day::from_number(i32::from_be_bytes(take(bytes)?) ^ i32::MIN)
}

fn take_complement(bytes: &mut &[u8]) -> Option<Day> {
    Day::from_number(!i32::from_be_bytes(take(bytes)?) ^ i32::MIN)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = Key> {
        let day = || (0..=Day::LAST.number()).prop_map(|number| Day::from_number(number).unwrap());
        let customer = || any::<i64>().prop_map(CustomerId);
        prop_oneof![
            Just(Key::Store),
            Just(Key::Totals),
            day().prop_map(Key::Batch),
            (day(), customer(), day()).prop_map(|(batch, customer, day)| Key::Index { batch, customer, day }),
            (customer(), day(), day()).prop_map(|(customer, day, batch)| Key::Portion { customer, day, batch }),
            (customer(), day()).prop_map(|(customer, day)| Key::Snapshot { customer, day }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(key in any_key()) {
            prop_assert_eq!(Key::decode(&key.encode()).unwrap(), key);
        }

        #[test]
        fn any_bytes_are_a_key_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), bytes);
            }
        }

        #[test]
        fn snapshots_stand_by_customer_then_newest_day(a in any::<i64>(), b in any::<i64>(), x in 0..99, y in 0..99) {
            let bytes = |customer, day| Key::Snapshot { customer: CustomerId(customer), day: Day::from_number(day).unwrap() }.encode();
            prop_assert_eq!(bytes(a, x).cmp(&bytes(b, y)), (a, -x).cmp(&(b, -y)));
        }
    }
}
