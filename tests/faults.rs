//! Each kind of fault: a sound store with exactly that broken, what `verify` says of it, and that `repair` mends it, or
//! refuses and the remedy works.

use lookback::internals::format::{
    BatchRecord, CustomerState, Delta, FIRST_LEAF, FORMAT_VERSION, Key, Keyframe, Record, Totals, TouchedDay,
    decode_leaf, encode_delta, encode_keyframe, encode_leaf,
};
use lookback::model::{Action, CustomerId, Day};

use crate::support::output::dump;
use crate::support::program::Bench;
use crate::support::store::{MAX_HISTORY, batch_day, edit, filled};
use crate::verifying::faults_of;

type Entry = (Vec<u8>, Vec<u8>);
type Edits = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The batch of which parts are broken. It is small, and nothing else has been done to it.
pub const BATCH: u32 = 7;

/// A store, what it holds, and what is done to it.
pub struct Case {
    pub bench: Bench,
    pub sound: Vec<Entry>,
}

pub fn day(number: u32) -> Day {
    batch_day(number).parse().unwrap()
}

pub fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Case {
    pub fn new() -> Self {
        let bench = filled();
        let sound = dump(&bench.store());
        Case { bench, sound }
    }

    /// The first entry whose key is like this.
    pub fn find(&self, like: impl Fn(Key) -> bool) -> (Key, Vec<u8>) {
        let mut keys = self.sound.iter().map(|(key, value)| (Key::decode(key).unwrap(), value));
        keys.find(|(key, _)| like(*key)).map(|(key, value)| (key, value.clone())).unwrap()
    }

    /// A delta of the batch, with its actions.
    pub fn delta(&self, like: impl Fn(&[Action]) -> bool) -> (Key, Day, Vec<Action>) {
        let deltas = self.sound.iter().filter_map(|(key, value)| match Key::decode(key).unwrap() {
            key @ Key::Delta { day: on, batch, .. } if batch == day(BATCH) => {
                Some((key, on, Delta::read(value).unwrap().actions(on).unwrap()))
            }
            _ => None,
        });
        deltas.into_iter().find(|(.., actions)| like(actions)).unwrap()
    }

    fn customer_index(&self) -> (Key, CustomerId, Vec<(CustomerId, CustomerState)>) {
        self.leaf(Day::FIRST, |key| if let Key::CustomerIndex { first } = key { Some(first) } else { None })
    }

    fn index(&self) -> (Key, CustomerId, Vec<(CustomerId, TouchedDay)>) {
        self.leaf(day(BATCH), |key| match key {
            Key::Index { batch, first } if batch == day(BATCH) => Some(first),
            _ => None,
        })
    }

    /// A leaf with several lines, of a list whose keys `first` knows.
    fn leaf<E: lookback::internals::format::Entry>(
        &self,
        anchor: Day,
        first: fn(Key) -> Option<CustomerId>,
    ) -> (Key, CustomerId, Vec<(CustomerId, E)>) {
        let mut leaves = self.sound.iter().filter_map(|(key, value)| {
            let key = Key::decode(key).unwrap();
            let (first, mut lines) = (first(key)?, Vec::new());
            decode_leaf(first, anchor, value, &mut lines).unwrap();
            (lines.len() > 4 && first != FIRST_LEAF).then_some((key, first, lines))
        });
        leaves.next().unwrap()
    }

    fn record(&self) -> (Key, BatchRecord) {
        let (key, value) = self.find(|key| key == Key::Batch(day(BATCH)));
        (key, BatchRecord::from_bytes(&value).unwrap())
    }

    /// Breaks the store and expects one fault, named with its place and key, of which these words are said.
    fn broken(&self, edits: &Edits, options: &str, words: &str) -> String {
        edit(&self.bench.store(), edits);
        let ran = self.bench.run(&format!("verify --store store {options}"));
        let lines = faults_of(&ran);
        let (key, _) = edits.last().unwrap();
        assert_eq!(lines.len(), 1, "{words}: {}", ran.stdout);
        let named = format!("(key {}): ", hex(key));
        assert!(lines[0].contains(&named) && lines[0].contains(words), "{words}, {named}: {}", lines[0]);
        lines[0].to_owned()
    }

    fn mend(&self, set: u64, removed: u64) {
        let broken = dump(&self.bench.store());
        let planned = self.bench.json("repair --store store --dry-run");
        assert!(dump(&self.bench.store()) == broken, "a dry run changes nothing");
        let done = self.bench.json("repair --store store");
        assert_eq!((&planned["set"], &planned["removed"]), (&done["set"], &done["removed"]));
        let all = |kinds: &serde_json::Value| -> u64 {
            kinds.as_object().unwrap().values().map(|number| number.as_u64().unwrap()).sum()
        };
        assert_eq!((all(&done["set"]), all(&done["removed"])), (set, removed), "{done}");
        assert!(dump(&self.bench.store()) == self.sound, "the store is what it was, key by key");
        self.bench.ok("verify --store store --deep");
    }

    /// What is derived: found with and without `--deep`, and mended.
    fn derived(edits: impl Fn(&Case) -> Edits, place: &str, words: &str) {
        let case = Case::new();
        let edits = edits(&case);
        let line = case.broken(&edits, "", words);
        assert!(line.starts_with(place), "{line}");
        assert!(line.ends_with("; rebuild it with `lookback repair`"), "{line}");
        assert_eq!(faults_of(&case.bench.run("verify --store store --deep")), [line]);
        let is_set = case.sound.iter().any(|(key, _)| *key == edits.last().unwrap().0);
        case.mend(u64::from(is_set), u64::from(!is_set));
    }

    /// The truth: found, not repaired, and as before after the batch has been ingested again; or with `None` for what
    /// no batch brings.
    fn truth(edits: impl Fn(&Case) -> Edits, place: &str, words: &str, batch: Option<u32>) {
        let case = Case::new();
        let line = case.broken(&edits(&case), "--deep", words);
        assert!(line.starts_with(place), "{line}");
        case.refuses_to_repair(&line, batch);
    }

    fn refuses_to_repair(&self, line: &str, batch: Option<u32>) {
        let broken = dump(&self.bench.store());
        let remedy = line.rsplit("; ").next().unwrap();
        self.bench.refused("repair --store store", &[remedy, "then repair again", "has damage"]);
        assert!(dump(&self.bench.store()) == broken, "a refusal changes nothing");
        let Some(batch) = batch else {
            assert!(remedy.starts_with("restore the store from a backup"), "{line}");
            return;
        };
        assert!(remedy.starts_with(&format!("ingest the batch of {} again", batch_day(batch))), "{line}");
        self.bench.ingest(&batch_day(batch));
        assert!(dump(&self.bench.store()) == self.sound, "the store is what it was, key by key: {line}");
        self.bench.ok("verify --store store --deep");
    }
}

