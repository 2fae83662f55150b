//! What `verify` says of stores from which something was removed.

use lookback::internals::format::Key;

use crate::faults::{BATCH, Case, day, hex, removed, set};
use crate::support::output::dump;
use crate::support::store::edit;
use crate::verifying::{assert_clean, faults_of};

/// What a removal leaves behind: its own keys, and that nothing of it may be there again.
#[test]
fn what_was_removed_is_not_there_and_its_records_are_sound() {
    let case = Case::new();
    let (delta, on, _) = case.delta(|_| true);
    let (Key::Delta { customer, .. }, value) = (delta, case.find(|key| key == delta).1) else { panic!("no delta") };
    let forget = format!("forget --store store --customer {}", customer.0);
    case.bench.ok(&forget);
    assert_clean(&case.bench);
    edit(&case.bench.store(), &set(delta, value));
    let ran = case.bench.run("verify --store store");
    let lines = faults_of(&ran);
    assert!(lines[0].contains(&hex(&delta.encode())) && lines[0].contains("has been forgotten"), "{lines:?}");
    case.bench.ok(&format!("ingest --store store --input input --dt {}", day(BATCH)));
    edit(&case.bench.store(), &removed(delta));
    case.bench.run("repair --store store");
    assert_clean(&case.bench);

    let token = dump(&case.bench.store()).into_iter().find(|(key, _)| key[0] == 0x16 && key.len() == 17).unwrap().0;
    let records = [
        (vec![0x16], Some(vec![3, 1])),
        (vec![0x16], None),
        (token, Some(vec![3, 1])),
        (vec![0x17], Some(vec![3, 0xfb])),
        (vec![0x18], Some(vec![2])),
    ];
    let sound = dump(&case.bench.store());
    for (key, value) in records {
        let was = sound.iter().find(|(found, _)| *found == key).map(|(_, value)| value.clone());
        edit(&case.bench.store(), &[(key.clone(), value)]);
        let ran = case.bench.run("verify --store store");
        assert_eq!(ran.code, 1);
        assert!(ran.stdout.contains("restore the store from a backup"), "{}{}", ran.stdout, ran.stderr);
        edit(&case.bench.store(), &[(key, was)]);
    }
    assert_clean(&case.bench);
    case.bench.ok("prune --store store --keep-days 3 --allow-large-removal");
    assert_clean(&case.bench);
    assert!(on < day(12));
}
