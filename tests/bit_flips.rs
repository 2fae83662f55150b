//! Damaged files of a store: whatever is changed in whichever file, `verify` says so or nothing that can be read has
//! changed; and `produce` fails or writes the rows of the sound store.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::output::{dump, tree};
use crate::support::program::{Bench, Ran, TODAY, assert_one_sentence};
use crate::support::random::{Random, seed};
use crate::support::store::{PRODUCED, filled};

/// Single bytes that are changed by chance.
const FLIPS: usize = 200;

/// No command on so small a store takes as long, in seconds: one that does, hangs.
const PATIENCE: &str = "60";

/// One way to damage a store: the file, what it becomes (`None`: it is gone), and a name for it.
struct Damage {
    file: String,
    bytes: Option<Vec<u8>>,
    name: String,
}

/// What became of a damaged store.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Seen {
    /// It could not be opened.
    Refused,
    /// It has faults.
    Faults,
    /// All that can be read is as it was.
    Harmless,
}

fn run(bench: &Bench, arguments: &str) -> Ran {
    let output = Command::new("timeout")
        .arg(PATIENCE)
        .arg(env!("CARGO_BIN_EXE_lookback"))
        .args(arguments.split_whitespace())
        .env(TODAY.0, TODAY.1)
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    // Ended by a signal there is no code: that is a crash.
    let code = output.status.code().unwrap_or(-1);
    Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The sound store, and what it holds and gives.
struct Sound {
    files: BTreeMap<String, Vec<u8>>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    rows: BTreeMap<String, Vec<u8>>,
}

fn produce() -> String {
    format!("produce --store store --input input --dt {PRODUCED} --out out")
}

fn sound(bench: &Bench) -> Sound {
    bench.ok(&produce());
    let rows = tree(&bench.out());
    let sound = Sound { files: tree(&bench.store()), entries: dump(&bench.store()), rows };
    assert!(sound.entries.len() > 2_000 && sound.rows.len() > 1);
    sound
}

/// Does the damage, looks what becomes of it, and undoes it.
fn see(bench: &Bench, sound: &Sound, damage: &Damage) -> Seen {
    let Damage { file, bytes, name } = damage;
    let path = bench.store().join(file);
    match bytes {
        Some(bytes) => fs::write(&path, bytes).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    let verified = run(bench, "verify --store store --deep");
    let seen = match verified.code {
        0 => {
            assert!(dump(&bench.store()) == sound.entries, "{name} is not seen, and keys or values have changed");
            Seen::Harmless
        }
        1 if verified.stdout.is_empty() => {
            assert_one_sentence(&verified, &["store"]);
            Seen::Refused
        }
        1 => Seen::Faults,
        code => panic!("{name}: verify ends with {code}: {}", verified.stderr),
    };
    let _ = fs::remove_dir_all(bench.out());
    let produced = run(bench, &produce());
    match produced.code {
        0 => assert!(tree(&bench.out()) == sound.rows, "{name}: produce writes other rows without a word"),
        1 => {
            assert_one_sentence(&produced, &[]);
            assert!(
                !bench.out().join(format!("dt={PRODUCED}")).exists(),
                "{name}: a failed produce leaves a partition"
            );
        }
        code => panic!("{name}: produce ends with {code}: {}", produced.stderr),
    }
    assert!(seen != Seen::Refused || produced.code == 1, "{name}: what verify cannot open, produce can");
    fs::write(&path, &sound.files[file]).unwrap();
    seen
}

/// Sees all damages, with two programs at a time, and counts what became of them by the name of the file without its
/// number.
fn see_all(damages: Vec<Damage>) -> BTreeMap<(String, Seen), usize> {
    let (waiting, counts) = (Mutex::new(damages.into_iter()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let bench = filled();
                let sound = sound(&bench);
                loop {
                    let Some(damage) = waiting.lock().unwrap().next() else { break };
                    let seen = see(&bench, &sound, &damage);
                    *counts.lock().unwrap().entry((kind(&damage.file), seen)).or_insert(0) += 1;
                }
            });
        }
    });
    counts.into_inner().unwrap()
}

