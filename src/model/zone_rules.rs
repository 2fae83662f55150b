//! The rules of a time zone: the offset of its clocks from UTC at each instant of the valid years, and the edition of
//! tzdata they come from.
//!
//! Invariant: rules that agree at every instant have equal changes and equal fingerprints, whatever their source and
//! form.

use xxhash_rust::xxh3::xxh3_128;

use super::Day;

/// The first second that rules cover. Clocks are less than 26 hours from UTC, so no instant of a valid day is earlier.
pub(crate) const RULES_BEGIN_S: i64 = -2 * DAY_S;

/// The last second that rules cover; later than any instant of a valid day, and than the beginning of the day after the
/// last.
pub(crate) const RULES_END_S: i64 = (Day::LAST.number() as i64 + 3) * DAY_S;

/// Offsets from UTC are smaller than this, as in TZif files (RFC 9636).
const OFFSET_LIMIT_S: i32 = 26 * 3_600;

const DAY_S: i64 = 86_400;

/// An instant at which the offset changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OffsetChange {
    /// The instant, in seconds since 1970-01-01 UTC.
    pub at_s: i64,
    /// Seconds that clocks are ahead of UTC from this instant on.
    pub offset_s: i32,
}

/// The rules of one zone, from [`RULES_BEGIN_S`] to [`RULES_END_S`]. Memory: about 600 changes, 10 kB, for a zone that
/// changes clocks twice a year.
#[derive(Clone, Debug)]
pub struct ZoneRules {
    version: Option<String>,
    first_offset_s: i32,
    changes: Vec<OffsetChange>,
}

impl ZoneRules {
    /// Returns the rules of UTC.
    pub fn utc() -> Self {
        ZoneRules { version: None, first_offset_s: 0, changes: Vec::new() }
    }

    /// Returns the rules of an edition of tzdata, if known: the offset at the beginning, and the changes after it.
    /// `None` if times do not ascend or lie outside the covered span, an offset is 26 hours or more, a change changes
    /// nothing, or the version is invalid (see [`is_tzdata_version`]).
    pub fn new(version: Option<String>, first_offset_s: i32, changes: Vec<OffsetChange>) -> Option<Self> {
        let mut before = OffsetChange { at_s: RULES_BEGIN_S, offset_s: first_offset_s };
        let is_possible = |offset_s: i32| offset_s.unsigned_abs() < OFFSET_LIMIT_S.unsigned_abs();
        for change in &changes {
            let is_later = change.at_s > before.at_s && change.at_s <= RULES_END_S;
            if !is_later || !is_possible(change.offset_s) || change.offset_s == before.offset_s {
                return None;
            }
            before = *change;
        }
        let is_valid = is_possible(first_offset_s) && version.as_deref().is_none_or(is_tzdata_version);
        is_valid.then_some(ZoneRules { version, first_offset_s, changes })
    }

    /// Returns the edition of tzdata, such as `2026f`; `None` if the source does not give it.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns the edition as text for people.
    pub fn edition(&self) -> String {
        self.version
            .as_ref()
            .map_or_else(|| "an unknown version of tzdata".to_owned(), |version| format!("tzdata {version}"))
    }

    /// Returns how many seconds clocks are ahead of UTC at the beginning.
    pub(crate) fn first_offset_s(&self) -> i32 {
        self.first_offset_s
    }

    /// Returns the offset changes, in order.
    pub fn changes(&self) -> &[OffsetChange] {
        &self.changes
    }

    /// Whether clocks always show UTC.
    pub fn is_utc(&self) -> bool {
        self.agree(&Self::utc())
    }

    /// Whether both give the same offset at every instant, whatever their editions.
    pub(crate) fn agree(&self, other: &Self) -> bool {
        (self.first_offset_s, &self.changes) == (other.first_offset_s, &other.changes)
    }

    /// Whether these rules are of a later edition. A known edition is later than an unknown one.
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        self.version > other.version
    }

    /// Returns the XXH3-128 of the rules, 32 hexadecimal digits. With `until_us` (microseconds), only the changes
    /// before it count.
    pub fn fingerprint(&self, until_us: Option<i64>) -> String {
        let mut bytes = self.first_offset_s.to_le_bytes().to_vec();
        let counts = |change: &&OffsetChange| until_us.is_none_or(|until_us| change.at_s * 1_000_000 < until_us);
        for OffsetChange { at_s, offset_s } in self.changes.iter().take_while(counts) {
            bytes.extend(at_s.to_le_bytes());
            bytes.extend(offset_s.to_le_bytes());
        }
        format!("{:032x}", xxh3_128(&bytes))
    }

    /// Returns how many seconds clocks are ahead of UTC at an instant.
    pub fn offset_at(&self, at_s: i64) -> i32 {
        let after = self.changes.partition_point(|change| change.at_s <= at_s);
        let last = after.checked_sub(1).and_then(|place| self.changes.get(place));
        last.map_or(self.first_offset_s, |change| change.offset_s)
    }

    /// Returns the half-open spans of seconds in which the two offsets differ, in order.
    pub fn differences(&self, other: &Self) -> Vec<(i64, i64)> {
        let mut times: Vec<i64> = self.changes.iter().chain(&other.changes).map(|change| change.at_s).collect();
        times.push(RULES_BEGIN_S);
        times.sort_unstable();
        times.dedup();
        let ends = times.iter().skip(1).copied().chain([RULES_END_S]);
        let spans = times.iter().copied().zip(ends).filter(|(from, _)| self.offset_at(*from) != other.offset_at(*from));
        let mut differences: Vec<(i64, i64)> = Vec::new();
        for (from, to) in spans {
            match differences.last_mut() {
                Some((_, end)) if *end == from => *end = to,
                _ => differences.push((from, to)),
            }
        }
        differences
    }
}

