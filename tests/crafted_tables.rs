//! Table files with right checksums that contradict themselves: every command ends, within its memory, with the sound
//! store's answer or with one sentence; and `verify` names what is wrong.

use std::path::Path;
use std::process::{Command, Stdio};

use lookback::internals::store::RawStore;
use lookback::store::Folder;

use crate::support::output::tree;
use crate::support::program::{Bench, Ran, assert_one_sentence};
use crate::support::store::{PRODUCED, copy, filled};
use crate::support::tables::{Lies, Place, TableFile, put_varint, restarts_at};

/// Longer than any command takes, also on a busy machine; whoever hangs is killed.
const SECONDS: &str = "60";

type Craft = fn(&mut TableFile, &mut Lies);

/// What is wrong, and how it comes about.
const CRAFTED: [(&str, Craft); 23] = [
    ("two keys of a block change places", |table, _| {
        let block = table.middle();
        let mut entries = table.entries(block);
        let middle = entries.len() / 2;
        entries.swap(middle, middle + 1);
        table.set_entries(block, &entries);
    }),
    ("a key of a block becomes one of a much earlier customer", |table, _| {
        let block = table.middle();
        let mut entries = table.entries(block);
        let middle = entries.len() / 2;
        entries[middle].0[1..9].fill(0);
        table.set_entries(block, &entries);
    }),
    ("a key of a block becomes one of a much later customer", |table, _| {
        let block = table.middle();
        let mut entries = table.entries(block);
        let middle = entries.len() / 2;
        entries[middle].0[1..9].fill(0xff);
        table.set_entries(block, &entries);
    }),
    ("many keys of a block become one of an earlier customer", |table, _| {
        let block = table.middle();
        let mut entries = table.entries(block);
        let middle = entries.len() / 2;
        entries[middle..].iter_mut().for_each(|(key, _)| key[1..9].fill(0));
        table.set_entries(block, &entries);
    }),
    ("a key of a block is that before it", |table, _| {
        let block = table.middle();
        let mut entries = table.entries(block);
        let middle = entries.len() / 2;
        entries[middle].0 = entries[middle - 1].0.clone();
        table.set_entries(block, &entries);
    }),
    ("the first key of a block is the last of the block before", |table, _| {
        let block = table.middle();
        let key = table.entries(block - 1).pop().unwrap().0;
        table.blocks[block - 1].end = key[..key.len() - 8].to_vec();
        let mut entries = table.entries(block);
        entries[0].0 = key;
        table.set_entries(block, &entries);
    }),
    ("a block is told backwards", |table, _| {
        let block = table.middle();
        let mut entries = table.entries(block);
        entries.reverse();
        table.set_entries(block, &entries);
    }),
    ("two blocks change their content", |table, _| {
        let block = table.middle();
        let bytes = table.blocks[block].bytes.clone();
        table.blocks[block].bytes = std::mem::replace(&mut table.blocks[block + 1].bytes, bytes);
    }),
    ("all restarts of a block are 0", |table, _| {
        let block = table.middle();
        let bytes = &mut table.blocks[block].bytes;
        let (from, end) = (restarts_at(bytes), bytes.len() - 4);
        bytes[from..end].fill(0);
    }),
    ("a restart of a block is beyond it", |table, _| {
        let block = table.middle();
        let bytes = &mut table.blocks[block].bytes;
        let end = bytes.len() - 4;
        bytes[end - 4..end].fill(0xff);
    }),
    ("a restart of a block is no entry's beginning", |table, _| {
        let block = table.middle();
        let bytes = &mut table.blocks[block].bytes;
        let at = restarts_at(bytes) + 4;
        bytes[at] = bytes[at].wrapping_add(1);
    }),
    ("a block has a huge number of restarts", |table, _| {
        let block = table.middle();
        let bytes = &mut table.blocks[block].bytes;
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&0x0fff_ffff_u32.to_le_bytes());
    }),
    ("an entry of a block is longer than the block", |table, _| {
        let block = table.middle();
        // The length of the first value, behind what the key shares and has of its own.
        table.blocks[block].bytes[2] = 0x7f;
        let bytes = &mut table.blocks[block].bytes;
        let restarts = bytes.split_off(restarts_at(bytes));
        bytes.truncate(40);
        bytes.extend(restarts);
    }),
    ("a block announces 4 GiB when it is decompressed", |table, _| {
        let block = table.middle();
        let mut announced = Vec::new();
        put_varint(&mut announced, u64::from(u32::MAX));
        table.blocks[block].bytes.splice(0..0, announced);
        table.blocks[block].compression = 4;
    }),
    ("all restarts of the index are 0", |_, lies| {
        lies.index_block = Some(|index| {
            let (from, end) = (restarts_at(index), index.len() - 4);
            index[from..end].fill(0);
        });
    }),
    ("two keys of the index change places", |_, lies| {
        lies.index = Some(|index| {
            let middle = index.len() / 2;
            let key = index[middle].0.clone();
            index[middle].0 = std::mem::replace(&mut index[middle + 1].0, key);
        });
    }),
    ("two places of the index change theirs", |_, lies| {
        lies.index = Some(|index| {
            let middle = index.len() / 2;
            let place = index[middle].1;
            index[middle].1 = std::mem::replace(&mut index[middle + 1].1, place);
        });
    }),
    ("the index has a block where another is", |_, lies| {
        lies.index = Some(|index| index[2].1 = index[1].1);
    }),
    ("the index announces a block of 4 GiB", |_, lies| {
        lies.index = Some(|index| index[2].1.bytes = u64::from(u32::MAX) - 5);
    }),
    ("the index has a block near the end of all numbers", |_, lies| {
        lies.index = Some(|index| index[2].1 = Place { offset: u64::MAX - 9, bytes: u64::MAX - 3 });
    }),
    ("the metaindex announces an index of 4 GiB", |_, lies| {
        lies.metaindex = Some(|places| places.get_mut("rocksdb.index").unwrap().bytes = u64::from(u32::MAX));
    }),
    ("the metaindex announces a filter of 4 GiB", |_, lies| {
        lies.metaindex = Some(|places| {
            let filter = places.iter_mut().find(|(name, _)| name.contains("filter")).unwrap();
            filter.1.bytes = u64::from(u32::MAX);
        });
    }),
    ("the footer announces a metaindex of 4 GiB", |_, lies| lies.metaindex_bytes = Some(u32::MAX)),
];

