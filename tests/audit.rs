//! `lookback audit`: that it finds nothing in rows as they were produced, and each single thing that is changed in
//! them.

use std::fs;
use std::path::PathBuf;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use lookback::audit::{AuditOptions, audit};
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::{Folder, Store};

use crate::support::input::{RawAction, RawImpression, Spread, us, write_batch, write_impressions};
use crate::support::output::{Row, read_partition};
use crate::support::program::{Bench, assert_one_sentence, write_file};
use crate::support::random::{Random, seed};
use crate::support::tamper::write_rows;

const AUDIT: &str = "audit --store store --input input --out out";
const DT: &str = "2026-03-30";
const CUSTOMERS: u64 = 60;

/// Batches of 26 March to the day, the last of which comes too late for the rows of the day: ties, duplicates, late and
/// early actions. In Berlin, the 29th has 23 hours.
fn batches(bench: &Bench, random: &mut Random) {
    let mut draw = |end: u64| i64::try_from(random.below(end)).unwrap();
    for number in 26..=30_i64 {
        let mut actions: Vec<RawAction> = (0..400)
            .map(|_| {
                let shift = [0, 0, 0, 0, 0, -1, -2, 1][usize::try_from(draw(8)).unwrap()];
                let hours = (20_453 + 59 + number + shift) * 24 + draw(24);
                RawAction {
                    customer: if draw(3) == 0 { draw(3) } else { draw(CUSTOMERS) } - 20,
                    item: 1 + draw(40) * 1_000_003,
                    time_us: hours * 3_600_000_000 - draw(2),
                    kind: 1 + u8::try_from(draw(3)).unwrap(),
                }
            })
            .collect();
        actions.extend_from_within(..20);
        let spread = Spread { files: 3, seed: number.unsigned_abs() };
        write_batch(&bench.input(), &format!("2026-03-{number}"), &actions, spread);
    }
    let impressions: Vec<RawImpression> = (0..90)
        .map(|number| RawImpression {
            ranking_id: (number % 4 != 0).then(|| format!("r{}", number % 9)),
            customer: draw(CUSTOMERS + 10) - 20,
            elements: (0..draw(5))
                .map(|_| (1 + draw(9), [None, Some(true), Some(false)][usize::try_from(draw(3)).unwrap()]))
                .collect(),
        })
        .collect();
    write_impressions(&bench.input(), DT, &impressions, Spread { files: 2, seed: 5 });
}

/// A store in a zone, and the rows of the day with these options, in some parts.
fn produced(seed: u64, zone: &str, options: &str) -> Bench {
    let bench = Bench::new();
    batches(&bench, &mut Random::new(seed));
    bench.ok(&format!("init --store store --max-history 12 --timezone {zone}"));
    for number in 26..=30 {
        bench.ingest(&format!("2026-03-{number}"));
    }
    let sizes = "--row-group-rows 20 --part-rows 60";
    bench.ok(&format!("produce --store store --input input --dt {DT} --out out {sizes} {options}"));
    bench
}

fn part(bench: &Bench, number: usize) -> PathBuf {
    bench.out().join(format!("dt={DT}/part-0000{number}.parquet"))
}

/// The rows of one part.
pub fn rows_of(path: &std::path::Path) -> Vec<Row> {
    let alone = Bench::new();
    write_file(&part(&alone, 0), &fs::read(path).unwrap());
    write_file(&alone.out().join(format!("dt={DT}/_SUCCESS")), b"");
    read_partition(&alone.out(), DT)
}

