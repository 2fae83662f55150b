//! Nothing is written over that lookback has not written: outputs, partitions, quarantines, files, backups. Each
//! refusal leaves everything as it was.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions, write_parquet};
use crate::support::output::{dump, read_partition, tree};
use crate::support::program::{Bench, write_file};

const MARKER: &str = ".lookback-output";
const PRODUCE: &str = "produce --store store --input input --dt 2026-01-02";

/// A batch of 1 January in a store, and impressions of the 2nd.
fn bench() -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(1, None), (2, Some(true))] };
    write_impressions(&bench.input(), "2026-01-02", &[shown], PLAIN);
    bench.ingest("2026-01-01");
    bench
}

/// The same with a partition of 2 January.
fn produced() -> Bench {
    let bench = bench();
    bench.produce("2026-01-02");
    bench
}

/// Runs a command that is refused with these words, and fails unless everything is as it was.
fn refused(bench: &Bench, command: &str, words: &[&str]) {
    // The files of a database come and go with whoever opens it.
    let all = || {
        let mut files = tree(&bench.path(""));
        files.retain(|name, _| !name.starts_with("store/db/"));
        (files, dump(&bench.store()))
    };
    let before = all();
    bench.refused(command, words);
    let after = all();
    assert_eq!(after.0.keys().collect::<Vec<_>>(), before.0.keys().collect::<Vec<_>>(), "{command}");
    assert!(after == before, "{command}");
}

fn write_foreign_parquet(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    write_parquet(path, &[("customer_id", numbers)]);
}

#[test]
fn no_output_lies_in_the_input_or_the_store_nor_they_in_it() {
    let bench = bench();
    symlink(bench.input(), bench.path("link")).unwrap();
    symlink(bench.path("input/impressions"), bench.path("shown")).unwrap();
    let root = bench.path("");
    let absolute = root.join("input/clicks").display().to_string();
    let in_input = [
        "input",
        "input/impressions",
        "input/clicks",
        "input/new/out",
        "new/../input/clicks",
        "link/clicks",
        "shown",
        "shown/new",
        ".",
        &absolute,
    ];
    let backfill = "backfill --store store --input input --from 2026-01-01 --to 2026-01-02";
    for out in in_input {
        for command in [PRODUCE, backfill, "backfill --store new-store --input input --from 2026-01-01 --to 2026-01-02"]
        {
            refused(&bench, &format!("{command} --out {out}"), &["the output", "the input root input overlap"]);
        }
    }
    for out in ["store", "store/out", "store/db", "store/new"] {
        for command in [PRODUCE, backfill] {
            refused(&bench, &format!("{command} --out {out}"), &["the output", "the store store overlap"]);
        }
        refused(&bench, &format!("forget --store store --customer 1 --out {out} --scrub"), &["overlap"]);
    }
    let linked = PRODUCE.replace("--input input", "--input link");
    refused(&bench, &format!("{linked} --out input/impressions"), &["the input root link overlap"]);
    bench.ok(&format!("{PRODUCE} --out input-2"));
}

#[test]
fn an_output_is_empty_or_says_whose_it_is() {
    let bench = bench();
    write_file(&bench.path("theirs/notes.txt"), b"notes");
    write_foreign_parquet(&bench.path("spark/dt=2026-01-02/part-00000.parquet"));
    write_file(&bench.path("file/dt=2026-01-03"), b"no folder");
    write_file(&bench.path("staging/.dt=2026-01-02.staging-notes/a"), b"notes");
    for (out, name) in [
        ("theirs", "notes.txt in it is not a partition"),
        ("spark", "dt=2026-01-02 in it has no usable manifest (it is missing)"),
        ("file", "dt=2026-01-03 in it is not a folder"),
        ("staging", ".dt=2026-01-02.staging-notes in it is not a partition"),
    ] {
        refused(&bench, &format!("{PRODUCE} --out {out}"), &[out, name, "move that entry away"]);
        // Before the store is made.
        let backfill = "backfill --store new-store --input input --from 2026-01-01 --to 2026-01-02";
        refused(&bench, &format!("{backfill} --out {out}"), &[out, name]);
        refused(&bench, &format!("{backfill} --out {out} --dry-run"), &[out, name]);
        refused(&bench, &format!("forget --store store --customer 1 --out {out} --scrub"), &[out, name]);
    }
    fs::create_dir(bench.path("empty")).unwrap();
    bench.ok(&format!("{PRODUCE} --out empty"));
    let files: Vec<String> = tree(&bench.path("empty")).into_keys().collect();
    assert_eq!(files[0], MARKER);
    assert_eq!(fs::metadata(bench.path("empty").join(MARKER)).unwrap().len(), 0, "harmless to readers");
    // What else comes into it later is left alone.
    write_file(&bench.path("empty/README"), b"rows");
    bench.ok(&format!("{PRODUCE} --out empty"));
    assert!(bench.path("empty/README").exists());
}

