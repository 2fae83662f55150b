//! Objects of more than the parts that they are sent in: whole whatever happens to one part, within the memory limit,
//! and nothing left of uploads that fail.

use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, TimestampMicrosecondArray};

use super::{AtUrl, DT};
use crate::memory::{LIMIT, measured_in};
use crate::support::input::{
    PLAIN, RawAction, RawImpression, Spread, us, write_batch, write_impressions, write_parquet,
};
use crate::support::output::dump;
use crate::support::places::{Endpoint, Fault, Kind, Proxy, every, nth};
use crate::support::program::assert_one_sentence;
use crate::support::random::Random;

/// What goes wrong in passing.
const FAULTS: [Fault; 9] = [
    Fault::Status(503, "SlowDown"),
    Fault::Status(500, "InternalError"),
    Fault::StatusAfter(500, "InternalError"),
    Fault::Cut,
    Fault::LostAnswer,
    Fault::CutAnswer,
    Fault::Twice,
    Fault::Late(1),
    Fault::StallAnswer,
];

const FILE: &str = "in/clicks/dt=2026-01-05/large.parquet";
const INGEST: &str = "ingest --create --store url --input @/in --dt 2026-01-05 --request-timeout 1";

/// Puts a day's file of at least so many bytes into the object store; most of them are in a column that nobody reads.
fn deliver(at_url: &AtUrl, bytes: usize) {
    let rows = bytes.div_ceil(100_000) + 1;
    let mut random = Random::new(3);
    let mut note = || -> Vec<u8> { (0..12_500).flat_map(|_| random.below(u64::MAX).to_le_bytes()).collect() };
    let notes: Vec<Vec<u8>> = (0..rows).map(|_| note()).collect();
    let number = |row| i64::try_from(row).unwrap();
    let time = us("2026-01-05T10:00:00Z");
    let columns: [(&str, ArrayRef); 4] = [
        ("customer_id", Arc::new(Int64Array::from_iter_values((0..rows).map(|row| number(row) % 12)))),
        ("note", Arc::new(BinaryArray::from_iter_values(&notes))),
        ("item_id", Arc::new(Int64Array::from_iter_values((0..rows).map(|row| 1 + number(row))))),
        ("click_time", Arc::new(TimestampMicrosecondArray::from_value(time, rows).with_timezone("UTC"))),
    ];
    let path = at_url.bench.input().join(FILE.trim_start_matches("in/"));
    write_parquet(&path, &columns);
    let content = std::fs::read(path).unwrap();
    assert!(content.len() >= bytes, "{} bytes", content.len());
    at_url.server.put(FILE, content);
}

#[test]
fn a_file_is_fetched_in_parts_and_whole() {
    let at_url = AtUrl::new();
    deliver(&at_url, 17 << 20);
    at_url.bench.ok("ingest --create --store local --input input --dt 2026-01-05");
    let whole = dump(&at_url.bench.path("local"));
    let proxy = Proxy::to(&at_url.server);
    for part in 1..=3 {
        for fault in FAULTS {
            let _ = std::fs::remove_dir_all(at_url.bench.path("url"));
            proxy.heal();
            proxy.forget();
            proxy.fail(nth(part).of(Kind::Get).at(FILE), fault);
            let ran = at_url.run_at(&proxy, INGEST);
            proxy.deliver();
            assert_eq!(ran.code, 0, "{fault:?} at part {part}: {}", ran.stderr);
            assert!(dump(&at_url.bench.path("url")) == whole, "{fault:?} at part {part}");
            let gets = proxy.requests().iter().filter(|seen| seen.key == FILE && seen.kind == Kind::Get).count();
            assert!(gets == 3 + usize::from(fault != Fault::Twice), "{fault:?} at part {part}: {gets} requests");
        }
    }
}

/// Impressions whose rows make a part of some 10 MB, more than one piece.
fn with_large_part() -> (AtUrl, String) {
    let at_url = AtUrl::new();
    let mut random = Random::new(8);
    let mut item = || 1 + i64::try_from(random.below(1 << 62)).unwrap();
    let shown =
        |customer| RawImpression { ranking_id: None, customer, elements: (0..500).map(|_| (item(), None)).collect() };
    let impressions: Vec<_> = (0..12).cycle().take(2_200).map(shown).collect();
    write_impressions(&at_url.bench.input(), DT, &impressions, Spread { files: 6, seed: 1 });
    let options = "--compression none --memory-limit 128MiB --max-history 1 --part-rows 3000000 --request-timeout 1";
    (at_url, format!("produce --store store --input input --dt {DT} --out @/out {options}"))
}

#[test]
fn a_part_is_uploaded_in_parts_and_whole() {
    let (at_url, produce) = with_large_part();
    at_url.ok(&produce);
    let whole = at_url.server.objects();
    let (part, bytes) = whole.iter().find(|(key, _)| key.starts_with("out/dt=2026-01-04/part-")).unwrap();
    assert!(bytes.len() > 8 << 20, "{} bytes", bytes.len());
    let proxy = Proxy::to(&at_url.server);
    let most = [Fault::StatusAfter(500, "InternalError"), Fault::Cut, Fault::LostAnswer, Fault::Twice];
    for (kind, faults) in [(Kind::CreateUpload, &most[..]), (Kind::UploadPart, &FAULTS), (Kind::CompleteUpload, &most)]
    {
        for fault in faults.iter().copied() {
            at_url.server.remove(part);
            proxy.heal();
            proxy.forget();
            proxy.fail(nth(if kind == Kind::UploadPart { 2 } else { 1 }).of(kind), fault);
            let ran = at_url.run_at(&proxy, &produce);
            proxy.deliver();
            assert_eq!(ran.code, 0, "{fault:?} at {kind:?}: {}", ran.stderr);
            assert!(at_url.server.objects() == whole, "{fault:?} at {kind:?}");
            // An upload that was begun twice, because the first answer was lost, is known to nobody.
            let is_unknown = kind == Kind::CreateUpload && fault_is_after(fault);
            assert_eq!(at_url.server.open_uploads().len(), usize::from(is_unknown), "{fault:?} at {kind:?}");
            at_url.server.give_up_uploads();
        }
    }
}

