//! Files are read twice, for their fingerprint and for their rows: one that is replaced in between is refused, whatever
//! its size and the time that it says it was written at.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Once;

use lookback::error::Kind;
use lookback::ingest::{IngestOptions, Ingester};
use lookback::model::Day;
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::{Progress, Silent};
use lookback::store::{Folder, Store};

use crate::support::output::{dump, tree};
use crate::support::program::{Bench, write_file};

/// Changes a file once while it is read.
struct Replacing<'a>(&'a Path, Change, Once);

#[derive(Clone, Copy, Debug)]
enum Change {
    /// Another file comes in its place, by a rename.
    Renamed,
    /// Its bytes are written anew.
    Written,
}

impl Replacing<'_> {
    /// With as many bytes as before, and the time of the file before.
    fn replace(&self) {
        let Replacing(path, change, _) = self;
        let (bytes, written_at) = (fs::read(path).unwrap(), fs::metadata(path).unwrap().modified().unwrap());
        let other: Vec<u8> = bytes.iter().map(|byte| if *byte == b'8' { b'9' } else { *byte }).collect();
        assert_ne!(bytes, other);
        let new = match change {
            Change::Renamed => path.with_extension("new"),
            Change::Written => path.to_path_buf(),
        };
        fs::write(&new, other).unwrap();
        File::options().write(true).open(&new).unwrap().set_modified(written_at).unwrap();
        fs::rename(&new, path).unwrap();
        assert_eq!(fs::metadata(path).unwrap().modified().unwrap(), written_at);
    }
}

impl Progress for Replacing<'_> {
    fn advance(&self, _: u64) {
        self.2.call_once(|| self.replace());
    }
}

/// A store with a batch, and files of the next day: a batch and impressions.
fn days() -> (Bench, [PathBuf; 2]) {
    let bench = Bench::new();
    let clicks = |day: &str, item: &str| {
        let file = bench.input().join(format!("clicks/dt={day}/part.csv"));
        write_file(&file, format!("customer_id,item_id,click_time\n7,{item},{day}T10:00:00Z\n").as_bytes());
        file
    };
    clicks("2026-01-01", "5");
    bench.ingest("2026-01-01");
    let shown = bench.input().join("impressions/dt=2026-01-02/part.jsonl");
    let row = r#"{"ranking_id":"a","customer_id":7,"impressions":[{"item_id":8,"is_order":false}]}"#;
    write_file(&shown, format!("{row}\n").as_bytes());
    bench.produce("2026-01-02");
    let files = [clicks("2026-01-02", "8"), shown];
    (bench, files)
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_refused() {
    for change in [Change::Renamed, Change::Written] {
        let (bench, [clicks, shown]) = days();
        let (store, out) = (dump(&bench.store()), tree(&bench.out()));
        let (input, dt): (_, Day) = (bench.input(), "2026-01-02".parse().unwrap());
        let folder = Folder::new(&bench.store());
        let options = IngestOptions::new(&input, dt);
        let mut ingester = Ingester::open(&folder, &Silent).unwrap();
        let ingested = ingester.ingest(&options, &Replacing(&clicks, change, Once::new())).map(drop);
        drop(ingester);
        let options = ProduceOptions::new(&input, dt, bench.out());
        let reader = Store::open_reader(&folder).unwrap();
        let produced = produce(&reader, &options, &Replacing(&shown, change, Once::new())).map(drop);
        for (done, file) in [(ingested, &clicks), (produced, &shown)] {
            let error = done.unwrap_err();
            let words = format!("the file {} was written while it was being read", file.display());
            assert!(error.kind() == Kind::Input && error.to_string().contains(&words), "{change:?}: {error}");
        }
        assert!(dump(&bench.store()) == store && tree(&bench.out()) == out, "{change:?}: something was changed");
    }
}
