//! Tests of the specification's worked example, and of decoding random bytes.

use proptest::prelude::*;

use super::*;
use crate::history::SinceKeyframe;
use crate::model::{Action, ActionType, CustomerId, Day, PastAction};

/// Returns the bytes of hexadecimal digits; other characters are skipped.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|character| character.is_ascii_hexdigit()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

/// Returns the rows of the specification's worked example: (key, value).
fn worked_example() -> Vec<(Vec<u8>, Vec<u8>)> {
    let (_, example) = include_str!("specification.md").split_once("## Worked example").unwrap();
    let rows = example.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('`').collect();
        (bytes_of(cells[1]), bytes_of(cells[3]))
    })
    .collect()
}

#[test]
fn the_specifications_example_is_what_is_written_and_read() {
    let (customer, batch) = (CustomerId(7), day(3));
    let first = CustomerId(i64::MIN);
    let action = |time_us, item_id, action_type| Action { time_us, item_id, action_type };
    let ten = (3 * 86_400 + 36_000) * 1_000_000;
    let timely = vec![action(ten, 300, ActionType::CLICK), action(ten - 1_000_000, 301, ActionType::CLICK)];
    let late = vec![action(172_800_000_001, 300, ActionType::ORDER)];
    let past = vec![PastAction { day: day(2), item_id: 300, action_type: 3 }];
    let touched = vec![(customer, TouchedDay(day(3))), (customer, TouchedDay(day(2)))];
    let customer_state =
        CustomerState { newest: day(3), keyframe: None, since: SinceKeyframe { deltas: 2, actions: 3 } };
    let customer_index = vec![(customer, customer_state)];

    let encoded = |encode: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        encode(&mut bytes);
        bytes
    };
    let expected = [
        (Key::Delta { customer, day: day(3), batch }, encoded(&|bytes| encode_delta(day(3), &timely, bytes))),
        (Key::Delta { customer, day: day(2), batch }, encoded(&|bytes| encode_delta(day(2), &late, bytes))),
        (Key::Index { batch, first }, encoded(&|bytes| encode_leaf(first, batch, &touched, bytes))),
        (Key::CustomerIndex { first }, encoded(&|bytes| encode_leaf(first, Day::FIRST, &customer_index, bytes))),
        (Key::Keyframe { customer, day: day(3) }, encoded(&|bytes| encode_keyframe(day(3), &past, bytes))),
    ];
    let example = worked_example();
    assert_eq!(example.len(), expected.len());
    for ((key_bytes, value_bytes), (key, value)) in example.iter().zip(expected) {
        assert_eq!(Key::decode(key_bytes).unwrap(), key);
        assert_eq!(&*key.encode(), key_bytes);
        assert_eq!(&value, value_bytes, "{key:?}");
    }
    let value = |place: usize| example[place].1.as_slice();
    assert_eq!(Delta::read(value(0)).unwrap().actions(day(3)).unwrap(), timely);
    assert_eq!(Delta::read(value(1)).unwrap().actions(day(2)).unwrap(), late);
    let mut lines = Vec::new();
    decode_leaf(first, batch, value(2), &mut lines).unwrap();
    assert_eq!(lines, touched);
    let mut lines = Vec::new();
    decode_leaf(first, Day::FIRST, value(3), &mut lines).unwrap();
    assert_eq!(lines, customer_index);
    assert_eq!(Keyframe::read(day(3), value(4)).unwrap().past(), past);
}

fn any_actions(on: Day) -> impl Strategy<Value = Vec<Action>> {
    // Up to a day before and after the day, which begins at other hours in other time zones. Each unit is equally
    // likely.
    let unit = prop_oneof![Just(1_i64), Just(1_000), Just(1_000_000)];
    let item = prop_oneof![any::<i64>(), 1..50_i64, 1_000_000_000..1_000_000_500_i64];
    let action = (-86_400_000_000_i64..2 * 86_400_000_000, item, 1..=3_u8);
    (unit, proptest::collection::vec(action, 1..60), any::<bool>()).prop_map(move |(unit, drafts, one_type)| {
        let mut actions: Vec<Action> = drafts
            .into_iter()
            .map(|(offset, item_id, number)| Action {
                time_us: (i64::from(on.number()) * 86_400_000_000 + offset) / unit * unit,
                item_id,
                action_type: ActionType::from_number(if one_type { 1 } else { number }).unwrap(),
            })
            .collect();
        actions.sort_by(crate::history::newest_first);
        actions
    })
}

