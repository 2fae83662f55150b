//! Ctrl-C (SIGINT) and SIGTERM: the first asks the command to stop, and a second one ends the process at once.

use std::fs;
use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::resources::Cancel;

/// Which signal has come, if any.
pub(super) struct Signals {
    asked: Arc<AtomicBool>,
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// Takes both from here on, unless whoever has started this process has it ignore them: a shell does so for what
    /// runs in its background.
    pub fn listen() -> Result<Self, Error> {
        let signals = Signals { asked: Arc::default(), number: Arc::default() };
        let ignored = ignored();
        for signal in [SIGINT, SIGTERM].into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0) {
            // In this order: the first signal finds the flag down.
            flag::register_conditional_default(signal, Arc::clone(&signals.asked))?;
            flag::register_usize(signal, Arc::clone(&signals.number), signal.unsigned_abs() as usize)?;
            flag::register(signal, Arc::clone(&signals.asked))?;
        }
        Ok(signals)
    }

    /// The request that the first of them is.
    pub fn cancel(&self) -> Cancel {
        Cancel::by_flag(Arc::clone(&self.asked))
    }

    /// What a command exits with that was stopped by one: 130 by Ctrl-C, 143 by SIGTERM.
    pub fn exit_code(&self) -> u8 {
        if self.number.load(Ordering::Relaxed) == SIGTERM.unsigned_abs() as usize { 143 } else { 130 }
    }
}

/// The signals that this process ignores, a bit for each; none where the system does not tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}
