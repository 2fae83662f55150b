//! What a page shows against what a command says.
//!
//! Seconds, rates, sizes, numbers of processes, versions of the program and keys in hexadecimal may differ. `…` in a
//! line stands for any text, and a line of `…` alone for any lines.

/// Whether `said` is what `shown` shows.
pub fn agrees(shown: &str, said: &str) -> bool {
    let lines = |text: &str| text.lines().map(|line| plain(line.trim_end())).collect::<Vec<_>>();
    lines_agree(&lines(shown), &lines(said))
}

fn lines_agree(shown: &[String], said: &[String]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first == "…" => (0..=said.len()).any(|left_out| lines_agree(rest, &said[left_out..])),
        Some((first, rest)) => {
            said.split_first().is_some_and(|(line, more)| matches(first, line) && lines_agree(rest, more))
        }
    }
}

/// Whether a line is of the form of a pattern, in which `…` stands for any text.
pub fn matches(pattern: &str, line: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('…') else { return pattern == line };
    let Some(behind) = line.strip_prefix(before) else { return false };
    let starts = behind.char_indices().map(|(place, _)| place).chain([behind.len()]);
    starts.into_iter().any(|place| matches(rest, &behind[place..]))
}

/// The line with marks in the place of what may differ.
fn plain(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for place in 0..words.len() {
        let (before, word) = bare(&words[place]);
        let number =
            !word.is_empty() && word.chars().all(|letter| letter.is_ascii_digit() || letter == '.' || letter == ',');
        let next = words.get(place + 1).map(|next| bare(next).1.to_owned()).unwrap_or_default();
        let previous = place.checked_sub(1).map(|previous| bare(&words[previous]).1.to_owned()).unwrap_or_default();
        let mark = match (next.as_str(), previous.as_str()) {
            ("s", _) if number && word.contains('.') => "SECONDS",
            ("B" | "kB" | "MB" | "GB", _) if number => "SIZE",
            ("actions/s" | "rows/s", _) if number => "RATE",
            (_, "process") if number => "PROCESS",
            (_, "lookback") if number && word.contains('.') => "VERSION",
            (_, "key") if word.len() > 1 && word.chars().all(|letter| letter.is_ascii_hexdigit()) => "KEY",
            _ => continue,
        };
        let end = words[place][before.len() + word.len()..].to_owned();
        words[place] = format!("{before}{mark}{end}");
        if mark == "SIZE" {
            // Its unit too may differ.
            words[place + 1] = words[place + 1].replacen(&next, "UNIT", 1);
        }
    }
    words.join(" ")
}

/// What stands before a word, and the word without what stands around it.
fn bare(word: &str) -> (&str, &str) {
    let inner = word.trim_start_matches(['(', '"']);
    (&word[..word.len() - inner.len()], inner.trim_end_matches([')', ',', ';', ':', '.', '"']))
}

#[test]
fn only_what_may_differ_differs() {
    assert!(agrees("done (0.2 s)\nsize            1.0 MB\n", "done (17.0 s)\nsize            998.4 kB\n"));
    assert!(agrees("a\n…\nz … end", "a\nb\nc\nz 1 2 end"));
    assert!(agrees("held (process 12, lookback 0.3.0, key 00ff): x", "held (process 9, lookback 1.0.0, key 01): x"));
    for (shown, said) in [
        ("7 rows (0.2 s)", "8 rows (0.2 s)"),
        ("7 s", "8 s"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("…\nb", "a\nc"),
        ("x … y", "x 1 z"),
        ("key x", "key y"),
        ("", "a"),
    ] {
        assert!(!agrees(shown, said), "{shown:?} must not agree with {said:?}");
    }
}
