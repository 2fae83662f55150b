//! The program `lookback`: passes its arguments to [`lookback::cli`] and exits with the resulting code.

use std::process::ExitCode;

fn main() -> ExitCode {
    lookback::cli::run()
}
