//! Commands that change something, each with what was there before, and what may be there if it is stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use lookback::store::{Folder, Store};

use super::delta;
use super::faults::{At, Call, Fault, Ground};
use super::output::{Entries, dump, tree};
use super::program::{Bench, Ran};

/// Files with their bytes, by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a command may leave, as its readers see it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// `None`: there is no store.
    pub store: Option<Entries>,
    /// Everything below each folder or file in `out` that a reader sees, by its name there.
    pub partitions: BTreeMap<String, Files>,
    /// The files in the quarantine that a reader sees.
    pub quarantine: Files,
}

/// A command that is stopped, with what was there before it and what it leaves.
pub struct Scenario {
    pub command: String,
    /// Holds the input, and store, output and quarantine as they were before.
    bench: Bench,
    pub ground: Ground,
    /// Calls of the undisturbed run.
    pub calls: Vec<Call>,
    /// The states before and after it.
    pub old: State,
    pub new: State,
    /// Stores that may be there between: whole steps, each as good as finished.
    pub between: Vec<Entries>,
    /// What a run says that finds all done already, if it is refused then.
    pub refused_when_done: Option<&'static str>,
    /// Names of everything there afterwards, by kind.
    kinds: BTreeSet<String>,
}

impl Scenario {
    /// A command that is run where there is what the bench holds. With `--threads 1`, so that the calls come in nearly
    /// one order.
    pub fn new(bench: Bench, command: &str) -> Self {
        let scenario = Scenario::of(bench, command);
        assert!(scenario.calls.len() > 10, "the calls of {} are not seen", scenario.command);
        scenario
    }

    /// The same for a command that may change nothing.
    pub fn of(bench: Bench, command: &str) -> Self {
        let command = command.replace("--input input", &format!("--input {}", bench.input().display()));
        let mut scenario = Scenario {
            command: format!("{command} --threads 1"),
            bench,
            ground: Ground::new(),
            calls: Vec::new(),
            old: State::default(),
            new: State::default(),
            between: Vec::new(),
            refused_when_done: None,
            kinds: BTreeSet::new(),
        };
        scenario.begin();
        scenario.old = scenario.state();
        let ran = scenario.ground.run(&scenario.command, None);
        assert_eq!(ran.code, 0, "{}\n{}", scenario.command, ran.stderr);
        scenario.calls = scenario.ground.trace();
        scenario.new = scenario.state();
        scenario.kinds = scenario.kinds();
        scenario
    }

    /// Makes the ground what it was before the command.
    pub fn begin(&self) {
        self.ground.clear();
        for name in ["store", "out", "bad"] {
            copy(&self.bench.path(name), &self.ground.path().join(name));
        }
    }

    /// Runs the command from the beginning with a fault.
    pub fn disturbed(&self, fault: Fault, at: At) -> Ran {
        self.begin();
        let ran = self.ground.run(&self.command, Some((fault, at)));
        let unsound = self.ground.trace().into_iter().find(|call| call.what == "UNSOUND");
        assert_eq!(unsound, None, "{}: the simulation does not hold", self.command);
        ran
    }

    /// What is there as a reader sees it.
    pub fn state(&self) -> State {
        let ground = self.ground.path();
        let store = ground.join("store");
        let mut partitions = BTreeMap::new();
        let out = tree(&ground.join("out"));
        let is_table = self.command.contains("--table delta") || delta::is_table(&out);
        let plain = if is_table { Files::new() } else { out.clone() };
        if is_table {
            partitions = delta::seen(&out);
        }
        for (path, bytes) in plain.into_iter().filter(|(path, _)| !path.starts_with('.')) {
            let (partition, name) = path.split_once('/').unwrap_or((&path, ""));
            partitions.entry(partition.to_owned()).or_insert_with(Files::new).insert(name.to_owned(), bytes);
        }
        let quarantine = tree(&ground.join("bad")).into_iter();
        State {
            store: store.join("db/CURRENT").exists().then(|| without_secrets(dump(&store))),
            partitions,
            quarantine: quarantine.filter(|(path, _)| !path.rsplit('/').next().unwrap().starts_with('.')).collect(),
        }
    }