#[test]
fn an_output_of_0_4_0_says_so_by_its_partitions() {
    let bench = produced();
    let marker = bench.out().join(MARKER);
    fs::remove_file(&marker).unwrap();
    write_file(&bench.out().join(".dt=2026-01-03.staging-4711/parts/part-00000.parquet"), b"half a file");
    let backfill = "backfill --store store --input input --from 2026-01-01 --to 2026-01-02 --out out";
    bench.ok(backfill);
    assert!(!marker.exists(), "a partition that is current was left, and with it the folder");
    // Of versions before: without a manifest, with marks beside the partitions.
    write_file(&bench.out().join(".lookback/dt=2026-01-02.inputs-0"), b"");
    let manifest = bench.out().join("dt=2026-01-02/_manifest.parquet");
    let bytes = fs::read(&manifest).unwrap();
    fs::remove_file(&manifest).unwrap();
    bench.ok(&format!("{backfill} --dry-run"));
    write_foreign_parquet(&bench.out().join("dt=2026-01-02/part-00001.parquet"));
    refused(&bench, &format!("{PRODUCE} --out out"), &["dt=2026-01-02 in it has no usable manifest"]);
    fs::remove_file(bench.out().join("dt=2026-01-02/part-00001.parquet")).unwrap();
    write_file(&manifest, &bytes);
    write_file(&bench.out().join("notes.txt"), b"notes");
    refused(&bench, &format!("{PRODUCE} --out out"), &["notes.txt"]);
    fs::remove_file(bench.out().join("notes.txt")).unwrap();
    bench.ok(&format!("{PRODUCE} --out out --compression none"));
    assert!(marker.exists());
}

#[test]
fn what_a_killed_run_has_left_is_an_output() {
    let bench = bench();
    write_file(&bench.out().join(MARKER), b"");
    bench.ok(&format!("{PRODUCE} --out out"));
    write_file(&bench.path("other/.dt=2026-01-02.staging-0123456789abcdef/parts/part-00000.parquet"), b"half a file");
    bench.ok(&format!("{PRODUCE} --out other"));
    assert!(tree(&bench.path("other")) == tree(&bench.out()));
    // Where nothing comes of it, nothing is left.
    write_file(&bench.input().join("impressions/dt=2026-01-02/bad.parquet"), b"none");
    refused(&bench, &format!("{PRODUCE} --out new/deep"), &["bad.parquet"]);
    assert!(!bench.path("new/deep").exists());
}

