//! Ctrl-C and SIGTERM, sent at any moment of every command that works long: it ends soon, what is there is as before it
//! or as after it, nothing is left that the next run does not remove, and that one ends as if nothing had happened. The
//! moments are calls that read or change files, so that no test depends on time.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::faults::{At, Fault, Ground};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::tree;
use crate::support::program::{Bench, Ran, TODAY, assert_one_sentence};
use crate::support::random::{Random, seed};
use crate::support::scenario::Scenario;
use crate::support::scenarios;

/// Each signal with the exit code of a command that it has stopped.
const SIGNALS: [(Fault, i32); 2] = [(Fault::Interrupt, 130), (Fault::Terminate, 143)];

/// Whoever waits for something that never comes has failed: after 100 seconds.
const LOOKS_MAX: usize = 20_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Sends each signal at some of the moments of a command; `check` looks at what it has left. Gives how often it was
/// stopped.
fn signalled(scenario: &Scenario, mut check: impl FnMut(&Ran, &str)) -> usize {
    let seed = seed(19);
    // At no call: this tells which there are, reading among them.
    let ran = scenario.disturbed(Fault::Interrupt, At::Call(0));
    assert_eq!(ran.code, 0, "{}: {}", scenario.command, ran.stderr);
    let calls = scenario.ground.trace();
    let mut stopped = 0;
    for (fault, code) in SIGNALS {
        let mut random = Random::new(seed + code.unsigned_abs() as u64);
        for number in fault.points(&calls, &mut random) {
            let ran = scenario.disturbed(fault, At::Call(number));
            let at = calls.get(number - 1);
            let point = format!("{}, {fault:?} at call {number} ({at:?}), seed {seed}", scenario.command);
            assert!(ran.code == code || ran.code == 0, "{point}: exit code {}: {}", ran.code, ran.stderr);
            if ran.code != 0 {
                stopped += 1;
                assert_one_sentence(&ran, &["stopped before its end, on request", "run the same command again"]);
            }
            assert_eq!(tree(&scenario.ground.tmp()).len(), 0, "{point}: files in TMPDIR");
            check(&ran, &point);
        }
    }
    eprintln!("{}: {} calls, stopped {stopped} times", scenario.command, calls.len());
    stopped
}

/// A command that changes something: all or nothing of it, and the next run ends it.
fn stopped_anywhere(scenario: &Scenario) {
    let stopped = signalled(scenario, |ran, point| {
        if ran.code == 0 {
            scenario.check_done(point);
        }
        scenario.check_whole(point);
        scenario.check_next_run(point);
    });
    assert!(stopped > 0, "{} was never stopped", scenario.command);
}

/// A command that only reads, or writes what the next run replaces: everything else is as before.
fn reading_stopped_anywhere(bench: Bench, command: &str) {
    let scenario = Scenario::of(bench, command);
    let wanted = tree(&scenario.ground.path());
    let wanted = wanted.into_iter().filter(|(path, _)| !path.starts_with("store/")).collect::<Vec<_>>();
    let stopped = signalled(&scenario, |_, point| {
        assert!(scenario.state().store == scenario.old.store, "{point}: the store is another one");
        scenario.check_next_run(point);
        let found = tree(&scenario.ground.path()).into_iter().filter(|(path, _)| !path.starts_with("store/"));
        assert!(found.collect::<Vec<_>>() == wanted, "{point}: run again, other files are there");
    });
    assert!(stopped > 0, "{} was never stopped", scenario.command);
}

#[test]
fn ingests_are_stopped() {
    stopped_anywhere(&scenarios::first_batch());
    stopped_anywhere(&scenarios::replaced_batch());
    stopped_anywhere(&scenarios::batch_with_compaction());
    stopped_anywhere(&scenarios::batch_with_quarantine());
}

#[test]
fn produces_are_stopped() {
    stopped_anywhere(&scenarios::new_partition());
    stopped_anywhere(&scenarios::replaced_partition());
    stopped_anywhere(&scenarios::shuffled_partition());
}

#[test]
fn backfills_are_stopped() {
    stopped_anywhere(&scenarios::backfill());
}

#[test]
fn removals_are_stopped() {
    stopped_anywhere(&scenarios::forgotten_customer());
    stopped_anywhere(&scenarios::scrubbed_partition());
    stopped_anywhere(&scenarios::pruned_days());
    stopped_anywhere(&scenarios::removed_batch());
}

#[test]
fn migrations_are_stopped() {
    stopped_anywhere(&scenarios::migration_from(1));
    stopped_anywhere(&scenarios::migration_from(4));
    stopped_anywhere(&scenarios::taken_zone_rules());
}

