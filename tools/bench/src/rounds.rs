//! Rounds: the same work again and again, and two sides in turns.

use lookback::error::Result;

use crate::clock::{Spent, median};

/// A side is repeated within its turn until it has taken so long, so that neither the clock's steps nor a short
/// disturbance counts for much.
const TURN_S_MIN: f64 = 0.5;

/// Does its work once, and gives what the part of it took that is to be measured.
pub type Pass<'a> = Box<dyn FnMut() -> Result<Spent> + 'a>;

/// How often everything is measured.
#[derive(Clone, Copy, Debug)]
pub struct Rounds(u16);

impl Rounds {
    /// So many, at least 1.
    pub fn new(rounds: u16) -> Self {
        Rounds(rounds)
    }

    /// Their numbers, to loop over.
    pub fn each(self) -> std::ops::Range<u16> {
        0..self.0
    }

    /// How many.
    pub fn number(self) -> u64 {
        self.0.into()
    }

    /// What one pass took, round by round.
    pub fn alone(self, mut pass: Pass<'_>) -> Result<Vec<Spent>> {
        self.each().map(|_| turn(&mut pass)).collect()
    }

    /// What one pass of each side took, round by round: A B A B ….
    pub fn in_turns<const SIDES: usize>(self, mut sides: [Pass<'_>; SIDES]) -> Result<[Vec<Spent>; SIDES]> {
        let mut spent = [const { Vec::new() }; SIDES];
        for _ in self.each() {
            for (pass, spent) in sides.iter_mut().zip(&mut spent) {
                spent.push(turn(pass)?);
            }
        }
        Ok(spent)
    }
}

/// One turn of a side: the mean of its passes.
fn turn(pass: &mut Pass<'_>) -> Result<Spent> {
    let (mut total, mut passes) = (Spent::default(), 0.0);
    while total.wall_s < TURN_S_MIN {
        total += pass()?;
        passes += 1.0;
    }
    Ok(total / passes)
}

/// How one number compares with another: the median of what they were in each round, the lowest and the highest.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// In the middle.
    pub median: f64,
    /// The lowest of any round.
    pub lowest: f64,
    /// The highest of any round.
    pub highest: f64,
}

impl Ratio {
    /// The rate of `one` to the rate of `other`, with as much done on both sides: how many times as fast it was, by the
    /// `seconds` of each.
    pub fn of_rates(one: &[Spent], other: &[Spent], seconds: fn(&Spent) -> f64) -> Self {
        let ratios: Vec<f64> = one.iter().zip(other).map(|(one, other)| seconds(other) / seconds(one)).collect();
        let lowest = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = ratios.iter().copied().fold(0.0, f64::max);
        Ratio { median: median(ratios), lowest, highest }
    }
}
