//! Blocks of commands in Markdown.
//!
//! ```` ```sh ```` is a script; each line of ```` ```console ```` that begins with `$ ` is a command (lines that begin
//! with `> ` go on with it), and what stands below it is what it says. Other fences are no commands. A comment
//! `<!-- not run: REASON -->` right above a block says that no test can run it; `<!-- run: COMMAND -->` runs a command
//! that the page does not show.

/// A command, or a script of several, and what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// Where it begins in the file, counted from 1.
    pub line: usize,
    pub command: String,
    /// The output shown; none where none is compared.
    pub shown: Option<String>,
}

/// What a page has.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// In order.
    pub steps: Vec<Step>,
    /// Of blocks that are not run: the line, and the reason.
    pub not_run: Vec<(usize, String)>,
}

const NOT_RUN: &str = "<!-- not run: ";
const HIDDEN: &str = "<!-- run: ";

impl Page {
    pub fn parse(text: &str) -> Page {
        let mut page = Page::default();
        let mut lines = (1..).zip(text.lines());
        let mut reason: Option<String> = None;
        while let Some((number, line)) = lines.next() {
            if let Some(rest) = line.strip_prefix(NOT_RUN) {
                reason = Some(comment(number, rest));
            } else if let Some(rest) = line.strip_prefix(HIDDEN) {
                page.steps.push(Step { line: number, command: comment(number, rest), shown: None });
            } else if let Some(language) = line.trim_start().strip_prefix("```") {
                let inside: Vec<(usize, &str)> =
                    lines.by_ref().take_while(|(_, line)| !line.trim_start().starts_with("```")).collect();
                match (reason.take(), language) {
                    (Some(reason), _) => page.not_run.push((number, reason)),
                    (None, "sh") => page.steps.extend(script(&inside)),
                    (None, "console") => page.steps.extend(session(&inside)),
                    (None, "text" | "toml" | "json") => {}
                    // pytest runs these: python/tests/test_pages.py.
                    (None, "python" | "pycon") => {}
                    (None, other) => panic!("line {number}: {other:?} is no language of the pages"),
                }
            } else if !line.trim().is_empty() {
                assert_eq!(reason, None, "line {number}: no block stands below the comment `not run`");
            }
        }
        page
    }
}

fn comment(number: usize, rest: &str) -> String {
    let text = rest.strip_suffix("-->").unwrap_or_else(|| panic!("line {number}: the comment ends on another line"));
    text.trim().to_owned()
}

/// A script in pieces: lines of `generate` stand alone.
fn script(lines: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (number, line) in lines {
        let alone = |command: &str| command.starts_with("generate ");
        match steps.last_mut() {
            Some(last) if goes_on || !(alone(line) || alone(&last.command)) => {
                last.command += "\n";
                last.command += line;
            }
            _ => steps.push(Step { line: *number, command: (*line).to_owned(), shown: None }),
        }
        goes_on = line.ends_with('\\');
    }
    steps
}

fn session(lines: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, line) in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: *number, command: command.to_owned(), shown: Some(String::new()) });
            continue;
        }
        let last = steps.last_mut().unwrap_or_else(|| panic!("line {number}: a console block begins with a command"));
        let shown = last.shown.as_mut().unwrap();
        match line.strip_prefix("> ") {
            Some(more) if shown.is_empty() => last.command += &format!("\n{more}"),
            _ => *shown += &format!("{line}\n"),
        }
    }
    steps
}

#[test]
fn blocks_are_taken_apart() {
    let text = "\
# A page

```sh
cd x   # and so on
generate --out a \\
  --days 2
ls
```

<!-- not run: needs another machine -->

```sh
scp a b
```

<!-- run: touch b -->

```console
$ cat <<'END'
> x
> END
x
$ true
```

```text
$ no command
```
";
    let step = |line, command: &str, shown: Option<&str>| Step {
        line,
        command: command.to_owned(),
        shown: shown.map(str::to_owned),
    };
    let steps = vec![
        step(4, "cd x   # and so on", None),
        step(5, "generate --out a \\\n  --days 2", None),
        step(7, "ls", None),
        step(16, "touch b", None),
        step(19, "cat <<'END'\nx\nEND", Some("x\n")),
        step(23, "true", Some("")),
    ];
    assert_eq!(Page::parse(text), Page { steps, not_run: vec![(12, "needs another machine".to_owned())] });
}
