//! A record as one value: one version byte, then bincode.

use bincode::config::{self, Config};
use bincode::de::BorrowDecoder;
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Encode};

use crate::error::{Error, Result};
use crate::format::wrong_version;

/// Maximum memory for decoding one value. A record of 100,000 files takes about 15 MB; damaged bytes that announce more
/// than the maximum are an error. Announced but missing data below it is an error too, without an allocation: see
/// [`text`] and [`list`].
const DECODED_BYTES_MAX: usize = 64 << 20;

/// A record stored as one value.
pub trait Record: Sized {
    /// Returns the bytes of the value.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// Returns the record with these bytes. Fails on bytes that [`Record::to_bytes`] does not write.
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
}

/// Decodes a list without allocating its announced length. The length is encoded like any other integer.
pub(super) fn list<'bytes, D: BorrowDecoder<'bytes>, T>(
    from: &mut D,
    mut element: impl FnMut(&mut D) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut elements = Vec::new();
    for _ in 0..u64::borrow_decode(from)? {
        elements.push(element(from)?);
    }
    Ok(elements)
}

/// Decodes a text without allocating its announced length.
pub(super) fn text<'bytes, D: BorrowDecoder<'bytes>>(from: &mut D) -> Result<String, DecodeError> {
    <&str>::borrow_decode(from).map(str::to_owned)
}

fn layout() -> impl Config {
    config::standard().with_limit::<DECODED_BYTES_MAX>()
}

pub(super) fn encode<T: Encode>(version: u8, value: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![version];
    bincode::encode_into_std_write(value, &mut bytes, layout()).map_err(|cause| {
        Error::refused(format!("a value is too large for the store ({cause})"), "split the batch").caused_by(cause)
    })?;
    Ok(bytes)
}

pub(super) fn decode<'bytes, T: BorrowDecode<'bytes, ()>>(version: u8, bytes: &'bytes [u8]) -> Result<T> {
    match bytes.split_first() {
        Some((found, rest)) if *found == version => match bincode::borrow_decode_from_slice(rest, layout()) {
            Ok((value, read)) if read == rest.len() => Ok(value),
            Ok(_) => Err(Error::corrupt("a value in the store has bytes after its end")),
            Err(cause) => {
                Err(Error::corrupt(format!("a value in the store cannot be read ({cause})")).caused_by(cause))
            }
        },
        Some((other, _)) => Err(wrong_version(*other, version)),
        None => Err(Error::corrupt("a value in the store is empty")),
    }
}
