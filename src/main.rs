//! The program `lookback`: passes its arguments to [`lookback::cli`] and exits with the resulting code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    ExitCode::from(lookback::cli::run(&arguments))
}
