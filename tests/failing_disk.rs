//! A disk that is full or broken, at each call that it can refuse: one clear sentence, what is there is as before the
//! command or as after it, and the next run ends as if nothing had happened.

use std::path::Path;
use std::process::Command;

use crate::support::faults::{At, Fault};
use crate::support::output::{dump, tree};
use crate::support::program::assert_one_sentence;
use crate::support::random::{Random, seed};
use crate::support::scenario::Scenario;
use crate::support::scenarios;

/// Lets the disk fail a command wherever it can.
fn failed_anywhere(scenario: &Scenario) {
    let seed = seed(23);
    let mut refused = 0;
    for (fault, words) in [(Fault::Full, ["free some space", "; "]), (Fault::Broken, ["error", "; "])] {
        for number in fault.points(&scenario.calls, &mut Random::new(seed)) {
            let ran = scenario.disturbed(fault, At::Call(number));
            let at = scenario.ground.trace().get(number - 1).cloned();
            let point = format!("{}, {fault:?} at call {number} ({at:?}), seed {seed}", scenario.command);
            match ran.code {
                // What tidies up behind a commit may fail without the command failing.
                0 => scenario.check_done(&point),
                1 => {
                    eprintln!("{point}: {}", ran.stderr.trim_end());
                    assert_one_sentence(&ran, &words);
                    let names_a_place = ["store", "out", "bad"].iter().any(|place| ran.stderr.contains(place));
                    assert!(names_a_place, "{point}: {}", ran.stderr);
                    refused += 1;
                }
                other => panic!("{point}: exit code {other}: {}", ran.stderr),
            }
            scenario.check_whole(&point);
            scenario.check_next_run(&point);
        }
    }
    eprintln!("{}: {} calls, refused {refused} times", scenario.command, scenario.calls.len());
    assert!(refused > 10, "{}: refused only {refused} times", scenario.command);
}

#[test]
fn a_first_batch_is_taken_when_there_is_room() {
    failed_anywhere(&scenarios::first_batch());
}

#[test]
fn a_batch_is_replaced_when_there_is_room() {
    failed_anywhere(&scenarios::replaced_batch());
}

#[test]
fn a_compaction_is_made_up_for_when_there_is_room() {
    failed_anywhere(&scenarios::batch_with_compaction());
}

#[test]
fn a_quarantine_is_written_when_there_is_room() {
    failed_anywhere(&scenarios::batch_with_quarantine());
}

#[test]
fn a_new_partition_is_written_when_there_is_room() {
    failed_anywhere(&scenarios::new_partition());
}

#[test]
fn a_partition_is_replaced_when_there_is_room() {
    failed_anywhere(&scenarios::replaced_partition());
}

#[test]
fn a_backfill_carries_on_when_there_is_room() {
    failed_anywhere(&scenarios::backfill());
}

#[test]
fn a_customer_is_forgotten_when_there_is_room() {
    failed_anywhere(&scenarios::forgotten_customer());
}

#[test]
fn a_partition_of_a_delta_table_is_replaced_when_there_is_room() {
    failed_anywhere(&scenarios::replaced_delta_partition());
}

#[test]
fn a_partition_is_scrubbed_when_there_is_room() {
    failed_anywhere(&scenarios::scrubbed_partition());
}

#[test]
fn days_are_pruned_when_there_is_room() {
    failed_anywhere(&scenarios::pruned_days());
}

#[test]
fn a_store_of_version_1_is_migrated_when_there_is_room() {
    failed_anywhere(&scenarios::migration_from(1));
}

#[test]
fn a_store_of_version_2_is_migrated_when_there_is_room() {
    failed_anywhere(&scenarios::migration_from(2));
}

#[test]
fn a_store_of_version_3_is_migrated_when_there_is_room() {
    failed_anywhere(&scenarios::migration_from(3));
}

/// A real file system of a few MB, where the machine lets one be mounted.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(folder.path()).output();
        match mount {
            Ok(output) if output.status.success() => Some(SmallDisk { folder }),
            Ok(output) => {
                eprintln!("skipped: no file system can be mounted here: {}", String::from_utf8_lossy(&output.stderr));
                None
            }
            Err(error) => {
                eprintln!("skipped: no file system can be mounted here: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills the disk up to so many bytes.
    fn fill(&self, free: u64) {
        let found = rustix::fs::statvfs(self.path()).unwrap();
        let bytes = (found.f_bavail * found.f_frsize).saturating_sub(free);
        std::fs::write(self.path().join("ballast"), vec![0; usize::try_from(bytes).unwrap()]).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn on_a_small_disk_that_fills_up_nothing_is_lost() {
    let Some(disk) = SmallDisk::mounted() else { return };
    let bench = scenarios::bench();
    let place = disk.path().display();
    let (store, out) = (disk.path().join("store"), disk.path().join("out"));
    let ingest = |day: &str| format!("ingest --create --store {place}/store --input input --dt 2026-01-0{day}");
    let produce = format!("produce --store {place}/store --input input --dt 2026-01-04 --out {place}/out");
    let mut refused = 0;
    let mut filled_until_done = |command: &str, unchanged: &dyn Fn() -> bool| {
        for free in (0..256).map(|pages| pages << 12) {
            disk.fill(free);
            let ran = bench.run(command);
            if ran.code == 0 {
                disk.make_room();
                return;
            }
            assert_eq!(ran.code, 1, "{command}, {free} bytes free: {}", ran.stderr);
            assert_one_sentence(&ran, &["free some space", &place.to_string()]);
            assert!(unchanged(), "{command}, {free} bytes free");
            refused += 1;
            disk.make_room();
        }
        panic!("{command}: refused with a megabyte free");
    };
    filled_until_done(&ingest("1"), &|| !store.exists());
    let first = dump(&store);
    filled_until_done(&ingest("2"), &|| dump(&store) == first);
    bench.ok(&ingest("3"));
    filled_until_done(&produce, &|| !out.exists());
    let partition = tree(&out);
    filled_until_done(&format!("{produce} --compression none"), &|| tree(&out) == partition);
    assert!(refused > 8, "the disk was full only {refused} times");

    for day in ["1", "2", "3"] {
        bench.ingest(&format!("2026-01-0{day}"));
    }
    assert_eq!(dump(&store), dump(&bench.store()), "as on a disk with room");
    bench.ok("produce --store store --input input --dt 2026-01-04 --out out --compression none");
    assert_eq!(tree(&out), tree(&bench.out()));
}
