//! Tokens of forgotten customers, which do not reveal the customer without the store's secret.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::model::CustomerId;

/// The keyed hash that stands for a customer in the block list.
pub(crate) type Token = [u8; 16];

/// The key of a store's tokens: random bytes, drawn when the first customer is forgotten, so that stores have different
/// tokens.
pub(crate) type Secret = [u8; 16];

/// Returns the token of a customer: 128-bit SipHash-2-4 of the id's eight bytes, little endian, keyed with the secret.
///
/// Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012. An id has 64 bits, so with the store and a
/// list of ids one can find out which of them are forgotten; with only the store one has to try all ids.
pub(crate) fn token_of(secret: &Secret, customer: CustomerId) -> Token {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&customer.0.to_le_bytes());
    hasher.finish128().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::bytes_of;

    #[test]
    fn the_mark_is_that_of_the_authors_test_vectors() {
        // The authors' reference implementation, vectors_sip128: key 00 01 .. 0f, input of eight bytes 00 01 .. 07.
        let secret = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let token = token_of(&secret, CustomerId(0x0706_0504_0302_0100));
        assert_eq!(token.to_vec(), bytes_of("3b62a9ba6258f5610f83e264f31497b4"));
    }
}
