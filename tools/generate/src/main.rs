//! The program `generate`: see the library beside it.

use std::process::ExitCode;

use lookback_generate::{Plan, write_days};

#[expect(clippy::print_stderr, reason = "it is a program: a line for each day goes to stderr")]
fn main() -> ExitCode {
    let plan = Plan::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    match write_days(&plan, |line| eprintln!("{line}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
