//! Tells the program which commit and which RocksDB it is made of, for `lookback --version`. No output file has either.
//!
//! The commit is that of the git repository whose root is this package, or else the one that `cargo package` wrote
//! down; without both it is unknown. It is asked for again when the program's sources change or another commit is
//! checked out, and at no other time.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the program is compiled from.
const SOURCES: [&str; 5] = ["src", "migrations", "Cargo.toml", "Cargo.lock", "tools/build.rs"];

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&root);
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let commit = commit_of_git(root).or_else(|| commit_of_package(root)).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=LOOKBACK_COMMIT={commit}");
    println!("cargo::rustc-env=LOOKBACK_ROCKSDB={}", rocksdb(root).unwrap_or_else(|| "unknown".to_owned()));
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).current_dir(root).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn commit_of_git(root: &Path) -> Option<String> {
    let top = fs::canonicalize(git(root, &["rev-parse", "--show-toplevel"])?).ok()?;
    // A package unpacked inside some other repository is not of that repository's commit.
    if top != fs::canonicalize(root).ok()? {
        return None;
    }
    for file in ["HEAD", "packed-refs"].map(str::to_owned).into_iter().chain(git(root, &["symbolic-ref", "-q", "HEAD"]))
    {
        let path = git(root, &["rev-parse", "--git-path", &file])?;
        // A file that is not there would be taken for one that has changed, each time.
        if root.join(&path).exists() {
            println!("cargo::rerun-if-changed={}", root.join(path).display());
        }
    }
    let commit = git(root, &["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(root, &[&["status", "--porcelain", "--"], &SOURCES[..]].concat())?;
    Some(if changed.is_empty() { commit } else { format!("{commit} with changes") })
}

fn commit_of_package(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, behind) = text.split_once("\"sha1\":")?;
    let commit: String = behind.split('"').nth(1)?.chars().take(12).collect();
    let dirty = text.contains("\"dirty\": true");
    Some(if dirty { format!("{commit} with changes") } else { commit })
}

/// The version of RocksDB itself stands behind the `+` of that of its bindings.
fn rocksdb(root: &Path) -> Option<String> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).ok()?;
    let (_, behind) = lock.split_once("name = \"librocksdb-sys\"\nversion = \"")?;
    let version = behind.split('"').next()?;
    version.split_once('+').map(|(_, version)| version.to_owned())
}