#[test]
fn rows_as_they_were_produced_agree_with_the_raw_files() {
    let seed = seed(41);
    // Zone, options, and how many batches came after those that count.
    let cases = [
        ("UTC", "", 0),
        ("Europe/Berlin", "--lookback-days 2", 0),
        ("America/New_York", "--known-as-of 2026-03-28", 2),
        ("Asia/Tokyo", "--max-history 5 --lookback-days 1 --known-as-of 2026-03-29", 1),
        ("UTC", "--max-history 1 --compression lz4 --known-as-of 2026-03-20", 5),
    ];
    for (case, (zone, options, not_used)) in (0..).zip(cases) {
        let bench = produced(seed + case, zone, options);
        let rows = read_partition(&bench.out(), DT);
        let customers = rows.chunk_by(|one, next| one.customer_id == next.customer_id).count();
        let found = bench.json(&format!("{AUDIT} --dt {DT}"));
        let place = format!("seed {seed}, {zone} {options}: {found}");
        assert_eq!((&found["rows"], &found["audited_rows"]), (&rows.len().into(), &rows.len().into()), "{place}");
        assert_eq!(found["audited_customers"], customers, "{place}");
        assert_eq!(found["cells"], rows.len() * (5 + 2 * rows[0].actions.len()), "{place}");
        assert_eq!(found["passes"], 1, "{place}");
        assert_eq!(found["newest_action"].is_null(), rows.iter().all(|row| row.actions[0] == 0), "{place}");
        assert_eq!(found["not_used"].as_array().unwrap().len(), not_used, "{place}");
        let sentence = bench.ok(&format!("{AUDIT} --dt {DT}")).stderr;
        assert_eq!(sentence.contains("`lookback stale` shows"), not_used > 0, "{sentence}");

        let sampled = bench.json(&format!("{AUDIT} --dt {DT} --sample 7"));
        let audited = sampled["audited_rows"].as_u64().unwrap();
        assert_eq!((&sampled["rows"], &sampled["audited_customers"]), (&rows.len().into(), &7.into()), "{place}");
        assert!(audited >= 7 && audited < rows.len() as u64, "{place}");
        assert_eq!(bench.json(&format!("{AUDIT} --dt {DT} --sample 4000"))["audited_rows"], rows.len(), "{place}");
    }
}

#[test]
fn with_little_memory_the_files_are_read_more_often() {
    let seed = seed(42);
    let bench = produced(seed, "Europe/Berlin", "--lookback-days 3");
    let store = Store::open_reader(&Folder::new(&bench.store())).unwrap();
    let (input, out) = (bench.input(), bench.out());
    let with = |budget_bytes, sample| {
        let options = AuditOptions::new(&input, &out, DT.parse::<Day>().unwrap())
            .sample(sample)
            .resources(Resources::default().with_sort_bytes(budget_bytes));
        serde_json::to_value(audit(&store, &options, &Silent).unwrap()).unwrap()
    };
    let whole = with(usize::MAX, None);
    for (budget_bytes, sample) in [(25_000, None), (9_000, None), (1, None), (3_000, Some(20))] {
        let mut found = with(budget_bytes, sample);
        let passes = found["passes"].take().as_u64().unwrap();
        assert!(passes > 1, "seed {seed}: {budget_bytes} bytes, {passes} passes");
        if budget_bytes == 1 {
            assert_eq!(whole["audited_customers"], passes, "seed {seed}: one customer at a time");
        }
        let mut expected = if sample.is_none() { whole.clone() } else { with(usize::MAX, sample) };
        expected["passes"].take();
        assert_eq!(found, expected, "seed {seed}: {budget_bytes} bytes");
    }
}

/// A way to change the rows of a part, and what the sentence says then.
type Harm<'a> = (&'a dyn Fn(&mut Vec<Row>), Vec<String>);

