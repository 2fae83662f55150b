//! Patterns for the files of a day.
//!
//! A pattern is a path below the input root, with parts separated by `/`. A part may contain
//!
//! | text | means |
//! |---|---|
//! | `{dt}` | the day as YYYY-MM-DD |
//! | `{yyyy}`, `{mm}`, `{dd}` | its year in four digits, its month and its day of the month in two |
//! | `{m}`, `{d}` | its month and its day of the month without a leading zero |
//! | `*` | any text, possibly empty; never matches a name that begins with `_` or `.` |
//! | `**` | as a whole part: any number of folders, possibly none, whose names do not begin with `_` or `.` |
//!
//! and other letters, which match themselves. A pattern matches a file, or a folder with all files below it. Everything
//! that depends on the day precedes the first `**`: so one day's files are found without walking through those of other
//! days.

use crate::model::Day;
use crate::text::is_url;

/// A valid pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    text: String,
}

/// One part of a pattern on one day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Component {
    /// An exact name.
    Name(String),
    /// Any name that matches.
    Glob(Glob),
    /// Any number of folders.
    Folders,
}

/// The texts between the `*` of a part; at least two.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glob(Vec<String>);

/// The placeholders for the day and its parts.
const PLACES: [&str; 6] = ["{dt}", "{yyyy}", "{mm}", "{dd}", "{m}", "{d}"];

/// Those of one or two digits: beside each other or beside a `*` they would match other days too.
const SHORT_PLACES: [&str; 2] = ["{m}", "{d}"];

