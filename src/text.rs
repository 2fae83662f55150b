//! Floor 0, numbers and sentences for people.

/// A count with its thousands apart: 1,234,567.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// A count with its noun, which takes an `s` unless there is one.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// What of these there is any of: `12 late; 3 early`, behind a semicolon each.
pub fn odd(counts: &[(u64, &str)]) -> String {
    let some = counts.iter().filter(|(number, _)| *number > 0);
    some.map(|(number, what)| format!("; {} {what}", count(*number))).collect()
}

/// A size in the largest unit that leaves a number above 1.
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = bytes as f64 / 1_000.0;
    let mut unit = "kB";
    for larger in units {
        unit = larger;
        if value < 1_000.0 {
            break;
        }
        if larger != "TB" {
            value /= 1_000.0;
        }
    }
    if bytes < 1_000 { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// A share of a whole, in per cent: two digits behind the point below 10 %, one from there on.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 9.995 { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_sizes() {
        assert_eq!(
            (count(0), count(999), count(1_000), count(12_345_678)),
            ("0".into(), "999".into(), "1,000".into(), "12,345,678".into())
        );
        assert_eq!((counted(1, "row"), counted(2_000, "row")), ("1 row".into(), "2,000 rows".into()));
        assert_eq!(odd(&[(0, "early"), (1_000, "late"), (2, "new")]), "; 1,000 late; 2 new");
        assert_eq!((size(999), size(1_500), size(2_500_000)), ("999 B".into(), "1.5 kB".into(), "2.5 MB".into()));
        assert_eq!(
            (percent(0.01234), percent(0.56789), percent(1.0)),
            ("1.23 %".into(), "56.8 %".into(), "100.0 %".into())
        );
        assert_eq!((size(7_000_000_000), size(8_000_000_000_000_000)), ("7.0 GB".into(), "8000.0 TB".into()));
    }
}