#[test]
fn commands_that_read_are_stopped() {
    let bench = scenarios::produced;
    reading_stopped_anywhere(bench(), "verify --store store --deep");
    reading_stopped_anywhere(
        bench(),
        "get --store store --dt 2026-01-03 --customer 900000000000000 --out histories.parquet",
    );
    reading_stopped_anywhere(bench(), "audit --store store --input input --out out --dt 2026-01-04");
    reading_stopped_anywhere(bench(), "diff out bad");
    reading_stopped_anywhere(bench(), "report --store store --out out --html report.html");
    reading_stopped_anywhere(bench(), "manifest --out out --dt 2026-01-04 --check");
    reading_stopped_anywhere(
        bench(),
        "vocabulary --input input --from 2026-01-02 --to 2026-01-04 --of items --out words.parquet",
    );
    reading_stopped_anywhere(bench(), "repair --store store --dry-run");
}

/// Copying is RocksDB's, which goes on to its end; a signal is met before it and behind it.
#[test]
fn backups_are_stopped() {
    let scenario = Scenario::of(scenarios::produced(), "backup --store store --to backups --check");
    let check = |ran: &Ran, point: &str| {
        assert!(scenario.state() == scenario.old, "{point}: the store is another one");
        let again = scenario.ground.run(&scenario.command, None);
        assert_eq!(again.code, 0, "{point}: {}", again.stderr);
        let backups = fs::read_dir(scenario.ground.path().join("backups/meta")).unwrap().count();
        assert!(backups == 1 || backups == 2 && ran.code != 1, "{point}: {backups} backups");
        let verified = scenario.ground.run("verify --backup backups", None);
        assert_eq!(verified.code, 0, "{point}: {}", verified.stderr);
        let left: Vec<_> = scenario.ground.path().join("store").read_dir().unwrap().collect();
        assert!(left.iter().all(|entry| !entry.as_ref().unwrap().file_name().to_string_lossy().contains("checkpoint")));
    };
    assert!(signalled(&scenario, check) > 0);
    // Restored beside it, from a folder that is copied to the ground each time.
    let bench = scenarios::produced();
    bench.ok("backup --store store --to bad/backups");
    let scenario = Scenario::of(bench, "restore --from bad/backups --store again");
    let check = |ran: &Ran, point: &str| {
        let again = scenario.ground.path().join("again");
        assert_eq!(again.join("db/CURRENT").exists(), ran.code == 0, "{point}");
        if ran.code != 0 {
            let ran = scenario.ground.run(&scenario.command, None);
            assert_eq!(ran.code, 0, "{point}: {}", ran.stderr);
        }
        let verified = scenario.ground.run("verify --store again", None);
        assert_eq!(verified.code, 0, "{point}: {}", verified.stderr);
    };
    signalled(&scenario, check);
}

/// Of a day that is read and written in some thousand calls, few more follow a signal.
#[test]
fn a_command_ends_soon_after_a_signal() {
    let seed = seed(20);
    let mut random = Random::new(seed);
    let ground = Ground::new();
    let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
    let midnight = us("2026-01-01T00:00:00Z");
    let actions = (0..300_000).map(|_| RawAction {
        customer: number(20_000),
        item: 1 + number(1_000_000_000),
        time_us: midnight + number(86_400_000_000),
        kind: 1 + number(3) as u8,
    });
    write_batch(&ground.path().join("input"), "2026-01-01", &actions.collect::<Vec<_>>(), PLAIN);
    let shown = (0..20_000).map(|customer| RawImpression {
        ranking_id: None,
        customer,
        elements: (1..=10).map(|item| (item, None)).collect(),
    });
    write_impressions(&ground.path().join("input"), "2026-01-02", &shown.collect::<Vec<_>>(), PLAIN);
    let produce = "produce --store store --input input --dt 2026-01-02 --row-group-rows 1000 --out";
    let commands = [
        "ingest --create --store store --input input --dt 2026-01-01".to_owned(),
        format!("{produce} out"),
        format!("{produce} shuffled --order shuffled"),
        "verify --store store --deep".to_owned(),
        "audit --store store --input input --out out --dt 2026-01-02".to_owned(),
        "diff out shuffled".to_owned(),
    ];
    for command in &commands {
        // First to its end, which counts the calls; then from the same beginning, with what that has made still there.
        let whole = ground.run(command, Some((Fault::Interrupt, At::Call(0))));
        assert!([0, 3].contains(&whole.code), "{command}: {}", whole.stderr);
        let calls = ground.trace().len();
        let at = calls / 4;
        let ran = ground.run(command, Some((Fault::Interrupt, At::Call(at))));
        let behind = ground.trace().len() - at;
        eprintln!("{command}: {calls} calls, {behind} behind the signal at {at}");
        assert_eq!(ran.code, 130, "{command}: {}", ran.stderr);
        assert!(calls > 100 && behind < calls / 3, "{command}: {behind} of {calls} calls behind the signal at {at}");
    }
}

