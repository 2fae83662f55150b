//! Turns panics of the Parquet reader into errors.
//!
//! The parquet crate checks most of a file, but not all: some damaged footers reach an assertion in it (found by
//! flipping bytes; for example, a column that begins at a negative offset). Input must never end the program by a
//! panic.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::{Cause, Error, Result};
use crate::text::Shown as _;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `read`; returns a panic as the text of an error. After a panic, the values that `read` used must not be used
/// again.
pub(crate) fn guard<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    let before = INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    INSIDE.set(before);
    result.map_err(|payload| panic_text(payload.as_ref()))
}

/// Whether this thread is inside a guard, so that a panic becomes an error and needs no report of its own.
pub fn is_guarded() -> bool {
    INSIDE.get()
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "damaged".to_owned())
}

/// Runs a step of the reader; an error or panic becomes an error that names the file.
pub(crate) fn guarded<T, E: Into<Cause>>(path: &Path, read: impl FnOnce() -> Result<T, E>) -> Result<T> {
    match guard(read) {
        Ok(result) => result.map_err(|error| unreadable(path, error)),
        Err(panic) => Err(unreadable(path, panic)),
    }
}

pub(crate) fn unreadable(path: &Path, cause: impl Into<Cause>) -> Error {
    let cause = cause.into();
    Error::input(
        format!("the file {} cannot be read as Parquet ({cause})", path.shown()),
        "write the file again, or begin its name with _ if it is not data",
    )
    .caused_by(cause)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use parquet::errors::ParquetError;

    use super::*;

    #[test]
    fn what_the_reader_said_is_the_cause() {
        let read = || Err::<u8, _>(ParquetError::EOF("odd".to_owned()));
        let error = guarded(Path::new("x"), read).unwrap_err();
        let cause = error.source().and_then(|cause| cause.downcast_ref::<ParquetError>());
        assert!(matches!(cause, Some(ParquetError::EOF(_))), "{error}");
    }

    #[test]
    fn a_panic_is_an_error_and_the_guard_is_left() {
        assert_eq!(guard(|| 7), Ok(7));
        assert_eq!(guard(|| -> u8 { panic!("offset {}", -1) }), Err("offset -1".to_owned()));
        assert!(!is_guarded());
        assert_eq!(guard(is_guarded), Ok(true));
    }
}