/// Which kind of file it is: `db/000012.sst` is `sst`, `db/MANIFEST-000005` is `MANIFEST`.
fn kind(file: &str) -> String {
    let name = Path::new(file).file_name().unwrap().to_str().unwrap();
    let kind = name.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    kind.split(['-', '.']).next().unwrap().to_owned()
}

fn files() -> BTreeMap<String, Vec<u8>> {
    let files = tree(&filled().store());
    let kinds: Vec<String> = files.keys().map(|file| kind(file)).collect();
    for wanted in ["sst", "log", "MANIFEST", "CURRENT", "OPTIONS", "LOG", "IDENTITY", "mark"] {
        assert!(kinds.iter().any(|kind| kind == wanted), "no {wanted} among {kinds:?}");
    }
    files
}

fn flipped(file: &str, good: &[u8], place: usize, mask: u8) -> Damage {
    let mut bytes = good.to_vec();
    bytes[place] ^= mask;
    Damage { file: file.to_owned(), bytes: Some(bytes), name: format!("byte {place} of {file} with {mask:02x}") }
}

#[test]
fn single_bytes_changed_by_chance() {
    let seed = seed(31);
    let mut random = Random::new(seed);
    let files: Vec<_> = files().into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    let flips = (0..FLIPS).map(|_| {
        let mut below = |end: usize| usize::try_from(random.below(end as u64)).unwrap();
        let (file, good) = &files[below(files.len())];
        let place = below(good.len());
        // One bit, or any other byte.
        let mask = if below(2) == 0 { 1 << below(8) } else { 1 + u8::try_from(below(255)).unwrap() };
        flipped(file, good, place, mask)
    });
    let counts = see_all(flips.collect());
    eprintln!("{counts:?}");
    assert_eq!(counts.values().sum::<usize>(), FLIPS);
    let count = |kind: &str, seen: Seen| counts.get(&(kind.to_owned(), seen)).copied().unwrap_or(0);
    assert!(count("sst", Seen::Faults) > 10, "blocks that cannot be read: {counts:?}");
    assert_eq!((count("MANIFEST", Seen::Harmless), count("mark", Seen::Harmless)), (0, 0), "{counts:?}");
    assert!(count("MANIFEST", Seen::Refused) > 3 && count("mark", Seen::Refused) > 3, "{counts:?}");
    assert!(count("OPTIONS", Seen::Harmless) > 3 && count("LOG", Seen::Harmless) > 3, "{counts:?}");
}

/// Where the records of a manifest begin.
fn heads(manifest: &[u8]) -> Vec<usize> {
    let (mut heads, mut place) = (Vec::new(), 0);
    while let Some(head) = manifest.get(place..place + 7) {
        heads.push(place);
        place += 7 + usize::from(u16::from_le_bytes([head[4], head[5]]));
    }
    assert!(manifest.len() < 32 << 10 && place == manifest.len() && heads.len() > 5);
    heads
}

/// The head of a record tells its length and type, and RocksDB believes both before it compares a checksum: one too
/// long looks like the end of the log, and takes the store back; one of a type that is written over again is read
/// without end.
#[test]
fn heads_of_the_manifest() {
    let files = files();
    let (file, good) = files.iter().find(|(file, _)| kind(file) == "MANIFEST").unwrap();
    let mut damages = Vec::new();
    for head in heads(good) {
        for (byte, mask) in [(0, 1), (4, 0x01), (4, 0x80), (5, 0x01), (5, 0x40), (6, 0x04), (6, 0x80)] {
            damages.push(flipped(file, good, head + byte, mask));
        }
    }
    let all = damages.len();
    let counts = see_all(damages);
    assert_eq!(counts, BTreeMap::from([(("MANIFEST".to_owned(), Seen::Refused), all)]));
}

