//! What is installed with the program: the examples are run as they stand, and what the Debian package takes is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::read_partition;
use crate::support::program::{Bench, TODAY, write_file};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A bench with a batch of 1 January and impressions of 2 January, and folders that stand before PATH: in them
/// `lookback`, and a `date` that says that it is 2 January.
fn night() -> (Bench, String) {
    let bench = Bench::new();
    bench.ok("init --store store");
    let click = RawAction { customer: 1, item: 7, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[click], PLAIN);
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), "2026-01-02", &[shown], PLAIN);
    let program = Path::new(env!("CARGO_BIN_EXE_lookback")).parent().unwrap().display().to_string();
    let date = "#!/bin/sh\n[ \"$1\" = -u ] || exit 1\ncase \"$2 $3\" in\n'-d yesterday') echo 2026-01-01 ;;\n'+%F ') echo 2026-01-02 ;;\n*) exit 1 ;;\nesac\n";
    write_file(&bench.path("bin/date"), date.as_bytes());
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(bench.path("bin/date"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{program}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap());
    (bench, path)
}

fn in_the_night(bench: &Bench, path: &str, mut command: Command) -> String {
    command.env(TODAY.0, TODAY.1);
    command.env("PATH", path).env("LOOKBACK_STORE", bench.store()).env("LOOKBACK_INPUT", bench.input());
    command.env("LOOKBACK_OUT", bench.out()).env("AIRFLOW_HOME", bench.path("airflow")).current_dir(bench.path(""));
    let ran = command.output().unwrap();
    let text = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}\n{text}");
    text
}

fn assert_produced(bench: &Bench) {
    let rows = read_partition(&bench.out(), "2026-01-02");
    assert_eq!((rows.len(), rows[0].actions[0]), (1, 7));
}

#[test]
fn the_commands_of_the_unit_are_run_as_they_stand() {
    let (bench, path) = night();
    let unit = fs::read_to_string(root().join("examples/systemd/lookback-nightly.service")).unwrap();
    let lines: Vec<&str> = unit.lines().filter_map(|line| line.strip_prefix("ExecStart=")).collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        // The way from systemd's quoting to the shell's: of this line, only `%%` is not what it stands for. $NAME in
        // single quotes is left to /bin/sh.
        let mut shell = Command::new("bash");
        shell.args(["-c", &line.replace("%%", "%")]);
        in_the_night(&bench, &path, shell);
    }
    assert_produced(&bench);
    // Each variable that the unit uses is in its file of variables.
    let variables = fs::read_to_string(root().join("examples/systemd/nightly.env")).unwrap();
    for name in ["LOOKBACK_STORE", "LOOKBACK_INPUT", "LOOKBACK_OUT"] {
        assert!(unit.contains(&format!("${name}")) && variables.contains(&format!("\n{name}=/")), "{name}");
    }
}

#[test]
fn the_units_are_what_systemd_understands() {
    let units =
        ["lookback-nightly.service", "lookback-nightly.timer"].map(|name| root().join("examples/systemd").join(name));
    let Ok(ran) = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units).output() else {
        // Without systemd: that every line is a section, a setting or a comment.
        eprintln!("systemd-analyze is not installed: only the form of the lines is looked at");
        for unit in units {
            let text = fs::read_to_string(unit).unwrap();
            let is_form = |line: &str| line.is_empty() || line.starts_with(['#', '[']) || line.contains('=');
            assert!(text.lines().all(is_form) && text.contains("[Unit]"), "{text}");
        }
        return;
    };
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && !said.contains("lookback-nightly"), "{said}");
}

#[test]
fn the_airflow_dag_runs() {
    let (bench, path) = night();
    let dag = root().join("examples/airflow/lookback_nightly.py");
    if let Ok(python) = std::env::var("LOOKBACK_AIRFLOW_PYTHON") {
        let mut airflow = Command::new(python);
        airflow.arg(root().join("tests/airflow_dag.py")).arg(&dag).arg("2026-01-02");
        let text = in_the_night(&bench, &path, airflow);
        assert!(text.contains("--dt 2026-01-01") && text.contains("--dt 2026-01-02"), "{text}");
    } else {
        eprintln!("LOOKBACK_AIRFLOW_PYTHON is not set, which tools/test does: the commands are run without Airflow");
        let text = fs::read_to_string(&dag).unwrap();
        let commands: Vec<&str> =
            text.lines().filter_map(|line| line.trim().strip_prefix('\'')?.strip_suffix('\'')).collect();
        assert_eq!(commands.len(), 2, "{text}");
        for command in commands {
            let mut shell = Command::new("bash");
            let rendered =
                command.replace("{{ macros.ds_add(ds, -1) }}", "2026-01-01").replace("{{ ds }}", "2026-01-02");
            assert!(!rendered.contains("{{"), "{rendered}");
            shell.args(["-c", &rendered]);
            in_the_night(&bench, &path, shell);
        }
    }
    assert_produced(&bench);
}

/// Symbols are for those who debug, who build with them; see `[profile.release.package.lookback]`.
#[test]
fn the_program_is_stripped() {
    let program = fs::read(env!("CARGO_BIN_EXE_lookback")).unwrap();
    assert!(program.starts_with(b"\x7fELF\x02\x01"), "the test reads ELF of 64 bits, little-endian");
    let number = |place: usize, bytes: usize| {
        let bytes = program[place..place + bytes].iter().rev();
        bytes.fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    // The table of sections: where it begins, how long an entry is, and how many there are.
    let (table, length, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    let kinds: Vec<usize> = (0..count).map(|section| number(table + section * length + 4, 4)).collect();
    let (symbols, dynamic_symbols) = (2, 11);
    assert!(kinds.contains(&dynamic_symbols), "{kinds:?}");
    assert!(!kinds.contains(&symbols), "the program has a table of symbols: {kinds:?}");
}

/// The package itself is made and looked at by `tools/deb`; here, that what it takes from the repository is in the
/// repository.
#[test]
fn what_the_debian_package_takes_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, assets) = manifest.split_once("[package.metadata.deb]").unwrap().1.split_once("assets = [").unwrap();
    let sources: Vec<&str> =
        assets.lines().filter_map(|line| line.trim().strip_prefix("[\"")?.split('"').next()).collect();
    assert!(sources.len() >= 9, "{sources:?}");
    for source in sources.iter().filter(|source| !source.starts_with("target/")) {
        let path: PathBuf = root().join(source);
        let (folder, name) = (path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap());
        let ending = name.strip_prefix('*');
        let found = fs::read_dir(folder).unwrap().any(|entry| {
            let there = entry.unwrap().file_name().into_string().unwrap();
            ending.map_or(there == name, |ending| there.ends_with(ending))
        });
        assert!(found, "{source} is not there");
    }
    let script = fs::read_to_string(root().join("tools/deb")).unwrap();
    for made in sources
        .iter()
        .filter_map(|source| source.strip_prefix("target/release/deb/"))
        .filter(|made| !made.contains('*'))
    {
        assert!(script.contains(&format!("\"$made/{made}\"")), "tools/deb does not make {made}");
    }
}
