//! The scripts that people and machines run before a change lands, and what dependencies may bring.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use toml::de::DeTable;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The commands of a script that begin with a word.
fn commands<'a>(script: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    script.lines().map(str::trim).filter(move |line| line.split_whitespace().next() == Some(word))
}

#[test]
fn the_two_scripts_are_what_everything_calls() {
    for script in ["tools/check", "tools/test", "tools/demo", "tools/deb", "tools/wheel", ".ci/run"] {
        let mode = fs::metadata(root().join(script)).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script} cannot be executed");
        let parsed = Command::new("bash").arg("-n").arg(root().join(script)).output().unwrap();
        assert!(parsed.status.success(), "{script}: {}", String::from_utf8_lossy(&parsed.stderr));
    }
    assert_eq!(commands(&read(".ci/run"), "exec").collect::<Vec<_>>(), ["exec tools/test"]);
    let workflow = read(".github/workflows/ci.yml");
    let runs: Vec<&str> = workflow.lines().filter_map(|line| line.split_once("run: ").map(|(_, run)| run)).collect();
    let scripts: Vec<&str> = runs.iter().copied().filter(|run| run.starts_with("tools/")).collect();
    assert_eq!(scripts, ["tools/check", "tools/test"], "{runs:?}");
    assert!(!workflow.contains("cargo "), "the workflow checks by the scripts alone");
}

/// What passes the quick check is not refused by the whole one for its format or lints; and the quick one installs
/// nothing that the build does not need.
#[test]
fn the_quick_check_is_a_part_of_the_whole() {
    let (check, test) = (read("tools/check"), read("tools/test"));
    let lines: Vec<&str> = commands(&check, "cargo").collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        assert!(commands(&test, "cargo").any(|other| other == line), "tools/test does not run: {line}");
    }
    let tests = |script: &str| -> Vec<String> {
        let line = script
            .lines()
            .map(str::trim)
            .find(|line| line.contains("test --release --locked ") && line.contains(" --workspace --lib"))
            .unwrap();
        line.split_whitespace().filter(|word| word.starts_with("--")).map(str::to_owned).collect()
    };
    let has = |words: &[String], word: &str| words.iter().any(|other| other == word);
    let (quick, whole) = (tests(&check), tests(&test));
    assert!(has(&quick, "--lib") && !has(&quick, "--tests") && has(&whole, "--tests"), "{quick:?} {whole:?}");
    for kind in ["--lib", "--workspace"] {
        assert!(!has(&quick, kind) || has(&whole, kind), "tools/test does not run what tools/check does: {kind}");
    }
    let installs: Vec<&str> = check.lines().filter(|line| line.starts_with("install_")).collect();
    assert_eq!(installs, ["install_build_tools"]);
    for needed in ["install_build_tools", "install_cargo_deny", "check_dependencies"] {
        assert!(test.lines().any(|line| line == needed), "tools/test has no {needed}");
    }
}

/// `check_dependencies` of `tools/setup.sh` with a program in the place of cargo-deny that fails where its words hold
/// one of these.
fn check_dependencies(failing: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("cargo-deny/bin/cargo-deny");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::write(&program, format!("#!/bin/sh\necho \"$*\"\ncase \"$*\" in {failing}) exit 1 ;; esac\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let script = "set -euo pipefail; source tools/setup.sh; check_dependencies; echo passed";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(root()).env("CARGO_TARGET_DIR", folder.path());
    bash.output().unwrap()
}

#[test]
fn dependencies_are_judged_and_want_of_network_fails_nothing() {
    let said = |output: &Output| {
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned(), output.stderr.len())
    };
    let checks = |which: &str| format!("--locked --workspace check --hide-inclusion-graph {which}\n");
    let always = checks("licenses bans sources");
    let all = format!("{always}{}passed\n", checks("advisories"));
    assert_eq!(said(&check_dependencies("nothing")), (true, all, 0));
    let offline = check_dependencies("*' fetch db'*");
    assert_eq!(
        (offline.status.success(), String::from_utf8_lossy(&offline.stdout)),
        (true, format!("{always}passed\n").into())
    );
    assert_eq!(
        String::from_utf8_lossy(&offline.stderr),
        "advisories are not looked at: their database, on github.com, cannot be fetched from here\n"
    );
    assert!(!check_dependencies("*licenses*").status.success());
    assert!(!check_dependencies("*advisories*").status.success());
}

#[test]
fn each_accepted_advisory_has_its_reason_and_its_crate() {
    let text = read("deny.toml");
    let deny = DeTable::parse(&text).unwrap();
    let value = |table: &str, key: &str| deny.get_ref().get(table).unwrap().get_ref()[key].get_ref().clone();
    let lock = read("Cargo.lock");
    let ignored = value("advisories", "ignore");
    for advisory in ignored.as_array().unwrap().iter() {
        let said = |key: &str| advisory.get_ref()[key].get_ref().as_str().unwrap();
        let (id, reason) = (said("id"), said("reason"));
        let name = reason.split(' ').next().unwrap();
        assert!(reason.len() > 80, "{id}: say why it does no harm here");
        assert!(lock.contains(&format!("name = \"{name}\"\n")), "{id}: {name} is no dependency any more");
    }
    for (table, key) in
        [("licenses", "unused-allowed-license"), ("sources", "unknown-registry"), ("sources", "unknown-git")]
    {
        assert_eq!(value(table, key).as_str(), Some("deny"), "[{table}] {key}");
    }
    assert_eq!(value("sources", "allow-registry").as_array().unwrap().len(), 1, "crates.io alone");
}
