//! Ctrl-C (SIGINT) and SIGTERM: the first asks the command to stop, and a second one ends the process at once.

use std::fs;
use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use lookback::resources::Cancel;

/// The signal that has arrived, if any.
pub(super) struct Signals {
    asked: Arc<AtomicBool>,
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// Handles both signals from now on, except those that the parent process has set to be ignored, as a shell does
    /// for background jobs.
    pub(super) fn listen() -> Result<Self, Error> {
        let signals = Signals { asked: Arc::default(), number: Arc::default() };
        let ignored = ignored();
        for signal in [SIGINT, SIGTERM].into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0) {
            // The order matters: the first signal must find the flag unset.
            flag::register_conditional_default(signal, Arc::clone(&signals.asked))?;
            flag::register_usize(signal, Arc::clone(&signals.number), signal.unsigned_abs() as usize)?;
            flag::register(signal, Arc::clone(&signals.asked))?;
        }
        Ok(signals)
    }

    /// Returns the request to stop that the first signal makes.
    pub(super) fn cancel(&self) -> Cancel {
        Cancel::by_flag(Arc::clone(&self.asked))
    }

    /// Returns the exit code of a stopped command: 130 after Ctrl-C, 143 after SIGTERM.
    pub(super) fn exit_code(&self) -> u8 {
        if self.number.load(Ordering::Relaxed) == SIGTERM.unsigned_abs() as usize { 143 } else { 130 }
    }
}

/// Returns the signals that this process ignores, a bit for each; 0 if the system does not report them.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}