fn command(bench: &Bench, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookback"));
    command.args(arguments.split_whitespace()).current_dir(bench.path("")).env(TODAY.0, TODAY.1);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn started(bench: &Bench, arguments: &str, stdout: Stdio) -> Child {
    command(bench, arguments).stdout(stdout).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    let process = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(process, signal).unwrap();
}

/// Sends a signal and waits for the end, which has this code.
fn stopped_by(signal: Signal, child: Child, code: i32) -> Output {
    send(&child, signal);
    wait_until("its end", || child_has_ended(&child));
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
    ended
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let comes = (0..LOOKS_MAX).any(|_| {
        std::thread::sleep(BETWEEN_LOOKS);
        is_so()
    });
    assert!(comes, "{what} does not come");
}

/// Whether a signal is taken: a bit for each in what the system says.
fn takes(child: &Child, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(bits.trim(), 16).unwrap() & (1 << (signal.as_raw() - 1)) != 0
}

fn takes_signals(child: &Child) -> bool {
    takes(child, Signal::INT) && takes(child, Signal::TERM)
}

#[test]
fn a_command_that_waits_for_a_pipe_is_stopped() {
    let bench = scenarios::produced();
    // For ids that do not come.
    let mut child = started(&bench, "get --store store --dt 2026-01-03 --customers -", Stdio::piped());
    child.stdin.as_mut().unwrap().write_all(b"900000000000000\n").unwrap();
    wait_until("the program", || takes_signals(&child));
    assert!(stopped_by(Signal::INT, child, 130).stdout.is_empty());

    // For a reader who does not read.
    let ids: String = (0..200_000).map(|id| format!("{id}\n")).collect();
    fs::write(bench.path("ids"), ids).unwrap();
    let child = started(&bench, "get --store store --dt 2026-01-03 --customers ids --format jsonl", Stdio::piped());
    let is_full = || {
        use std::os::fd::AsFd;
        rustix::io::ioctl_fionread(child.stdout.as_ref().unwrap().as_fd()).unwrap() > 60_000
    };
    wait_until("a full pipe", is_full);
    stopped_by(Signal::TERM, child, 143);
}

/// Ids that take more than the memory for sorting, from a pipe that stays open.
#[test]
fn nothing_that_was_spilled_is_left() {
    let bench = scenarios::produced();
    let tmp = bench.path("").canonicalize().unwrap().join("tmp");
    fs::create_dir(&tmp).unwrap();
    let get = "get --store store --dt 2026-01-03 --customers - --out histories --memory-limit 128MiB";
    let mut child = command(&bench, get).env("TMPDIR", &tmp).spawn().unwrap();
    let ids: String = (0..3_000_000).map(|id| format!("{id}\n")).collect();
    child.stdin.as_mut().unwrap().write_all(ids.as_bytes()).unwrap();
    let files = format!("/proc/{}/fd", child.id());
    wait_until("a file that is spilled to", || {
        let open = fs::read_dir(&files).unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        open.into_iter().any(|path| path.starts_with(&tmp))
    });
    stopped_by(Signal::TERM, child, 143);
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
    let left = fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.contains("histories")), "a part of the file is left");
}

/// Whether a child that nobody has waited for has ended.
fn child_has_ended(child: &Child) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('Z')
}

#[test]
fn a_second_signal_ends_it_at_once_and_an_ignored_one_is_ignored() {
    use std::os::unix::process::ExitStatusExt;

    let bench = scenarios::produced();
    // Stopped by the system in between, so that both signals are there before it looks.
    let mut child = started(&bench, "get --store store --dt 2026-01-03 --customers -", Stdio::null());
    wait_until("the program", || takes_signals(&child));
    send(&child, Signal::STOP);
    send(&child, Signal::INT);
    send(&child, Signal::TERM);
    send(&child, Signal::CONT);
    let status = child.wait().unwrap();
    assert!(status.signal().is_some(), "{status}");

    // As a shell starts what runs in its background.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$0\" get --store store --dt 2026-01-03 --customers -"]);
    shell.arg(env!("CARGO_BIN_EXE_lookback")).current_dir(bench.path("")).env(TODAY.0, TODAY.1);
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    wait_until("the program", || takes(&child, Signal::TERM));
    send(&child, Signal::INT);
    child.stdin.take().unwrap().write_all(b"900000000000000\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(!ended.stdout.is_empty());
}
