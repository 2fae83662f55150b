//! What the parquet crate says when it cannot write.

use std::io;
use std::path::Path;

use parquet::errors::ParquetError;

use crate::error::Error;

/// The error of writing to `path`; where the system's own is inside, with the remedy for that.
pub fn write_failed(path: &Path, error: ParquetError) -> Error {
    let error = match error {
        ParquetError::External(inside) => match inside.downcast::<io::Error>() {
            Ok(inside) => *inside,
            Err(inside) => io::Error::other(ParquetError::External(inside)),
        },
        error => io::Error::other(error),
    };
    Error::io("write", path, error)
}
