//! The distinct values of a list column in one row group.

use crate::exact::{at_most, usize_of};

/// Numbers each distinct value: 0, 1, 2 and so on, in the order of first occurrence.
///
/// This is a special table, since it looks up every action of every customer: open addressing, values and numbers side
/// by side, at most half full. Its speed depends on how little of the processor's caches it takes, so as long as all
/// values have the same upper half, a slot holds only the lower half.
///
/// Memory: 24 to 40 bytes for each distinct value, 56 if their upper halves differ.
pub(super) struct Dictionary {
    values: Vec<i64>,
    narrow: Slots<NarrowSlot>,
    /// Replaces the narrow table as soon as two upper halves occur.
    wide: Slots<WideSlot>,
    is_wide: bool,
}

/// The number of an empty slot, which no value has.
const EMPTY: u32 = u32::MAX;

const FIRST_SLOTS: usize = 1 << 10;

const LOOKED_UP_AT_ONCE: usize = 64;

impl Dictionary {
    /// An empty dictionary.
    pub(super) fn new() -> Self {
        Dictionary {
            values: Vec::new(),
            narrow: Slots::new(FIRST_SLOTS),
            wide: Slots::new(FIRST_SLOTS),
            is_wide: false,
        }
    }

    /// Removes all values. The tables keep their size, so that they need not grow again for the next row group.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.narrow.clear();
        if self.is_wide {
            self.wide.clear();
            self.is_wide = false;
        }
    }

    /// Appends the numbers of `values` to `numbers`; `None` if the numbers run out.
    pub(super) fn numbers_of(&mut self, values: &[i64], numbers: &mut Vec<u32>) -> Option<()> {
        for values in values.chunks(LOOKED_UP_AT_ONCE) {
            self.widen_for(values)?;
            match self.is_wide {
                true => self.wide.numbers_of(values, &mut self.values, numbers)?,
                false => self.narrow.numbers_of(values, &mut self.values, numbers)?,
            }
        }
        Some(())
    }

    /// Returns the number of a value, new or known; `None` if the numbers run out.
    pub(super) fn number_of(&mut self, value: i64) -> Option<u32> {
        self.widen_for(&[value])?;
        match self.is_wide {
            true => self.wide.number_of(value, &mut self.values),
            false => self.narrow.number_of(value, &mut self.values),
        }
    }

    /// Switches to the wide table, with the values so far, if these values need it.
    fn widen_for(&mut self, values: &[i64]) -> Option<()> {
        let Some(first) = self.values.first().or(values.first()).filter(|_| !self.is_wide) else { return Some(()) };
        if values.iter().fold(0, |differ, value| differ | (value ^ first)) >> 32 != 0 {
            self.wide.reserve(self.values.len());
            self.wide.put_all(&self.values)?;
            self.is_wide = true;
        }
        Some(())
    }

    /// Returns all values in ascending order, and the rank of each value by its number; always `Some`.
    pub(super) fn sorted(&self) -> Option<(Vec<i64>, Vec<u32>)> {
        let least = self.values.iter().min().copied().unwrap_or(0);
        let above = |value: &i64| value.wrapping_sub(least).cast_unsigned();
        let mut ranks = vec![0; self.values.len()];
        let mut put = |rank: u32, number: u64| ranks.get_mut(usize_of(number)).map(|place| *place = rank);
        if self.values.iter().all(|value| above(value) >> 32 == 0) {
            // Value and number fit into one integer, and integers sort fastest.
            let mut ascending: Vec<u64> =
                (0..).zip(&self.values).map(|(number, value)| above(value) << 32 | number).collect();
            ascending.sort_unstable();
            (0..).zip(&ascending).try_for_each(|(rank, packed)| put(rank, packed & u64::from(u32::MAX)))?;
            let values = ascending.into_iter().map(|packed| least.wrapping_add((packed >> 32).cast_signed()));
            return Some((values.collect(), ranks));
        }
        let mut ascending: Vec<(i64, u64)> = self.values.iter().copied().zip(0..).collect();
        ascending.sort_unstable();
        (0..).zip(&ascending).try_for_each(|(rank, (_, number))| put(rank, *number))?;
        Some((ascending.into_iter().map(|(value, _)| value).collect(), ranks))
    }

    /// Returns all values, ordered by number.
    pub(super) fn values(&self) -> &[i64] {
        &self.values
    }
}

/// A slot of the table.
trait Slot: Copy {
    const EMPTY: Self;
    fn of(value: i64, number: u32) -> Self;
    /// [`EMPTY`] if the slot is empty.
    fn number(self) -> u32;
    /// Whether the slot, if it is in use, holds this value.
    fn is_of(self, value: i64) -> bool;
}

/// The lower half of a value, then its number.
#[derive(Clone, Copy)]
struct NarrowSlot(u64);

impl Slot for NarrowSlot {
    const EMPTY: Self = NarrowSlot(u64::MAX);
    fn of(value: i64, number: u32) -> Self {
        NarrowSlot(value.cast_unsigned() << 32 | u64::from(number))
    }
    fn number(self) -> u32 {
        (self.0 & u64::from(u32::MAX)) as u32
    }
    fn is_of(self, value: i64) -> bool {
        self.0 >> 32 == value.cast_unsigned() & u64::from(u32::MAX)
    }
}

/// A whole value, then its number.
#[derive(Clone, Copy)]
struct WideSlot(i64, u32);

