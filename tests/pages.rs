//! What the pages say: README's first screen, figures that were measured, paths that are there, and templates that ask
//! for what is needed.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// README, and all pages that people read.
fn pages() -> Vec<String> {
    let docs =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let docs = docs.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    docs.chain(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned)).collect()
}

/// What the first screen is for: the words that people search for, the picture, the figures, how to install, and ten
/// lines that run.
#[test]
fn readme_says_on_its_first_screen_what_it_is_and_why() {
    let readme = read("README.md");
    let lines: Vec<&str> = readme.lines().collect();
    assert!(lines.len() <= 136, "README has {} lines: what is longer stands in docs/", lines.len());
    let screen = lines[..50].join("\n");
    let place = |words: &str| {
        let text = screen.to_lowercase().replace('\n', " ");
        text.find(words).unwrap_or_else(|| panic!("not on the first screen: {words}"))
    };
    for words in
        ["point-in-time join", "point-in-time training data", "label leakage", "user history sequence", "spark"]
    {
        place(words);
    }
    let order =
        ["```text", "pyspark", "docs/comparison.md", "## install", "cargo install --path . --locked", "## ten lines"];
    assert!(order.map(place).is_sorted(), "{order:?}");
    let lines = screen.split_once("## Ten lines").unwrap().1.split("```").nth(1).unwrap();
    let (language, script) = lines.split_once('\n').unwrap();
    assert_eq!((language, script.lines().count()), ("sh", 10));
}

/// The seconds in a text, such as `1.41`, by the words behind them.
fn seconds(text: &str) -> Vec<&str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number =
        |word: &str| word.contains('.') && word.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let followed = words.windows(2).filter(|pair| pair[1].trim_end_matches([',', ';', '.', ':']) == "s");
    followed.map(|pair| pair[0]).filter(|word| is_number(word)).collect()
}

/// Nothing is said of speed that the page on speed has not measured.
#[test]
fn figures_of_speed_are_measured_ones() {
    let speed = read("docs/speed.md");
    let table = speed.split_once("| history | program | wall s |").unwrap().1.split("\n\n").next().unwrap();
    let wall = |program: &str| -> Vec<&str> {
        let rows = table.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        rows.filter(|cells| cells.len() > 3 && cells[2].starts_with(program)).map(|cells| cells[3]).collect()
    };
    let readme = read("README.md");
    let mut rows = readme.lines().filter(|line| line.starts_with("| ")).map(|line| line.split('|').map(str::trim));
    let (mut programs, mut figures) = (rows.next().unwrap().skip(2), rows.next().unwrap().skip(2));
    let mut compared = 0;
    while let (Some(program), Some(cell)) = (programs.next(), figures.next()) {
        for figure in cell.split(" to ").filter(|figure| !figure.is_empty()) {
            assert!(wall(program).contains(&figure), "README: {program} {figure}: {:?}", wall(program));
            compared += 1;
        }
    }
    assert_eq!(compared, 5);
    let page = read("docs/comparison.md");
    let said = seconds(&page);
    assert!(said.len() >= 7, "{said:?}");
    for figure in said {
        assert!(wall("").contains(&figure), "docs/comparison.md: {figure} s is no wall time of docs/speed.md");
    }
    assert_eq!(seconds("took 1.41 s with it, 3 s, 0.2 s."), ["1.41", "0.2"]);
}

/// The year of a sharded store on its page is the one whose figures lie beside it, and it has stayed within its bounds.
#[test]
fn the_year_is_the_recorded_one() {
    let (page, table) = (read("docs/sharded-costs.md"), read("docs/year/figures.csv"));
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let days: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    let column = |name: &str| -> Vec<f64> {
        let place = names.iter().position(|own| *own == name).unwrap_or_else(|| panic!("no column {name}"));
        days.iter().map(|day| day[place]).collect()
    };
    let last = |name: &str| *column(name).last().unwrap();
    let most = |name: &str| column(name)[30..].iter().copied().fold(0.0, f64::max);
    let mut ratios: Vec<f64> =
        column("place_bytes").iter().zip(column("version_bytes")).skip(30).map(|(all, newest)| all / newest).collect();
    ratios.sort_by(f64::total_cmp);
    let (median, most_ratio) = (ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    assert_eq!(days.len(), 365);
    assert!(most_ratio <= 2.5, "{most_ratio}");
    let written = column("written_bytes").iter().sum::<f64>() / last("version_bytes");
    for figure in [
        format!(
            "| newest version at the end | {:.1} MB in {} files,",
            last("version_bytes") / 1e6,
            last("version_files")
        ),
        format!("| place, in sizes of the newest version | {median:.2} (median), {most_ratio:.2} at most |"),
        format!("| files at the place, at most | {} |", most("place_files")),
        format!("| table files of a shard, at most | {} |", most("tables_of_a_shard")),
        format!("| bytes written, in sizes of the newest version at the end | {written:.1} |"),
    ] {
        assert!(page.contains(&figure), "docs/sharded-costs.md does not say: {figure}");
    }
    for plot in ["bytes", "files", "written", "requests"] {
        assert!(page.contains(&format!("](year/{plot}.svg)")), "docs/sharded-costs.md does not show {plot}.svg");
        assert!(read(&format!("docs/year/{plot}.svg")).contains("prefers-color-scheme: dark"), "{plot}.svg");
    }
}

/// Paths of the repository in code spans and links of pages. One with a `*`, `…` or a capital in the place of a name
/// stands for many.
#[test]
fn paths_on_pages_are_there() {
    let folders = ["src/", "tests/", "tools/", "docs/", "migrations/", "examples/"];
    let mut found = 0;
    for page in pages() {
        let text = read(&page);
        for span in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let path = span.split_whitespace().next().unwrap_or_default();
            if folders.iter().any(|folder| path.starts_with(folder)) && !path.contains(['*', '…', '<']) {
                assert!(root().join(path).exists(), "{page}: there is no {path}");
                found += 1;
            }
        }
    }
    assert!(found > 60, "the test has found only {found} paths; does it still read them?");
    // Of architecture.md, where paths begin below src/.
    let page = read("docs/architecture.md");
    let spans = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let files: Vec<PathBuf> =
        spans.filter(|span| span.ends_with(".rs")).map(|span| root().join("src").join(span)).collect();
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        assert!(file.exists(), "docs/architecture.md: there is no {}", file.display());
    }
}

/// Whoever opens an issue or a change is asked for what is needed.
#[test]
fn templates_ask_for_what_is_needed() {
    let bug = read(".github/ISSUE_TEMPLATE/bug.yml");
    for asked in ["The exact command", "What it said", "What you expected", "lookback --version", "SECURITY.md"] {
        assert!(bug.contains(asked), "bug.yml does not ask for: {asked}");
    }
    assert!(bug.matches("required: true").count() >= 4);
    assert!(read("SECURITY.md").contains("private vulnerability reporting"));
}

/// Whoever reads one of these learns how to check a change.
#[test]
fn the_two_scripts_are_named_where_changes_begin() {
    for page in ["README.md", "CONTRIBUTING.md", ".github/pull_request_template.md"] {
        for script in ["tools/check", "tools/test"] {
            assert!(read(page).contains(script), "{page} does not name {script}");
        }
    }
}
