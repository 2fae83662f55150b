//! Carries lookback's errors through the parquet crate's, the error type of encoding.

use parquet::errors::ParquetError;

use crate::error::Error;

/// Wraps one of lookback's errors as an error of the parquet crate.
pub(super) fn broken(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Returns lookback's error, if one is inside; else `other` converts the crate's error.
pub(super) fn own(error: ParquetError, other: impl FnOnce(ParquetError) -> Error) -> Error {
    match error {
        ParquetError::External(inside) => match inside.downcast() {
            Ok(own) => *own,
            Err(inside) => other(ParquetError::External(inside)),
        },
        error => other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn an_error_of_our_own_comes_through() {
        let other = |error: ParquetError| Error::input("the crate", "x").caused_by(error);
        assert_eq!(own(broken(Error::internal("x")), other).kind(), Kind::Internal);
        assert_eq!(own(ParquetError::General("x".to_owned()), other).kind(), Kind::Input);
        assert_eq!(own(std::io::Error::other("x").into(), other).kind(), Kind::Input);
    }
}
