//! Few threads, little address space, little data: every command ends by itself, with its work done or with one
//! sentence. A hang counts as a failure, and so does an end by a signal.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::program::{Bench, Ran, assert_one_sentence};

/// A user whom nothing else runs as: the system counts the threads of all processes of a user.
const USER: u32 = 54_321;

/// Longer than any of these commands takes on a machine that is busy.
const SECONDS: &str = "60";

/// Every command, each on a store of three batches with two produced days. Those that make something new come with the
/// path that has to be absent.
const COMMANDS: [(&str, &str); 27] = [
    ("init --store new", "new"),
    ("ingest --create --store store --input input --dt 2026-01-02", ""),
    ("ingest --create --store new --input input --dt 2026-01-02", "new"),
    ("produce --store store --input input --dt 2026-01-03 --out out", ""),
    ("produce --store store --input input --dt 2026-01-03 --out shuffled --order shuffled --seed 1", ""),
    ("backfill --store made/store --input input --from 2026-01-01 --to 2026-01-04 --out made/out", "made"),
    ("backfill --store store --input input --from 2026-01-01 --to 2026-01-04 --out new", "new"),
    (
        "backfill --store store --input input --from 2026-01-01 --to 2026-01-04 --out new --order shuffled --seed 1",
        "new",
    ),
    ("show --store store --customer 1 --dt 2026-01-03", ""),
    ("explain --store store --customer 1 --dt 2026-01-03", ""),
    ("get --store store --customer 1 2 3 --dt 2026-01-03 --out got.parquet", ""),
    ("status --store store", ""),
    ("report --store store --html report.html", ""),
    ("audit --store store --input input --out out --dt 2026-01-03", ""),
    ("stale --store store --out out", ""),
    ("manifest --out out --dt 2026-01-03 --check", ""),
    ("config check --input input --dt 2026-01-02", ""),
    ("diff out out", ""),
    ("vocabulary --input input --from 2026-01-01 --to 2026-01-04 --of items --out words.parquet", ""),
    ("forget --store store --customer 3 --out out --scrub", ""),
    ("prune --store store --keep-days 100", ""),
    ("backup --store store --to backups --keep 1", ""),
    ("restore --from backups --store new", "new"),
    ("migrate --store store", ""),
    ("verify --store store --deep", ""),
    ("repair --store store", ""),
    ("completions bash", ""),
];

/// A copy of the program that any user may run, and a store to work on.
fn prepared() -> (Bench, PathBuf) {
    let bench = Bench::new();
    let program = bench.path("lookback");
    fs::copy(env!("CARGO_BIN_EXE_lookback"), &program).unwrap();
    for day in ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"] {
        let noon = us(&format!("{day}T12:00:00Z"));
        let action = |number: i64| RawAction { customer: number % 50, item: 1 + number, time_us: noon, kind: 1 };
        write_batch(&bench.input(), day, &(0..500).map(action).collect::<Vec<_>>(), PLAIN);
        let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None), (2, Some(true))] };
        write_impressions(&bench.input(), day, &(0..40).map(shown).collect::<Vec<_>>(), PLAIN);
    }
    let _ = fs::remove_dir_all(bench.input().join("impressions/dt=2026-01-01"));
    bench.ok("backfill --store store --input input --from 2026-01-01 --to 2026-01-03 --out out");
    bench.ok("backup --store store --to backups");
    (bench, program)
}

/// Runs a command under a limit of `prlimit`, as this user or as another, and gives how it ended.
fn limited(bench: &Bench, program: &Path, arguments: &str, limit: &str, user: Option<u32>) -> Ran {
    let mut words: Vec<String> = ["timeout", "-s", "KILL", SECONDS].map(str::to_owned).into();
    if let Some(user) = user {
        words.extend(["setpriv", "--reuid", &user.to_string(), "--regid", &user.to_string()].map(str::to_owned));
        words.push("--clear-groups".to_owned());
    }
    words.extend(["prlimit", limit].map(str::to_owned));
    words.push(program.to_str().unwrap().to_owned());
    words.extend(arguments.split_whitespace().map(str::to_owned));
    let output = Command::new(&words[0]).args(&words[1..]).current_dir(bench.path("")).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or(-1);
    Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Done, or refused in one sentence that names the limit. Gives whether it was done.
fn ended(ran: &Ran, of: &str) -> bool {
    assert!(ran.code == 0 || ran.code == 1, "{of}: ended with {}\n{}", ran.code, ran.stderr);
    if ran.code == 1 {
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{of}: {}", ran.stderr);
        assert_one_sentence(ran, &["ulimit"]);
    }
    ran.code == 0
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap()
    } else {
        let _ = fs::remove_file(path);
    }
}

/// Runs every command under each of these limits, and gives of each limit how many were done.
fn done_under(limits: &[String], user: Option<u32>) -> Vec<usize> {
    let (bench, program) = prepared();
    if let Some(user) = user {
        fs::set_permissions(bench.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        give_to(&bench.path(""), user);
    }
    let done = limits.iter().map(|limit| {
        let of_limit = COMMANDS.iter().filter(|(command, makes)| {
            if !makes.is_empty() {
                remove(&bench.path(makes));
            }
            let ran = limited(&bench, &program, command, limit, user);
            ended(&ran, &format!("{limit} lookback {command}"))
        });
        of_limit.count()
    });
    done.collect()
}

fn give_to(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give_to(&entry.unwrap().path(), user));
    }
}

#[test]
fn with_few_threads_every_command_works_or_says_so() {
    // The superuser is not bound by this limit, and of anyone else's threads others are counted too.
    let user = own_uid().filter(|uid| *uid == 0).map(|_| USER);
    let limits: Vec<String> = [1, 2, 3, 5, 8, 11, 12, 13, 16, 40].map(|threads| format!("--nproc={threads}")).into();
    let done = done_under(&limits, user);
    assert_eq!(done[0], 0, "no thread can be started");
    if user.is_some() {
        assert_eq!(done[limits.len() - 1], COMMANDS.len(), "enough threads for all: {done:?}");
    }
}

/// Of this process.
fn own_uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").ok().map(|of_process| of_process.uid())
}

#[test]
fn with_little_address_space_or_data_every_command_works_or_says_so() {
    let mega = |name: &'static str, sizes: &[u64]| -> Vec<String> {
        sizes.iter().map(|size| format!("--{name}={}", size << 20)).collect()
    };
    let sizes = [100, 200, 300, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 2_048];
    let limits = [mega("as", &sizes), mega("data", &[100, 200, 300, 350, 400]), mega("as", &[16_000])].concat();
    let done = done_under(&limits, None);
    assert_eq!(done[0], 0, "too little address space for anything");
    assert_eq!(done[limits.len() - 1], COMMANDS.len(), "enough for all: {done:?}");
}
