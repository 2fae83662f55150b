//! How customers are dealt out to shards.

use xxhash_rust::xxh64::xxh64;

use super::CustomerId;

/// The seed of the hash: that of Spark's `xxhash64`, so that a query can say in which shard a customer is.
const SEED: u64 = 42;

/// The number of shards of a store: a power of two, so that each shard becomes two when it is doubled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shards(u32);

impl Shards {
    /// The most shards of a store.
    pub const MAX: u32 = 65_536;

    /// Returns so many shards; `None` if the number is not a power of two up to [`Shards::MAX`].
    pub fn new(number: u32) -> Option<Self> {
        (number.is_power_of_two() && number <= Self::MAX).then_some(Shards(number))
    }

    /// Returns their number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Returns the shard of a customer, from 0: XXH64 of the id's eight bytes (little-endian) with seed 42, modulo the
    /// number of shards.
    pub fn of(self, customer: CustomerId) -> u32 {
        let hash = xxh64(&customer.0.to_le_bytes(), SEED);
        // A power of two divides the hash by its lower bits, which fit.
        (hash & u64::from(self.0 - 1)) as u32
    }
}

/// One of the shards of a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    /// How many there are.
    pub of: Shards,
    /// Which it is, from 0.
    pub number: u32,
}

impl Shard {
    /// Whether a customer is in it.
    pub fn holds(self, customer: CustomerId) -> bool {
        self.of.of(customer) == self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Spark 4.3: `select xxhash64(cast(x as bigint))`.
    #[test]
    fn the_hash_is_that_of_spark() {
        for (customer, hash) in SPARK {
            assert_eq!(xxh64(&customer.to_le_bytes(), SEED).cast_signed(), hash, "{customer}");
        }
    }

    const SPARK: [(i64, i64); 8] = [
        (0, -5_252_525_462_095_825_812),
        (1, -7_001_672_635_703_045_582),
        (-1, 3_858_142_552_250_413_010),
        (7, -2_864_211_556_195_259_663),
        (42, -6_876_166_290_308_861_218),
        (i64::MAX, -3_246_596_055_638_297_850),
        (i64::MIN, -8_619_748_838_626_508_300),
        (1_234_567_890_123, 1_687_537_368_341_330_389),
    ];

    #[test]
    fn doubling_parts_each_shard_in_two() {
        let (few, many) = (Shards::new(8).unwrap(), Shards::new(16).unwrap());
        let mut held = [0; 8];
        for customer in (-500..500).map(CustomerId) {
            assert_eq!(many.of(customer) % 8, few.of(customer));
            held[few.of(customer) as usize] += 1;
        }
        assert!(held.iter().all(|held| (80..170).contains(held)), "{held:?}");
        assert_eq!([0, 3, 12, 131_072].map(Shards::new), [None; 4]);
        assert_eq!(Shards::new(1).unwrap().of(CustomerId(i64::MIN)), 0);
    }
}
