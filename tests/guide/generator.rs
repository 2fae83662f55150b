//! The example program `generate`, within the tests: cargo does not build examples for them, and what the guide shows
//! is made of its input. The modules are those of the program itself.

use std::path::Path;

use clap::Parser;

#[path = "../../tools/generate/action.rs"]
mod action;
#[path = "../../tools/generate/action_columns.rs"]
mod action_columns;
#[path = "../../tools/generate/args.rs"]
mod args;
#[path = "../../tools/generate/arrivals.rs"]
mod arrivals;
#[path = "../../tools/generate/customer.rs"]
mod customer;
#[path = "../../tools/generate/day.rs"]
mod day;
#[path = "../../tools/generate/failure.rs"]
mod failure;
#[path = "../../tools/generate/folder.rs"]
mod folder;
#[path = "../../tools/generate/impression.rs"]
mod impression;
#[path = "../../tools/generate/impression_columns.rs"]
mod impression_columns;
#[path = "../../tools/generate/item.rs"]
mod item;
#[path = "../../tools/generate/permutation.rs"]
mod permutation;
#[path = "../../tools/generate/plan.rs"]
mod plan;
#[path = "../../tools/generate/quota.rs"]
mod quota;
#[path = "../../tools/generate/random.rs"]
mod random;
#[path = "../../tools/generate/session.rs"]
mod session;
#[path = "../../tools/generate/table.rs"]
mod table;
#[path = "../../tools/generate/writer.rs"]
mod writer;

/// Does what `generate ARGUMENTS` does in `folder`. Gives what it says: a line for each day.
pub fn generate(folder: &Path, arguments: &str) -> String {
    let words = ["generate"].into_iter().chain(arguments.split_whitespace());
    let mut args = args::Args::try_parse_from(words).unwrap_or_else(|error| panic!("generate {arguments}\n{error}"));
    args.out = folder.join(args.out);
    let plan = plan::Plan::new(args).unwrap_or_else(|error| panic!("generate {arguments}\n{error}"));
    let lines = plan.dates().map(|date| {
        let counts = day::write(&plan, date).unwrap_or_else(|error| panic!("generate {arguments}\n{error}"));
        format!("{date}: {counts}, 0.0 s\n")
    });
    lines.collect()
}
