//! Arguments of the commands for the shell and the system.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Args, Debug)]
#[command(
    after_help = "bash: save it as ~/.local/share/bash-completion/completions/lookback; zsh: as _lookback in a folder of $fpath; \
                  fish: as ~/.config/fish/completions/lookback.fish."
)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Folder for the pages; created if missing. `man -l DIR/lookback.1` shows the first page.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}