pub fn set(key: Key, value: Vec<u8>) -> Edits {
    vec![(key.encode().to_vec(), Some(value))]
}

pub fn removed(key: Key) -> Edits {
    vec![(key.encode().to_vec(), None)]
}

fn delta_of(on: Day, actions: &[Action]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_delta(on, actions, &mut bytes);
    bytes
}

/// The same value with its count, which is below 128, in two bytes in place of one.
fn longer(value: &[u8]) -> Vec<u8> {
    [&[value[0], value[1] | 0x80, 0], &value[2..]].concat()
}

#[test]
fn keys_that_no_program_writes() {
    for key in [vec![0x77, 1], vec![0x11, 1, 2, 3], vec![0, 1], [&[0x14][..], &[0xff; 4]].concat()] {
        let edits = |_: &Case| vec![(key.clone(), Some(vec![2]))];
        Case::truth(edits, "key of unknown form", "is not a key that this program writes", None);
    }
}

#[test]
fn deltas_that_cannot_be_decoded() {
    let broken: [fn(&mut Vec<u8>); 4] = [
        |value| value.truncate(value.len() - 1),
        |value| value.push(0),
        |value| value[0] = 1,
        // Numbers of the types at four bits each: the first becomes 15.
        |value| *value = vec![FORMAT_VERSION, 1, 0x24, 0, 2, 15, 0],
    ];
    for change in broken {
        let edits = |case: &Case| {
            let (key, on, actions) = case.delta(|actions| actions.len() > 1);
            let mut value = delta_of(on, &actions);
            change(&mut value);
            set(key, value)
        };
        Case::truth(edits, "delta of customer ", "cannot be decoded (", Some(BATCH));
    }
}

