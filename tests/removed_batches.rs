//! Removing a batch: the store is afterwards one that never had it, and whoever used it is told.

use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::dump;
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

fn day(number: u64) -> String {
    format!("2026-01-{:02}", number + 1)
}

/// Actions of few customers with many actions and of many with few, some of them late.
fn write(bench: &Bench, number: u64, random: &mut Random) {
    let midnight = us(&format!("{}T00:00:00Z", day(number)));
    let actions = (0..300).map(|place| {
        let mut draw = |end: u64| i64::try_from(random.below(end)).unwrap();
        RawAction {
            customer: if place % 2 == 0 { draw(4) } else { draw(4_000) },
            item: 1 + draw(50),
            time_us: midnight + draw(86_400) * 1_000_000 - draw(5) / 4 * 86_400_000_000,
            kind: 1 + u8::try_from(place % 3).unwrap(),
        }
    });
    write_batch(&bench.input(), &day(number), &actions.collect::<Vec<_>>(), PLAIN);
}

fn stores_of(bench: &Bench, store: &str, days: impl Iterator<Item = u64>) {
    bench.ok(&format!("init --store {store} --max-history 25"));
    for number in days {
        bench.ok(&format!("ingest --store {store} --input input --dt {}", day(number)));
    }
}

#[test]
fn the_store_is_one_that_never_had_the_batch() {
    let seed = seed(71);
    let bench = Bench::new();
    let mut random = Random::new(seed);
    (0..6).for_each(|number| write(&bench, number, &mut random));
    stores_of(&bench, "store", 0..6);
    let whole = dump(&bench.store());
    let mut held: Vec<u64> = (0..6).collect();
    let mut going = held.clone();
    random.shuffle(&mut going);
    for number in going {
        let arguments = format!("remove --store store --dt {}", day(number));
        let before = dump(&bench.store());
        let planned = bench.json(&format!("{arguments} --dry-run"));
        assert!(dump(&bench.store()) == before, "a dry run changes nothing");
        let summary = bench.json(&arguments);
        held.retain(|other| *other != number);
        let fresh = format!("fresh-{number}");
        stores_of(&bench, &fresh, held.iter().copied());
        assert!(dump(&bench.store()) == dump(&bench.path(&fresh)), "seed {seed}: without {}", day(number));
        assert_eq!((&summary["actions"], &summary["batches"]), (&json!(300), &json!(held.len())), "seed {seed}");
        for field in ["dt", "files", "actions", "types", "customers", "batches", "gaps"] {
            assert_eq!(planned[field], summary[field], "{field}");
        }
        let (customers, left) = (summary["customers"].as_u64().unwrap(), summary["customers_left"].as_u64().unwrap());
        let status = bench.json("status --store store");
        assert!(left > 0 && left <= customers, "{summary}");
        assert_eq!((&status["batches"], &status["gaps"]), (&summary["batches"], &summary["gaps"]));
        bench.ok("verify --store store --deep");
    }
    // And a backfill takes all of them again.
    bench.ok(&format!("backfill --store store --input input --from {} --to {}", day(0), day(5)));
    assert!(dump(&bench.store()) == whole, "seed {seed}");
}

#[test]
fn what_is_not_held_is_not_removed_and_what_rested_on_it_is_stale() {
    let bench = Bench::new();
    let mut random = Random::new(seed(72));
    (0..4).for_each(|number| write(&bench, number, &mut random));
    stores_of(&bench, "store", 0..4);
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), &day(4), &[shown], PLAIN);
    bench.produce(&day(4));
    bench.refused("remove --store store --dt 2026-01-09", &["holds no batch of 2026-01-09", "lookback status"]);
    bench.refused("remove --store store --dt 2026-01-09 --dry-run", &["holds no batch of 2026-01-09"]);
    let ran = bench.ok("remove --store store --dt 2026-01-02 --json");
    assert!(ran.said().starts_with("removed the batch of 2026-01-02: 300 actions ("), "{}", ran.stderr);
    assert!(
        ran.said().contains(
            "the store then holds 3 batches; missing batches: 2026-01-02; `lookback backfill` over that day ingests it again"
        )
    );
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&summary["dry_run"], &summary["gaps"]), (&json!(false), &json!(["2026-01-02"])));
    let stale = bench.run("stale --store store --out out --exit-code");
    assert_eq!((stale.code, stale.stdout.as_str()), (3, "2026-01-05  removed 2026-01-02\n"), "{}", stale.stderr);
    bench.refused("produce --store store --input input --dt 2026-01-05 --out out", &["2026-01-02", "--allow-gaps"]);
    bench.refused("remove --store store --dt 2026-01-02", &["holds no batch of 2026-01-02"]);
}
