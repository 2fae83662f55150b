//! Writes synthetic days in the input layout, so that lookback can be tried, tested and measured at any size without
//! anybody's data.
//!
//! What comes out is a function of the seed, the parameters and the day alone: a day can be written again, on its own,
//! or by another process, and the bytes are the same. Nothing is held but the rows on their way to a file, so memory
//! does not grow with the size of a day, the number of customers or the number of items.
//!
//! The defaults make 30 days of 500,000 actions by 120,000 customers, with impressions on the last three:
//!
//! ```text
//! cargo run --release --example generate -- --out data --from 2026-01-01 --days 30
//! ```

#![expect(clippy::print_stderr, clippy::disallowed_methods, reason = "its one line a day says how long the day took")]

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

use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::args::Args;
use crate::failure::Failure;
use crate::plan::Plan;

fn main() -> ExitCode {
    let plan = match Plan::new(Args::parse()) {
        Ok(plan) => plan,
        Err(sentence) => Args::command().error(ErrorKind::ValueValidation, sentence).exit(),
    };
    match write_days(&plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Writes every day of the plan in order, with one line on stderr for each.
fn write_days(plan: &Plan) -> Result<(), Failure> {
    for date in plan.dates() {
        let started = Instant::now();
        let counts = day::write(plan, date)?;
        eprintln!("{date}: {counts}, {:.1} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}
