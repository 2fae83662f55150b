//! Keys as order-preserving bytes. For the layout, see the specification in the parent module.

use std::ops::Deref;

use super::erasure::Token;
use crate::error::{Error, Result};
use crate::exact::at_most;
use crate::model::{CustomerId, Day};

/// The first byte of a key. A format version that moves keys uses bytes that the version before did not, so that a
/// migration can write new keys beside the old ones; version 1 had 1 to 4.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub(crate) enum Keyspace {
    /// The store record, in every format version.
    Settings = 0,
    /// Deltas, which are the source data, and keyframes between them.
    History = 0x11,
    /// The batch index: which (customer, day)s each batch touched.
    Index = 0x12,
    /// The customer index: all customers.
    CustomerIndex = 0x13,
    /// One record per batch.
    Batches = 0x14,
    /// Counts over the whole store.
    Totals = 0x15,
    /// The block list of forgotten customers.
    BlockList = 0x16,
    /// The first day that a pruned store still has.
    Horizon = 0x17,
    /// Present while table files may still contain removed keys.
    Purge = 0x18,
    /// The names of the action types.
    Types = 0x19,
    /// The time zone rules by which days begin.
    ZoneRules = 0x1a,
    /// What ids are in the input.
    Ids = 0x1b,
    /// Present in a store whose histories hold equal actions once.
    DropDuplicates = 0x1c,
}

/// A decoded key of the store.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// The store record.
    Store,
    /// The actions of a customer on a day that one batch brought.
    Delta {
        /// Whose they are.
        customer: CustomerId,
        /// The day on which they happened.
        day: Day,
        /// The batch that brought them.
        batch: Day,
    },
    /// A customer's newest actions from before a day.
    Keyframe {
        /// Whose they are.
        customer: CustomerId,
        /// The day that they are before.
        day: Day,
    },
    /// A leaf of the batch index.
    Index {
        /// The batch.
        batch: Day,
        /// Where the leaf begins.
        first: CustomerId,
    },
    /// A leaf of the customer index.
    CustomerIndex {
        /// Where the leaf begins.
        first: CustomerId,
    },
    /// The record of a batch.
    Batch(Day),
    /// The totals.
    Totals,
    /// The record of the block list.
    BlockList,
    /// A forgotten customer.
    Forgotten(Token),
    /// The horizon.
    Horizon,
    /// The purge record.
    Purge,
    /// The table of types.
    Types,
    /// The rules of the store's time zone.
    ZoneRules,
    /// What ids are in the input.
    Ids,
    /// The mark of a store whose histories hold equal actions once.
    DropDuplicates,
}

/// Maximum size of a key.
const KEY_BYTES_MAX: usize = 17;

/// The last byte of a keyframe's key, which sorts it after all deltas of its day.
const KEYFRAME: u8 = 0xff;

/// The bytes of one key.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyBytes {
    bytes: [u8; KEY_BYTES_MAX],
    length: u8,
}

impl KeyBytes {
    fn of(keyspace: Keyspace) -> Self {
        KeyBytes::default().then(&[keyspace as u8])
    }

    fn then(mut self, more: &[u8]) -> Self {
        let rest = self.bytes.iter_mut().skip(usize::from(self.length));
        for (to, from) in rest.zip(more) {
            *to = *from;
            self.length += 1;
        }
        self
    }
}

impl Deref for KeyBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        at_most(&self.bytes, self.length.into())
    }
}

impl AsRef<[u8]> for KeyBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Key {
    /// Returns the bytes of the key.
    pub fn encode(self) -> KeyBytes {
        match self {
            Key::Store => KeyBytes::of(Keyspace::Settings).then(&[0]),
            Key::Delta { customer, day, batch } => {
                let key = history_prefix(customer).then(&complement_bytes(day));
                if batch == day { key } else { key.then(&lag_bytes(batch.number() - day.number())) }
            }
            Key::Keyframe { customer, day } => history_prefix(customer).then(&complement_bytes(day)).then(&[KEYFRAME]),
            Key::Index { batch, first } => index_prefix(batch).then(&customer_bytes(first)),
            Key::CustomerIndex { first } => KeyBytes::of(Keyspace::CustomerIndex).then(&customer_bytes(first)),
            Key::Batch(batch) => KeyBytes::of(Keyspace::Batches).then(&day_bytes(batch)),
            Key::Totals => KeyBytes::of(Keyspace::Totals),
            Key::BlockList => KeyBytes::of(Keyspace::BlockList),
            Key::Forgotten(token) => KeyBytes::of(Keyspace::BlockList).then(&token),
            Key::Horizon => KeyBytes::of(Keyspace::Horizon),
            Key::Purge => KeyBytes::of(Keyspace::Purge),
            Key::Types => KeyBytes::of(Keyspace::Types),
            Key::ZoneRules => KeyBytes::of(Keyspace::ZoneRules),
            Key::Ids => KeyBytes::of(Keyspace::Ids),
            Key::DropDuplicates => KeyBytes::of(Keyspace::DropDuplicates),
        }
    }