#[test]
fn deltas_that_say_what_no_batch_brings() {
    let place = "delta of customer ";
    let ordered = |case: &Case| {
        let (key, on, mut actions) = case.delta(|actions| actions.len() > 1);
        let (time_us, action_type) = (actions[0].time_us, actions[0].action_type);
        actions[1] = Action { time_us, action_type, item_id: actions[0].item_id + 1 };
        actions.truncate(2);
        set(key, delta_of(on, &actions))
    };
    Case::truth(ordered, place, "does not have its newest action first", Some(BATCH));

    let padding = |case: &Case| {
        let (key, on, mut actions) = case.delta(|_| true);
        actions[0].item_id = 0;
        set(key, delta_of(on, &actions))
    };
    Case::truth(padding, place, "holds item 0", Some(BATCH));

    let next_day = |case: &Case| {
        let (key, on, mut actions) = case.delta(|_| true);
        actions[0].time_us += 86_400_000_000;
        set(key, delta_of(on, &actions))
    };
    Case::truth(next_day, place, "holds an action of another day", Some(BATCH));

    let long = |case: &Case| {
        let (key, on, actions) = case.delta(|_| true);
        set(key, delta_of(on, &[actions[0]; MAX_HISTORY + 1]))
    };
    Case::truth(long, place, "more than the 12 kept", Some(BATCH));

    let unusual = |case: &Case| {
        let (key, on, actions) = case.delta(|_| true);
        set(key, longer(&delta_of(on, &actions)))
    };
    Case::truth(unusual, place, "has other bytes than lookback writes", Some(BATCH));
}

/// A delta that is gone is seen by what its batch's record says, and by what had been derived from it.
#[test]
fn a_delta_that_is_missing() {
    let case = Case::new();
    let (key, on, _) = case.delta(|_| true);
    let Key::Delta { customer, .. } = key else { panic!("not the key that was looked for") };
    edit(&case.bench.store(), &removed(key));
    let ran = case.bench.run("verify --store store");
    let lines = faults_of(&ran);
    let record = format!("record of batch {} (key {}): counts ", day(BATCH), hex(&Key::Batch(day(BATCH)).encode()));
    let of_record = lines.iter().find(|line| line.starts_with(&record)).unwrap();
    assert!(of_record.contains(", but its deltas have "), "{of_record}");
    let index = lines.iter().find(|line| line.starts_with(&format!("index of batch {}", day(BATCH)))).unwrap();
    let has = format!("has customer {} on {on}, which the deltas do not have", customer.0);
    assert!(index.contains(&has), "{index}");
    case.refuses_to_repair(of_record, Some(BATCH));
}

fn keyframe(case: &Case) -> (Key, Day, CustomerId, Vec<u8>) {
    let (key, value) = case.find(|key| matches!(key, Key::Keyframe { .. }));
    let Key::Keyframe { day, customer } = key else { panic!("not the key that was looked for") };
    (key, day, customer, value)
}