/// Whether a text is a tzdata version: a year, a letter, and possibly more, such as `2026f`. Later versions are greater
/// as texts.
pub(crate) fn is_tzdata_version(text: &str) -> bool {
    let Some((year, rest)) = text.split_at_checked(4) else { return false };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
    year.bytes().all(|digit| digit.is_ascii_digit())
        && rest.starts_with(|letter: char| letter.is_ascii_lowercase())
        && rest.len() <= 32
        && rest.chars().all(is_plain)
}

/// Whether a text is a valid zone name, such as `America/Argentina/Buenos_Aires` or `Etc/GMT+5`: parts separated by
/// `/`, each an ASCII capital followed by letters, digits, `_`, `-`, `+`. So the name is a path below a folder, and
/// matches none of the folder's other files.
pub(crate) fn is_zone_name(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_uppercase())
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-+".contains(letter))
    };
    text.len() <= 64 && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at_s: i64, offset_s: i32) -> OffsetChange {
        OffsetChange { at_s, offset_s }
    }

    #[test]
    fn only_rules_that_can_be_are_rules() {
        let made = |version: Option<&str>, first, changes| ZoneRules::new(version.map(str::to_owned), first, changes);
        assert!(made(Some("2026f"), 3_600, vec![change(0, 7_200), change(1, 3_600)]).is_some());
        for changes in [
            vec![change(0, 0)],
            vec![change(0, 1), change(0, 2)],
            vec![change(1, 1), change(0, 2)],
            vec![change(RULES_BEGIN_S, 1)],
            vec![change(RULES_END_S + 1, 1)],
            vec![change(0, OFFSET_LIMIT_S)],
            vec![change(0, i32::MIN)],
        ] {
            assert!(made(None, 0, changes.clone()).is_none(), "{changes:?}");
        }
        assert!(made(None, -OFFSET_LIMIT_S, Vec::new()).is_none());
        for version in ["", "2026", "2026F", "26f", "2026f\n", "2026fä"] {
            assert!(made(Some(version), 0, Vec::new()).is_none(), "{version:?}");
        }
    }

    #[test]
    fn rules_are_compared_by_what_they_say_and_editions_by_their_names() {
        let made = |version: Option<&str>, changes| ZoneRules::new(version.map(str::to_owned), 0, changes).unwrap();
        let old = made(Some("2025b"), vec![change(0, 1), change(10, 2), change(20, 3)]);
        let new = made(Some("2026f"), vec![change(0, 1), change(10, 4), change(15, 2), change(30, 9)]);
        assert_eq!(old.differences(&new), [(10, 15), (20, RULES_END_S)]);
        assert_eq!(old.differences(&old.clone()), []);
        assert_eq!([-1, 0, 9, 10, 19, 20, 99].map(|at| old.offset_at(at)), [0, 1, 1, 2, 2, 3, 3]);
        assert!(new.is_newer_than(&old) && !old.is_newer_than(&new) && old.is_newer_than(&made(None, Vec::new())));
        assert!(!made(None, Vec::new()).is_newer_than(&made(None, vec![change(1, 1)])));
        assert_ne!(old.fingerprint(None), new.fingerprint(None));
        assert_eq!(old.fingerprint(Some(10_000_000)), new.fingerprint(Some(10_000_000)), "the same before second 10");
        assert_ne!(old.fingerprint(Some(10_000_001)), new.fingerprint(Some(10_000_001)));
    }

    #[test]
    fn names_of_zones_lead_nowhere_else() {
        for name in ["UTC", "Etc/GMT-14", "America/Port-au-Prince", "America/Argentina/Buenos_Aires", "GB-Eire"] {
            assert!(is_zone_name(name), "{name}");
        }
        let long = "A".repeat(65);
        for name in [
            "",
            "/",
            "..",
            "../UTC",
            "Europe/../UTC",
            "/etc/passwd",
            "Europe/",
            "Europe//Berlin",
            "localtime",
            "right/UTC",
            "+VERSION",
            "A\0",
            "Ä",
            "A b",
            &long,
        ] {
            assert!(!is_zone_name(name), "{name:?}");
        }
    }
}
