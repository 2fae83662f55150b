//! Leaves: index and customer index are lists in the order of customers, cut into values of some hundred entries each.
//!
//! Where a list is cut follows from its customers alone: a leaf begins with each customer whose mixed id ends in nine
//! zero bits (one of 512 on average), and the first leaf begins before all customers. So the same list always lies in
//! the same leaves, whatever was there before.

use super::LAYOUT_VERSION;
use super::varint::{Reader, put_varint, unzigzag, zigzag};
use crate::error::Result;
use crate::exact::usize_of;
use crate::history::SinceKeyframe;
use crate::model::{CustomerId, Day};

/// What the first leaf of a list says that it begins with.
pub const FIRST_LEAF: CustomerId = CustomerId(i64::MIN);

/// Whether a leaf begins with this customer.
fn begins_leaf(customer: CustomerId) -> bool {
    customer == FIRST_LEAF || mixed(customer.0.cast_unsigned()) & 0x1ff == 0
}

/// The finalizer of SplitMix64, which spreads neighbouring numbers over all bits (source: Steele, Lea, Flood, "Fast
/// splittable pseudorandom number generators", 2014).
fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What one line of a list says, besides the customer.
pub trait Entry: Copy + Eq {
    /// What the list is, as messages name it.
    const LIST: &'static str;
    /// Appends the bytes. `anchor` is the day that days are told relative to.
    fn put(&self, anchor: Day, bytes: &mut Vec<u8>);
    /// Reads what `put` wrote.
    fn take(anchor: Day, reader: &mut Reader<'_>) -> Result<Self>;
}

/// A line of the index: a day on which the batch brought actions of the customer. The anchor is the batch.
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

/// A line of the customer index: where a customer's keyframes have come to. The anchor is 1970-01-01.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CustomerState {
    /// The newest day with a delta.
    pub newest: Day,
    /// The newest day with a keyframe.
    pub keyframe: Option<Day>,
    /// What has come from the day of that keyframe on, or from the beginning.
    pub since: SinceKeyframe,
}

impl CustomerState {
    /// How many actions the customer's history has, of all that the store holds. Every keyframe holds `max_history`
    /// actions, since it is due only behind as many.
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

/// Cuts a list into leaves as its lines come, customers ascending. Memory: one leaf.
#[derive(Debug)]
pub struct LeafCutter<E> {
    first: CustomerId,
    lines: Vec<(CustomerId, E)>,
}

/// Where a leaf begins, and its lines.
pub type CutLeaf<E> = (CustomerId, Vec<(CustomerId, E)>);

impl<E> LeafCutter<E> {
    /// At the beginning of a list.
    pub fn new() -> Self {
        LeafCutter { first: FIRST_LEAF, lines: Vec::new() }
    }

    /// Takes a line, and gives the leaf before if a new one begins with it.
    pub fn push(&mut self, customer: CustomerId, line: E) -> Option<CutLeaf<E>> {
        let goes_on = self.lines.last().is_some_and(|(before, _)| *before == customer);
        let finished = if !goes_on && begins_leaf(customer) { self.cut(customer) } else { None };
        self.lines.push((customer, line));
        finished
    }

    /// The last leaf; none if there was no line.
    pub fn finish(&mut self) -> Option<CutLeaf<E>> {
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

/// Appends the bytes of a leaf that begins with `first`: `entries`, at least one, customers ascending.
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
        // Above the last customer there is none: a step that would come around is damage.
        let room = i64::MAX.abs_diff(before.0);
        if step > room {
            return Err(reader.damaged());
        }
        before = CustomerId(before.0.wrapping_add(step.cast_signed()));
        entries.extend([(before, E::take(anchor, &mut reader)?)]);
    }
    reader.end()
}