#[test]
fn keyframes_that_do_not_stand_where_the_rule_says() {
    Case::derived(|case| removed(keyframe(case).0), "keyframe of customer ", "is missing");
    let extra = |case: &Case| {
        let (_, day, customer, value) = keyframe(case);
        set(Key::Keyframe { customer, day: day.next().unwrap() }, value)
    };
    Case::derived(extra, "keyframe of customer ", "should not be there");
    let stranger = |case: &Case| {
        let (_, day, _, value) = keyframe(case);
        set(Key::Keyframe { customer: CustomerId(77_777), day }, value)
    };
    Case::derived(stranger, "keyframe of customer 77777 on ", "should not be there");
}

#[test]
fn keyframes_that_are_damaged() {
    let place = "keyframe of customer ";
    let short = |case: &Case| {
        let (key, .., value) = keyframe(case);
        set(key, value[..value.len() - 1].to_vec())
    };
    Case::derived(short, place, "cannot be decoded (");
    let unusual = |case: &Case| {
        let (key, .., value) = keyframe(case);
        set(key, longer(&value))
    };
    Case::derived(unusual, place, "has other bytes than lookback writes");
    let changed = |change: fn(&mut Vec<lookback::model::PastAction>)| {
        move |case: &Case| {
            let (key, day, _, value) = keyframe(case);
            let mut past = Keyframe::read(day, &value).unwrap().past();
            change(&mut past);
            let mut bytes = Vec::new();
            encode_keyframe(day, &past, &mut bytes);
            set(key, bytes)
        }
    };
    Case::derived(changed(|past| past[0].item_id = 0), place, "holds an invalid item or type");
    Case::derived(changed(|past| past[0].action_type = 4), place, "holds an invalid item or type");
    let other_days = changed(|past| past.truncate(MAX_HISTORY - 1));
    Case::derived(other_days, place, "does not hold the days from before its own");

    // Only the deltas tell.
    let case = Case::new();
    let edits = changed(|past| past[3].item_id += 1)(&case);
    edit(&case.bench.store(), &edits);
    case.bench.ok("verify --store store");
    let line = case.broken(&edits, "--deep", "does not hold the newest actions from before its day");
    assert!(line.ends_with("; rebuild it with `lookback repair`"), "{line}");
    case.mend(1, 0);
}

