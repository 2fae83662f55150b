//! Names that lead to a pipe, a device, a socket or a folder where a file is meant: refused by name at once, and never
//! waited for.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::one_day::one_day;
use crate::support::output::dump;
use crate::support::program::{Bench, Ran, write_file};

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// A store, a backup, an output; and the input that they are of.
fn bench() -> Bench {
    let bench = one_day();
    bench.produce("2026-01-02");
    bench.ok("backup --store store --to backups");
    bench
}

#[test]
fn input_that_is_no_file_is_refused_by_name() {
    let bench = bench();
    let store = dump(&bench.store());
    let folder = bench.input().join("clicks/dt=2026-01-02");
    fs::create_dir_all(&folder).unwrap();
    let ingest = "ingest --create --store store --input input --dt 2026-01-02";
    for name in ["a.parquet", "a.csv", "a.jsonl.gz"] {
        let file = folder.join(name);
        pipe(&file);
        bench.refused(ingest, &[name, "it is a named pipe, not a file"]);
        let vocabulary = "vocabulary --input input --from 2026-01-01 --to 2026-01-02 --of customers --out words";
        bench.refused(vocabulary, &[name, "it is a named pipe, not a file"]);
        let check = bench.run("config check --input input --dt 2026-01-02");
        assert!(check.code == 1 && check.stdout.contains("it is a named pipe, not a file"), "{}", check.stdout);
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        bench.refused(ingest, &[name, "it is a device, not a file"]);
        fs::remove_file(&file).unwrap();
        let _listener = UnixListener::bind(&file).unwrap();
        bench.refused(ingest, &[name, "it is a socket, not a file"]);
        fs::remove_file(&file).unwrap();
    }
    pipe(&bench.input().join("impressions/dt=2026-01-02/b.parquet"));
    bench.refused("produce --store store --input input --dt 2026-01-02 --out out", &["b.parquet", "named pipe"]);
    bench.refused("audit --store store --input input --dt 2026-01-02 --out out", &["b.parquet"]);
    assert_eq!(dump(&bench.store()), store);
}

#[test]
fn what_is_named_on_the_command_line_is_a_file_too() {
    let bench = bench();
    pipe(&bench.path("pipe"));
    let get = "get --store store --dt 2026-01-02 --customers";
    let ingest = "ingest --create --store store --input input --dt 2026-01-01 --config";
    for (named, what) in [("pipe", "a named pipe"), ("/dev/zero", "a device"), ("input", "a folder")] {
        let words = [named, &format!("it is {what}, not a file")];
        bench.refused(&format!("{get} {named}"), &words);
        bench.refused(&format!("{ingest} {named}"), &words);
        bench.refused(&format!("forget --store store --customers {named}"), &words);
    }
    // What stands beside the input is found without being named.
    pipe(&bench.input().join("lookback.toml"));
    bench.refused("ingest --create --store store --input input --dt 2026-01-01", &["lookback.toml", "a named pipe"]);
    fs::remove_file(bench.input().join("lookback.toml")).unwrap();
    // Standard input is no name.
    let mut program = Command::new(env!("CARGO_BIN_EXE_lookback"));
    program.args(get.split(' ')).arg("-").current_dir(bench.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = program.spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), b"1\n").unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"{\"customer_id\":1,"));
}

/// Puts a pipe in the place of each file in turn, runs, and puts the file back.
fn each_file_as_a_pipe(folder: &Path, run: impl Fn(&str)) {
    let mut folders = vec![folder.to_owned()];
    let mut count = 0;
    while let Some(current) = folders.pop() {
        for path in fs::read_dir(&current).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            pipe(&path);
            run(path.file_name().unwrap().to_str().unwrap());
            fs::remove_file(&path).unwrap();
            write_file(&path, &content);
            count += 1;
        }
    }
    assert!(count >= 3, "{count} files in {}", folder.display());
}

#[test]
fn stores_backups_and_partitions_are_not_waited_for() {
    let bench = bench();
    let ends = |arguments: &str, name: &str| {
        // Were it waited for, the test would say so, and not wait too.
        let mut program = Command::new("timeout");
        program.args(["--signal=KILL", "100", env!("CARGO_BIN_EXE_lookback")]).args(arguments.split(' '));
        let output = program.current_dir(bench.path("")).output().unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{name}: {arguments} has waited"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(ran.code == 0 || ran.said().starts_with("error: "), "{name}: {}", ran.stderr);
        ran
    };
    each_file_as_a_pipe(&bench.store().join("db"), |name| {
        for arguments in ["status --store store", "ingest --create --store store --input input --dt 2026-01-01"] {
            let ran = ends(arguments, name);
            assert_eq!(ran.code, 1, "{name}");
            assert!(name == "CURRENT" || ran.said().contains("a named pipe"), "{name}: {}", ran.stderr);
        }
        ends("backup --store store --to backups", name);
        ends("migrate --store store", name);
    });
    each_file_as_a_pipe(&bench.path("backups"), |name| {
        let ran = ends("restore --from backups --store restored", name);
        assert_eq!(ran.code, 1, "{name}");
        assert!(ran.said().contains(name) && ran.said().contains("a named pipe"), "{name}: {}", ran.stderr);
        ends("backup --store store --to backups", name);
    });
    each_file_as_a_pipe(&bench.out(), |name| {
        ends("manifest --out out --dt 2026-01-02 --check", name);
        ends("audit --store store --input input --dt 2026-01-02 --out out", name);
        ends("stale --store store --out out", name);
        ends("diff out out", name);
        ends("forget --store store --customer 9 --out out", name);
        ends("report --store store --html page.html --out-dir out", name);
    });
    pipe(&bench.out().join("dt=2026-01-02/part-00009.parquet"));
    ends("diff out out", "a part file more");
    fs::remove_file(bench.store().join("mark")).unwrap();
    pipe(&bench.store().join("mark"));
    bench.refused("status --store store", &["mark", "a named pipe"]);
}
