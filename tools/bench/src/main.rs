//! Measures the parts of lookback on one input and prints a Markdown table, so that a change of the code can be told
//! from a change of the machine and a slow part from a fast one.
//!
//! 1. The input is taken from `--data`, or generated: data set M, 31 days of 500,000 actions.
//! 2. A store of the days before the day is built, untimed, in a folder that is removed at the end.
//! 3. Each part runs a number of rounds; what is printed is the median. Two sides to be compared take turns within each
//!    round, never one after the other, since the machine of the morning is not that of the afternoon.
//!
//! ```text
//! cargo run --release -p lookback-bench -- --data ROOT --day 2025-01-31 pages produce
//! ```

mod actions;
mod args;
mod as_of;
mod batches;
mod clock;
mod codec;
mod fold;
mod histories;
mod ingest;
mod input;
mod pages;
mod produce;
mod rounds;
mod size;
mod stores;
mod table;

use std::process::ExitCode;

use clap::Parser;
use lookback::error::{Error, Result};
use lookback::resources::Resources;
use lookback::store::Store;
use lookback::text::counted;

use crate::args::{Args, Part};
use crate::input::Input;
use crate::rounds::Rounds;
use crate::stores::Stores;
use crate::table::{Line, markdown};

#[expect(clippy::print_stderr, clippy::print_stdout, reason = "it is a program: its table goes to stdout")]
fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the parts asked for and gives what is to be printed.
fn run(args: &Args) -> Result<String> {
    let parent = args.work.clone().unwrap_or_else(std::env::temp_dir);
    let work = tempfile::Builder::new().prefix("lookback-bench-").tempdir_in(&parent);
    let work = work.map_err(|error| Error::io("create a folder in", &parent, error))?;
    let resources = Resources::default();
    let resources = match args.threads {
        Some(threads) => resources.with_threads(usize::from(threads.get())),
        None => resources,
    };
    let resources = match args.memory {
        Some(mebibytes) => resources.with_memory(u64::from(mebibytes) << 20),
        None => resources,
    };

    let input = Input::of(args, work.path())?;
    let rounds = Rounds::new(args.rounds);
    let mut lines = Vec::new();
    if args.has(Part::Codec) {
        lines.extend(codec::measure(&input, rounds)?);
    }
    if args.parts().any(Part::needs_stores) {
        let stores = Stores::build(&input, work.path(), resources)?;
        lines.extend(measure_stores(args, &input, &stores, rounds)?);
    }
    let (day, newest) = (input.day, input.newest);
    Ok(format!(
        "{}, impressions of {day}, {} batches up to {newest}; medians of {}; all on one thread but for batches and ingest.\n\n{}",
        input.name(),
        input.earlier.len() + 1,
        counted(rounds.number(), "round"),
        markdown(&lines)
    ))
}

/// The parts that need a store, in the order of the table.
fn measure_stores(args: &Args, input: &Input, stores: &Stores, rounds: Rounds) -> Result<Vec<Line>> {
    let store = Store::open_reader(&stores.full)?;
    let mut lines = Vec::new();
    if args.has(Part::Fold) {
        lines.extend(fold::measure(input, &store, rounds)?);
    }
    if args.has(Part::AsOf) {
        lines.extend(as_of::measure(input, &store, rounds)?);
    }
    if args.has(Part::Pages) || args.has(Part::Produce) {
        lines.extend(produce::measure(input, &store, stores.work(), rounds)?);
    }
    if args.has(Part::Batches) {
        lines.extend(batches::measure(input, &store, &stores.resources, rounds)?);
    }
    if args.has(Part::Ingest) {
        lines.extend(ingest::measure(input, stores, rounds)?);
    }
    if args.has(Part::Size) {
        lines.extend(size::measure(input, &store, stores)?);
    }
    Ok(lines)
}
