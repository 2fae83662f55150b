//! Who acts: customers whose activity is lognormal, drawn without a table of them.
//!
//! Let a customer's activity be exp(sigma x) with x from the standard normal law. Draw actions instead of customers,
//! and the one who made the action is busier than most: its x comes from the normal law with mean sigma (the
//! size-biased law of a lognormal is a lognormal again). So x is drawn from that, and the share of customers above x
//! says which customer it is. A draw costs the same for a hundred customers and for a billion.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::permutation::shuffled;

/// Ids lie in 1..=2^40: like the ids of a system that has seen far more customers than are left.
const ID_BITS: u32 = 40;

/// The customers who act, ranked from the busiest (0), and as many others who never do.
#[derive(Debug)]
pub struct Customers {
    count: u64,
    sigma: f64,
}

impl Customers {
    /// Takes the number of customers who act, at least 1, and the sigma of their activity.
    pub fn new(count: u64, sigma: f64) -> Self {
        Self { count, sigma }
    }

    /// The id of a customer, drawn in proportion to activity.
    pub fn draw(&self, random: &mut impl Rng) -> i64 {
        let x: f64 = random.sample::<f64, _>(StandardNormal) + self.sigma;
        let busier_share = 0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2);
        let rank = (busier_share * self.count as f64) as u64;
        id(rank.min(self.count - 1))
    }

    /// The id of a customer who never acts, each as likely as the other.
    pub fn draw_cold(&self, random: &mut impl Rng) -> i64 {
        id(random.random_range(self.count..2 * self.count))
    }
}

/// The id of a rank. Fits: the permutation gives at most 2^40 - 1.
pub fn id(rank: u64) -> i64 {
    shuffled(rank, ID_BITS) as i64 + 1
}
