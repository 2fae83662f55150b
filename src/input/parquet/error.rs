//! What the parquet crate says when it cannot write.

use std::io;
use std::path::Path;

use parquet::errors::ParquetError;

use crate::error::Error;

/// The error of writing to `path`; where the system's own is inside, with the remedy for that.
pub fn write_failed(path: &Path, error: &ParquetError) -> Error {
    let inside = match error {
        ParquetError::External(inside) => inside.downcast_ref::<io::Error>(),
        _ => None,
    };
    match inside {
        Some(inside) => Error::io("write", path, inside),
        None => Error::io("write", path, &io::Error::other(error.to_string())),
    }
}
