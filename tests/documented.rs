//! The pages and the program agree: whatever command or option a page names is there, and each that is there is named
//! on a page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::program::Bench;

/// Options of other programs that stand by themselves.
const OF_OTHERS: [&str; 1] = ["--long"];

/// Shown on a page as what is no command.
const NO_COMMAND: &str = "nightly";

/// The options of each command, by what is typed behind `lookback`; the empty name has those of the program itself.
fn commands() -> BTreeMap<String, BTreeSet<String>> {
    let bench = Bench::new();
    let mut commands = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(path) = waiting.pop() {
        let help = bench.ok(&format!("{path} --help")).stdout;
        let before_notes = help.split("\nExamples:").next().unwrap();
        let mut section = "";
        for line in before_notes.lines() {
            if !line.starts_with(' ') {
                section = line;
            }
            let word = line.split_whitespace().next().unwrap_or_default();
            let of_commands = section.ends_with(':') && !["Options:", "Arguments:"].contains(&section);
            if of_commands && line.starts_with("  ") && !line.starts_with("   ") && word != "help" {
                waiting.push(format!("{path} {word}").trim_start().to_owned());
            }
        }
        let options = before_notes.split("\nOptions:").nth(1).unwrap_or_default();
        let options = options.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(options_in).collect();
        commands.insert(path, options);
    }
    commands
}

/// Words that are options, such as `--dt`.
fn options_in(text: &str) -> Vec<String> {
    let is_of_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let mut options = Vec::new();
    for (place, _) in text.match_indices("--") {
        let before = text[..place].chars().next_back();
        let name: String = text[place + 2..].chars().take_while(|letter| is_of_name(*letter)).collect();
        let begins = before.is_none_or(|before| !before.is_ascii_alphanumeric() && before != '-');
        if begins && name.starts_with(|first: char| first.is_ascii_lowercase()) {
            options.push(format!("--{}", name.trim_end_matches('-')));
        }
    }
    options
}

/// README and the pages of the guide, by path.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    paths.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| root.join(page)));
    paths.push(root.join("examples/systemd/lookback-nightly.service"));
    paths.push(root.join("examples/airflow/lookback_nightly.py"));
    paths.sort();
    paths.into_iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

/// What is code on a page: blocks, without what goes on in the next line cut off, and spans within lines. Each with its
/// line.
fn code(text: &str) -> Vec<(usize, String)> {
    let (mut code, mut in_block, mut open) = (Vec::new(), false, None::<(usize, String)>);
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            let (first, before) = open.take().unwrap_or((number, String::new()));
            match line.strip_suffix('\\') {
                Some(rest) => open = Some((first, before + rest)),
                None => code.push((first, before + line)),
            }
        } else {
            code.extend(line.split('`').skip(1).step_by(2).map(|span| (number, span.to_owned())));
        }
    }
    code
}

#[test]
fn what_the_pages_name_is_there() {
    let commands = commands();
    let all: BTreeSet<&String> = commands.values().flatten().collect();
    let mut checked = 0;
    for (path, text) in pages() {
        let spans = if path.ends_with(".md") { code(&text) } else { vec![(1, text.replace('\n', " ; "))] };
        for (line, span) in spans {
            for (place, _) in span.match_indices("lookback ") {
                let is_word = span[..place].chars().next_back().is_none_or(|before| " '(`$".contains(before));
                let rest = span[place + "lookback ".len()..].split(['|', ';', '`', '>', '&', '#']).next().unwrap();
                let words: Vec<&str> = rest.split_whitespace().collect();
                let two = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
                let one = words.first().copied().unwrap_or_default();
                let Some(known) = commands.get(&two).or_else(|| commands.get(one)).filter(|_| is_word) else {
                    let is_name = !one.is_empty() && one.chars().all(|letter| letter.is_ascii_lowercase());
                    assert!(
                        !(is_word && is_name) || one == NO_COMMAND || span.starts_with("error"),
                        "{path}:{line}: no command {one}: {span}"
                    );
                    continue;
                };
                for option in options_in(rest) {
                    assert!(known.contains(&option), "{path}:{line}: {one} has no {option}");
                    checked += 1;
                }
            }
            if span.starts_with("--") && !OF_OTHERS.contains(&span.as_str()) {
                for option in options_in(&span) {
                    assert!(all.contains(&option), "{path}:{line}: no command has {option}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 300, "only {checked} options are looked at");
}

#[test]
fn what_is_there_is_named_on_a_page() {
    let text: String = pages().into_iter().map(|(_, text)| text).collect();
    let named: BTreeSet<String> = options_in(&text).into_iter().collect();
    let commands = commands();
    assert!(commands.len() > 23, "{commands:?}");
    for (command, options) in &commands {
        assert!(text.contains(&format!("`{command}")) || text.contains(&format!("lookback {command}")), "{command}");
        for option in options.iter().filter(|option| *option != "--help") {
            assert!(named.contains(option), "{command} {option} is named on no page");
        }
    }
}

#[test]
fn code_and_options_are_found() {
    let page = "a `--dt D` b `x`\n```sh\nlookback get --out a \\\n  --dt b\n```\n--not-code";
    let found = [(1, "--dt D"), (1, "x"), (3, "lookback get --out a   --dt b")];
    assert_eq!(code(page), found.map(|(line, span)| (line, span.to_owned())));
    assert_eq!(options_in("x--y --a-b, (--c) ---d"), ["--a-b", "--c"]);
}
