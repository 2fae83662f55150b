//! The packages of the repository: what they have in common, and that whichever is built, rocksdb is compiled once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::de::{DeTable, DeValue};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The manifests of the program and of what stands below `tools`.
fn manifests() -> Vec<PathBuf> {
    let below = fs::read_dir(root().join("tools")).unwrap().map(|entry| entry.unwrap().path().join("Cargo.toml"));
    below.chain([root().join("Cargo.toml")]).filter(|path| path.exists()).collect()
}

#[test]
fn every_package_takes_what_the_workspace_says() {
    let manifests = manifests();
    assert_eq!(manifests.len(), 3, "{manifests:?}");
    for path in manifests {
        let text = fs::read_to_string(&path).unwrap();
        let manifest = DeTable::parse(&text).unwrap();
        let package = manifest.get_ref()["package"].get_ref();
        let is_shared = |value: &DeValue<'_>| value.get("workspace").and_then(|flag| flag.get_ref().as_bool());
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            assert_eq!(is_shared(package[key].get_ref()), Some(true), "{}: {key}", path.display());
        }
        assert_eq!(is_shared(manifest.get_ref()["lints"].get_ref()), Some(true), "{}", path.display());
        assert!(package["description"].get_ref().as_str().is_some_and(|text| text.len() > 20), "{}", path.display());
    }
}

/// The extension module for Python needs unsafe code, and has all other lints.
#[test]
fn the_extension_for_python_leaves_out_one_lint() {
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (own, all) = (text("python/Cargo.toml"), text("Cargo.toml"));
    let (own, all) = (DeTable::parse(&own).unwrap(), DeTable::parse(&all).unwrap());
    let package = own.get_ref()["package"].get_ref();
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        assert!(package[key].get_ref().get("workspace").is_some(), "{key}");
    }
    let names = |lints: &DeValue<'_>, tool: &str| -> BTreeSet<String> {
        lints.get(tool).unwrap().get_ref().as_table().unwrap().keys().map(|name| name.get_ref().to_string()).collect()
    };
    let (own, all) = (own.get_ref()["lints"].get_ref(), all.get_ref()["workspace"].get_ref()["lints"].get_ref());
    for tool in ["rust", "clippy"] {
        let missing: Vec<String> = names(all, tool).difference(&names(own, tool)).cloned().collect();
        assert_eq!(missing, if tool == "rust" { vec!["unsafe_code"] } else { Vec::new() }, "{tool}");
    }
}

/// The packages that rocksdb is compiled with, and their features, where cargo builds what the words choose.
fn below_rocksdb(edges: &str, chosen: &[&str]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--offline", "--no-dedupe", "--prefix", "depth", "--format", "|{p}|{f}"]);
    let output = tree.args(["--edges", edges]).args(chosen).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeSet::new();
    let mut top = None;
    for line in String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()) {
        let (depth, package) = line.split_once('|').unwrap();
        let depth: usize = depth.parse().unwrap();
        if package.starts_with("librocksdb-sys ") {
            top = Some(depth);
        } else if top.is_some_and(|top| depth <= top) {
            top = None;
        }
        if top.is_some() {
            found.insert(package.to_owned());
        }
    }
    found
}

/// A package that asks for another feature of one of them would have rocksdb compiled again, which takes 10 to 20
/// minutes.
#[test]
fn rocksdb_is_compiled_once_for_all_packages() {
    let (built, tested) = ("normal,build", "normal,build,dev");
    let program = below_rocksdb(built, &[]);
    assert!(program.len() > 10 && program.iter().any(|line| line.contains("|bindgen-runtime,lz4,")), "{program:?}");
    for (edges, chosen) in [
        (tested, ["-p", "lookback"].as_slice()),
        (built, &["-p", "lookback", "-p", "lookback-generate"]),
        (built, &["-p", "lookback-bench"]),
        (built, &["-p", "lookback-python"]),
        (built, &["--workspace"]),
        (tested, &["--workspace"]),
    ] {
        assert_eq!(below_rocksdb(edges, chosen), program, "{chosen:?} ({edges})");
    }
    assert_eq!(below_rocksdb(tested, &["-p", "lookback-generate"]), BTreeSet::new(), "the generator needs no rocksdb");
}
