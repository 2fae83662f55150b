//! An audit of rows against raw files at a URL.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};

use super::AtUrl;
use crate::memory::LIMIT;
use crate::support::input::{PLAIN, RawImpression, us, write_impressions, write_parquet};
use crate::support::places::{Kind, Proxy};

/// Customers with histories that take more than a quarter of the memory limit.
const CUSTOMERS: i64 = 1_200;
const ACTIONS: i64 = 600;

/// A batch of the actions of all customers.
fn batch(at_url: &AtUrl, day: &str) {
    let begin = us(&format!("{day}T00:00:00Z"));
    let each = |value: fn(i64) -> i64| (0..CUSTOMERS * ACTIONS).map(value);
    let times = each(|number| number * 10_000).map(|time| begin + time);
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from_iter_values(each(|number| number / ACTIONS)))),
        ("item_id", Arc::new(Int64Array::from_iter_values(each(|number| 1 + number % 1_000)))),
        ("click_time", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
    ];
    write_parquet(&at_url.bench.input().join(format!("clicks/dt={day}/0.parquet")), &columns);
}

#[test]
fn each_file_is_fetched_once_however_often_it_is_read() {
    let at_url = AtUrl::new();
    for day in ["2026-01-05", "2026-01-06"] {
        batch(&at_url, day);
    }
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None), (2, Some(true))] };
    let shown: Vec<_> = (0..CUSTOMERS).map(shown).collect();
    write_impressions(&at_url.bench.input(), "2026-01-07", &shown, PLAIN);
    at_url.deliver();
    at_url
        .bench
        .ok("backfill --store store --input input --from 2026-01-04 --to 2026-01-07 --out out --allow-missing-source");
    for order in ["customer", "shuffled --seed 1"] {
        at_url.ok(&format!("produce --store store --input @/in --dt 2026-01-07 --out @/out --order {order}"));
        let proxy = Proxy::to(&at_url.server);
        let audit = "audit --store store --input @/in --dt 2026-01-07 --out @/out --memory-limit";
        let audited = at_url.json_at(&proxy, &format!("{audit} {LIMIT}"));
        assert_eq!(audited["audited_rows"], 2 * CUSTOMERS);
        assert!(audited["passes"].as_u64().unwrap() > 1, "{audited}");
        let mut fetched: Vec<String> =
            proxy.requests().into_iter().filter(|seen| seen.kind == Kind::Get).map(|seen| seen.key).collect();
        let files = fetched.iter().filter(|key| key.contains("/dt=2026-01-0")).count();
        fetched.sort();
        let requests = fetched.len();
        fetched.dedup();
        assert_eq!(requests, fetched.len(), "{fetched:?}");
        // Those of six batches, of the impressions, and of the output.
        assert!(files as u64 > audited["action_files"].as_u64().unwrap(), "{fetched:?}");
        let lists = proxy.count(Kind::List);
        let whole = at_url.json_at(&at_url.server, &format!("{audit} 2GiB"));
        assert_eq!(whole["passes"], 1);
        assert_eq!(whole["timing"]["requests"]["list"], lists, "what is kept is not listed again");
    }
    // A file that has changed is found as ever.
    let key = "in/clicks/dt=2026-01-05/0.parquet";
    let mut bytes = at_url.server.objects()[key].clone();
    bytes[100] ^= 1;
    at_url.server.put(key, bytes);
    let audit = "audit --store store --input @/in --dt 2026-01-07 --out @/out";
    at_url.refused(audit, &[key, "has changed since the batch of 2026-01-05 was ingested"]);
    assert!(File::open(at_url.bench.path("out/dt=2026-01-07/_manifest.parquet")).is_ok());
}
