//! `verify` and `repair` say the same with any number of threads, each of which reads ranges of keys: also of what is
//! wrong at the ends of ranges, and across them.

use std::collections::BTreeSet;
use std::fs;

use lookback::internals::format::{FIRST_LEAF, Key};
use serde_json::Value;

use crate::faults::{BATCH, day, hex};
use crate::support::output::dump;
use crate::support::program::Bench;
use crate::support::random::{Random, seed};
use crate::support::store::{edit, filled};
use crate::support::tables::TableFile;
use crate::verifying::faults_of;

type Entry = (Vec<u8>, Vec<u8>);

/// What follows a block in a table file: how it is compressed, and its checksum.
const TRAILER_BYTES: usize = 5;

/// Bytes of a key that tell whose history it is of.
const CUSTOMER_BYTES: usize = 9;

/// Runs verify and repair with one thread, two and five, expects the same of each, and gives the stdout of
/// `verify`.
fn told(bench: &Bench, what: &str) -> String {
    let commands = ["verify --store store", "verify --store store --deep --json", "repair --store store --dry-run"];
    let mut first = None;
    for command in commands {
        let tell = |threads: usize| {
            let ran = bench.run(&format!("{command} --threads {threads}"));
            let summary = serde_json::from_str(&ran.stdout).map(|mut summary: Value| {
                summary.as_object_mut().unwrap().remove("timing");
                summary.to_string()
            });
            (ran.code, summary.unwrap_or_else(|_| ran.stdout.clone()), ran.said().to_owned())
        };
        let alone = tell(1);
        assert_eq!(alone.0, 1, "{what}: {command}: {}{}", alone.1, alone.2);
        for threads in [2, 5] {
            assert_eq!(tell(threads), alone, "{what}: {command} with {threads} threads");
        }
        first.get_or_insert(alone.1);
    }
    first.unwrap()
}

/// Where each block of histories begins in the largest table file, and its last key. Ranges end at the customers of
/// these keys, since in so small a file each block is a range.
fn blocks(bench: &Bench) -> (TableFile, Vec<(usize, Vec<u8>)>) {
    let table = TableFile::largest(&bench.store());
    let mut blocks = Vec::new();
    let mut at = 0;
    for (number, block) in table.blocks.iter().enumerate() {
        let (mut last, _) = table.entries(number).pop().unwrap();
        last.truncate(last.len() - 8);
        if last[0] == 0x11 {
            blocks.push((at, last));
        }
        at += block.bytes.len() + TRAILER_BYTES;
    }
    assert!(blocks.len() > 8, "{} blocks of histories", blocks.len());
    (table, blocks)
}

/// Breaks a key of each customer at the end of a range, and of those before and behind it. Each is named once, alone
/// and together with the others.
#[test]
fn what_is_wrong_at_the_ends_of_ranges_is_told_once() {
    let bench = filled();
    let sound = dump(&bench.store());
    let (_, blocks) = blocks(&bench);
    let history: Vec<&Entry> = sound.iter().filter(|(key, _)| key[0] == 0x11).collect();
    let customers: Vec<&[u8]> = history
        .chunk_by(|(one, _), (other, _)| one[..CUSTOMER_BYTES] == other[..CUSTOMER_BYTES])
        .map(|keys| &keys[0].0[..CUSTOMER_BYTES])
        .collect();
    let mut broken = BTreeSet::new();
    for (_, last) in &blocks {
        let place = customers.partition_point(|customer| *customer < &last[..CUSTOMER_BYTES]);
        broken.extend([place.saturating_sub(1), place, (place + 1).min(customers.len() - 1)]);
    }
    let mut edits = Vec::new();
    for (number, place) in broken.into_iter().enumerate() {
        let keys = || history.iter().map(|(key, _)| key).filter(|key| key.starts_with(customers[place]));
        let deltas = || keys().filter(|key| !is_keyframe(key));
        let keyframe = keys().find(|key| is_keyframe(key));
        edits.push(match (number % 4, keyframe) {
            (0, _) => (deltas().next().unwrap().clone(), Some(vec![9])),
            (1, _) => (deltas().next_back().unwrap().clone(), Some(vec![9])),
            (2, Some(keyframe)) => (keyframe.clone(), None),
            // Behind all keys of the customer, and of none.
            _ => ([customers[place], &[0xff; 9]].concat(), Some(vec![1])),
        });
    }
    assert!(edits.iter().any(|(_, value)| value.is_none()), "a keyframe is missing");
    let mut expected = Vec::new();
    for (key, value) in &edits {
        let bench = filled();
        edit(&bench.store(), &[(key.clone(), value.clone())]);
        let ran = bench.run("verify --store store");
        let lines = faults_of(&ran);
        assert_eq!(lines.len(), 1, "{}", ran.stdout);
        assert!(lines[0].contains(&format!("(key {}): ", hex(key))), "{}", lines[0]);
        expected.push(lines[0].to_owned());
    }
    edit(&bench.store(), &edits);
    let told = told(&bench, "a key of each customer at an end");
    assert_eq!(told.lines().collect::<BTreeSet<_>>(), expected.iter().map(String::as_str).collect());
    assert_eq!(told.lines().count(), expected.len());
}