/// Each thing changed by itself in the second part: named with file, row, column, place, what is there and what should
/// be.
#[test]
fn every_change_is_named() {
    let seed = seed(43);
    let bench = produced(seed, "UTC", "--lookback-days 1 --with dt");
    let path = part(&bench, 1);
    let rows = rows_of(&path);
    // An impression of two items or more, whose customer has some actions and room behind them.
    let fits = |at: &usize| {
        let (row, next) = (&rows[*at], &rows[at + 1]);
        row.impression_pos == 0 && next.impression_pos == 1 && row.actions[2] != 0 && row.actions[11] == 0
    };
    let at = (1..rows.len() - 1).find(fits).unwrap();
    let row = &rows[at];
    let length = row.actions.iter().filter(|item| **item != 0).count();
    let said = |column: &str, is: &str, says: &str| {
        format!("part-00001.parquet row {} column {column} is {is}, and the raw files say {says}", at + 1)
    };
    let cell = |column: &str, is: i64, says: i64| said(column, &is.to_string(), &says.to_string());
    let position = cell("impression_pos", 1, 0);
    let kind = row.action_types[2];
    let (shown, acted) = (format!("(the impression in input/impressions/dt={DT}/part-"), ", the ".to_owned());
    let harms: [Harm<'_>; 15] = [
        (&|rows| rows[at].dt = "2026-03-29".into(), vec![said("dt", "2026-03-29", DT)]),
        (&|rows| rows[at].ranking_id = Some("x".into()), vec![said("ranking_id", "\"x\"", "")]),
        (&|rows| rows[at].customer_id -= 1, vec![cell("customer_id", row.customer_id - 1, row.customer_id)]),
        (&|rows| rows[at].impression_pos = 7, vec![cell("impression_pos", 7, 0), shown.clone()]),
        (
            &|rows| rows[at].impression_item_id = 99,
            vec![cell("impression_item_id", 99, row.impression_item_id), shown.clone()],
        ),
        (&|rows| rows[at].label ^= 1, vec![cell("label", (row.label ^ 1).into(), row.label.into()), shown]),
        (
            &|rows| rows[at].actions[1] = 77,
            vec![cell("actions place 2", 77, row.actions[1]), acted.clone(), "/dt=2026-03-".into(), " row ".into()],
        ),
        (
            &|rows| rows[at].action_types[2] = kind % 3 + 1,
            vec![cell("action_types place 3", (kind % 3 + 1).into(), kind.into()), acted],
        ),
        (
            &|rows| rows[at].actions[length] = 5,
            vec![cell(&format!("actions place {}", length + 1), 5, 0), format!(", the padding after {length} actions")],
        ),
        (&|rows| rows[at].action_types[11] = 1, vec![cell("action_types place 12", 1, 0), ", the padding".into()]),
        (
            // A leak: something that the customer did later, in front of all.
            &|rows| {
                rows[at].actions.insert(0, 1_000_000_007);
                rows[at].actions.pop();
            },
            vec![cell("actions place 1", 1_000_000_007, row.actions[0])],
        ),
        (&|rows| rows[at].actions.truncate(11), vec![said("actions", "a list of 11", "a list of 12")]),
        (&|rows| drop(rows.remove(at)), vec![position.clone(), "the row that belongs here is missing".into()]),
        (&|rows| rows.swap(at, at + 1), vec![position.clone(), "this row and the next are swapped".into()]),
        (&|rows| rows.insert(at, rows[at + 1].clone()), vec![position, "this row is one too many".into()]),
    ];
    for (number, (harm, words)) in harms.iter().enumerate() {
        let mut changed = rows.clone();
        harm(&mut changed);
        write_rows(&path, &changed, |_, value| value);
        let ran = bench.run(&format!("{AUDIT} --dt {DT}"));
        assert_eq!(ran.code, 1, "seed {seed}: change {number} is not found");
        assert_one_sentence(&ran, &words.iter().map(String::as_str).collect::<Vec<_>>());
        let sampled = bench.run(&format!("{AUDIT} --dt {DT} --sample 1000"));
        assert_eq!(sampled.said(), ran.said(), "seed {seed}: change {number}");
    }
    write_rows(&path, &rows, |_, value| value);
    bench.ok(&format!("{AUDIT} --dt {DT}"));
}

