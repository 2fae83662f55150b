//! Times in text of a form that the configuration gives.

use std::fs;

use arrow::array::StringArray;
use lookback::sources::{Sources, TimeFormat, TimeUnit};
use serde_json::json;

use super::{Cells, same, typed};
use crate::support::program::{Bench, write_file};

fn sources(format: &str, unit: Option<TimeUnit>) -> Sources {
    let mut sources = Sources::default();
    for source in &mut sources.actions {
        source.time_format = Some(TimeFormat::new(format).unwrap());
        source.time_unit = unit;
    }
    sources
}

fn forms(text: &'static str) -> [Cells; 3] {
    let parquet = typed(StringArray::from(vec![text]));
    [parquet, Cells::Csv(vec![text]), Cells::Json(vec![format!("{text:?}").leak()])]
}

/// The store is in New York, five hours behind.
#[test]
fn a_form_is_read_in_every_format() {
    let plain = same("click_time", &[Cells::Csv(vec!["2026-01-02T08:04:05Z"])], &Sources::default()).unwrap();
    for (format, text) in [
        ("%d.%m.%Y %H:%M:%S", "02.01.2026 03:04:05"),
        ("%m/%d/%Y %I:%M:%S %p", "01/02/2026 03:04:05 AM"),
        ("%d/%b/%Y:%H:%M:%S %z", "02/Jan/2026:10:04:05 +0200"),
        ("%Y%m%d%H%M%S", "20260102030405"),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-01-02 03:04:05.000000"),
        ("%s", "1767341045"),
    ] {
        assert!(same("click_time", &forms(text), &sources(format, None)).unwrap() == plain, "{format}");
        let with_unit = sources(format, Some(TimeUnit::Seconds));
        assert!(same("click_time", &forms(text)[1..], &with_unit).unwrap() == plain, "{format} beside counts");
        assert!(
            same("click_time", &[Cells::Json(vec!["1767341045"])], &with_unit).unwrap() == plain,
            "{format}: a count"
        );
    }
    let midnight = same("click_time", &[Cells::Csv(vec!["2026-01-02T05:00:00Z"])], &Sources::default()).unwrap();
    assert!(same("click_time", &forms("02.01.2026"), &sources("%d.%m.%Y", None)).unwrap() == midnight);
    for text in ["2026-01-02T03:04:05Z", "02.13.2026", "yesterday", "1767341045"] {
        let said = same("click_time", &forms(text), &sources("%d.%m.%Y", None)).unwrap_err();
        assert_eq!(said, format!("click_time is not a time of the form %d.%m.%Y ({text:?})"));
    }
}

#[test]
fn a_form_is_a_part_of_the_description_of_a_batch() {
    let bench = Bench::new();
    let configure = |format: &str| {
        let text = format!("[sources.clicks]\ntime_format = \"{format}\"\n");
        write_file(&bench.input().join("lookback.toml"), text.as_bytes());
    };
    let file = "customer_id,item_id,click_time\n7,11,02/01/2026 03:04\n";
    write_file(&bench.input().join("clicks/dt=2026-01-02/a.csv"), file.as_bytes());
    configure("%d/%m/%Y %H:%M");
    bench.ingest("2026-01-02");
    let shown = bench.ok("show --store store --customer 7").stdout;
    assert!(shown.contains("2026-01-02 03:04:00"), "{shown}");
    let check = bench.ok("config check --input input --dt 2026-01-02");
    assert!(check.stdout.contains("times in text are %d/%m/%Y %H:%M"), "{}", check.stdout);
    assert_eq!(bench.json("config check --input input")["sources"][0]["time_format"], "%d/%m/%Y %H:%M");
    let plan = "backfill --store store --input input --from 2026-01-02 --to 2026-01-02 --dry-run";
    assert_eq!(bench.json(plan)["to_ingest"], json!([]));
    configure("%m/%d/%Y %H:%M");
    assert_eq!(bench.json(plan)["to_ingest"], json!([["2026-01-02", "changed"]]));
    // A date alone, in the place of the time.
    fs::remove_dir_all(bench.input().join("clicks")).unwrap();
    let orders = "customer_id,config_id,order_date\n7,11,03.01.2026\n";
    write_file(&bench.input().join("orders/dt=2026-01-03/a.csv"), orders.as_bytes());
    write_file(&bench.input().join("lookback.toml"), b"[sources.orders]\ntime_format = \"%d.%m.%Y\"\n");
    bench.ingest("2026-01-03");
    let shown = bench.ok("show --store store --customer 7").stdout;
    assert!(shown.contains("2026-01-03 00:00:00"), "{shown}");
}

#[test]
fn a_form_that_cannot_be_read_is_refused_with_its_line() {
    let bench = Bench::new();
    for (format, why) in [
        ("%d.%m.%Y %H:%M %Z", "has %Z, the name of a zone"),
        ("%H:%M:%S", "does not contain the date"),
        ("%d.%m.", "does not contain the date"),
        ("%d.%m.%Y %I:%M", "has a part of the time of day without"),
        ("%d.%m.%Y %Q", "has a % that begins nothing known"),
    ] {
        let text = format!("[sources.clicks]\ntime_format = \"{format}\"\n");
        write_file(&bench.input().join("lookback.toml"), text.as_bytes());
        let said = format!("lookback.toml line 2: the time_format \"{format}\" {why}");
        bench.refused("config check --input input", &[&said, "; write it like %d.%m.%Y"]);
    }
    write_file(&bench.input().join("lookback.toml"), b"[sources.clicks]\ntime_fromat = \"%s\"\n");
    bench.refused("config check --input input", &["line 2", "the nearest is time_format"]);
}
