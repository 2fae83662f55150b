//! Leaves: index and customer index are lists in the order of customers, cut into values of some hundred entries each.
//!
//! The cuts depend only on the customers: a leaf begins with each customer whose mixed id ends in nine zero bits (one
//! of 512 on average), and the first leaf begins before all customers. So equal lists always have equal leaves,
//! whatever edits led to them.

use super::LAYOUT_VERSION;
use super::varint::{Reader, put_varint, unzigzag, zigzag};
use crate::error::Result;
use crate::exact::usize_of;
use crate::history::SinceKeyframe;
use crate::model::{CustomerId, Day};

/// The customer in the key of the first leaf of a list.
pub const FIRST_LEAF: CustomerId = CustomerId(i64::MIN);

/// Returns whether a leaf begins with this customer.
fn begins_leaf(customer: CustomerId) -> bool {
    customer == FIRST_LEAF || mixed(customer.0.cast_unsigned()) & 0x1ff == 0
}

/// The finalizer of SplitMix64, which spreads consecutive numbers over all bits (source: Steele, Lea, Flood, "Fast
/// splittable pseudorandom number generators", 2014).
fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The content of one line of a list, besides the customer.
pub trait Entry: Copy + Eq {
    /// The name of the list in messages.
    const LIST: &'static str;
    /// Appends the bytes. Days are stored relative to `anchor`.
    fn put(&self, anchor: Day, bytes: &mut Vec<u8>);
    /// Reads the bytes that `put` wrote.
    fn take(anchor: Day, reader: &mut Reader<'_>) -> Result<Self>;
}

/// A line of the index: a day on which the batch brought actions of the customer. The anchor is the batch day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TouchedDay(pub Day);

impl Entry for TouchedDay {
    const LIST: &'static str = "leaf of the index";

    fn put(&self, batch: Day, bytes: &mut Vec<u8>) {
        put_varint(zigzag(i64::from(batch.number()) - i64::from(self.0.number())), bytes);
    }

    fn take(batch: Day, reader: &mut Reader<'_>) -> Result<Self> {
        let lag = unzigzag(reader.varint()?);
        let number = i64::from(batch.number()).checked_sub(lag).and_then(|number| i32::try_from(number).ok());
        number.and_then(Day::from_number).map(TouchedDay).ok_or_else(|| reader.damaged())
    }
}

/// A line of the customer index: the state of a customer's keyframes. The anchor is 1970-01-01.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CustomerState {
    /// The newest day with a delta.
    pub newest: Day,
    /// The newest day with a keyframe.
    pub keyframe: Option<Day>,
    /// Deltas and actions from the day of that keyframe on, or from the beginning.
    pub since: SinceKeyframe,
}

impl CustomerState {
    /// Returns the length of the customer's history over the whole store. Every keyframe has `max_history` actions,
    /// since it is due only after that many.
    pub fn length(&self, max_history: usize) -> usize {
        match self.keyframe {
            Some(_) => max_history,
            None => usize_of(self.since.actions).min(max_history),
        }
    }
}

impl Entry for CustomerState {
    const LIST: &'static str = "leaf of the customer index";

    fn put(&self, _: Day, bytes: &mut Vec<u8>) {
        put_varint(u64::from(self.newest.number().unsigned_abs()), bytes);
        let back = self.keyframe.map_or(0, |day| u64::from(self.newest.number().abs_diff(day.number())) + 1);
        put_varint(back, bytes);
        put_varint(self.since.deltas, bytes);
        put_varint(self.since.actions, bytes);
    }

    fn take(_: Day, reader: &mut Reader<'_>) -> Result<Self> {
        let newest = i32::try_from(reader.varint()?).ok().and_then(Day::from_number);
        let newest = newest.ok_or_else(|| reader.damaged())?;
        let keyframe = match reader.varint()?.checked_sub(1) {
            None => None,
            Some(back) => {
                let number = i32::try_from(back).ok().and_then(|back| newest.number().checked_sub(back));
                Some(number.and_then(Day::from_number).ok_or_else(|| reader.damaged())?)
            }
        };
        Ok(CustomerState {
            newest,
            keyframe,
            since: SinceKeyframe { deltas: reader.varint()?, actions: reader.varint()? },
        })
    }
}

/// Cuts a list into leaves, line by line, customers ascending. Memory: one leaf.
#[derive(Debug)]
pub(crate) struct LeafCutter<E> {
    first: CustomerId,
    lines: Vec<(CustomerId, E)>,
}

/// The customer that a leaf begins with, and its lines.
pub(crate) type CutLeaf<E> = (CustomerId, Vec<(CustomerId, E)>);

impl<E> LeafCutter<E> {
    /// Returns a cutter at the beginning of a list.
    pub(crate) fn new() -> Self {
        LeafCutter { first: FIRST_LEAF, lines: Vec::new() }
    }

    /// Takes a line. Returns the previous leaf if a new one begins with this line.
    pub(crate) fn push(&mut self, customer: CustomerId, line: E) -> Option<CutLeaf<E>> {
        let goes_on = self.lines.last().is_some_and(|(before, _)| *before == customer);
        let finished = if !goes_on && begins_leaf(customer) { self.cut(customer) } else { None };
        self.lines.push((customer, line));
        finished
    }

    /// Returns the last leaf; `None` if there was no line.
    pub(crate) fn finish(&mut self) -> Option<CutLeaf<E>> {
        self.cut(FIRST_LEAF)
    }

    fn cut(&mut self, next: CustomerId) -> Option<CutLeaf<E>> {
        let lines = std::mem::take(&mut self.lines);
        let first = std::mem::replace(&mut self.first, next);
        (!lines.is_empty()).then_some((first, lines))
    }
}

impl<E> Default for LeafCutter<E> {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends the bytes of a leaf that begins with `first`: at least one entry, customers ascending.
pub fn encode_leaf<E: Entry>(first: CustomerId, anchor: Day, entries: &[(CustomerId, E)], bytes: &mut Vec<u8>) {
    bytes.push(LAYOUT_VERSION);
    put_varint(entries.len() as u64, bytes);
    let mut before = first;
    for (customer, entry) in entries {
        put_varint(customer.0.wrapping_sub(before.0).cast_unsigned(), bytes);
        entry.put(anchor, bytes);
        before = *customer;
    }
}

/// Appends the entries of a leaf to `entries`. Fails on bytes that [`encode_leaf`] does not write.
pub fn decode_leaf<E: Entry>(
    first: CustomerId,
    anchor: Day,
    bytes: &[u8],
    entries: &mut impl Extend<(CustomerId, E)>,
) -> Result<()> {
    let mut reader = Reader::new(bytes, E::LIST);
    super::check_version(&mut reader)?;
    let mut before = first;
    for _ in 0..reader.count()? {
        let step = reader.varint()?;
        // A step beyond the largest customer id would wrap around, so it is damage.
        let step_max = i64::MAX.abs_diff(before.0);
        if step > step_max {
            return Err(reader.damaged());
        }
        before = CustomerId(before.0.wrapping_add(step.cast_signed()));
        entries.extend([(before, E::take(anchor, &mut reader)?)]);
    }
    reader.end()
}