proptest! {
    #[test]
    fn deltas_survive(actions in any_actions(day(20_000)), actions_max in 0..70_usize) {
        let mut bytes = Vec::new();
        encode_delta(day(20_000), &actions, &mut bytes);
        let delta = Delta::read(&bytes).unwrap();
        prop_assert_eq!(delta.count(), actions.len());
        prop_assert_eq!(&delta.actions(day(20_000)).unwrap(), &actions);
        prop_assert_eq!(delta.newest_us(day(20_000)).unwrap(), actions[0].time_us);
        let (mut items, mut types) = (vec![9], vec![9]);
        delta.append(actions_max, &mut items, &mut types);
        let kept = || actions.iter().take(actions_max);
        prop_assert_eq!(&items[1..], kept().map(|action| action.item_id).collect::<Vec<_>>());
        prop_assert_eq!(&types[1..], kept().map(|action| action.action_type.number()).collect::<Vec<_>>());
    }

    #[test]
    fn keyframes_survive(
        drafts in proptest::collection::vec((0..400_i32, any::<i64>(), 1..=3_u8), 0..80),
        oldest in proptest::option::of(19_590..20_000_i32),
        actions_max in 0..90_usize,
    ) {
        let past = drafts.iter().map(|(back, item_id, number)| PastAction { day: day(19_999 - back), item_id: *item_id, action_type: *number });
        let mut past: Vec<PastAction> = past.collect();
        past.sort_by_key(|action| std::cmp::Reverse(action.day));
        let mut bytes = Vec::new();
        encode_keyframe(day(20_000), &past, &mut bytes);
        let keyframe = Keyframe::read(day(20_000), &bytes).unwrap();
        prop_assert_eq!(&keyframe.past(), &past);
        let (mut items, mut types) = (Vec::new(), Vec::new());
        keyframe.append(oldest.map(day), actions_max, &mut items, &mut types);
        let kept = past.iter().filter(|action| oldest.is_none_or(|oldest| action.day >= day(oldest))).take(actions_max);
        let (expected_items, expected_types): (Vec<i64>, Vec<u8>) = kept.map(|action| (action.item_id, action.action_type)).unzip();
        prop_assert_eq!((items, types), (expected_items, expected_types));
    }

    #[test]
    fn a_list_comes_back_from_its_leaves_and_is_cut_the_same_whatever_came_first(
        mut customers in proptest::collection::btree_set(any::<i64>(), 0..2_000),
        dropped in 0..40_usize,
    ) {
        let cut = |customers: &std::collections::BTreeSet<i64>| {
            let (mut cutter, mut leaves) = (LeafCutter::new(), Vec::new());
            for customer in customers {
                for back in 0..1 + customer.rem_euclid(2) {
                    leaves.extend(cutter.push(CustomerId(*customer), TouchedDay(day(100 - i32::try_from(back).unwrap()))));
                }
            }
            leaves.extend(cutter.finish());
            leaves
        };
        let leaves = cut(&customers);
        let mut lines = Vec::new();
        for (first, of_leaf) in &leaves {
            let mut bytes = Vec::new();
            encode_leaf(*first, day(99), of_leaf, &mut bytes);
            decode_leaf(*first, day(99), &bytes, &mut lines).unwrap();
        }
        prop_assert_eq!(&lines, &leaves.iter().flat_map(|(_, lines)| lines.clone()).collect::<Vec<_>>());
        prop_assert_eq!(lines.iter().map(|(customer, _)| customer.0).collect::<std::collections::BTreeSet<_>>(), customers.clone());
        // Removing a customer changes only the leaf that it was in, or the two leaves that it separated.
        if let Some(gone) = customers.iter().nth(dropped).copied() {
            customers.remove(&gone);
            let fewer = cut(&customers);
            let unchanged = leaves.iter().filter(|leaf| fewer.contains(leaf)).count();
            prop_assert!(unchanged + 2 >= leaves.len());
        }
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..120), count in 0..9_u8) {
        for head in [vec![], vec![LAYOUT_VERSION], vec![LAYOUT_VERSION, count]] {
            let bytes = [head, bytes.clone()].concat();
            let (mut items, mut types) = (Vec::new(), Vec::new());
            if let Ok(delta) = Delta::read(&bytes) {
                delta.append(1_000, &mut items, &mut types);
                let _ = (delta.actions(day(20_000)), delta.newest_us(day(20_000)));
            }
            if let Ok(keyframe) = Keyframe::read(day(20_000), &bytes) {
                keyframe.append(Some(day(19_000)), 1_000, &mut items, &mut types);
                let _ = keyframe.past();
            }
            prop_assert!(items.len() <= 2_000);
            let _ = decode_leaf::<TouchedDay>(CustomerId(5), day(20_000), &bytes, &mut Vec::new());
            let _ = decode_leaf::<CustomerState>(CustomerId(5), Day::FIRST, &bytes, &mut Vec::new());
        }
    }
}

#[test]
fn damage_is_named() {
    let mut bytes = Vec::new();
    encode_delta(day(1), &[Action { time_us: 86_400_000_000, item_id: 5, action_type: ActionType::CLICK }], &mut bytes);
    let message = |bytes: &[u8]| Delta::read(bytes).and_then(|delta| delta.actions(day(1))).unwrap_err().to_string();
    assert!(message(&bytes[..bytes.len() - 1]).contains("a delta in the store cannot be read"));
    assert!(message(&[&bytes[..], &[0]].concat()).contains("a delta in the store cannot be read"));
    bytes[0] = 1;
    assert!(message(&bytes).contains("begins with the format version 1 instead of 2"));
    assert!(
        message(&bytes_of("02 ffffffffffffffffff01 00 00 00 01")).contains("cannot be read"),
        "a count beyond all bounds"
    );
}
