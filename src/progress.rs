//! How work reports its progress, whoever listens.

use crate::message::Message;

/// Receives the progress of one command. Calls may come from several threads, one at a time for what they count.
///
/// ```
/// use lookback::message::Message;
/// use lookback::progress::Progress;
///
/// /// Prints what begins.
/// struct Phases;
///
/// impl Progress for Phases {
///     fn item(&self, name: &str, position: usize, total: usize) { println!("{name}, {position} of {total}") }
///     fn end_items(&self) {}
///     fn begin(&self, phase: &str, _unit: &'static str, _total: Option<u64>) { println!("{phase}") }
///     fn advance(&self, _steps: u64) {}
///     fn note(&self, message: &Message) { println!("note: {message}") }
/// }
/// ```
pub trait Progress: Sync {
    /// The item at `position` (from 1) of `total` items begins; its phases follow.
    fn item(&self, _name: &str, _position: usize, _total: usize) {}
    /// The last item is done; later phases belong to no item.
    fn end_items(&self) {}
    /// A phase begins, and the phase before it is done. `total` is its number of steps, if known; `unit` names a step,
    /// and is empty for a phase of a single step.
    fn begin(&self, _phase: &str, _unit: &'static str, _total: Option<u64>) {}
    /// `steps` more steps of the current phase are done.
    fn advance(&self, _steps: u64) {}
    /// Something unusual that the person should read; not an error.
    fn note(&self, _message: &Message) {}
}

/// Passes on notes only: for one of several concurrent tasks, where only the whole reports progress.
pub struct Notes<'a>(pub &'a dyn Progress);

impl Progress for Notes<'_> {
    fn note(&self, message: &Message) {
        self.0.note(message);
    }
}

/// Ignores all progress: for tests and for callers that print none.
pub struct Silent;

impl Progress for Silent {}
