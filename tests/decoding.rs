//! Any bytes where a key or a value should be: each decoder gives a value or an error, never panics, and never takes
//! memory for what the bytes only announce.

use allocation_counter::measure;

use lookback::internals::format::{
    ACTIONS_MAX, BatchRecord, CustomerState, Delta, Entry, FORMAT_VERSION, FileRecord, Key, Keyframe, LAYOUT_VERSION,
    Record, SourceRecord, StoreRecord, Totals, TouchedDay, TypesRecord, decode_leaf, encode_delta, encode_keyframe,
    encode_leaf,
};
use lookback::internals::history::SinceKeyframe;
use lookback::model::{Action, ActionType, CustomerId, Day, PastAction};

use crate::support::random::{Random, seed};

/// What decoding may take for each byte of its input, in all: an action of a delta takes at least one byte, and 33
/// bytes of memory; a line of the customer index takes 5 and 48; a file of a batch record takes 19 and 64; and a list
/// that grows by doubling is moved.
const BYTES_PER_BYTE: u64 = 64;

/// What it may take besides, for what it says of an error.
const BYTES_BESIDES: u64 = 1_024;

/// What a keyframe may take besides: actions that are all alike take no bytes of their own, and there are never more of
/// them than this.
const KEYFRAME_BYTES_BESIDES: u64 = 64 * ACTIONS_MAX as u64;

/// Bytes by chance, and valid bytes changed by chance, for each decoder.
const CASES: usize = 6_000;

const ANCHOR: i32 = 20_000;

fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

/// Decodes all of it, and tells whether it is a value.
type Decode = fn(&[u8]) -> bool;

fn key(bytes: &[u8]) -> bool {
    Key::decode(bytes).is_ok_and(|key| {
        assert_eq!(&*key.encode(), bytes);
        true
    })
}

fn delta(bytes: &[u8]) -> bool {
    let Ok(delta) = Delta::read(bytes) else { return false };
    let (mut items, mut types) = (Vec::new(), Vec::new());
    delta.append(usize::MAX, &mut items, &mut types);
    assert!(items.len() == delta.count() && types.len() == items.len());
    delta.actions(day(ANCHOR)).is_ok_and(|actions| {
        assert!(actions.iter().map(|action| action.item_id).eq(items));
        true
    })
}

fn keyframe(bytes: &[u8]) -> bool {
    let Ok(keyframe) = Keyframe::read(day(ANCHOR), bytes) else { return false };
    let (mut items, mut types) = (Vec::new(), Vec::new());
    keyframe.append(None, usize::MAX, &mut items, &mut types);
    let past = keyframe.past();
    assert!(past.iter().map(|action| action.item_id).eq(items));
    true
}

fn leaf<E: Entry + std::fmt::Debug>(bytes: &[u8]) -> bool {
    let (first, mut lines) = (CustomerId(-9), Vec::<(CustomerId, E)>::new());
    decode_leaf(first, day(ANCHOR), bytes, &mut lines).is_ok_and(|()| {
        assert!(lines.is_sorted_by_key(|(customer, _)| *customer));
        true
    })
}

fn record<R: Record>(bytes: &[u8]) -> bool {
    R::from_bytes(bytes).is_ok()
}

fn actions(random: &mut Random) -> Vec<Action> {
    let midnight = i64::from(ANCHOR) * 86_400_000_000;
    let unit = [1, 1_000, 1_000_000][usize::try_from(random.below(3)).unwrap()];
    let (count, highest) = (1 + random.below(40), 1 << (1 + random.below(40)));
    let mut actions: Vec<Action> = (0..count)
        .map(|_| Action {
            time_us: midnight + i64::try_from(random.below(80_000)).unwrap() * unit,
            item_id: i64::try_from(1 + random.below(highest)).unwrap(),
            action_type: ActionType::from_number(1 + u8::try_from(random.below(3)).unwrap()).unwrap(),
        })
        .collect();
    actions.sort_by(lookback::internals::history::newest_first);
    actions
}

/// Valid bytes of some value that the decoder reads.
type Valid = fn(&mut Random) -> Vec<u8>;

