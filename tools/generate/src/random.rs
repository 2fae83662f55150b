//! Random numbers that depend on the seed, the day, the kind of row and the part, and on nothing drawn before.

use chrono::NaiveDate;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Which rows the numbers are for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    Actions,
    Impressions,
}

/// The generator of one part of one day.
///
/// ChaCha, since its stream is the same on every platform and in every version of its crate, and since seeds that
/// differ in a bit give unrelated streams: the parts of the key can simply stand side by side. Eight rounds are ample
/// for test data.
pub fn of_part(seed: u64, date: NaiveDate, purpose: Purpose, part: u32) -> ChaCha8Rng {
    let words = [
        seed,
        i64::from(date.to_epoch_days()).cast_unsigned(),
        match purpose {
            Purpose::Actions => 1,
            Purpose::Impressions => 2,
        },
        part.into(),
    ];
    let mut key = <ChaCha8Rng as SeedableRng>::Seed::default();
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