/// Whether the server has done the request, and the client does not know.
fn fault_is_after(fault: Fault) -> bool {
    !matches!(fault, Fault::Status(..) | Fault::Cut)
}

#[test]
fn of_an_upload_that_fails_nothing_is_left() {
    let (at_url, produce) = with_large_part();
    at_url.bench.ok(&produce.replace("@/out", "out"));
    at_url.ok(&produce.replace("--max-history 1", "--max-history 2"));
    let old = at_url.server.objects();
    let proxy = Proxy::to(&at_url.server);
    for (kind, fault) in [
        (Kind::UploadPart, Fault::Status(503, "SlowDown")),
        (Kind::UploadPart, Fault::Status(403, "AccessDenied")),
        (Kind::UploadPart, Fault::LostAnswer),
        (Kind::CompleteUpload, Fault::Status(500, "InternalError")),
        (Kind::CompleteUpload, Fault::Cut),
    ] {
        proxy.heal();
        proxy.forget();
        proxy.fail(every().of(kind), fault);
        let ran = at_url.run_at(&proxy, &format!("{produce} --retries 1"));
        assert_eq!(ran.code, 1, "{fault:?} at {kind:?}: {}", ran.stderr);
        assert_one_sentence(&ran, &["cannot write", "/part-00000-"]);
        assert!(at_url.server.open_uploads().is_empty(), "{fault:?} at {kind:?}");
        assert!(at_url.server.objects() == old, "{fault:?} at {kind:?}: the old rows stay");
        assert_eq!(proxy.count(Kind::AbortUpload), 1, "{fault:?} at {kind:?}");
    }
    // Stopped in the middle of it.
    proxy.heal();
    proxy.forget();
    proxy.fail(nth(2).of(Kind::UploadPart), Fault::Stall);
    let mut command = at_url.bench.command();
    let arguments = produce.replace('@', proxy.url("").trim_end_matches('/')).replace("timeout 1", "timeout 60");
    command.envs(proxy.environment()).args(arguments.split_whitespace());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(proxy.wait_stalled(&mut child));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(at_url.server.open_uploads().is_empty() && at_url.server.objects() == old);
    proxy.heal();
    at_url.ok_at(&proxy, &produce);
    assert!(at_url.parts() == at_url.local_parts("out"));
}

/// Objects of more than twice the memory limit, either way.
#[test]
fn memory_does_not_grow_with_an_object() {
    const BYTES: usize = 300_000_000;
    let at_url = AtUrl::new();
    at_url.server.set_opaque_etags();
    let within = |arguments: &str| {
        let arguments = arguments.replace('@', at_url.server.url("").trim_end_matches('/'));
        let (ran, peak) = measured_in(&at_url.bench, &at_url.server.environment(), &format!("{arguments} --json"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        eprintln!("{} MiB: {arguments}", peak >> 20);
        assert!(peak <= LIMIT, "lookback {arguments} took {} MiB", peak >> 20);
        let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        summary["timing"]["requests"].clone()
    };
    deliver(&at_url, BYTES);
    let requests = within(INGEST);
    assert_eq!(requests["get"], 1 + 3, "the configuration, and the file in three parts: {requests}");

    // Full histories of items that no encoding makes smaller, again and again.
    let mut random = Random::new(4);
    let noon = us("2026-01-03T12:00:00Z");
    let click = |number: i64| RawAction {
        customer: number % 200,
        item: 1 + i64::try_from(random.below(1 << 62)).unwrap(),
        time_us: noon + number,
        kind: 1,
    };
    write_batch(&at_url.bench.input(), "2026-01-03", &(0..200_000).map(click).collect::<Vec<_>>(), PLAIN);
    at_url.bench.ingest("2026-01-03");
    let elements: Vec<_> = (1..=100).map(|item| (item, None)).collect();
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: elements.clone() };
    let impressions: Vec<_> = (0..200).cycle().take(2_000).map(shown).collect();
    write_impressions(&at_url.bench.input(), DT, &impressions, PLAIN);
    let produce = format!("produce --store store --input input --dt {DT} --out @/out --compression none");
    let requests = within(&format!("{produce} --part-rows 1000000 --row-group-rows 2000"));
    let part = at_url.below(&format!("out/dt={DT}/part-00000")).into_values().map(|bytes| bytes.len()).max().unwrap();
    assert!(part >= BYTES, "a part of {part} bytes");
    // The part in pieces of a sixteenth of the limit, begun and completed; the mark of the output, in two requests
    // where it is new, the manifest and _SUCCESS.
    let pieces = part.div_ceil(usize::try_from(LIMIT).unwrap() / 16);
    assert_eq!(requests["put"], pieces + 2 + 2 + 2, "{requests}");
    // Its audit reads it back.
    let requests = within(&format!("audit --store store --input input --dt {DT} --out @/out --sample 20"));
    assert!(requests["get"].as_u64().unwrap() >= 3, "{requests}");
}
