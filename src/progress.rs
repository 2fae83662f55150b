//! How long work tells how far it is, without knowing who listens.

use crate::message::Message;

/// Receives the progress of one command. Calls may come from several threads, one at a time for what they count.
pub trait Progress: Sync {
    /// Of `total` things of the same kind, the one at `position` (from 1) begins; its phases follow.
    fn item(&self, name: &str, position: usize, total: usize);
    /// The last of these things is done; what follows belongs to none of them.
    fn end_items(&self);
    /// A phase begins, and the one before it is done. `total` is the number of steps it will take, where that is known;
    /// `unit` names a step, and is empty for a phase that is one step.
    fn begin(&self, phase: &str, unit: &'static str, total: Option<u64>);
    /// `steps` more steps of the current phase are done.
    fn advance(&self, steps: u64);
    /// Something odd that the person should read; not an error.
    fn note(&self, message: &Message);
}

/// Passes on notes alone: for one of several pieces of work that go side by side and have no common progress but that
/// of the whole.
pub struct Notes<'a>(pub &'a dyn Progress);

impl Progress for Notes<'_> {
    fn item(&self, _name: &str, _position: usize, _total: usize) {}
    fn end_items(&self) {}
    fn begin(&self, _phase: &str, _unit: &'static str, _total: Option<u64>) {}
    fn advance(&self, _steps: u64) {}
    fn note(&self, message: &Message) {
        self.0.note(message);
    }
}

/// Listens to nothing: for tests and for callers that print no progress.
pub struct Silent;

impl Progress for Silent {
    fn item(&self, _name: &str, _position: usize, _total: usize) {}
    fn end_items(&self) {}
    fn begin(&self, _phase: &str, _unit: &'static str, _total: Option<u64>) {}
    fn advance(&self, _steps: u64) {}
    fn note(&self, _message: &Message) {}
}