#[test]
fn what_files_say_of_themselves_is_compared() {
    let seed = seed(46);
    let bench = produced(seed, "UTC", "");
    let path = part(&bench, 1);
    let rows = rows_of(&path);
    let changes = [
        ("newest_action", "2026-03-29 00:00:00.000000+00:00"),
        ("newest_action", "2026-03-30 00:00:00.000000+00:00"),
        ("cut_off", "2026-03-30 00:00:00+01:00"),
        ("time_zone", "Europe/Berlin"),
        ("dt", "2026-03-31"),
        ("max_history", "13"),
        ("lookback_days", "3"),
        ("newest_batch", "2026-03-29"),
    ];
    let good = fs::read(&path).unwrap();
    for (key, value) in changes {
        write_rows(&path, &rows, |found, is| if found == key { value.to_owned() } else { is });
        let words = format!("part-00001.parquet metadata lookback.{key} is {value}, and the raw files say ");
        bench.refused(&format!("{AUDIT} --dt {DT}"), &[&words]);
        fs::write(&path, &good).unwrap();
    }
    // Of a sample, the newest action can be older than the file's; but never as new as the cut-off.
    let at_the_cut_off = |found: &str, is| if found == "newest_action" { changes[1].1.to_owned() } else { is };
    write_rows(&path, &rows, at_the_cut_off);
    bench.refused(&format!("{AUDIT} --dt {DT} --sample 3"), &["lookback.newest_action", "before 2026-03-30 00:00:00"]);
}

#[test]
fn rows_of_others_are_counted_and_files_too() {
    let seed = seed(44);
    let bench = produced(seed, "UTC", "");
    let good = [part(&bench, 0), part(&bench, 1)].map(|path| fs::read(path).unwrap());
    let rows = read_partition(&bench.out(), DT);
    write_rows(&part(&bench, 0), &rows_of(&part(&bench, 0))[1..], |_, value| value);
    let mut found = [0, 0];
    for number in 0..30 {
        let ran = bench.run(&format!("{AUDIT} --dt {DT} --sample 20 --seed {number}"));
        assert_eq!(ran.code, 1, "seed {seed}, {number}: {}", ran.stderr);
        let counted =
            format!("the number of rows in out/dt={DT} is {}, and the raw files say {}", rows.len() - 1, rows.len());
        // A sample that has the customer finds the row missing; one that has not, the number wrong.
        found[usize::from(ran.stderr.contains(&counted))] += 1;
        assert!(ran.stderr.contains(&counted) || ran.stderr.contains("part-00000.parquet row "), "{}", ran.stderr);
    }
    assert!(found[0] > 0 && found[1] > 0, "seed {seed}: samples differ by their seed: {found:?}");
    fs::write(part(&bench, 0), &good[0]).unwrap();

    // At the end, where nothing comes behind.
    let last = (0..).take_while(|number| part(&bench, *number).exists()).last().unwrap();
    let (good_last, of_last) = (fs::read(part(&bench, last)).unwrap(), rows_of(&part(&bench, last)));
    write_rows(&part(&bench, last), &of_last[..of_last.len() - 1], |_, value| value);
    let ends = format!("is at its end after {} audited rows", rows.len() - 1);
    bench.refused(
        &format!("{AUDIT} --dt {DT}"),
        &[&ends, &format!("a row of customer {}", rows[rows.len() - 1].customer_id)],
    );
    write_rows(&part(&bench, last), &[&of_last[..], &[rows[0].clone()]].concat(), |_, value| value);
    let left =
        format!("part-0000{last}.parquet row {} is a row of customer {}", of_last.len() + 1, rows[0].customer_id);
    bench.refused(&format!("{AUDIT} --dt {DT}"), &[&left, "there are no more rows"]);
    fs::write(part(&bench, last), &good_last).unwrap();

    let audit = format!("{AUDIT} --dt {DT} --sample 1");
    bench.ok(&audit);
    fs::remove_file(part(&bench, 1)).unwrap();
    bench.refused(&audit, &["part-00001.parquet is missing"]);
    write_file(&part(&bench, 1), &good[1][..good[1].len() / 2]);
    bench.refused(&audit, &["part-00001.parquet cannot be read as Parquet"]);
    fs::copy(bench.input().join(format!("impressions/dt={DT}/part-0.parquet")), part(&bench, 1)).unwrap();
    bench.refused(&audit, &["part-00001.parquet has the columns ranking_id, customer_id, impressions, not ranking_id"]);
    fs::write(part(&bench, 1), &good[1]).unwrap();
    write_file(&part(&bench, 9), &good[1]);
    bench.refused(&audit, &["part-00009.parquet is not in the manifest"]);
    fs::remove_file(part(&bench, 9)).unwrap();
    bench.ok(&audit);
    fs::remove_file(bench.out().join(format!("dt={DT}/_manifest.parquet"))).unwrap();
    bench.refused(&audit, &["_manifest.parquet cannot be used (it is missing)"]);
}