    /// Returns the key with these bytes. Fails on bytes that no key has.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes)
            .ok_or_else(|| Error::corrupt(format!("the store has a key of unknown form ({})", hex(bytes))))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (keyspace, mut rest) = bytes.split_first()?;
        let rest = &mut rest;
        let key = match (keyspace, rest.len()) {
            (0, 1) if **rest == [0] => Key::Store,
            (0x11, 12..=16) => {
                let (customer, day) = (take_customer(rest)?, take_complement(rest)?);
                match rest {
                    [] => Key::Delta { customer, day, batch: day },
                    [KEYFRAME] => Key::Keyframe { customer, day },
                    _ => {
                        let lag = i32::from_be_bytes(take(rest)?) ^ i32::MIN;
                        let batch = day.number().checked_add(lag).filter(|_| lag != 0).and_then(Day::from_number)?;
                        Key::Delta { customer, day, batch }
                    }
                }
            }
            (0x12, 12) => Key::Index { batch: take_day(rest)?, first: take_customer(rest)? },
            (0x13, 8) => Key::CustomerIndex { first: take_customer(rest)? },
            (0x14, 4) => Key::Batch(take_day(rest)?),
            (0x15, 0) => Key::Totals,
            (0x16, 0) => Key::BlockList,
            (0x16, 16) => Key::Forgotten(take(rest)?),
            (0x17, 0) => Key::Horizon,
            (0x18, 0) => Key::Purge,
            (0x19, 0) => Key::Types,
            (0x1a, 0) => Key::ZoneRules,
            (0x1b, 0) => Key::Ids,
            (0x1c, 0) => Key::DropDuplicates,
            _ => return None,
        };
        Some(key)
    }
}

/// Length of the prefix that all history keys of a customer have: keyspace and customer.
pub(crate) const HISTORY_PREFIX_BYTES: usize = 9;

/// The length of the shortest key of a history: keyspace, customer and day.
pub(crate) const HISTORY_KEY_BYTES_MIN: usize = HISTORY_PREFIX_BYTES + 4;

/// Maximum size of a history key.
pub(crate) const HISTORY_KEY_BYTES_MAX: usize = 17;

/// Returns the bytes of a history key after the keyspace as a big-endian number, which preserves the order of keys. The
/// upper half is the customer. Keys of earlier keyspaces give 0, those of later keyspaces `None`.
///
/// A truncated key counts as padded with zero bytes.
#[inline]
pub(crate) fn history_number(key: &[u8]) -> Option<u128> {
    match key.split_first() {
        Some((keyspace, rest)) if *keyspace == Keyspace::History as u8 => Some(match rest.split_first_chunk::<8>() {
            // Most keys are those of timely deltas.
            Some((customer, [a, b, c, d])) => {
                let day = u32::from_be_bytes([*a, *b, *c, *d]);
                u128::from(u64::from_be_bytes(*customer)) << 64 | u128::from(day) << 32
            }
            _ => {
                let mut bytes = [0; 16];
                bytes.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                u128::from_be_bytes(bytes)
            }
        }),
        Some((keyspace, _)) if *keyspace > Keyspace::History as u8 => None,
        _ => Some(0),
    }
}

/// Returns the history key of this size that has this number: the inverse of [`history_number`].
pub(crate) fn history_key(number: u128, length: u8) -> KeyBytes {
    let mut bytes = [Keyspace::History as u8; KEY_BYTES_MAX];
    let [_, rest @ ..] = &mut bytes;
    *rest = number.to_be_bytes();
    KeyBytes { bytes, length }
}