fn leaf<E: lookback::internals::format::Entry>(first: CustomerId, anchor: Day, lines: &[(CustomerId, E)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_leaf(first, anchor, lines, &mut bytes);
    bytes
}

#[test]
fn the_index_differs_from_the_deltas() {
    let place = "index of batch 2026-01-07, leaf from";
    let changed = |change: fn(&mut Vec<(CustomerId, TouchedDay)>)| {
        move |case: &Case| {
            let (key, first, mut lines) = case.index();
            change(&mut lines);
            set(key, leaf(first, day(BATCH), &lines))
        }
    };
    Case::derived(|case| removed(case.index().0), place, "is missing, with customer ");
    Case::derived(changed(|lines| lines.truncate(lines.len() - 1)), place, "lacks customer ");
    let more = changed(|lines| lines.insert(1, (lines[0].0, TouchedDay("2025-12-01".parse().unwrap()))));
    Case::derived(more, place, " on 2025-12-01, which the deltas do not have");
    let other = changed(|lines| lines[0].1 = TouchedDay("2025-12-01".parse().unwrap()));
    Case::derived(other, place, " where the deltas have customer ");
    let unusual = |case: &Case| {
        let (key, first, lines) = case.index();
        let value = leaf(first, day(BATCH), &lines);
        set(key, longer(&value))
    };
    Case::derived(unusual, place, "has other bytes than lookback writes");
    Case::derived(|case| set(case.index().0, vec![FORMAT_VERSION, 200]), place, "cannot be decoded (");
    let extra = |case: &Case| {
        let (key, _, lines) = case.index();
        let Key::Index { batch, .. } = key else { panic!("not the key that was looked for") };
        let first = CustomerId(123_456);
        set(Key::Index { batch, first }, leaf(first, batch, &[(CustomerId(123_456), lines[0].1)]))
    };
    Case::derived(
        extra,
        "index of batch 2026-01-07, leaf from customer 123456",
        "should not be there, with customer 123456",
    );
    let stranger = |_: &Case| {
        let (batch, customer) = ("2027-07-07".parse().unwrap(), CustomerId(5));
        set(Key::Index { batch, first: FIRST_LEAF }, leaf(FIRST_LEAF, batch, &[(customer, TouchedDay(batch))]))
    };
    Case::derived(stranger, "index of batch 2027-07-07, leaf from the beginning", "should not be there");
}

/// Two leaves that would be one list, cut in another place.
#[test]
fn leaves_are_cut_where_the_rule_says() {
    let case = Case::new();
    let leaves: Vec<_> = case.sound.iter().filter(|(key, _)| key[0] == 0x13).collect();
    let read = |entry: &Entry| {
        let Ok(Key::CustomerIndex { first }) = Key::decode(&entry.0) else { panic!("not the key that was looked for") };
        let mut lines: Vec<(CustomerId, CustomerState)> = Vec::new();
        decode_leaf(first, Day::FIRST, &entry.1, &mut lines).unwrap();
        (first, lines)
    };
    let ((first, mut lines), (_, behind)) = (read(leaves[1]), read(leaves[2]));
    lines.extend(behind);
    edit(
        &case.bench.store(),
        &[(leaves[1].0.clone(), Some(leaf(first, Day::FIRST, &lines))), (leaves[2].0.clone(), None)],
    );
    let ran = case.bench.run("verify --store store");
    let lines = faults_of(&ran);
    assert_eq!(lines.len(), 2, "{}", ran.stdout);
    assert!(lines[0].contains(&hex(&leaves[1].0)) && lines[0].contains("which the deltas do not have"), "{lines:?}");
    assert!(lines[1].contains(&hex(&leaves[2].0)) && lines[1].contains("is missing, with customer "), "{lines:?}");
    case.mend(2, 0);
}

#[test]
fn the_customer_index_differs_from_the_deltas() {
    let place = "customer index, leaf from customer ";
    let changed = |change: fn(&mut Vec<(CustomerId, CustomerState)>)| {
        move |case: &Case| {
            let (key, first, mut lines) = case.customer_index();
            change(&mut lines);
            set(key, leaf(first, Day::FIRST, &lines))
        }
    };
    Case::derived(|case| removed(case.customer_index().0), place, "is missing, with customer ");
    Case::derived(changed(|lines| lines.truncate(lines.len() - 1)), place, "lacks customer ");
    Case::derived(changed(|lines| lines[0].1.newest = day(28)), place, " with newest day 2026-01-28, ");
    Case::derived(changed(|lines| lines[0].1.keyframe = Some(Day::FIRST)), place, "keyframe 1970-01-01");
    Case::derived(changed(|lines| lines[0].1.since.deltas += 90), place, " deltas and ");
    Case::derived(changed(|lines| lines[0].1.since.actions += 90), place, " deltas and ");
    Case::derived(|case| set(case.customer_index().0, Vec::new()), place, "cannot be decoded (");
    let extra = |case: &Case| {
        let first = CustomerId(8_000_000);
        let line = case.customer_index().2[0].1;
        set(Key::CustomerIndex { first }, leaf(first, Day::FIRST, &[(first, line)]))
    };
    Case::derived(extra, "customer index, leaf from customer 8000000", "should not be there, with customer 8000000");
}

#[test]
fn totals_that_count_wrong() {
    let said = |customers| Totals { customers }.to_bytes().unwrap();
    Case::derived(|_| set(Key::Totals, said(9)), "totals (", "count 9 customers, but ");
    Case::derived(|_| removed(Key::Totals), "totals (", "are missing");
    Case::derived(|_| set(Key::Totals, vec![FORMAT_VERSION]), "totals (", "cannot be decoded");
    // A number below 251 in three bytes in place of one.
    Case::derived(|_| set(Key::Totals, vec![FORMAT_VERSION, 0xfb, 9, 0]), "totals (", "cannot be decoded");
}

#[test]
fn batch_records_that_differ_from_the_deltas() {
    let place = "record of batch 2026-01-07 (";
    let changed = |change: fn(&mut BatchRecord)| {
        move |case: &Case| {
            let (key, mut record) = case.record();
            change(&mut record);
            set(key, record.to_bytes().unwrap())
        }
    };
    Case::derived(changed(|record| record.customers += 1), place, " customers, but its deltas have ");
    Case::truth(changed(|record| record.actions.add(1, 1)), place, " clicks, but its deltas have ", Some(BATCH));
    Case::truth(
        changed(|record| record.actions.set(3, record.actions.of(3) - 1)),
        place,
        " orders, but its deltas have ",
        Some(BATCH),
    );
    Case::truth(changed(|record| record.actions.set(2, 0)), place, "counts 0 add-to-carts", Some(BATCH));
    Case::truth(changed(|record| record.late += 1), place, " late actions, but its deltas have ", Some(BATCH));
    Case::truth(changed(|record| record.early += 1), place, " early actions, but its deltas have ", Some(BATCH));
    Case::truth(|case| removed(case.record().0), place, "is missing, but there are deltas of ", Some(BATCH));
    Case::truth(|case| set(case.record().0, vec![FORMAT_VERSION, 9]), place, "cannot be decoded (", Some(BATCH));
    let swapped = changed(|record| record.files.swap(0, 1));
    Case::truth(swapped, place, "does not name its files in order", Some(BATCH));
    let unusual = |case: &Case| {
        let (key, record) = case.record();
        let bytes = record.to_bytes().unwrap();
        set(key, [&[bytes[0], 0xfb, bytes[1], 0], &bytes[2..]].concat())
    };
    Case::truth(unusual, place, "has other bytes than lookback writes", Some(BATCH));
}

#[test]
fn store_records_that_say_nothing() {
    let unusual = |case: &Case| {
        let (key, value) = case.find(|key| key == Key::Store);
        set(key, [&[value[0], 0xfb, value[1], 0], &value[2..]].concat())
    };
    Case::truth(unusual, "store record (key 0000)", "has other bytes than lookback writes", None);
    let case = Case::new();
    edit(&case.bench.store(), &set(Key::Store, vec![FORMAT_VERSION, 0xfb]));
    for command in ["verify --store store", "repair --store store", "status --store store"] {
        case.bench.refused(command, &["the store record (key 0000)", "cannot be read", "restore it"]);
    }
    edit(&case.bench.store(), &removed(Key::Store));
    case.bench.refused("verify --store store", &["is not a store of lookback"]);
}

/// Everything that is derived is gone at once.
#[test]
fn all_that_is_derived_is_made_anew() {
    let case = Case::new();
    let is_derived = |key: &[u8]| match Key::decode(key).unwrap() {
        Key::Keyframe { .. } | Key::Index { .. } | Key::CustomerIndex { .. } | Key::Totals => true,
        Key::Store | Key::Delta { .. } | Key::Batch(_) => false,
        Key::BlockList | Key::Forgotten(_) | Key::Horizon | Key::Purge | Key::Types | Key::ZoneRules => false,
        Key::Ids | Key::DropDuplicates => false,
    };
    let derived = case.sound.iter().filter(|(key, _)| is_derived(key));
    let edits: Edits = derived.map(|(key, _)| (key.clone(), None)).collect();
    edit(&case.bench.store(), &edits);
    let lines = case.bench.run("verify --store store");
    assert_eq!(faults_of(&lines).len(), edits.len());
    assert!(lines.stderr.contains("lookback repair --store store"), "{}", lines.stderr);
    case.mend(edits.len() as u64, 0);
}