#[test]
fn raw_files_and_batches_must_be_those_that_the_rows_rest_on() {
    let seed = seed(45);
    let bench = produced(seed, "UTC", "--known-as-of 2026-03-29");
    let audit = format!("{AUDIT} --dt {DT}");
    bench.ok(&audit);
    let raw = bench.input().join("clicks/dt=2026-03-27");
    let name = raw.join("part-0.parquet");
    let good = fs::read(&name).unwrap();
    let mut turned = good.clone();
    turned[good.len() / 2] ^= 1;
    fs::write(&name, &turned).unwrap();
    let stale = "`lookback stale`";
    bench.refused(&audit, &["dt=2026-03-27/part-0.parquet has changed since the batch of 2026-03-27", stale]);
    fs::remove_file(&name).unwrap();
    bench.refused(&audit, &["dt=2026-03-27/part-0.parquet has been removed since", stale]);
    fs::write(&name, &good).unwrap();
    fs::copy(&name, raw.join("part-9.parquet")).unwrap();
    bench.refused(&audit, &["dt=2026-03-27/part-9.parquet was not there when", stale]);
    // Ingested again with it, the rows rest on a batch that is no longer held.
    bench.ingest("2026-03-27");
    bench.refused(&audit, &["rest on a batch of 2026-03-27 that the store has since replaced or removed", stale]);
    fs::remove_file(raw.join("part-9.parquet")).unwrap();
    bench.ingest("2026-03-27");
    bench.ok(&audit);

    let shown = bench.input().join(format!("impressions/dt={DT}"));
    let good = fs::read(shown.join("part-1.parquet")).unwrap();
    fs::write(shown.join("part-2.parquet"), &good).unwrap();
    bench.refused(&audit, &["impression file", "part-2.parquet has been added since the rows", "lookback produce"]);
    fs::remove_file(shown.join("part-2.parquet")).unwrap();
    fs::write(shown.join("part-1.parquet"), &good[1..]).unwrap();
    bench.refused(&audit, &["part-1.parquet has changed since the rows"]);
    fs::remove_file(shown.join("part-1.parquet")).unwrap();
    bench.refused(&audit, &["part-1.parquet has been removed since the rows"]);
    fs::write(shown.join("part-1.parquet"), &good).unwrap();

    bench.ok("init --store tokyo --timezone Asia/Tokyo");
    bench.refused(&audit.replace("--store store", "--store tokyo"), &["is from a store in UTC", "--store"]);
    bench.refused(&audit.replace("--store store", "--store nowhere"), &["no store at nowhere"]);
    bench.refused(&audit.replace(DT, "2026-03-31"), &["no partition of 2026-03-31 in out"]);
    assert_eq!(bench.run(&format!("{audit} --seed 1")).code, 2, "a seed without a sample");
}

