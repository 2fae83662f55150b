//! The distinct values of a list column in one row group.

/// Gives each distinct value a number: 0, 1, 2 and so on, in the order in which they first come.
///
/// A table of its own, since this is asked once for every action of every customer: open addressing, values and numbers side by side, at most half
/// full. Memory: 24 to 56 bytes for each distinct value.
pub(super) struct Dictionary {
    values: Vec<i64>,
    slots: Vec<(i64, u32)>,
    /// What a hash is shifted right by to be a slot.
    shift: u32,
}

/// The number in an empty slot.
const EMPTY: u32 = u32::MAX;

const FIRST_SLOTS: usize = 1 << 10;

const LOOKED_UP_AT_ONCE: usize = 64;

impl Dictionary {
    /// An empty one.
    pub fn new() -> Self {
        Dictionary {
            values: Vec::new(),
            slots: vec![(0, EMPTY); FIRST_SLOTS],
            shift: 64 - FIRST_SLOTS.trailing_zeros(),
        }
    }

    /// Forgets all values. The table keeps its size, so that the next row group need not grow it again.
    pub fn clear(&mut self) {
        self.values.clear();
        self.slots.fill((0, EMPTY));
    }

    /// Appends the numbers of `values` to `numbers`.
    ///
    /// In two passes over some values at a time: the first only looks, so that the processor waits for many places of the table at once; the second
    /// settles what was found.
    pub fn numbers_of(&mut self, values: &[i64], numbers: &mut Vec<u32>) {
        let mut seen = [(0, EMPTY); LOOKED_UP_AT_ONCE];
        for values in values.chunks(LOOKED_UP_AT_ONCE) {
            for (value, seen) in values.iter().zip(&mut seen) {
                *seen = self.slots.get(self.home(*value)).copied().unwrap_or((0, EMPTY));
            }
            for (value, (held, number)) in values.iter().zip(seen) {
                let known = held == *value && number != EMPTY;
                numbers.push(if known { number } else { self.number_of(*value) });
            }
        }
    }

    /// The number of a value, which is a new one if the value is.
    pub fn number_of(&mut self, value: i64) -> u32 {
        let mut slot = self.home(value);
        loop {
            match self.slots.get(slot) {
                Some((held, number)) if *held == value && *number != EMPTY => return *number,
                Some((_, EMPTY)) | None => return self.add(value, slot),
                Some(_) => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// All values in ascending order, and by the number of each its place among them.
    pub fn sorted(&self) -> (Vec<i64>, Vec<u32>) {
        let least = self.values.iter().min().copied().unwrap_or(0);
        let above = |value: &i64| value.wrapping_sub(least).cast_unsigned();
        let mut ranks = vec![0; self.values.len()];
        let mut put = |rank: u32, number: u64| {
            let place = usize::try_from(number).ok().and_then(|number| ranks.get_mut(number));
            place.into_iter().for_each(|place| *place = rank);
        };
        if self.values.iter().all(|value| above(value) >> 32 == 0) {
            // Value and number fit into one integer, and integers sort fastest.
            let mut ascending: Vec<u64> =
                (0..).zip(&self.values).map(|(number, value)| above(value) << 32 | number).collect();
            ascending.sort_unstable();
            (0..).zip(&ascending).for_each(|(rank, packed)| put(rank, packed & u64::from(u32::MAX)));
            let values = ascending.into_iter().map(|packed| least.wrapping_add((packed >> 32).cast_signed()));
            return (values.collect(), ranks);
        }
        let mut ascending: Vec<(i64, u64)> = self.values.iter().copied().zip(0..).collect();
        ascending.sort_unstable();
        (0..).zip(&ascending).for_each(|(rank, (_, number))| put(rank, *number));
        (ascending.into_iter().map(|(value, _)| value).collect(), ranks)
    }

    /// All values, by number.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    fn home(&self, value: i64) -> usize {
        // Fibonacci hashing: the high bits of a product with 2^64 over the golden ratio. Fits usize, since a table has fewer slots.
        usize::try_from(value.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift).unwrap_or(0)
    }

    fn add(&mut self, value: i64, slot: usize) -> u32 {
        let number = u32::try_from(self.values.len()).unwrap_or(EMPTY - 1);
        self.values.push(value);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = (value, number);
        }
        if self.values.len() * 2 > self.slots.len() {
            self.grow();
        }
        number
    }

    fn grow(&mut self) {
        self.slots = vec![(0, EMPTY); self.slots.len() * 2];
        self.shift -= 1;
        let mask = self.slots.len() - 1;
        for (number, value) in (0..).zip(&self.values) {
            let mut slot = self.home(*value);
            while let Some(place) = self.slots.get_mut(slot) {
                if place.1 == EMPTY {
                    *place = (*value, number);
                    break;
                }
                slot = (slot + 1) & mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equal_values_have_equal_numbers(values in proptest::collection::vec(prop_oneof![any::<i64>(), -9..9_i64], 0..3_000)) {
            let mut dictionary = Dictionary::new();
            let mut numbers = Vec::new();
            dictionary.numbers_of(&values, &mut numbers);
            let mut first: Vec<i64> = Vec::new();
            for value in &values {
                if !first.contains(value) {
                    first.push(*value);
                }
            }
            prop_assert_eq!(dictionary.values(), &first);
            let mut sorted = first.clone();
            sorted.sort_unstable();
            let (ascending, ranks) = dictionary.sorted();
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
