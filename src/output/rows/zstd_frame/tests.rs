//! Tests that decode frames with the library.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// Encodes, decodes with the library, and compares with the page; returns the size of the frame, or `None` if the page
/// was left to the library.
fn checked(pieces: &[(Vec<u8>, usize)]) -> Option<usize> {
    checked_padded(pieces, |_| 0)
}

/// Like [`checked`], for byte strings that end with the number of zeros that `zeros` returns.
fn checked_padded(pieces: &[(Vec<u8>, usize)], zeros: impl Fn(&[u8]) -> usize) -> Option<usize> {
    let pieces = pieces.iter().map(|(bytes, times)| (bytes.clone(), zeros(bytes), *times));
    fuzz::encoded(&pieces.collect::<Vec<_>>()).unwrap()
}

/// Bytes of `kinds` distinct values, the first of them more common than the last.
fn bytes(length: usize, kinds: u32, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    (0..length).map(|_| u8::try_from((next() % kinds).min(next() % kinds) % 256).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(878), ..ProptestConfig::default() })]
    #[test]
    fn any_page_comes_back(
        pieces in proptest::collection::vec(
            (prop_oneof![0..40_usize, 200..3_000_usize], 1..=300_u32, any::<u32>(), prop_oneof![1..4_usize, 4..200_usize]),
            1..40,
        ),
    ) {
        let pieces: Vec<_> = pieces.into_iter().map(|(length, kinds, seed, times)| (bytes(length, kinds, seed), times)).collect();
        checked(&pieces);
    }

    #[test]
    fn padded_pieces_come_back(
        pieces in proptest::collection::vec(
            (prop_oneof![0..40_usize, 200..3_000_usize], prop_oneof![0..40_usize, 200..9_000_usize], any::<u32>(), 1..30_usize),
            1..20,
        ),
    ) {
        let padded = |(length, zeros, seed, times)| ([bytes(length, 256, seed), vec![0; zeros]].concat(), times);
        let pieces: Vec<_> = pieces.into_iter().map(padded).collect();
        let zeros = |bytes: &[u8]| bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let (padded, plain) = (checked_padded(&pieces, zeros), checked(&pieces));
        // At most a few bytes per entry above the size without the number of zeros.
        if let (Some(padded), Some(plain)) = (padded, plain) {
            prop_assert!(padded <= plain + 8 * pieces.len() + 64, "{} and {}", padded, plain);
        }
    }

    /// Bytes as from the fuzzer: its first bytes decide how the rest is divided.
    #[test]
    fn any_bytes_come_back(
        pieces in proptest::collection::vec((0..3_000_u16, any::<u8>(), any::<u8>(), 1..=300_u32, any::<u32>()), 0..30),
        cut in 0..4_000_usize,
    ) {
        let mut input = Vec::new();
        for (length, zeros, times, kinds, seed) in pieces {
            input.extend(length.to_le_bytes());
            input.extend([zeros, times]);
            input.extend(bytes(usize::from(length), kinds, seed));
        }
        input.truncate(input.len().saturating_sub(cut));
        fuzz::zstd_frame(&input).unwrap();
    }

    #[test]
    fn any_counts_give_codes_that_fill_the_tree(counts in proptest::collection::vec((any::<u8>(), 0..40_u32), 2..400)) {
        // Counts over many magnitudes, so that codes would be longer than allowed.
        let mut table = [0_u32; 256];
        for (byte, magnitude) in counts {
            table[usize::from(byte)] = if magnitude < 26 { 1 << magnitude } else { magnitude };
        }
        let occurring = table.iter().filter(|count| **count > 0).count();
        let mut literals = Vec::new();
        for (byte, count) in (0..=255_u8).zip(table) {
            literals.extend(std::iter::repeat_n(byte, count.min(3) as usize));
        }
        if let Some(codes) = Codes::new(&table) {
            prop_assert!(occurring >= 2);
            let mut frame = Vec::new();
            put_coded_literals(&literals, &codes, false, &mut frame);
            prop_assert!(frame.len() > 11);
        }
    }
}

#[test]
fn codes_of_every_skew_are_decoded() {
    for skew in 1..60_u32 {
        for kinds in [2_u32, 3, 17, 128, 129, 256] {
            // Byte k occurs about 2^(-k * skew / 32) times as often as byte 0.
            let mut literal = Vec::new();
            for byte in 0..kinds {
                let count = (20_000.0 * 0.5_f64.powf(f64::from(byte * skew) / 32.0)).max(1.0);
                literal.extend(std::iter::repeat_n(u8::try_from(byte).unwrap(), count as usize));
            }
            // Nearly even distributions are left to the library.
            if skew > 8 {
                assert!(checked(&[(literal, 2)]).is_some(), "skew {skew}, {kinds} kinds");
            } else {
                checked(&[(literal, 2)]);
            }
        }
    }
}

#[test]
fn every_length_and_offset_code_is_met() {
    let mut pieces = Vec::new();
    for exponent in 0..17 {
        for extra in 0..3 {
            let length = (1_usize << exponent) + extra * ((1 << exponent) / 3);
            pieces.push((bytes(length, 40, 5), 2));
            pieces.push((bytes(length.min(50), 40, 9), 1 + (length / 20)));
        }
    }
    for length in 1..140 {
        pieces.push((bytes(length, 9, 3), 3));
        pieces.push((bytes(1, 9, 3), length));
    }
    assert!(checked(&pieces).is_some());
}

#[test]
fn a_page_of_rows_takes_what_its_rows_take_once() {
    // 60 customers of 14 rows of 1,000 numbers, the lower bytes random and the upper ones mostly small.
    let mut pieces = vec![(vec![2, 0, 0xce, 0x0f, 1], 840)];
    for customer in 0..60_u32 {
        let numbers = bytes(1_000, 65_536, 2 * customer);
        let popular = bytes(1_000, 40, 2 * customer + 1);
        pieces.push((numbers.into_iter().zip(popular).flat_map(|(low, high)| [low, high]).collect(), 14));
    }
    let frame = checked(&pieces).unwrap();
    assert!((95_000..112_000).contains(&frame), "{frame} bytes for 120,000 that are repeated");
}

#[test]
fn small_and_incompressible_pages_are_left_to_the_library() {
    assert_eq!(checked(&[(vec![1; 500], 3)]), None);
    assert_eq!(checked(&[(bytes(200_000, 65_536, 1), 1)]), None);
}
