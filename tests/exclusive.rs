//! Names of what is on its way are nobody else's: not those of a process with the same number in another container,
//! not those that somebody has guessed. And nothing of it is left.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lookback::audit::{AuditOptions, audit};
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::{Folder, Store};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{read_partition, tree};
use crate::support::program::{Bench, Ran, write_file};

/// Whoever waits for something that never comes has failed: after 100 seconds.
const LOOKS_MAX: usize = 20_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

fn bench(items: i64) -> Bench {
    let bench = Bench::new();
    let action = |customer| RawAction { customer, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &(1..=50).map(action).collect::<Vec<_>>(), PLAIN);
    let shown = |customer| RawImpression {
        ranking_id: None,
        customer: customer % 50,
        elements: (1..=10).map(|item| (item, None)).collect(),
    };
    write_impressions(&bench.input(), "2026-01-02", &(0..items / 10).map(shown).collect::<Vec<_>>(), PLAIN);
    bench.ok("init --store store --max-history 1");
    bench.ingest("2026-01-01");
    bench
}

fn started(command: &mut Command, bench: &Bench) -> Child {
    let command = command.current_dir(bench.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(mut child: Child, what: &str) -> Ran {
    for look in 0.. {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        if look == LOOKS_MAX {
            child.kill().unwrap();
            panic!("{what} does not end");
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs the program in a process whose number is known before: a shell waits for a line and becomes the program.
fn with_number(bench: &Bench, arguments: &str, prepare: impl FnOnce(u32)) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-c", "read line; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_lookback")]);
    command.args(arguments.split_whitespace()).env("TMPDIR", bench.path("tmp"));
    let mut child = started(&mut command, bench);
    prepare(child.id());
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    ended(child, arguments)
}

/// What another process with the same number is writing: a file, locked.
fn held_file(path: &Path) -> fs::File {
    write_file(path, b"another's");
    let file = fs::File::open(path).unwrap();
    file.lock().unwrap();
    file
}

/// The same for a folder.
fn held_folder(path: &Path) -> fs::File {
    write_file(&path.join("parts/part-00000.parquet"), b"another's");
    write_file(&path.join("db/CURRENT"), b"another's");
    let folder = fs::File::open(path).unwrap();
    folder.lock().unwrap();
    folder
}

#[test]
fn a_process_of_the_same_number_that_writes_the_same_is_not_disturbed() {
    let bench = bench(100);
    let commands = [
        ("get --store store --dt 2026-01-02 --customer 1 --out page", ".page.staging-", false),
        ("report --store store --html page", ".page.staging-", false),
        ("produce --store store --input input --dt 2026-01-02 --out out", "out/.dt=2026-01-02.staging-", true),
        ("backup --store store --to backups", "store/checkpoint-", true),
    ];
    for (command, prefix, is_folder) in commands {
        let _ = fs::remove_file(bench.path("page"));
        let mut held = None;
        let ran = with_number(&bench, command, |number| {
            let path = bench.path(&format!("{prefix}{number}"));
            let lock = if is_folder { held_folder(&path) } else { held_file(&path) };
            held = Some((tree(path.parent().unwrap()), path, lock));
        });
        assert_eq!(ran.code, 0, "{command}: {}", ran.stderr);
        let (before, path, lock) = held.unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let after = tree(path.parent().unwrap());
        let of_it = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
            files.iter().filter(|(file, _)| file.starts_with(name)).map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>()
        };
        assert!(!of_it(&before).is_empty() && of_it(&before) == of_it(&after), "{command}: {path:?} was disturbed");
        // When that process is killed, the next run tidies up behind it.
        drop(lock);
        let _ = fs::remove_file(bench.path("page"));
        bench.ok(command);
        assert!(!path.exists(), "{command}: {path:?} is left");
    }
    assert_eq!(read_partition(&bench.out(), "2026-01-02").len(), 100);
}

/// Rows in a shuffled order, with hardly any memory for sorting.
#[test]
fn audit_writes_through_no_link_in_the_temporary_folder_and_leaves_nothing() {
    let bench = bench(2_000);
    bench.ok("produce --store store --input input --dt 2026-01-02 --out out --order shuffled");
    write_file(&bench.path("theirs/run-00000"), b"someone's");
    let link = std::env::temp_dir().join(format!("lookback-audit-{}", std::process::id()));
    symlink(bench.path("theirs"), &link).unwrap();
    let store = Store::open_reader(&Folder::new(&bench.store())).unwrap();
    let (input, out) = (bench.input(), bench.out());
    let options = AuditOptions::new(&input, &out, "2026-01-02".parse::<Day>().unwrap())
        .resources(Resources::default().with_sort_bytes(20_000));
    let audited = audit(&store, &options, &Silent);
    fs::remove_file(&link).unwrap();
    assert_eq!(audited.unwrap().audited_rows, 2_000);
    assert_eq!(fs::read(bench.path("theirs/run-00000")).unwrap(), b"someone's");
    assert_eq!(fs::read_dir(bench.path("theirs")).unwrap().count(), 1);
}

/// Ids that take more than the memory for sorting, from a pipe that stays open.
#[test]
fn a_killed_command_leaves_nothing_in_the_temporary_folder() {
    let bench = bench(100);
    let tmp = bench.path("tmp").canonicalize().unwrap_or_else(|_| bench.path("").canonicalize().unwrap().join("tmp"));
    fs::create_dir(&tmp).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookback"));
    let get = "get --store store --dt 2026-01-02 --customers - --out histories --memory-limit 128MiB";
    let mut child = started(command.args(get.split_whitespace()).env("TMPDIR", &tmp), &bench);
    let mut pipe = child.stdin.take().unwrap();
    let ids: String = (0..3_000_000).map(|id| format!("{id}\n")).collect();
    pipe.write_all(ids.as_bytes()).unwrap();
    let files = format!("/proc/{}/fd", child.id());
    // Open, and with a name no more.
    let is_spilled = || {
        let open = fs::read_dir(&files).unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        open.into_iter().any(|path| path.starts_with(&tmp) && path.to_string_lossy().ends_with(" (deleted)"))
    };
    assert!(
        (0..LOOKS_MAX).any(|_| {
            std::thread::sleep(BETWEEN_LOOKS);
            is_spilled()
        }),
        "nothing is spilled"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
}

/// Each is process 1 of its own namespace. Skipped where the system gives none to whoever asks.
#[test]
fn two_containers_that_write_one_file_leave_one_whole_answer() {
    let unshare = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    if !Command::new("unshare").args(unshare).arg("true").output().is_ok_and(|ran| ran.status.success()) {
        eprintln!("skipped: unshare gives no namespaces here");
        return;
    }
    let bench = bench(100);
    let lists = [(1..=20_000_i64).collect::<Vec<_>>(), (10_000..=40_000).collect()];
    for (index, list) in lists.iter().enumerate() {
        let text: String = list.iter().map(|id| format!("{id}\n")).collect();
        write_file(&bench.path(&format!("ids-{index}")), text.as_bytes());
    }
    let get =
        |index: usize, out: &str| format!("get --store store --dt 2026-01-02 --customers ids-{index} --out {out}");
    let wanted = [0, 1].map(|index| {
        bench.ok(&get(index, "alone"));
        fs::read(bench.path("alone")).unwrap()
    });
    for round in 0..8 {
        let children = [0, 1].map(|index| {
            let mut command = Command::new("unshare");
            command.args(unshare).arg(env!("CARGO_BIN_EXE_lookback"));
            started(command.args(get(index, "shared/both").split_whitespace()), &bench)
        });
        for child in children {
            let ran = ended(child, "get");
            assert_eq!(ran.code, 0, "round {round}: {}", ran.stderr);
        }
        let both = fs::read(bench.path("shared/both")).unwrap();
        assert!(wanted.contains(&both), "round {round}: neither answer");
        assert_eq!(fs::read_dir(bench.path("shared")).unwrap().count(), 1, "round {round}");
    }
}
