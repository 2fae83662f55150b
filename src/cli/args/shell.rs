//! What belongs to the shell and the system that the program is installed on.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Args, Debug)]
#[command(
    after_help = "bash: put it into ~/.local/share/bash-completion/completions/lookback. zsh: into _lookback in a folder of $fpath. \
                  fish: into ~/.config/fish/completions/lookback.fish."
)]
pub struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Args, Debug)]
pub struct Man {
    /// Folder for the pages; created if it is not there. `man -l DIR/lookback.1` shows the first.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}