impl Pattern {
    /// Parses a pattern. Fails with what is wrong, as a phrase that follows the text.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if is_url(text.as_ref()) {
            return Err("is a URL, but a pattern is a path below the input root, which is a local folder".to_owned());
        }
        if text.starts_with('/') {
            return Err("begins with /, but a pattern is a path below the input root".to_owned());
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let mut has_folders = false;
        for part in text.split('/') {
            check_part(part)?;
            let tells_day = PLACES.iter().any(|place| part.contains(place));
            if has_folders && tells_day {
                return Err("has ** before the day, so that the folders of all days would be listed".to_owned());
            }
            has_folders |= part == "**";
        }
        let [dt, year, month, day, short_month, short_day] = PLACES.map(|place| text.contains(place));
        let is_told = dt || (year && (month || short_month) && (day || short_day));
        if !is_told {
            return Err(
                "does not contain the day: it needs {dt}, or all of {yyyy}, {mm} or {m}, and {dd} or {d}".to_owned()
            );
        }
        Ok(Pattern { text: text.to_owned() })
    }

    /// Returns the Hive layout: `<folder>/dt=<day>/`. `folder` is a plain name.
    pub(crate) fn hive(folder: &str) -> Self {
        Pattern { text: format!("{folder}/dt={{dt}}") }
    }

    /// Returns the text as a person typed it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns its parts on a day.
    pub fn on(&self, day: Day) -> Vec<Component> {
        let dt = day.to_string();
        let parts = dt.split('-');
        let short = parts.clone().skip(1).map(|part| part.strip_prefix('0').unwrap_or(part));
        let text = PLACES
            .iter()
            .zip(std::iter::once(dt.as_str()).chain(parts).chain(short))
            .fold(self.text.clone(), |text, (place, value)| text.replace(place, value));
        let component = |part: &str| match part {
            "**" => Component::Folders,
            part if part.contains('*') => Component::Glob(Glob(part.split('*').map(str::to_owned).collect())),
            part => Component::Name(part.to_owned()),
        };
        text.split('/').map(component).collect()
    }

    /// Returns the pattern on a day, for people.
    pub fn text_on(&self, day: Day) -> String {
        let parts = self.on(day).into_iter().map(|component| match component {
            Component::Name(name) => name,
            Component::Glob(Glob(texts)) => texts.join("*"),
            Component::Folders => "**".to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

fn check_part(part: &str) -> Result<(), String> {
    if part.is_empty() {
        return Err("has two / with nothing between them".to_owned());
    }
    if part.starts_with(['_', '.']) {
        return Err(format!("has the part {part:?}, but names that begin with _ or . are never matched"));
    }
    if part.contains("**") && part != "**" {
        return Err(format!("has ** in the part {part:?}: it must stand alone between two /"));
    }
    for place in SHORT_PLACES {
        for (before, after) in part.match_indices(place).map(|(at, _)| part.split_at(at)) {
            // Digits in between are no bound: `*1{d}` of day 2 is also the end of day 12.
            let (before, after) = (before.trim_end_matches(is_digit), after.trim_start_matches(place));
            let after = after.trim_start_matches(is_digit);
            let is_open = before.ends_with('*')
                || after.starts_with('*')
                || SHORT_PLACES.iter().any(|other| before.ends_with(other) || after.starts_with(other));
            if is_open {
                return Err(format!(
                    "has the part {part:?}, in which {place} stands beside digits of any number, so that it would match \
                     other days too"
                ));
            }
        }
    }
    let mut rest = part;
    while let Some(at) = rest.find(['{', '}', '\\', '\0']) {
        let (_, found) = rest.split_at(at);
        let Some(after) = PLACES.iter().find_map(|place| found.strip_prefix(place)) else {
            return Err(format!("has the part {part:?}, in which only {} may stand in braces", PLACES.join(", ")));
        };
        rest = after;
    }
    Ok(())
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

impl Glob {
    /// Whether a name matches. A name that begins with `_` or `.` never does.
    pub fn matches(&self, name: &str) -> bool {
        let Glob(texts) = self;
        let ([first, middle @ .., last], false) = (texts.as_slice(), name.starts_with(['_', '.'])) else {
            return false;
        };
        let Some(mut rest) = name.strip_prefix(first.as_str()) else { return false };
        for text in middle {
            // The first occurrence is always right: it leaves the most text for the rest of the pattern.
            let Some((_, after)) = rest.split_once(text.as_str()) else { return false };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day() -> Day {
        "2026-01-02".parse().unwrap()
    }

    #[test]
    fn the_day_is_put_in_and_the_rest_stays() {
        let on = |text: &str| Pattern::new(text).unwrap().text_on(day());
        assert_eq!(on("clicks/dt={dt}"), "clicks/dt=2026-01-02");
        assert_eq!(on("events/{dt}/clicks-*.parquet"), "events/2026-01-02/clicks-*.parquet");
        assert_eq!(on("{yyyy}/{mm}/{dd}/**/*.parquet"), "2026/01/02/**/*.parquet");
        assert_eq!(on("log-{yyyy}{mm}{dd}.csv.gz"), "log-20260102.csv.gz");
        assert_eq!(on("*/dt={dt}/"), "*/dt=2026-01-02");
        assert_eq!(on("year={yyyy}/month={m}/day={d}"), "year=2026/month=1/day=2");
        assert_eq!(on("{yyyy}/{m}-{dd}/{mm}.{d}.*"), "2026/1-02/01.2.*");
        let late = Pattern::new("{yyyy}/{m}/{d}").unwrap().text_on("2026-12-31".parse().unwrap());
        assert_eq!(late, "2026/12/31");
        assert_eq!(Pattern::new("{yyyy}/{m}/{d}").unwrap().text_on("2026-10-20".parse().unwrap()), "2026/10/20");
        assert_eq!(Pattern::hive("clicks"), Pattern::new("clicks/dt={dt}").unwrap());
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let why = |text: &str| Pattern::new(text).unwrap_err();
        assert!(why("").contains("empty"));
        assert!(why("/data/{dt}").contains("below the input root"));
        assert!(why("a//{dt}").contains("nothing between"));
        assert!(why("s3://b/clicks/{dt}").contains("is a URL"));
        assert!(why("../{dt}").contains("begin with _ or ."));
        assert!(why("_tmp/{dt}").contains("begin with _ or ."));
        assert!(why("a/b").contains("does not contain the day"));
        assert!(why("{yyyy}/{mm}").contains("does not contain the day"));
        assert!(why("{yyyy}/{m}").contains("does not contain the day"));
        assert!(why("**/{yyyy}/{m}/{d}").contains("all days"));
        for part in ["{d}*", "*{d}", "*1{d}", "{d}0*", "{m}{d}", "{d}{m}", "{m}{d}", "{d}{d}", "a{m}5{d}b"] {
            assert!(why(&format!("{{yyyy}}/{{mm}}/{{dd}}/{part}")).contains("other days too"), "{part}");
        }
        assert!(why("**/{dt}").contains("all days"));
        assert!(why("{dt}/a**").contains("must stand alone"));
        for text in ["{day}", "{dt", "dt}", "{dt}/{x}", "{dt}\\a"] {
            assert!(why(text).contains("in braces"), "{text}");
        }
    }

    #[test]
    fn names_that_match() {
        let matches =
            |pattern: &str, name: &str| match Pattern::new(&format!("{{dt}}/{pattern}")).unwrap().on(day()).pop() {
                Some(Component::Glob(glob)) => glob.matches(name),
                other => panic!("{other:?}"),
            };
        for name in ["clicks-.parquet", "clicks-1.parquet", "clicks-a.parquet.parquet"] {
            assert!(matches("clicks-*.parquet", name), "{name}");
        }
        for name in ["clicks.parquet", "xclicks-1.parquet", "clicks-1.parquet2", "_clicks-1.parquet", ""] {
            assert!(!matches("clicks-*.parquet", name), "{name}");
        }
        assert!(matches("*", "x") && !matches("*", "_x") && !matches("*", ".x") && !matches("*_SUCCESS", "_SUCCESS"));
        assert!(matches("a*b*a", "aba") && !matches("a*b*a", "ab") && !matches("aa*aa", "aaa"));
    }

    /// Tries every way to assign letters to each `*`.
    fn naively(texts: &[String], name: &str) -> bool {
        match texts {
            [] => false,
            [last] => name == last,
            [first, rest @ ..] => name
                .strip_prefix(first.as_str())
                .is_some_and(|left| (0..=left.len()).any(|at| naively(rest, &left[at..]))),
        }
    }

    proptest! {
        #[test]
        fn a_glob_matches_what_some_text_for_each_star_makes(texts in proptest::collection::vec("[ab]{0,2}", 2..5), name in "[ab]{0,9}") {
            prop_assert_eq!(Glob(texts.clone()).matches(&name), naively(&texts, &name));
        }

        #[test]
        fn any_text_is_a_pattern_or_an_error(text in "([a_.*/{}dtymé-]|\\{dt\\}|\\{yyyy\\}|\\{m\\}|\\{d\\}|\\{dd\\}|\\{mm\\}|\\*){0,12}") {
            if let Ok(pattern) = Pattern::new(&text) {
                prop_assert!(!pattern.on(day()).is_empty());
                prop_assert_ne!(pattern.text_on(day()), pattern.text_on(day().next().unwrap()));
            }
        }
    }
}