/// Rows that were set aside are no part of what the rows rest on, and rows of raw files are counted with them.
#[test]
fn rows_set_aside_are_left_out_and_the_raw_row_is_the_one_named() {
    let bench = Bench::new();
    let at = |item, minute: i64| RawAction { customer: 5, item, kind: 3, time_us: us("2026-03-28T12:00:00Z") + minute };
    let actions = [at(1, 0), at(0, 1), at(2, 2), at(0, 3), at(3, 4)];
    write_batch(&bench.input(), "2026-03-29", &actions, Spread { files: 1, seed: 4 });
    let shown =
        |elements: &[(i64, Option<bool>)]| RawImpression { ranking_id: None, customer: 5, elements: elements.to_vec() };
    let impressions = [shown(&[(0, None)]), shown(&[(4, Some(true)), (5, None)]), shown(&[])];
    write_impressions(&bench.input(), DT, &impressions, Spread { files: 1, seed: 1 });
    bench.ok("ingest --create --store store --input input --dt 2026-03-29 --quarantine aside");
    bench.ok(&format!("produce --store store --input input --dt {DT} --out out --quarantine aside"));
    let mut rows = read_partition(&bench.out(), DT);
    assert_eq!((rows.len(), &rows[0].actions[..4]), (2, &[3, 2, 1, 0][..]));
    assert_eq!(bench.json(&format!("{AUDIT} --dt {DT}"))["audited_rows"], 2);
    rows[1].actions[1] = 9;
    write_rows(&part(&bench, 0), &rows, |_, value| value);
    let raw = bench.input().join("orders/dt=2026-03-29/part-0.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(raw).unwrap()).unwrap().build().unwrap();
    let items: Vec<i64> =
        reader.flat_map(|batch| batch.unwrap()["config_id"].as_primitive::<Int64Type>().values().to_vec()).collect();
    let row = items.iter().position(|item| *item == 2).unwrap() + 1;
    assert!(items[..row].contains(&0), "a bad row stands before it");
    let source = format!(
        "2, the order of 2026-03-28 12:00:00.000002+00:00 in input/orders/dt=2026-03-29/part-0.parquet row {row};"
    );
    bench.refused(&format!("{AUDIT} --dt {DT}"), &["row 2 column actions place 2 is 9", &source]);
}

/// The audit knows the order by itself: it is held to rows worked out by hand.
#[test]
fn it_knows_the_order_by_itself() {
    let bench = Bench::new();
    let at = |item, kind, time: &str| RawAction { customer: 5, item, kind, time_us: us(time) };
    let noon = "2026-03-28T12:00:00Z";
    let actions = [at(1, 1, noon), at(2, 1, noon), at(1, 3, noon), at(9, 2, "2026-03-28T11:00:00Z"), at(2, 1, noon)];
    write_batch(&bench.input(), "2026-03-29", &actions, Spread { files: 2, seed: 1 });
    let shown = RawImpression { ranking_id: None, customer: 5, elements: vec![(4, Some(true))] };
    write_impressions(&bench.input(), DT, &[shown], Spread { files: 1, seed: 1 });
    bench.ingest("2026-03-29");
    bench.produce(DT);
    let rows = read_partition(&bench.out(), DT);
    assert_eq!((&rows[0].actions[..6], &rows[0].action_types[..6]), (&[1, 2, 2, 1, 9, 0][..], &[3, 1, 1, 1, 2, 0][..]));
    bench.ok(&format!("{AUDIT} --dt {DT}"));
    for (one, other) in [(0, 1), (2, 3), (3, 4)] {
        let mut changed = rows.clone();
        changed[0].actions.swap(one, other);
        changed[0].action_types.swap(one, other);
        write_rows(&part(&bench, 0), &changed, |_, value| value);
        bench.refused(&format!("{AUDIT} --dt {DT}"), &["row 1 column actions", &format!("place {} is", one + 1)]);
    }
}