fn is_keyframe(key: &[u8]) -> bool {
    matches!(Key::decode(key).unwrap(), Key::Keyframe { .. })
}

/// Blocks that cannot be read: alone, beside each other, in several places, at the end, in lists and records; and with
/// other faults beside them.
#[test]
fn what_cannot_be_read_is_told_alike_wherever_ranges_end() {
    let seed = seed(26);
    let mut random = Random::new(seed);
    let bench = filled();
    let (table, histories) = blocks(&bench);
    let good = fs::read(&table.path).unwrap();
    let starts: Vec<usize> = table
        .blocks
        .iter()
        .scan(0, |at, block| {
            let start = *at;
            *at += block.bytes.len() + TRAILER_BYTES;
            Some(start)
        })
        .collect();
    let last = histories.len() - 1;
    let mut cases = vec![vec![1], vec![2, 3], vec![1, 3, 5], vec![last - 1, last], vec![last, last + 1]];
    cases.push((1..starts.len()).collect());
    cases.push((last + 1..starts.len()).collect());
    cases.extend((0..3).map(|_| {
        let many = 1 + random.below(5);
        (0..many).map(|_| 1 + usize::try_from(random.below(starts.len() as u64 - 1)).unwrap()).collect()
    }));
    for others in [false, true] {
        if others {
            // Written behind the table file, so that its blocks stay where they are.
            let some = |place: usize| histories[place].1.clone();
            let edits = [
                (some(2), Some(vec![9])),
                (some(4), None),
                ([&some(3)[..CUSTOMER_BYTES], &[0xff; 9]].concat(), Some(vec![1])),
                (Key::CustomerIndex { first: FIRST_LEAF }.encode().to_vec(), Some(vec![2])),
                (Key::Index { batch: day(BATCH), first: FIRST_LEAF }.encode().to_vec(), None),
                (Key::Totals.encode().to_vec(), None),
            ];
            edit(&bench.store(), &edits);
            assert!(fs::read(&table.path).unwrap() == good);
        }
        for case in &cases {
            let mut bytes = good.clone();
            for block in case {
                let within = random.below(table.blocks[*block].bytes.len() as u64);
                bytes[starts[*block] + usize::try_from(within).unwrap()] ^= 1 << random.below(8);
            }
            // Where a bit was changed twice it is as it was.
            if bytes == good {
                continue;
            }
            fs::write(&table.path, bytes).unwrap();
            let told = told(&bench, &format!("seed {seed}, blocks {case:?}, others {others}"));
            assert!(told.contains("nothing between it and "), "seed {seed}, blocks {case:?}: {told}");
            // What rests on what cannot be read is not judged, in whichever range it is.
            let is_all = told.lines().all(|line| line.contains("nothing between it and "));
            assert!(others || is_all, "seed {seed}, blocks {case:?}: {told}");
        }
        fs::write(&table.path, &good).unwrap();
    }
    told(&bench, "faults without damage");
}
