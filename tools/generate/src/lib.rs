//! Writes synthetic days in the input layout, so that lookback can be tried, tested and measured at any size without
//! anybody's data. The program is `generate`; the tests and the benchmark of lookback call [`write_days`].
//!
//! What comes out is a function of the seed, the parameters and the day alone: a day can be written again, on its own,
//! or by another process, and the bytes are the same. Nothing is held but the rows on their way to a file, so memory
//! does not grow with the size of a day, the number of customers or the number of items.
//!
//! The defaults make 30 days of 500,000 actions by 120,000 customers, with impressions on the last three:
//!
//! ```text
//! cargo run --release -p lookback-generate -- --out data --from 2026-01-01 --days 30
//! ```

mod action;
mod action_columns;
mod args;
mod arrivals;
mod customer;
mod day;
mod failure;
#[cfg(test)]
mod file_tests;
mod folder;
mod impression;
mod impression_columns;
mod item;
#[cfg(test)]
mod law_tests;
mod permutation;
mod plan;
mod quota;
mod random;
mod session;
mod table;
mod writer;

use std::time::Instant;

pub use failure::Failure;
pub use plan::Plan;

/// Writes every day of the plan in order, and gives `told` a line for each: what was written, and how long it took.
///
/// Fails where a file or folder cannot be written, or where a day's folder holds data that is not replaced; the days
/// before it stay.
#[expect(clippy::disallowed_methods, reason = "its one line a day says how long the day took")]
pub fn write_days(plan: &Plan, mut told: impl FnMut(&str)) -> Result<(), Failure> {
    for date in plan.dates() {
        let started = Instant::now();
        let counts = day::write(plan, date)?;
        told(&format!("{date}: {counts}, {:.1} s", started.elapsed().as_secs_f64()));
    }
    Ok(())
}
