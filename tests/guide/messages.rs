//! The messages of `docs/messages.md` against those of the source.
//!
//! In the source a message is the text that a [`lookback::error::Error`] or a note is made of, with `…` for each value
//! in it. In the table a row's first cell is such a text, or one in which a value is written out. Each row has to be of
//! one text of the source, and each text has to have a row.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::compare::matches;

/// A row of the table.
pub struct Message(pub String);

impl Message {
    /// Whether a refusal (`what; what to do`) is of this row.
    pub fn is_of(&self, refusal: &str) -> bool {
        let refusal = plain(refusal);
        matches(&format!("{}; …", self.0), &refusal) || matches(&format!("…; {}", self.0), &refusal)
    }
}

pub struct Messages;

impl Messages {
    /// The rows of the table, in order.
    pub fn of_the_guide() -> Vec<Message> {
        let text = super::read("docs/messages.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| line.split_once("` |"));
        rows.map(|(message, _)| Message(message.to_owned())).collect()
    }
}

/// The texts of the source, each with where it stands first.
fn of_the_source() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = BTreeMap::new();
    let mut folders = vec![root.join("src"), root.join("migrations")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs")
                && !name.ends_with("tests.rs")
                && name != "src/error.rs"
                && name != "src/cli/words.rs"
                && name != "src/message.rs"
            {
                for (line, text) in in_source(&name, &fs::read_to_string(&path).unwrap()) {
                    texts.entry(text).or_insert(format!("{name}:{line}"));
                }
            }
        }
    }
    texts
}

/// The texts of errors in one file; those of `Error::corrupt` and `Error::io` are told by what to do, which is the same
/// for all of them.
fn in_source(name: &str, source: &str) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    // A call that begins on the line behind its subject stands behind it.
    let lines = source.lines().map(|line| match line.trim_start() {
        call if call.starts_with(".note(") => call.to_owned(),
        _ => format!("\n{line}"),
    });
    let source = &lines.collect::<String>();
    let mut texts = Vec::new();
    for (call, place_of_text) in
        [("Error::usage(", 0), ("Error::input(", 0), ("Error::refused(", 0), ("Error::new(", 1), ("progress.note(", 0)]
    {
        for (place, _) in source.match_indices(call) {
            let line = source[..place].lines().count();
            let argument = arguments(&source[place + call.len()..]).into_iter().nth(place_of_text).unwrap();
            let said = argument.trim_start().trim_start_matches('&').strip_prefix("message![");
            let found = said.map_or_else(|| literals(argument), |parts| vec![in_words(parts)]);
            let found = if found.is_empty() {
                // The text has a name: what was last bound to it says it.
                let binding = format!("let {} = ", argument.trim());
                let bound = source[..place].rfind(&binding).map(|place| &source[place..]);
                literals(bound.and_then(|bound| bound.split_once(";\n")).map_or("", |(bound, _)| bound))
            } else {
                found.into_iter().take(1).collect()
            };
            assert!(!found.is_empty(), "{name}:{line}: the test finds no text here: write it as a literal in the call");
            texts.extend(found.iter().map(|literal| (line, without_values(literal))));
        }
    }
    texts
}

/// The arguments of a call, from behind its opening parenthesis.
fn arguments(source: &str) -> Vec<&str> {
    let (mut arguments, mut start, mut depth, mut in_text) = (Vec::new(), 0, 0, false);
    let mut letters = source.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' if in_text => {
                letters.next();
            }
            '"' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ',' if depth == 0 => {
                arguments.push(&source[start..place]);
                start = place + 1;
            }
            ')' | ']' | '}' if depth == 0 => {
                arguments.push(&source[start..place]);
                break;
            }
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    arguments
}

/// The words of a `message![..]`, from behind its opening bracket: options and commands as they are typed, `{…}` for
/// what is said elsewhere.
fn in_words(parts: &str) -> String {
    let option = |name: &str| {
        let letters = name.chars().flat_map(|letter| {
            letter.is_uppercase().then_some('-').into_iter().chain(letter.to_lowercase()).collect::<Vec<_>>()
        });
        format!("-{}", letters.collect::<String>())
    };
    let word = |part: &str| match part.trim().chars().next() {
        None => String::new(),
        Some('"' | '(') => literals(part).remove(0),
        Some('{') => "{}".to_owned(),
        Some('[') => {
            let mut words = part.trim_matches(|letter: char| "[] \n".contains(letter)).split_whitespace();
            let command = words.next().unwrap().to_lowercase();
            let options = words.filter(|word| *word != "=").map(|word| match word.starts_with('(') {
                true => " {}".to_owned(),
                false => format!(" {}", option(word)),
            });
            format!("lookback {command}{}", options.collect::<String>())
        }
        Some(_) => option(part.trim()),
    };
    arguments(parts).into_iter().map(word).collect()
}

/// The string literals in a piece of source.
fn literals(source: &str) -> Vec<String> {
    let (mut literals, mut current) = (Vec::new(), None::<String>);
    let mut letters = source.chars().peekable();
    while let Some(letter) = letters.next() {
        match (&mut current, letter) {
            (None, '"') => current = Some(String::new()),
            (None, _) => {}
            (Some(text), '\\') => match letters.next() {
                // The literal goes on behind the blanks of the next line.
                Some('\n') => while letters.next_if(|letter| letter.is_whitespace()).is_some() {},
                letter => text.extend(letter),
            },
            (Some(_), '"') => literals.extend(current.take()),
            (Some(text), letter) => text.push(letter),
        }
    }
    literals
}

/// `…` for each `{…}`.
fn without_values(literal: &str) -> String {
    let mut text = String::new();
    let mut in_value = false;
    for letter in literal.chars() {
        match letter {
            '{' => {
                in_value = true;
                text.push('…');
            }
            '}' => in_value = false,
            _ if in_value => {}
            letter => text.push(letter),
        }
    }
    plain(&text).replace("……", "…")
}

/// Without the marks of code, which cannot stand in code.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// How many letters of a text are its own.
fn own_letters(text: &str) -> usize {
    text.chars().filter(|letter| *letter != '…').count()
}

#[test]
fn each_message_of_the_source_is_in_the_guide_and_no_other() {
    let source = of_the_source();
    assert!(source.len() > 50, "the test has found only {} messages; does it still read them?", source.len());
    let mut without_row = source.clone();
    let mut ends: Vec<String> = ends_of_messages();
    for Message(row) in Messages::of_the_guide() {
        if let Some(place) = ends.iter().position(|end| *end == row) {
            ends.remove(place);
            continue;
        }
        let of = source.keys().filter(|text| matches(text, &row)).max_by_key(|text| own_letters(text));
        let of = of.unwrap_or_else(|| panic!("docs/messages.md has a message that the program does not give: {row}"));
        without_row.remove(of);
    }
    let lines: Vec<String> =
        without_row.iter().map(|(text, place)| format!("{place}: | `{text}` | what it means | what to do |")).collect();
    assert!(lines.is_empty(), "docs/messages.md lacks a row for each of these:\n{}", lines.join("\n"));
    assert!(
        ends.is_empty(),
        "docs/messages.md lacks a row for messages that end with each of these:\n{}",
        ends.join("\n")
    );
}

/// What the messages end with that are told by their end.
fn ends_of_messages() -> Vec<String> {
    use std::io::{Error as System, ErrorKind};

    use lookback::cli::words::error_line;
    use lookback::error::Error;
    let failures = [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::NotFound, ErrorKind::Other];
    let failures = failures.map(|kind| Error::io("read", Path::new("x"), System::from(kind)));
    let folder = lookback::storage::regular_file::open(Path::new("/")).unwrap_err();
    let others =
        [Error::io("read", Path::new("/"), folder), Error::corrupt("x"), Error::internal("x"), Error::cancelled()];
    let errors = failures.into_iter().chain(others);
    errors.map(|error| plain(error_line(&error).split_once("; ").unwrap().1)).collect()
}

#[test]
fn messages_are_found_in_source() {
    let source = r#"
        let what = match n { 1 => format!("one {n}"), _ => "many".to_owned() };
        return Err(Error::refused(what, "do it"));
        Error::new(Kind::Io, format!("cannot {verb} {}{more} (\"x\", {})", a.b(), c), "do; that")
        Error::usage(message![RowGroupRows, (" {} of ", x), { of }, " by ", [Backfill Stale], " or {x}"], "do it");
        Error::corrupt("no"); Error::input("plain, with a comma \
            and more", format!("then {x}"))
        #[cfg(test)]
mod tests { Error::usage("not this", "x") }"#;
    let found: Vec<String> = in_source("x.rs", source).into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        found,
        [
            "--row-group-rows … of … by lookback backfill --stale or …",
            "plain, with a comma and more",
            "one …",
            "many",
            "cannot … … (\"x\", …)"
        ]
    );
}