#[test]
fn files_that_are_cut_or_grown_or_gone() {
    let mut damages = Vec::new();
    for (file, good) in files() {
        let mut push = |bytes: Option<Vec<u8>>, how: &str| {
            damages.push(Damage { name: format!("{file} {how}"), file: file.clone(), bytes });
        };
        push(None, "gone");
        push(Some([&good[..], &[7]].concat()), "with a byte more");
        if !good.is_empty() {
            push(Some(good[..good.len() - 1].to_vec()), "without its last byte");
            push(Some(good[..good.len() / 2].to_vec()), "cut in half");
            push(Some(Vec::new()), "empty");
        }
    }
    let counts = see_all(damages);
    eprintln!("{counts:?}");
    let count = |kind: &str, seen: Seen| counts.get(&(kind.to_owned(), seen)).copied().unwrap_or(0);
    let tables = files().keys().filter(|file| kind(file) == "sst").count();
    assert_eq!(count("sst", Seen::Refused), 5 * tables, "{counts:?}");
    assert_eq!(count("MANIFEST", Seen::Refused), 4, "{counts:?}");
    assert_eq!((count("mark", Seen::Refused), count("mark", Seen::Harmless)), (4, 1), "it may be gone: {counts:?}");
    assert!(count("OPTIONS", Seen::Harmless) >= 5 && count("IDENTITY", Seen::Harmless) > 0, "{counts:?}");
}

/// A database that has gone back is not written to; and the way out that the message names leads out.
#[test]
fn a_store_that_has_gone_back_is_refused_by_writers_too() {
    let bench = Bench::new();
    let click = |day: &str, item| RawAction { customer: 1, item, time_us: us(&format!("{day}T10:00:00Z")), kind: 1 };
    for day in ["2026-01-01", "2026-01-02"] {
        write_batch(&bench.input(), day, &[click(day, 5)], PLAIN);
        bench.ingest(day);
    }
    // A correction, so that no gap would tell of its loss.
    write_batch(&bench.input(), "2026-01-01", &[click("2026-01-01", 6)], PLAIN);
    bench.ingest("2026-01-01");
    let (sound, rows) = (dump(&bench.store()), bench.ok("show --store store --customer 1").stdout);
    let files = tree(&bench.store());
    let (file, good) = files.iter().find(|(file, _)| kind(file) == "MANIFEST").unwrap();
    let Damage { bytes, .. } = flipped(file, good, heads(good).pop().unwrap() + 5, 0x40);
    let path: PathBuf = bench.store().join(file);
    fs::write(&path, bytes.unwrap()).unwrap();

    let damaged = tree(&bench.store());
    for command in [
        "ingest --store store --input input --dt 2026-01-02",
        "backfill --store store --input input --from 2026-01-01 --to 2026-01-02",
        "produce --store store --input input --dt 2026-01-03 --out out",
        "migrate --store store",
        "repair --store store",
        "verify --store store",
        "status --store store",
    ] {
        bench.refused(command, &["has lost its newest commits", "store/mark", "restore", "lookback backfill"]);
        assert!(tree(&bench.store()) == damaged, "{command} has changed something");
    }
    // As the message says.
    fs::remove_file(bench.store().join("mark")).unwrap();
    assert_ne!(bench.ok("show --store store --customer 1").stdout, rows, "the correction is lost");
    bench.ok("backfill --store store --input input --from 2026-01-01 --to 2026-01-02");
    assert!(dump(&bench.store()) == sound && bench.store().join("mark").exists());
    assert_eq!(bench.ok("show --store store --customer 1").stdout, rows);
}

#[test]
fn a_database_ahead_of_its_mark_is_whole() {
    let bench = filled();
    let before = fs::read(bench.store().join("mark")).unwrap();
    bench.ingest("2026-01-12");
    let after = fs::read(bench.store().join("mark")).unwrap();
    assert_ne!(before, after, "each commit moves the mark");
    // As if killed between the commit and the mark; and as a program without marks leaves it.
    fs::write(bench.store().join("mark"), before).unwrap();
    bench.ok("verify --store store");
    bench.ok("repair --store store");
    assert_eq!(fs::read(bench.store().join("mark")).unwrap(), after, "the next writer moves it up");
    fs::remove_file(bench.store().join("mark")).unwrap();
    bench.ok("verify --store store");
    bench.ok("repair --store store");
    assert_eq!(fs::read(bench.store().join("mark")).unwrap(), after);
}
