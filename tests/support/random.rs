//! Numbers by chance that are the same in every run with the same seed.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end` - 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for place in (1..values.len()).rev() {
            let other = usize::try_from(self.below(place as u64 + 1)).unwrap();
            values.swap(place, other);
        }
    }
}

/// The seed of a test: that of `LOOKBACK_TEST_SEED`, or else the given one. Printed, so that a failure can be run
/// again.
pub fn seed(default: u64) -> u64 {
    let seed = std::env::var("LOOKBACK_TEST_SEED").ok().map_or(default, |text| text.parse().unwrap());
    eprintln!("seed {seed} (set LOOKBACK_TEST_SEED to run with another)");
    seed
}