impl Slot for WideSlot {
    const EMPTY: Self = WideSlot(0, EMPTY);
    fn of(value: i64, number: u32) -> Self {
        WideSlot(value, number)
    }
    fn number(self) -> u32 {
        self.1
    }
    fn is_of(self, value: i64) -> bool {
        self.0 == value
    }
}

/// The slots of the table; the values are also kept outside, ordered by number.
struct Slots<S> {
    slots: Vec<S>,
    /// A hash shifted right by this many bits is a slot.
    shift: u32,
}

impl<S: Slot> Slots<S> {
    /// A table with this many slots, a power of two.
    fn new(slots: usize) -> Self {
        Slots { slots: vec![S::EMPTY; slots], shift: 64 - slots.trailing_zeros() }
    }

    fn clear(&mut self) {
        self.slots.fill(S::EMPTY);
    }

    /// Makes an empty table large enough for this many values.
    fn reserve(&mut self, values: usize) {
        if values * 2 > self.slots.len() {
            *self = Slots::new((values * 2).next_power_of_two());
        }
    }

    /// Works in two passes: the first only reads, so that the processor waits for many slots at once; the second
    /// settles the results.
    fn numbers_of(&mut self, some: &[i64], values: &mut Vec<i64>, numbers: &mut Vec<u32>) -> Option<()> {
        let mut seen = [S::EMPTY; LOOKED_UP_AT_ONCE];
        for (value, seen) in some.iter().zip(&mut seen) {
            *seen = *self.slots.get(self.home(*value))?;
        }
        let mut found = [0; LOOKED_UP_AT_ONCE];
        for ((value, seen), number) in some.iter().zip(seen).zip(&mut found) {
            let is_known = seen.is_of(*value) && seen.number() != EMPTY;
            *number = if is_known { seen.number() } else { self.number_of(*value, values)? };
        }
        numbers.extend_from_slice(at_most(&found, some.len()));
        Some(())
    }

    #[inline(always)]
    fn number_of(&mut self, value: i64, values: &mut Vec<i64>) -> Option<u32> {
        let mut place = self.home(value);
        loop {
            match self.slots.get(place)? {
                slot if slot.number() == EMPTY => return self.add(value, place, values),
                slot if slot.is_of(value) => return Some(slot.number()),
                _ => place = (place + 1) & (self.slots.len() - 1),
            }
        }
    }

    fn home(&self, value: i64) -> usize {
        // Fibonacci hashing: the high bits of a product with 2^64 over the golden ratio.
        usize_of(value.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift)
    }

    fn add(&mut self, value: i64, place: usize, values: &mut Vec<i64>) -> Option<u32> {
        let number = u32::try_from(values.len()).ok().filter(|number| *number != EMPTY)?;
        values.push(value);
        *self.slots.get_mut(place)? = S::of(value, number);
        if values.len() * 2 > self.slots.len() {
            *self = Slots::new(self.slots.len() * 2);
            self.put_all(values)?;
        }
        Some(number)
    }

    /// Puts values into an empty table that is large enough.
    fn put_all(&mut self, values: &[i64]) -> Option<()> {
        for (number, value) in (0..).zip(values) {
            let mut place = self.home(*value);
            while self.slots.get(place)?.number() != EMPTY {
                place = (place + 1) & (self.slots.len() - 1);
            }
            *self.slots.get_mut(place)? = S::of(*value, number);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Values with one upper half, and values with many.
    fn some_values() -> impl Strategy<Value = Vec<i64>> {
        let high = prop_oneof![Just(0), Just(-1), Just(7)].prop_map(|half: i64| half << 32);
        let near = high
            .prop_flat_map(|high| proptest::collection::vec((0..3_000_i64).prop_map(move |low| high | low), 0..3_000));
        let far = proptest::collection::vec(prop_oneof![any::<i64>(), -9..9_i64], 0..3_000);
        // Close values first, so that the table is widened with many values in it.
        let mixed = (near.clone(), far.clone()).prop_map(|(near, far)| near.into_iter().chain(far).collect());
        prop_oneof![near, far, mixed]
    }

    proptest! {
        #[test]
        fn equal_values_have_equal_numbers(values in some_values()) {
            let mut dictionary = Dictionary::new();
            let mut numbers = Vec::new();
            dictionary.numbers_of(&values, &mut numbers).unwrap();
            // Cleared and filled again, it is the same.
            let (once, again) = (numbers.clone(), dictionary.values().to_vec());
            dictionary.clear();
            numbers.clear();
            values.iter().for_each(|value| numbers.push(dictionary.number_of(*value).unwrap()));
            prop_assert_eq!((&numbers, dictionary.values()), (&once, &again[..]));
            let mut first: Vec<i64> = Vec::new();
            for value in &values {
                if !first.contains(value) {
                    first.push(*value);
                }
            }
            prop_assert_eq!(dictionary.values(), &first);
            let mut sorted = first.clone();
            sorted.sort_unstable();
            let (ascending, ranks) = dictionary.sorted().unwrap();
            prop_assert_eq!(&ascending, &sorted);
            for (value, rank) in first.iter().zip(ranks) {
                prop_assert_eq!(sorted[rank as usize], *value);
            }
            for (value, number) in values.iter().zip(numbers) {
                prop_assert_eq!(dictionary.values()[number as usize], *value);
            }
        }
    }
}
