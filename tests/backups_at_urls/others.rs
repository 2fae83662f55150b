//! Backups on the stores of Google and Azure: the same as on S3.

use std::collections::BTreeMap;
use std::time::Duration;

use super::place::{batch, json_at, run_at};
use super::races::held_up;
use super::refused;
use crate::support::output::dump;
use crate::support::places::{Azurite, Endpoint, Fault, Kind, Proxy, S3Server, nth};
use crate::support::program::{Bench, assert_one_sentence};

/// The names below the backups, and whether each has a byte.
type Names = BTreeMap<String, bool>;

fn below(objects: BTreeMap<String, Vec<u8>>, folder: &str) -> Names {
    let prefix = format!("deep/backups/{folder}/");
    let named = |(key, bytes): (String, Vec<u8>)| Some((key.strip_prefix(&prefix)?.to_owned(), !bytes.is_empty()));
    objects.into_iter().filter_map(named).collect()
}

/// Makes backups, restores each, and keeps the last; two at once; and each fault in passing at each request.
fn backups_are_the_same(
    server: &dyn Endpoint,
    objects: &dyn Fn() -> BTreeMap<String, Vec<u8>>,
    age: &dyn Fn(Duration),
) {
    let bench = Bench::new();
    let url = server.url("deep/backups");
    let backup = format!("backup --store store --to {url}");
    let mut stores = Vec::new();
    for (number, day, uploaded) in [(1, "2026-01-01", 3), (2, "2026-01-02", 2)] {
        batch(&bench, day);
        stores.push(dump(&bench.store()));
        let made = json_at(&bench, server, &backup);
        assert_eq!((&made["number"], &made["uploaded_files"]), (&number.into(), &uploaded.into()), "{url}");
    }
    json_at(&bench, server, &format!("verify --backup {url}"));
    for (number, store) in (1..).zip(&stores) {
        json_at(&bench, server, &format!("restore --from {url} --store restored-{number} --number {number}"));
        assert_eq!(dump(&bench.path(&format!("restored-{number}"))), *store, "{url}");
    }
    bench.ok("verify --store restored-2");

    // Two at once: one wins, and the other says so and changes nothing.
    batch(&bench, "2026-01-03");
    let ran = held_up(&bench, server, (Kind::Put, "versions/000003"), &backup, || {
        assert_eq!(json_at(&bench, server, &backup)["number"], 3);
    });
    assert_eq!(ran.code, 1, "{url}: {}", ran.stderr);
    assert_one_sentence(&ran, &[&format!("another run has made backup 3 at {url} meanwhile; nothing is lost")]);

    // Each request of a backup in turn fails in passing.
    let proxy = Proxy::to(server);
    json_at(&bench, &proxy, &backup);
    let requests = proxy.requests().len();
    for number in 1..=requests {
        for fault in [Fault::Status(503, "SlowDown"), Fault::StatusAfter(500, "InternalError"), Fault::LostAnswer] {
            proxy.forget();
            proxy.heal();
            proxy.fail(nth(number), fault);
            let ran = run_at(&bench, &proxy, &backup);
            assert_eq!(ran.code, 0, "{url}: {fault:?} at {number}: {}", ran.stderr);
        }
    }
    drop(proxy);
    json_at(&bench, server, &format!("verify --backup {url}"));

    // Older ones go, and what no backup names follows when it is old.
    age(Duration::from_secs(25 * 3_600));
    batch(&bench, "2026-01-04");
    let newest = json_at(&bench, server, &format!("{backup} --keep 1"));
    assert_eq!(newest["backups"], 1, "{url}");
    let live = below(objects(), "versions").into_iter().filter(|(_, has_bytes)| *has_bytes);
    let number = newest["number"].as_u64().unwrap();
    assert_eq!(live.map(|(name, _)| name).collect::<Vec<_>>(), [format!("{number:06}.json")], "{url}");
    let gone = run_at(&bench, server, &format!("restore --from {url} --store none --number 1"));
    refused(&gone, &["there is no backup 1 at", &format!("backups there: {number}")]);
    json_at(&bench, server, &format!("restore --from {url} --store last"));
    assert_eq!(dump(&bench.path("last")), dump(&bench.store()), "{url}");
    let made = json_at(&bench, server, &format!("{backup} --keep 1"));
    assert_eq!(made["uploaded_files"], 0, "{url}");
    json_at(&bench, server, &format!("verify --backup {url}"));
}

#[test]
fn backups_on_google_are_those_on_s3() {
    let server = S3Server::google();
    backups_are_the_same(&server, &|| server.objects(), &|by| server.age(by));
    // The table of the new store, one of each batch, and the last bundle: the others were old.
    assert_eq!(below(server.objects(), "files").len(), 6);
    assert!(server.open_uploads().is_empty());
}

/// Azurite's clock cannot be set ahead, so what no backup names is younger than the grace, and stays.
#[test]
fn backups_on_azure_are_those_on_s3() {
    let azurite = Azurite::start();
    backups_are_the_same(&azurite, &|| azurite.objects(), &|_| {});
    assert!(below(azurite.objects(), "files").len() > 6);
}