fn valid_key(random: &mut Random) -> Vec<u8> {
    let customer = CustomerId(random.next().cast_signed());
    let mut some_day = || day(i32::try_from(random.below(106_651)).unwrap());
    let (day, batch) = (some_day(), some_day());
    let keys = [
        Key::Store,
        Key::Totals,
        Key::Batch(batch),
        Key::Delta { customer, day, batch },
        Key::Delta { customer, day, batch: day },
        Key::Keyframe { customer, day },
        Key::Index { batch, first: customer },
        Key::CustomerIndex { first: customer },
    ];
    keys[usize::try_from(random.below(8)).unwrap()].encode().to_vec()
}

fn valid_delta(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_delta(day(ANCHOR), &actions(random), &mut bytes);
    bytes
}

fn valid_keyframe(random: &mut Random) -> Vec<u8> {
    let mut past: Vec<PastAction> = actions(random)
        .iter()
        .map(|action| PastAction {
            day: day(ANCHOR - 1 - i32::try_from(random.below(300)).unwrap()),
            item_id: action.item_id,
            action_type: action.action_type.number(),
        })
        .collect();
    past.sort_by_key(|action| std::cmp::Reverse(action.day));
    let mut bytes = Vec::new();
    encode_keyframe(day(ANCHOR), &past, &mut bytes);
    bytes
}

fn valid_leaf<E: Entry>(random: &mut Random, line: fn(&mut Random) -> E) -> Vec<u8> {
    let mut customer = -9_i64;
    let lines = (0..1 + random.below(30)).map(|_| {
        customer = customer.saturating_add_unsigned(random.next() >> random.below(64).max(8));
        (CustomerId(customer), line(random))
    });
    let lines: Vec<_> = lines.collect();
    let mut bytes = Vec::new();
    encode_leaf(CustomerId(-9), day(ANCHOR), &lines, &mut bytes);
    bytes
}

fn touched(random: &mut Random) -> TouchedDay {
    TouchedDay(day(ANCHOR + 5 - i32::try_from(random.below(400)).unwrap()))
}

fn customer_state(random: &mut Random) -> CustomerState {
    let newest = day(ANCHOR + i32::try_from(random.below(400)).unwrap());
    let keyframe = (random.below(2) == 0).then(|| newest.minus(u32::try_from(random.below(300)).unwrap()));
    CustomerState { newest, keyframe, since: SinceKeyframe { deltas: random.below(99), actions: random.below(99_999) } }
}

fn valid_batch_record(random: &mut Random) -> Vec<u8> {
    let files = (0..random.below(6)).map(|number| FileRecord {
        source: 1,
        path: "x".repeat(usize::try_from(random.below(300)).unwrap()) + &number.to_string(),
        bytes: random.next(),
        xxh3_128: [7; 16],
    });
    let files = files.collect();
    BatchRecord {
        files,
        actions: [(1, random.next())].into_iter().collect(),
        customers: random.below(300),
        ..BatchRecord::default()
    }
    .to_bytes()
    .unwrap()
}

fn configured_batch_record(random: &mut Random) -> Vec<u8> {
    let plain = BatchRecord::from_bytes(&valid_batch_record(random)).unwrap();
    let sources =
        (0..1 + random.below(4)).map(|number| SourceRecord { name: format!("source-{number}"), mapping: [5; 16] });
    let actions = (0..random.below(9)).map(|_| (1 + random.next().to_le_bytes()[0] / 2, random.below(1 << 40)));
    BatchRecord { sources: sources.collect(), actions: actions.collect(), ignored: random.next(), ..plain }
        .to_bytes()
        .unwrap()
}

/// Changes some bytes: one, or a few, or cuts, or puts in others.
fn changed(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let place = |random: &mut Random, end: usize| usize::try_from(random.below(end.max(1) as u64)).unwrap();
    for _ in 0..1 + random.below(3) {
        let at = place(random, bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.splice(at..at, vec![0xff; place(random, 9)]).for_each(drop),
            2 => bytes.extend((0..random.below(9)).map(|_| random.next().to_le_bytes()[0])),
            3 => bytes.get_mut(at).into_iter().for_each(|byte| *byte = 0xfd),
            _ => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << random.below(8)),
        }
    }
    bytes
}

fn shuffled(random: &mut Random) -> Vec<u8> {
    let bytes = (0..random.below(80)).map(|_| random.next().to_le_bytes()[0]);
    let mut bytes: Vec<u8> = bytes.collect();
    // With the version that is asked for, more is looked at.
    if random.below(4) > 0
        && let Some(first) = bytes.first_mut()
    {
        *first = [FORMAT_VERSION, LAYOUT_VERSION][usize::try_from(random.below(2)).unwrap()];
    }
    bytes
}

