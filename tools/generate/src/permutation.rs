//! A fixed one-to-one shuffle of the numbers below a power of two: turns ranks, which are dense and ordered, into ids,
//! which are neither, without a table of who has which.

/// Odd, so that multiplying by them modulo a power of two can be undone; the bits are those of the SplitMix64
/// finaliser.
const MULTIPLIERS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// Moves zero, which the steps after it would leave where it is: the fractional bits of the golden ratio.
const OFFSET: u64 = 0x9e37_79b9_7f4a_7c15;

/// Maps 0..2^bits onto itself, each value once.
///
/// Takes a value below 2^bits with `bits` from 2 to 64 and gives one below 2^bits. Every step can be undone, which is
/// why no two values meet: an exclusive or with a constant or with the value's own upper bits, a product with an odd
/// number.
pub fn shuffled(value: u64, bits: u32) -> u64 {
    let mask = u64::MAX >> (64 - bits);
    let fold = |value: u64| value ^ (value >> (bits / 2));
    MULTIPLIERS
        .iter()
        .fold(fold(value ^ (OFFSET & mask)), |value, multiplier| fold(value.wrapping_mul(*multiplier) & mask))
}

/// Maps 0..count into itself, each value once, for a `count` of at most 2^bits.
///
/// Walks along the cycle of [`shuffled`] until it is back below `count`. That is a handful of steps when `count` is
/// not far below 2^bits.
pub fn shuffled_below(value: u64, count: u64, bits: u32) -> u64 {
    let mut value = shuffled(value, bits);
    while value >= count {
        value = shuffled(value, bits);
    }
    value
}
