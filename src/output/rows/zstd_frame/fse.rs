//! Finite state entropy coding. Source: RFC 8878, sections 4.1 and 3.1.1.3.2.

use super::bit_writer::BitWriter;

/// The smallest accuracy that a table description can have.
const LOG_MIN: u32 = 5;

/// How encoding one symbol changes the state.
#[derive(Clone, Copy)]
struct Step {
    /// 2^16 times the most bits to write, less the first state that needs so many: added to a state, its upper half is
    /// the number of bits.
    bits: u32,
    /// Added to the state's remaining bits, it is an index into `next`.
    offset: i32,
}

/// An encoder for one distribution.
pub(super) struct Table {
    log: u32,
    /// Ordered by symbol.
    steps: Vec<Step>,
    /// The next states, ordered by symbol and then ascending.
    next: Vec<u32>,
}

/// The state of an encoder; the decoder has the same state at the same position.
#[derive(Clone, Copy)]
pub(super) struct State(u32);

impl Table {
    /// The table of a distribution: `counts` sum up to `2^log`, where -1 means "less than one" and takes one state.
    /// `None` for any other counts.
    pub(super) fn new(counts: &[i16], log: u32) -> Option<Self> {
        let size = 1_usize << log;
        // Symbols of less than one get the last states; the others are spread over the rest.
        let rare = counts.iter().filter(|count| **count < 0).count();
        let mut symbols = vec![0_usize; size];
        let rare_symbols = counts.iter().enumerate().filter(|(_, count)| **count < 0).map(|(symbol, _)| symbol);
        symbols.iter_mut().rev().zip(rare_symbols).for_each(|(place, symbol)| *place = symbol);
        let step = (size >> 1) + (size >> 3) + 3;
        let mut position = 0;
        for (symbol, count) in counts.iter().enumerate() {
            for _ in 0..(*count).max(0) {
                *symbols.get_mut(position)? = symbol;
                position = (position + step) & (size - 1);
                while position >= size - rare {
                    position = (position + step) & (size - 1);
                }
            }
        }
        let mut begins: Vec<usize> = Vec::with_capacity(counts.len());
        let mut total = 0;
        for count in counts {
            begins.push(total);
            total += usize::from(count.unsigned_abs());
        }
        let steps =
            counts.iter().zip(&begins).map(|(count, begin)| Step::new(*count, *begin, log)).collect::<Option<_>>()?;
        let mut next = vec![0; size];
        for (state, symbol) in (0_u32..).zip(&symbols) {
            let place = begins.get_mut(*symbol)?;
            *next.get_mut(*place)? = (1 << log) + state;
            *place += 1;
        }
        Some(Table { log, steps, next })
    }

    /// Returns the state that encodes the last symbol for the decoder, without writing bits. `None` for a symbol that
    /// the distribution lacks.
    pub(super) fn begin(&self, symbol: u8) -> Option<State> {
        let step = self.step(symbol)?;
        let bits = (step.bits + (1 << 15)) >> 16;
        self.following((bits << 16) - step.bits, bits, step).map(State)
    }

    /// Encodes the symbol before the symbols so far. `None` for a symbol that the distribution lacks.
    pub(super) fn encode(&self, state: &mut State, symbol: u8, writer: &mut BitWriter, to: &mut Vec<u8>) -> Option<()> {
        let step = self.step(symbol)?;
        let bits = (state.0 + step.bits) >> 16;
        writer.put(state.0, bits, to);
        state.0 = self.following(state.0, bits, step)?;
        Some(())
    }

    /// Writes the state from which the decoder starts.
    pub(super) fn finish(&self, state: State, writer: &mut BitWriter, to: &mut Vec<u8>) {
        writer.put(state.0, self.log, to);
    }

    fn step(&self, symbol: u8) -> Option<Step> {
        self.steps.get(usize::from(symbol)).copied()
    }

    fn following(&self, state: u32, bits: u32, step: Step) -> Option<u32> {
        let place = i64::from(state >> bits) + i64::from(step.offset);
        usize::try_from(place).ok().and_then(|place| self.next.get(place)).copied()
    }
}

impl Step {
    fn new(count: i16, begin: usize, log: u32) -> Option<Self> {
        let begin = i32::try_from(begin).ok()?;
        Some(match u32::from(count.unsigned_abs()) {
            0 => Step { bits: ((log + 1) << 16) - (1 << log), offset: 0 },
            1 => Step { bits: (log << 16) - (1 << log), offset: begin - 1 },
            many => {
                let most = log - (31 - (many - 1).leading_zeros());
                Step { bits: (most << 16) - (many << most), offset: begin - i32::try_from(many).ok()? }
            }
        })
    }
}

/// Returns counts that sum up to `2^log`, nearly proportional to `counts`; at least one for each symbol that occurs.
/// `None` if fewer than two symbols occur.
pub(super) fn normalized(counts: &[u32], log: u32) -> Option<Vec<i16>> {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    if counts.iter().filter(|count| **count > 0).count() < 2 {
        return None;
    }
    let share = |count: u32| if count == 0 { 0 } else { ((u64::from(count) << log) / total).max(1) };
    let shares = counts.iter().map(|count| i16::try_from(share(*count)));
    let mut shares: Vec<i16> = shares.collect::<Result<_, _>>().ok()?;
    let mut missing = (1_i32 << log) - shares.iter().map(|share| i32::from(*share)).sum::<i32>();
    while missing != 0 {
        // The largest count absorbs the rounding difference, where it matters least.
        let largest = shares.iter_mut().max()?;
        let change = missing.max(1 - i32::from(*largest));
        *largest = i16::try_from(i32::from(*largest) + change).ok().filter(|_| change != 0)?;
        missing -= change;
    }
    Some(shares)
}

/// Appends the description of a distribution (RFC 8878, section 4.1.1): `counts` without any -1, summing up to `2^log`,
/// the last one not 0.
pub(super) fn describe(counts: &[i16], log: u32, to: &mut Vec<u8>) {
    let mut writer = BitWriter::default();
    writer.put(log - LOG_MIN, 4, to);
    let (mut remaining, mut threshold, mut bits) = ((1_u32 << log) + 1, 1_u32 << log, log + 1);
    let mut counts = counts.iter().copied().peekable();
    while let Some(count) = counts.next() {
        if remaining <= 1 {
            break;
        }
        let most = 2 * threshold - 1 - remaining;
        remaining -= u32::from(count.unsigned_abs());
        let stated = u32::from(count.unsigned_abs()) + 1;
        let (stated, short) = if stated >= threshold { (stated + most, false) } else { (stated, stated < most) };
        writer.put(stated, if short { bits - 1 } else { bits }, to);
        while remaining < threshold {
            bits -= 1;
            threshold >>= 1;
        }
        if count == 0 {
            // The number of further zeros, in steps of up to three.
            let mut more = 0;
            while counts.next_if_eq(&0).is_some() {
                more += 1;
            }
            while more >= 3 {
                writer.put(3, 2, to);
                more -= 3;
            }
            writer.put(more, 2, to);
        }
    }
    writer.flush(to);
}
