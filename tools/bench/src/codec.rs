//! Part `codec`: the deltas of one batch to bytes and back, in memory, on one thread.

use std::hint::black_box;
use std::ops::Range;

use lookback::error::Result;
use lookback::internals::format::{Delta, encode_delta};
use lookback::model::{Action, Day};
use lookback::text::count;

use crate::actions::deltas;
use crate::clock::Spent;
use crate::input::Input;
use crate::rounds::{Pass, Rounds};
use crate::table::Line;

/// Deltas as a store has them: one after the other, and where each lies.
#[derive(Default)]
struct Encoded {
    bytes: Vec<u8>,
    places: Vec<(Day, Range<usize>)>,
}

/// Encoding, decoding without times (as a read for rows does) and decoding with times (as an ingest does) take turns.
pub fn measure(input: &Input, rounds: Rounds) -> Result<Vec<Line>> {
    let deltas = deltas(&input.root, input.newest)?;
    let actions: u64 = deltas.iter().map(|(_, actions)| actions.len() as u64).sum();
    let encoded = encode(&deltas);

    let encode_pass: Pass<'_> = Box::new(|| Ok(Spent::on(|| Ok(black_box(encode(&deltas))))?.0));
    let append_pass: Pass<'_> = Box::new(|| Ok(Spent::on(|| append(&encoded))?.0));
    let actions_pass: Pass<'_> = Box::new(|| Ok(Spent::on(|| decode(&encoded))?.0));
    let [encoding, appending, decoding] = rounds.in_turns([encode_pass, append_pass, actions_pass])?;

    let size = format!("{} deltas, {} actions", count(deltas.len() as u64), count(actions));
    let bytes_each = encoded.bytes.len() as f64 / actions.max(1) as f64;
    let rate = [(actions, "actions")];
    Ok(vec![
        Line::timed("codec encode", format!("{size}, {bytes_each:.2} bytes an action"), &encoding, &rate),
        Line::timed("codec append", format!("{size}, items and types"), &appending, &rate),
        Line::timed("codec actions", format!("{size}, with times"), &decoding, &rate),
    ])
}

fn encode(deltas: &[(Day, Vec<Action>)]) -> Encoded {
    let mut encoded = Encoded::default();
    for (day, actions) in deltas {
        let begin = encoded.bytes.len();
        encode_delta(*day, actions, &mut encoded.bytes);
        encoded.places.push((*day, begin..encoded.bytes.len()));
    }
    encoded
}

fn append(encoded: &Encoded) -> Result<()> {
    let (mut items, mut types) = (Vec::new(), Vec::new());
    for (_, place) in &encoded.places {
        items.clear();
        types.clear();
        let delta = Delta::read(encoded.bytes.get(place.clone()).unwrap_or_default())?;
        delta.append(delta.count(), &mut items, &mut types);
        black_box((&items, &types));
    }
    Ok(())
}

fn decode(encoded: &Encoded) -> Result<()> {
    for (day, place) in &encoded.places {
        let delta = Delta::read(encoded.bytes.get(place.clone()).unwrap_or_default())?;
        black_box(delta.actions(*day)?);
    }
    Ok(())
}
