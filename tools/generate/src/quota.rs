//! A share that holds although not every row can take it: a cart needs a click before it, a tie an action before it.

use rand::{Rng, RngExt};

/// Bernoulli draws whose hits wait for the next row that can take one.
#[derive(Debug)]
pub struct Quota {
    share: f64,
    owed: u64,
    taken: u64,
}

impl Quota {
    /// Takes the share of rows to hit, from 0 to 1.
    pub fn new(share: f64) -> Self {
        Self { share, owed: 0, taken: 0 }
    }

    /// Draws for one more row, whether or not it could take a hit itself.
    pub fn draw(&mut self, random: &mut impl Rng) {
        self.owed += u64::from(random.random_bool(self.share));
    }

    /// Whether the row at hand, which can take a hit, is hit.
    pub fn take(&mut self) -> bool {
        let hit = self.owed > 0;
        self.owed -= u64::from(hit);
        self.taken += u64::from(hit);
        hit
    }

    /// How many rows were hit so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }
}