fn check(name: &str, besides: u64, valid: Valid, decode: Decode) {
    let seed = seed(77);
    let mut random = Random::new(seed);
    let (mut read, mut refused, mut most) = (0, 0, 0);
    for case in 0..CASES {
        let good = valid(&mut random);
        assert!(decode(&good), "{name}, seed {seed}, case {case}: valid bytes are refused");
        for bytes in [changed(good, &mut random), shuffled(&mut random)] {
            let mut is_value = false;
            let took = measure(|| is_value = decode(&bytes)).bytes_total;
            let bound = BYTES_PER_BYTE * bytes.len() as u64 + besides;
            assert!(took <= bound, "{name}, seed {seed}, case {case}: {took} bytes for {} bytes", bytes.len());
            most = took.max(most);
            if is_value {
                read += 1
            } else {
                refused += 1
            };
        }
    }
    assert!(refused > CASES / 2 && read > 0, "{name}: {read} read, {refused} refused, {most} bytes at most");
}

#[test]
fn keys() {
    check("key", BYTES_BESIDES, valid_key, key);
}

#[test]
fn deltas() {
    check("delta", BYTES_BESIDES, valid_delta, delta);
}

#[test]
fn keyframes() {
    check("keyframe", KEYFRAME_BYTES_BESIDES, valid_keyframe, keyframe);
}

#[test]
fn leaves() {
    check("leaf of the index", BYTES_BESIDES, |random| valid_leaf(random, touched), leaf::<TouchedDay>);
    check(
        "leaf of the customer index",
        BYTES_BESIDES,
        |random| valid_leaf(random, customer_state),
        leaf::<CustomerState>,
    );
}

#[test]
fn records() {
    let store_record = |random: &mut Random| {
        let time_zone = "Z".repeat(usize::try_from(random.below(300)).unwrap());
        StoreRecord { max_history: u32::try_from(random.below(1 << 32)).unwrap(), time_zone }.to_bytes().unwrap()
    };
    check("store record", BYTES_BESIDES, store_record, record::<StoreRecord>);
    check("totals", BYTES_BESIDES, |random| Totals { customers: random.next() }.to_bytes().unwrap(), record::<Totals>);
    check("batch record", BYTES_BESIDES, valid_batch_record, record::<BatchRecord>);
    check("configured batch record", BYTES_BESIDES, configured_batch_record, record::<BatchRecord>);
    let types = |random: &mut Random| {
        let types = (1..=u8::try_from(random.below(255)).unwrap()).map(|number| (number, format!("type-{number}")));
        TypesRecord { types: types.collect() }.to_bytes().unwrap()
    };
    check("table of types", BYTES_BESIDES, types, record::<TypesRecord>);
}

/// Lengths that are within all limits and not within the bytes.
#[test]
fn announced_lengths_take_no_memory() {
    let version = LAYOUT_VERSION;
    // 50 million letters; a million files; 100,000 actions of no bits each; 2^40 lines.
    let cases: [(&[u8], Decode); 7] = [
        (&[FORMAT_VERSION, 1, 0xfc, 0x80, 0xf0, 0xfa, 0x02], record::<StoreRecord>),
        (&[version, 0xfc, 0x40, 0x42, 0x0f, 0x00, 1], record::<BatchRecord>),
        (&[4, 0xfc, 0x40, 0x42, 0x0f, 0x00, 1], record::<BatchRecord>),
        (&[4, 0, 0, 0xfc, 0x40, 0x42, 0x0f, 0x00, 1, 1], record::<BatchRecord>),
        (&[4, 0xfc, 0x40, 0x42, 0x0f, 0x00, 1, 1], record::<TypesRecord>),
        (&[version, 0xa0, 0x8d, 0x06, 0, 0, 2, 1, 0, 0], delta),
        (&[version, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 1, 1], leaf::<TouchedDay>),
    ];
    for (bytes, decode) in cases {
        let took = measure(|| assert!(!decode(bytes))).bytes_total;
        assert!(took <= BYTES_PER_BYTE * bytes.len() as u64 + BYTES_BESIDES, "{took} bytes for {bytes:02x?}");
    }
}
