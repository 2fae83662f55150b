//! The program `lookback`: hands its arguments to [`lookback::cli`] and exits as that says.

use std::process::ExitCode;

fn main() -> ExitCode {
    lookback::cli::run()
}