#[test]
fn a_partition_with_a_file_of_somebody_else_is_not_replaced() {
    let bench = produced();
    let partition = bench.out().join("dt=2026-01-02");
    for name in ["notes.txt", "part-00001.parquet", "_notes", ".notes", "deep/part-00000.parquet"] {
        write_file(&partition.join(name), b"someone's");
        let first = name.split('/').next().unwrap();
        refused(
            &bench,
            &format!("{PRODUCE} --out out"),
            &["dt=2026-01-02", &format!("{first} in it was not written by lookback")],
        );
        let scrub = bench.run("forget --store store --customer 1 --out out --scrub");
        assert_eq!(scrub.code, 1, "{}", scrub.stderr);
        assert!(partition.join(name).exists() && scrub.stderr.contains(first), "{}", scrub.stderr);
        if name.starts_with(['_', '.']) {
            // Left as it is, since it is current: nothing is lost.
            bench.ok("backfill --store store --input input --from 2026-01-01 --to 2026-01-02 --out out --allow-gaps");
        }
        let path = partition.join(first);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    // A link in the place of a file, or of the whole, is none that was written.
    fs::rename(partition.join("part-00000.parquet"), bench.path("moved.parquet")).unwrap();
    symlink(bench.path("moved.parquet"), partition.join("part-00000.parquet")).unwrap();
    refused(&bench, &format!("{PRODUCE} --out out"), &["part-00000.parquet"]);
    fs::rename(&partition, bench.path("moved")).unwrap();
    symlink(bench.path("moved"), &partition).unwrap();
    refused(&bench, &format!("{PRODUCE} --out out"), &["dt=2026-01-02 is not a folder"]);
    fs::remove_file(&partition).unwrap();
    write_file(&partition, b"someone's");
    refused(&bench, &format!("{PRODUCE} --out out"), &["dt=2026-01-02 is not a folder"]);
}

#[test]
fn a_partition_whose_manifest_is_damaged_or_gone_is_replaced_if_its_files_are_lookbacks() {
    let bench = produced();
    let partition = bench.out().join("dt=2026-01-02");
    let before = tree(&bench.out());
    write_file(&partition.join("_manifest.parquet"), b"damaged");
    bench.produce("2026-01-02");
    assert!(tree(&bench.out()) == before);
    fs::remove_file(partition.join("_manifest.parquet")).unwrap();
    bench.produce("2026-01-02");
    assert!(tree(&bench.out()) == before);
    fs::remove_dir_all(&partition).unwrap();
    write_foreign_parquet(&partition.join("part-00000.parquet"));
    refused(&bench, &format!("{PRODUCE} --out out"), &["part-00000.parquet in it was not written by lookback"]);
    fs::remove_dir_all(&partition).unwrap();
    fs::create_dir(&partition).unwrap();
    bench.produce("2026-01-02");
    assert!(tree(&bench.out()) == before);
}

#[test]
fn a_partition_that_comes_while_one_is_made_is_not_lost() {
    use lookback::internals::output::Partition;
    use lookback::output::PartitionFolder;
    use lookback::progress::Silent;
    use lookback::resources::Resources;
    let bench = produced();
    let out = Resources::default().place(&bench.path("out")).unwrap();
    let folder = PartitionFolder::new(&out, "2026-01-02".parse().unwrap());
    let manifest = folder.manifest().unwrap();
    let settings = lookback::internals::output::RowSettings::of(&manifest).unwrap();
    let schema = lookback::internals::output::RowSchema::new(&settings).unwrap();
    let partition = Partition::begin(folder.clone(), None, settings.columns).unwrap();
    write_file(&folder.path().join("notes.txt"), b"notes");
    let error = partition.publish(&manifest, &schema, &Silent).unwrap_err();
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(read_partition(&bench.out(), "2026-01-02").len(), 2);
}

/// Clicks of 1 January, of which one has no item.
fn bad_clicks(bench: &Bench, items: [Option<i64>; 2]) {
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from(vec![1, 1]))),
        ("item_id", Arc::new(Int64Array::from(items.to_vec()))),
        ("click_time", Arc::new(arrow::array::TimestampMicrosecondArray::from(vec![us("2026-01-01T10:00:00Z"); 2]))),
    ];
    write_parquet(&bench.input().join("clicks/dt=2026-01-01/a.parquet"), &columns);
}

#[test]
fn a_store_and_an_input_do_not_lie_in_each_other() {
    let bench = produced();
    symlink(bench.input(), bench.path("link")).unwrap();
    std::fs::rename(bench.store(), bench.path("input/store")).unwrap();
    let commands = [
        "ingest --store STORE --input INPUT --dt 2026-01-01",
        "ingest --create --store STORE --input INPUT --dt 2026-01-01",
        "produce --store STORE --input INPUT --dt 2026-01-02 --out other",
        "backfill --store STORE --input INPUT --from 2026-01-01 --to 2026-01-02 --out other",
        "backfill --store STORE --input INPUT --from 2026-01-01 --to 2026-01-02 --dry-run",
        "audit --store STORE --input INPUT --dt 2026-01-02 --out out",
        "config check --store STORE --input INPUT --dt 2026-01-01",
    ];
    let all = || {
        let mut files = tree(&bench.path(""));
        files.retain(|name, _| !name.contains("/store/db/"));
        (files, dump(&bench.path("input/store")))
    };
    let before = all();
    for (store, input) in
        [("input/store", "input"), ("link/store", "input"), ("input/store", "."), ("input/store", "input/store/db")]
    {
        for command in commands {
            let said = ["the store", "the input root", "overlap", "name another place for the store"];
            bench.refused(&command.replace("STORE", store).replace("INPUT", input), &said);
        }
    }
    for command in ["ingest --create --store STORE", "backfill --to 2026-01-02 --from 2026-01-01 --store STORE"] {
        let command = format!("{} --input input", command.replace("STORE", "input/new"));
        let command = if command.contains("ingest") { format!("{command} --dt 2026-01-01") } else { command };
        bench.refused(&command, &["the store input/new and the input root input overlap"]);
    }
    assert!(all() == before, "nothing was changed");
}

