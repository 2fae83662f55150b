//! Values that belong to one process.

use std::mem::ManuallyDrop;
use std::process;

use lookback::error::{Error, Result};

/// A value that only the process that made it may use. A forked process has a copy without the threads behind it, whose
/// files are still its parent's: so there it is neither used nor dropped.
pub(crate) struct Own<T> {
    value: ManuallyDrop<T>,
    process: u32,
}

impl<T> Own<T> {
    pub(crate) fn new(value: T) -> Self {
        Own { value: ManuallyDrop::new(value), process: process::id() }
    }

    /// Returns the value. Fails in a forked process.
    pub(crate) fn get(&self) -> Result<&T> {
        self.check().map(|()| &*self.value)
    }

    /// Returns the value to change it. Fails in a forked process.
    pub(crate) fn get_mut(&mut self) -> Result<&mut T> {
        self.check().map(|()| &mut *self.value)
    }

    fn check(&self) -> Result<()> {
        if self.process == process::id() {
            return Ok(());
        }
        Err(Error::usage("this was opened before the process was forked", "open it in the process that uses it"))
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.process == process::id() {
            // SAFETY: the value is dropped here only, once, and is not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}