/// Runs a command, which has to end by itself, within little memory.
fn run(bench: &Bench, arguments: &str) -> Ran {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", SECONDS, env!("CARGO_BIN_EXE_lookback")]).args(arguments.split_whitespace());
    command.args(["--memory-limit", "128MiB"]).current_dir(bench.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let code = output.status.code().unwrap_or_else(|| panic!("{arguments}: {}: {stderr}", output.status));
    assert!(code <= 1, "{arguments}: exit code {code}: {stderr}");
    Ran { code, stdout, stderr }
}

/// Bench with the store crafted so; the sound ones beside it.
fn crafted(craft: Craft) -> Bench {
    let bench = filled();
    let mut table = TableFile::largest(&bench.store());
    let mut lies = Lies::default();
    craft(&mut table, &mut lies);
    table.write(&lies);
    bench
}

const READING: [&str; 3] = [
    "show --store store --customer CUSTOMER --json",
    "explain --store store --dt 2026-01-13 --customer CUSTOMER --max-history 5 --json",
    "get --store store --dt 2026-01-13 --customer CUSTOMER --format jsonl",
];

/// Customers of the block that is changed and of those beside it, and others.
fn customers(store: &Path) -> Vec<i64> {
    let table = TableFile::largest(store);
    let block = table.middle();
    let id = |key: &[u8]| i64::from_be_bytes(key[1..9].try_into().unwrap()) ^ i64::MIN;
    let mut customers = vec![4_296];
    let (before, entries, behind) = (table.entries(block - 1), table.entries(block), table.entries(block + 1));
    let middle = entries.len() / 2;
    let of_block = [0, middle, middle + 1, entries.len() - 1].map(|place| id(&entries[place].0));
    customers.extend(of_block);
    customers.extend([id(&before[before.len() - 1].0), id(&behind[0].0)]);
    customers.sort_unstable();
    customers.dedup();
    customers
}

/// What a summary says but for how long it took.
fn answer(ran: &Ran) -> String {
    match serde_json::from_str::<serde_json::Value>(&ran.stdout) {
        Ok(mut summary) => {
            summary.as_object_mut().unwrap().remove("timing");
            summary.to_string()
        }
        Err(_) => ran.stdout.clone(),
    }
}

#[test]
fn verify_and_repair_name_what_would_lead_a_reader_astray() {
    for (what, craft) in CRAFTED {
        let bench = crafted(craft);
        for command in ["verify --store store", "verify --store store --deep", "repair --store store --dry-run"] {
            let ran = run(&bench, command);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert_eq!(ran.code, 1, "{what}: {command}: {said}");
            assert!(said.contains("the table file 0") && said.contains(" is damaged: "), "{what}: {command}: {said}");
            assert!(ran.said().starts_with("error: ") && said.contains("restore"), "{what}: {command}: {said}");
        }
        let before = tree(&bench.store().join("db"));
        assert_eq!(run(&bench, "repair --store store").code, 1, "{what}");
        let tables = |tree: std::collections::BTreeMap<String, Vec<u8>>| {
            tree.into_iter().filter(|(name, _)| name.ends_with(".sst")).collect::<Vec<_>>()
        };
        assert!(tables(tree(&bench.store().join("db"))) == tables(before), "{what}: a refusal changes nothing");
    }
}

#[test]
fn readers_give_the_sound_answer_or_fail_in_one_sentence() {
    let sound = filled();
    sound.produce(PRODUCED);
    let expected_rows = tree(&sound.out());
    let customers = customers(&sound.store());
    let of =
        |question: &&str| customers.iter().map(|id| question.replace("CUSTOMER", &id.to_string())).collect::<Vec<_>>();
    let questions: Vec<String> = READING.iter().flat_map(of).collect();
    let expected: Vec<String> = questions.iter().map(|question| answer(&run(&sound, question))).collect();
    for (what, craft) in CRAFTED {
        let bench = crafted(craft);
        for threads in ["", "--threads 1"] {
            let produced =
                run(&bench, &format!("produce --store store --input input --dt {PRODUCED} --out out {threads}"));
            if produced.code == 0 {
                assert!(tree(&bench.out()) == expected_rows, "{what}: other rows");
            } else {
                assert_one_sentence(&produced, &["is damaged", "restore"]);
            }
        }
        let (mut refused, mut answered) = (0, 0);
        for (question, expected) in questions.iter().zip(&expected) {
            let ran = run(&bench, question);
            if ran.code == 0 {
                assert_eq!(&answer(&ran), expected, "{what}: {question}");
                answered += 1;
            } else {
                assert_one_sentence(&ran, &["is damaged", "restore"]);
                refused += 1;
            }
        }
        assert!(refused > 0, "{what}: nobody has met it in {answered} questions");
    }
}

/// The same where a property says that the file is no plain one, so that histories are left to RocksDB.
#[test]
fn what_is_not_plain_is_judged_all_the_same() {
    let sound = filled();
    let customers = customers(&sound.store());
    let question = |id: &i64| format!("get --store store --dt 2026-01-13 --customer {id} --format jsonl");
    let expected: Vec<String> = customers.iter().map(|id| answer(&run(&sound, &question(id)))).collect();
    for (property, is_judged) in [("rocksdb.merge.operands", true), ("rocksdb.index.value.is.delta.encoded", false)] {
        for (what, craft) in CRAFTED.iter().take(7) {
            let bench = filled();
            let mut table = TableFile::largest(&bench.store());
            let mut lies = Lies::default();
            craft(&mut table, &mut lies);
            table.change_property(property);
            table.write(&lies);
            for command in ["verify --store store", "repair --store store --dry-run"] {
                let ran = run(&bench, command);
                assert_eq!(ran.code, 1, "{what}, {property}: {command}: {}{}", ran.stdout, ran.stderr);
            }
            for (id, expected) in customers.iter().zip(&expected).filter(|_| is_judged) {
                let ran = run(&bench, &question(id));
                assert!(ran.code == 1 || answer(&ran) == *expected, "{what}, {property}: customer {id}");
            }
        }
    }
}

/// What only RocksDB can tell makes readers slower, without a word in the rows.
#[test]
fn histories_that_are_read_through_rocksdb_are_counted() {
    let bench = filled();
    let commands = |out: &str, threads: &str| {
        [
            format!("produce --store store --input input --dt {PRODUCED} --out {out}-{threads} --threads {threads}"),
            format!(
                "backfill --store store --input input --from {PRODUCED} --to {PRODUCED} --out {out}-all-{threads} --threads {threads}"
            ),
            format!(
                "get --store store --dt {PRODUCED} --customer 4296 143 99999 --out {out}-{threads}.jsonl --threads {threads}"
            ),
        ]
    };
    let counts = |out: &str, threads: &str| {
        commands(out, threads).map(|command| {
            let ran = run(&bench, &format!("{command} --json"));
            assert_eq!(ran.code, 0, "{command}: {}", ran.stderr);
            let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            let count = summary["timing"]["histories_through_rocksdb"].as_u64().unwrap();
            let histories = if count == 1 { "history" } else { "histories" };
            let said = ran.stderr.contains(&format!("; {count} {histories} read through RocksDB"));
            assert_eq!(said, count > 0, "{command}: {}", ran.stderr);
            count
        })
    };
    // The corrected batch has set keys again that are still in an older file.
    assert_eq!([counts("corrected", "1"), counts("corrected", "2")], [[25, 25, 2]; 2]);
    RawStore::open_writer(&Folder::new(&bench.store())).unwrap().compact().unwrap();
    assert_eq!([counts("sound", "1"), counts("sound", "2")], [[0; 3]; 2]);
    let mut table = TableFile::largest(&bench.store());
    table.change_property("rocksdb.merge.operands");
    table.write(&Lies::default());
    // As many as customers have impressions, or are asked for; one of them is not in the store.
    assert_eq!([counts("other", "1"), counts("other", "2")], [[33, 33, 3]; 2]);
    for threads in ["1", "2"] {
        let [corrected, sound, other] = ["corrected", "sound", "other"].map(|out| {
            let of = |name: String| tree(&bench.path(&name));
            let got = std::fs::read(bench.path(&format!("{out}-{threads}.jsonl"))).unwrap();
            (of(format!("{out}-{threads}")), of(format!("{out}-all-{threads}")), got)
        });
        assert!(sound == other && sound == corrected, "the same rows and histories by either way");
    }
}

/// Whatever else opens a store or copies it: ends, without a signal, in one sentence or done.
#[test]
fn every_other_command_ends_too() {
    let commands = [
        "status --store store",
        "stale --store store --out out",
        "report --store store --html store.html",
        "backup --store store --to backups --check",
        "restore --from backups --store restored",
        "migrate --store store",
        "ingest --store store --input input --dt 2026-01-12",
        "ingest --store store --input input --dt 2026-01-02",
        "backfill --store store --input input --from 2026-01-01 --to 2026-01-13 --out filled",
        "forget --store store --customer 1003 4296",
        "prune --store store --keep-days 3",
        "verify --store store",
    ];
    for (what, craft) in CRAFTED {
        let bench = crafted(craft);
        for command in commands {
            let ran = run(&bench, command);
            assert!(!ran.stderr.contains("panicked"), "{what}: {command}: {}", ran.stderr);
            assert!(ran.code == 0 || ran.said().starts_with("error: "), "{what}: {command}: {}", ran.stderr);
        }
    }
}

/// A filter that says of a run that it has nothing of a customer: only a look-up tells.
#[test]
fn a_filter_that_hides_keys_is_found_by_verify_deep() {
    let bench = filled();
    let mut table = TableFile::largest(&bench.store());
    let whole = bench.path("whole");
    copy(&bench.store(), &whole);
    table.empty_filter();
    table.write(&Lies::default());
    run(&bench, "verify --store store");
    let ran = run(&bench, "verify --store store --deep");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("is there, but looking it up does not find it"), "{}", ran.stdout);
    assert_eq!(run(&bench, "repair --store store --dry-run").code, 1);
}
