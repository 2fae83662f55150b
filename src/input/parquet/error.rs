//! Errors of the parquet crate when it writes.

use std::io;
use std::path::Path;

use parquet::errors::ParquetError;

use crate::error::Error;

/// The error of writing to `path`; if the cause is an error of the system, with the remedy for that error.
pub(crate) fn write_failed(path: &Path, error: ParquetError) -> Error {
    let error = match error {
        ParquetError::External(inside) => match inside.downcast::<io::Error>() {
            Ok(inside) => *inside,
            Err(inside) => io::Error::other(ParquetError::External(inside)),
        },
        error => io::Error::other(error),
    };
    Error::io("write", path, error)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn what_the_system_said_is_found_again() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        for (error, kind) in [
            (ParquetError::from(full()), io::ErrorKind::StorageFull),
            (ParquetError::General("odd".to_owned()), io::ErrorKind::Other),
        ] {
            let shown = if kind == io::ErrorKind::Other { error.to_string() } else { full().to_string() };
            let failed = write_failed(Path::new("x"), error);
            let cause = failed.source().and_then(|cause| cause.downcast_ref::<io::Error>()).unwrap();
            assert_eq!((cause.kind(), cause.to_string()), (kind, shown));
        }
    }
}