    /// Fails unless everything is as before the command or as after it, each for itself.
    pub fn check_whole(&self, point: &str) {
        let state = self.state();
        let is_known = state.store == self.old.store
            || state.store == self.new.store
            || state.store.as_ref().is_some_and(|store| self.between.contains(store));
        assert!(is_known, "{point}: the store is neither as before nor as after");
        let names = state.partitions.keys().chain(self.old.partitions.keys()).chain(self.new.partitions.keys());
        for name in names {
            let (found, old, new) =
                (state.partitions.get(name), self.old.partitions.get(name), self.new.partitions.get(name));
            assert!(found == old || found == new, "{point}: {name} is neither the old one nor the new one");
            let is_whole = name == "_delta_log" || found.is_none_or(|found| found.contains_key("_SUCCESS"));
            assert!(is_whole, "{point}: {name} without _SUCCESS");
        }
        let (old, new) = (&self.old.quarantine, &self.new.quarantine);
        assert!(state.quarantine == *old || state.quarantine == *new, "{point}: half a quarantine");
    }

    /// Fails unless everything is as after the undisturbed command.
    pub fn check_done(&self, point: &str) {
        let state = self.state();
        assert!(state.store == self.new.store, "{point}: the store is not as after");
        assert!(state.partitions == self.new.partitions, "{point}: the partitions are not as after");
        assert!(state.quarantine == self.new.quarantine, "{point}: the quarantine is not as after");
    }

    /// Runs the command once more, undisturbed, and fails unless that ends as if nothing had happened.
    pub fn check_next_run(&self, point: &str) {
        let ran = self.ground.run(&self.command, None);
        let is_refused_as_done =
            self.refused_when_done.is_some_and(|words| ran.code == 1 && ran.stderr.contains(words));
        assert!(ran.code == 0 || is_refused_as_done, "{point}: the next run fails: {}", ran.stderr);
        self.check_done(&format!("{point}, then run again"));
        assert_eq!(self.kinds(), self.kinds, "{point}, then run again: other files are there");
        self.check_tables(point);
    }

    /// Fails if there are table files that the store does not know.
    fn check_tables(&self, point: &str) {
        let folder = self.ground.path().join("store");
        if self.new.store.is_some() {
            let files = fs::read_dir(folder.join("db")).unwrap().map(|entry| entry.unwrap());
            let tables = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "sst"));
            let bytes: u64 = tables.map(|file| file.metadata().unwrap().len()).sum();
            let known = Store::open_reader(&Folder::new(&folder)).unwrap().disk_bytes().unwrap();
            assert_eq!(known, bytes, "{point}: there are table files that the store does not know");
        }
    }

    /// Every folder and file there, numbers in the database's names left out. The log files of RocksDB come and go.
    fn kinds(&self) -> BTreeSet<String> {
        let mut kinds = BTreeSet::new();
        let ground = self.ground.path();
        let mut folders = vec![ground.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&ground).unwrap().to_str().unwrap();
                let kind = match name.strip_prefix("store/db/") {
                    Some(file) if file.starts_with("LOG") => continue,
                    Some(file) => format!("store/db/{}", file.replace(|letter: char| letter.is_ascii_digit(), "")),
                    None => name.to_owned(),
                };
                kinds.insert(kind);
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        kinds
    }
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The same with numbers in the place of the block list's secret and marks, which are by chance.
pub fn without_secrets(entries: Entries) -> Entries {
    let entries = entries.into_iter().enumerate();
    entries
        .map(
            |(index, (key, value))| {
                if key[0] == 0x16 { (vec![0x16, index as u8], vec![value[0]]) } else { (key, value) }
            },
        )
        .collect()
}