#[test]
fn a_quarantine_comes_on_top_of_a_quarantine_alone() {
    let bench = produced();
    let ingest = "ingest --create --store store --input input --dt 2026-01-01 --quarantine";
    let produce = format!("{PRODUCE} --out out --quarantine");
    for command in [ingest, produce.as_str()] {
        for folder in ["input", "input/new", ".", "store", "store/bad"] {
            refused(&bench, &format!("{command} {folder}"), &["the quarantine", "overlap"]);
        }
    }
    for folder in ["out", "out/bad"] {
        refused(&bench, &format!("{produce} {folder}"), &["the quarantine", "the output out overlap"]);
    }
    let path = bench.path("bad/actions/dt=2026-01-01/bad-rows.parquet");
    for items in [[Some(1), None], [Some(1), Some(2)]] {
        bad_clicks(&bench, items);
        write_foreign_parquet(&path);
        refused(&bench, &format!("{ingest} bad"), &["bad-rows.parquet exists already", "move it away"]);
        fs::remove_file(&path).unwrap();
        symlink(bench.input().join("clicks"), &path).unwrap();
        refused(&bench, &format!("{ingest} bad"), &["bad-rows.parquet is not a regular file"]);
        fs::remove_file(&path).unwrap();
    }
    bad_clicks(&bench, [Some(1), None]);
    bench.ok(&format!("{ingest} bad"));
    bench.ok(&format!("{ingest} bad"));
    assert!(path.exists());
    bad_clicks(&bench, [Some(1), Some(2)]);
    bench.ok(&format!("{ingest} bad"));
    assert!(!path.exists());
}

#[test]
fn get_and_report_replace_what_they_wrote_and_nothing_else() {
    let bench = produced();
    fs::create_dir(bench.path("folder")).unwrap();
    write_file(&bench.path("notes"), b"notes");
    symlink(bench.path("notes"), bench.path("linked")).unwrap();
    symlink(bench.store(), bench.path("linked-store")).unwrap();
    let get = |format: &str| format!("get --store store --dt 2026-01-02 --customer 1 --format {format} --out");
    let (jsonl, report) = (get("jsonl"), "report --store store --html".to_owned());
    let commands = [get("arrow"), get("parquet"), jsonl.clone(), report.clone()];
    for command in &commands {
        let input = bench.path("input/impressions/dt=2026-01-02");
        let shown = tree(&input).into_keys().next().unwrap();
        refused(&bench, &format!("{command} input/impressions/dt=2026-01-02/{shown}"), &["exists already"]);
        refused(&bench, &format!("{command} out/dt=2026-01-02/part-00000.parquet"), &["exists already"]);
        refused(&bench, &format!("{command} notes"), &["notes exists already and is not", "move it away"]);
        refused(&bench, &format!("{command} folder"), &["folder is a folder"]);
        refused(&bench, &format!("{command} linked"), &["linked is not a regular file"]);
        for inside in ["store/db/CURRENT", "store/new", "linked-store/new"] {
            refused(&bench, &format!("{command} {inside}"), &["the store store overlap"]);
        }
    }
    write_file(&bench.path("empty"), b"");
    bench.ok(&format!("{jsonl} empty"));
    for (index, command) in commands.iter().enumerate() {
        let path = format!("deep/{index}");
        bench.ok(&format!("{command} {path}"));
        let before = fs::read(bench.path(&path)).unwrap();
        bench.ok(&format!("{command} {path}"));
        assert!(fs::read(bench.path(&path)).unwrap() == before);
        for (other, command) in commands.iter().enumerate().filter(|(other, _)| *other != index) {
            refused(&bench, &format!("{command} {path}"), &[&format!("deep/{index} exists already")]);
            assert_ne!(other, index);
        }
    }
}

#[test]
fn backups_and_stores_come_where_nothing_else_is() {
    let bench = bench();
    write_file(&bench.path("theirs/private/notes"), b"notes");
    write_file(&bench.path("theirs/notes"), b"notes");
    refused(&bench, "backup --store store --to theirs", &["theirs is not a folder of backups: it holds notes"]);
    refused(&bench, "backup --store store --to input", &["input is not a folder of backups: it holds clicks"]);
    for to in ["store", "store/backups", "store/db", "."] {
        refused(&bench, &format!("backup --store store --to {to}"), &["overlap"]);
    }
    bench.ok("backup --store store --to backups");
    bench.ok("backup --store store --to backups");
    for store in ["backups", "backups/store", "backups/private/store"] {
        refused(&bench, &format!("restore --from backups --store {store}"), &["overlap"]);
    }
    bench.ok("restore --from backups --store restored");
    write_file(&bench.path("project/staging/notes"), b"notes");
    for command in ["init --store project", "restore --from backups --store project"] {
        refused(&bench, command, &["project is a folder that holds other files and no store"]);
    }
}