/// Returns the prefix of the history keys of one customer.
pub(crate) fn history_prefix(customer: CustomerId) -> KeyBytes {
    KeyBytes::of(Keyspace::History).then(&customer_bytes(customer))
}

/// Returns the prefix of the index keys of one batch.
pub(crate) fn index_prefix(batch: Day) -> KeyBytes {
    KeyBytes::of(Keyspace::Index).then(&day_bytes(batch))
}

fn customer_bytes(customer: CustomerId) -> [u8; 8] {
    (customer.0 ^ i64::MIN).to_be_bytes()
}

fn lag_bytes(lag: i32) -> [u8; 4] {
    (lag ^ i32::MIN).to_be_bytes()
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

/// Returns the first 32 bytes of a key in hexadecimal digits; every known key is shorter.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    fn any_key() -> impl Strategy<Value = Key> {
        let any_day = || prop_oneof![(0..=Day::LAST.number()), 20_000..20_003].prop_map(day);
        let customer = || any::<i64>().prop_map(CustomerId);
        prop_oneof![
            Just(Key::Store),
            Just(Key::Totals),
            Just(Key::BlockList),
            any::<[u8; 16]>().prop_map(Key::Forgotten),
            Just(Key::Horizon),
            Just(Key::Purge),
            Just(Key::Types),
            Just(Key::ZoneRules),
            Just(Key::Ids),
            Just(Key::DropDuplicates),
            any_day().prop_map(Key::Batch),
            (any_day(), customer()).prop_map(|(batch, first)| Key::Index { batch, first }),
            customer().prop_map(|first| Key::CustomerIndex { first }),
            (customer(), any_day(), any_day()).prop_map(|(customer, day, batch)| Key::Delta { customer, day, batch }),
            (customer(), any_day()).prop_map(|(customer, day)| Key::Keyframe { customer, day }),
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
                prop_assert_eq!(&*key.encode(), &bytes[..]);
            }
        }

        #[test]
        fn history_stands_by_customer_then_newest_day(a in any::<i64>(), b in any::<i64>(), x in 0..99, y in 0..99, lag in 0..99) {
            let bytes = |customer, on, lag| {
                Key::Delta { customer: CustomerId(customer), day: day(on), batch: day(on + lag) }.encode()
            };
            prop_assert_eq!(bytes(a, x, lag) < bytes(b, y, 0), (a, -x) < (b, -y));
        }
    }

    proptest! {
        #[test]
        fn numbers_stand_as_keys_do(one in any_key(), other in any_key(), cut in 0..18_usize) {
            let (one, other) = (one.encode(), other.encode());
            let place = |key: &[u8]| history_number(key).unwrap_or(u128::MAX);
            prop_assert!(one.len() <= HISTORY_KEY_BYTES_MAX || history_number(&one).is_none_or(|number| number == 0));
            if *one <= *other {
                prop_assert!(place(&one) <= place(&other));
            }
            let is_history = |key: &[u8]| key.starts_with(&[0x11]);
            if is_history(&one) && is_history(&other) {
                prop_assert_eq!((*one).cmp(&*other), place(&one).cmp(&place(&other)));
                prop_assert_eq!(&*history_key(place(&one), one.length), &*one);
            }
            // The last key of a block may be truncated.
            let cut = &one[..cut.min(one.len())];
            prop_assert!((cut <= &*other || place(cut) >= place(&other)) && (cut >= &*other || place(cut) <= place(&other)));
        }
    }

    #[test]
    fn on_a_day_the_timely_delta_stands_first_and_the_keyframe_last() {
        let customer = CustomerId(7);
        let delta = |batch| Key::Delta { customer, day: day(500), batch: day(batch) }.encode();
        let keyframe = Key::Keyframe { customer, day: day(500) }.encode();
        let before = Key::Delta { customer, day: day(499), batch: day(499) }.encode();
        let keys = [delta(500), delta(0), delta(499), delta(501), delta(Day::LAST.number()), keyframe, before];
        assert!(keys.is_sorted());
        assert!(keys.iter().all(|key| key.starts_with(&history_prefix(customer))));
    }
}
