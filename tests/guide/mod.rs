//! The guide and README do what they show: their commands are run in order, each page in a folder of its own, and what
//! the commands say is compared with what the page shows. See [`markdown`] for how a page is written, and [`compare`]
//! for what may differ.
//!
//! To add a command: write it into its page without what it says, and run these tests with `LOOKBACK_GUIDE=write`; what
//! differs is then put in its place. Read it before it is committed.

mod compare;
mod markdown;
mod messages;
mod shell;

use std::fs;
use std::path::Path;

use compare::agrees;
use markdown::{Page, Step};
use messages::Messages;
use shell::Shell;

/// So many blocks of all pages may be such as no test can run.
const NOT_RUN_MAX: usize = 5;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages of the guide, by name.
fn pages() -> Vec<String> {
    let folder = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    names
}

/// Runs a page in a shell. Whatever it shows that does not come is told at the end, all of it.
fn plan_keyframes(path: &str, shell: &mut Shell) {
    let page = Page::parse(&read(path));
    let messages = Messages::of_the_guide();
    let is_to_write = std::env::var("LOOKBACK_GUIDE").is_ok_and(|value| value == "write");
    let (mut differences, mut text) = (String::new(), read(path));
    let mut lines_before = 0_isize;
    for Step { line, command, shown } in &page.steps {
        let has_python = std::env::var("LOOKBACK_PYTHON").is_ok() || !command.contains("python");
        assert!(has_python, "{path}:{line}: this needs LOOKBACK_PYTHON, as tools/test sets it");
        let script = format!("set -e\n{command}\nset +e");
        let said = shell.run(if shown.is_some() || command.starts_with("generate ") { command } else { &script });
        let Some(code) = said.code else {
            panic!("{path}:{line}: the script fails\n{command}\n{}{differences}", said.text)
        };
        match shown {
            Some(shown) if is_to_write && !agrees(shown, &said.text) => {
                let first = line.strict_add_signed(lines_before) - 1 + command.lines().count();
                lines_before += replace_lines(&mut text, first, shown.lines().count(), &said.text);
            }
            Some(shown) if !agrees(shown, &said.text) => {
                differences +=
                    &format!("\n{path}:{line}: $ {command}\nshown:\n{shown}said (exit code {code}):\n{}", said.text);
            }
            Some(shown) => {
                let refusal = shown.lines().find_map(|line| line.strip_prefix("error: "));
                assert_eq!(code != 0, refusal.is_some(), "{path}:{line}: $ {command}\nends with exit code {code}");
                // Those of wrong usage come from another hand, and have a chapter for all of them.
                let has_row = |refusal| code == 2 || messages.iter().any(|message| message.is_of(refusal));
                assert!(refusal.is_none_or(has_row), "{path}:{line}: docs/messages.md has no row for it");
            }
            None => assert_eq!(code, 0, "{path}:{line}: {command}\n{}{differences}", said.text),
        }
    }
    if is_to_write {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), text).unwrap();
    }
    assert!(differences.is_empty(), "{differences}\n(LOOKBACK_GUIDE=write puts what was said into the page)");
}

/// Puts other lines in the place of `count` lines from `first` on, which is counted from 0. Gives how many more there
/// are.
fn replace_lines(text: &mut String, first: usize, count: usize, others: &str) -> isize {
    let others: Vec<&str> = others.lines().map(str::trim_end).collect();
    let mut lines: Vec<&str> = text.lines().collect();
    let more = isize::try_from(others.len()).unwrap() - isize::try_from(count).unwrap();
    lines.splice(first..first + count, others);
    *text = lines.join("\n") + "\n";
    more
}

/// One test for each page, so that they run side by side.
macro_rules! followed {
    ($($name:ident: $page:literal,)*) => {
        const FOLLOWED: &[&str] = &[$($page),*];
        $(#[test]
        fn $name() {
            plan_keyframes(concat!("docs/", $page), &mut Shell::new());
        })*
    };
}

followed! {
    backfill: "backfill.md",
    backups: "backups.md",
    corrections: "corrections.md",
    delta: "delta.md",
    demo: "demo.md",
    erasure: "erasure.md",
    first_store: "first-store.md",
    input: "input.md",
    late_days: "late-days.md",
    leakage: "leakage.md",
    wrong_usage: "messages.md",
    nightly: "nightly.md",
    recipes: "recipes.md",
    retention: "retention.md",
    rows: "rows.md",
    sharded: "sharded.md",
    sharded_costs: "sharded-costs.md",
    sizing: "sizing.md",
    upgrading: "upgrading.md",
    watching: "watching.md",
    zones: "zones.md",
}

#[test]
fn each_page_is_followed_and_in_the_index() {
    let index = read("docs/guide.md");
    let readme = read("README.md");
    for page in pages().iter().filter(|page| *page != "guide.md") {
        assert!(index.contains(&format!("]({page})")), "docs/guide.md does not name {page}");
        assert!(readme.contains(&format!("](docs/{page})")), "README.md does not name docs/{page}");
        let has_commands = !Page::parse(&read(&format!("docs/{page}"))).steps.is_empty();
        assert_eq!(FOLLOWED.contains(&page.as_str()), has_commands, "{page}: give it a line in `followed!`");
    }
}

#[test]
fn few_blocks_are_not_run() {
    let paths = pages().into_iter().map(|page| format!("docs/{page}")).chain(["README.md".to_owned()]);
    let not_run: Vec<String> = paths
        .flat_map(|path| {
            let blocks = Page::parse(&read(&path)).not_run;
            blocks.into_iter().map(move |(line, reason)| format!("{path}:{line}: {reason}"))
        })
        .collect();
    assert!(not_run.len() <= NOT_RUN_MAX, "{}", not_run.join("\n"));
}

/// Links between the pages and to headings in them lead somewhere.
#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    let others = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned);
    for path in pages().into_iter().map(|page| format!("docs/{page}")).chain(others) {
        let text = read(&path);
        for (place, _) in text.match_indices("](") {
            let target = text[place + 2..].split(')').next().unwrap();
            if target.starts_with("http") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let from = Path::new(&path).parent().unwrap();
            let file = if file.is_empty() { path.clone() } else { from.join(file).to_str().unwrap().to_owned() };
            let target_text = read(&file);
            assert!(heading.is_empty() || anchors(&target_text).any(|anchor| anchor == heading), "{path}: ({target})");
            links += 1;
        }
    }
    assert!(links > 20, "the test has found only {links} links; does it still read them?");
}

/// What the headings of a page are called in links.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .collect::<String>()
            .replace(' ', "-")
    })
}

/// README's ten lines, and its nightly job on what they make.
#[test]
fn readme() {
    let mut shell = Shell::new();
    assert_eq!(shell.run("export YESTERDAY=2026-01-01 TODAY=2026-01-02").code, Some(0));
    plan_keyframes("README.md", &mut shell);
}

/// The page on the demo has the input and the commands of `tools/demo`.
#[test]
fn the_demo_is_what_its_page_shows() {
    let (script, page) = (read("tools/demo"), read("docs/demo.md"));
    let words = |text: &str| text.replace('\\', " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let made = script.split_once("\ngenerate ").expect("tools/demo makes input").1;
    let shown = page.split_once("\ngenerate ").expect("docs/demo.md makes input").1;
    let made = words(made.split_once("\n\n").unwrap().0);
    let shown = words(shown.split_once("\ncd demo").unwrap().0.replace("demo/input", "input").as_str());
    assert_eq!(made, shown);
    let runs = script.lines().filter_map(|line| line.strip_prefix("run ")).filter(|run| !run.contains(['$', '"']));
    let missing: Vec<&str> = runs.filter(|run| !page.contains(&format!("$ {run}\n"))).collect();
    assert_eq!(missing, ["lookback status --store store"], "the others are on the page");
}
