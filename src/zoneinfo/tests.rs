//! Tests zones with the program's rules, and folders of all kinds.

use super::*;
use crate::model::Day;

const DAY_US: i64 = 86_400_000_000;

fn us(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn a_folder_of_any_name_is_one_line_for_people_and_itself_for_json() {
    let source = RulesSource::Folder("zo\nnes".into());
    assert_eq!((source.to_string(), source.plain()), ("zo\\nnes".to_owned(), "zo\nnes".to_owned()));
    assert_eq!(RulesSource::Program.plain(), "the program");
}

#[test]
fn days_of_23_and_25_hours() {
    let zone = bundled_zone("Europe/Berlin").unwrap();
    let hours = |text: &str| (zone.start_of(day(text).next().unwrap()) - zone.start_of(day(text))) / 3_600_000_000;
    assert_eq!((hours("2026-03-29"), hours("2026-10-25"), hours("2026-06-01")), (23, 25, 24));
    assert_eq!(zone.start_of(day("2026-03-29")), us("2026-03-28T23:00:00Z"));
    assert_eq!(zone.start_of(day("2026-03-30")), us("2026-03-29T22:00:00Z"));
}

#[test]
fn midnight_that_never_happens_begins_after_the_gap() {
    // Clocks in Sao Paulo went from 00:00 to 01:00 on 2018-11-04.
    let zone = bundled_zone("America/Sao_Paulo").unwrap();
    assert_eq!(zone.start_of(day("2018-11-04")), us("2018-11-04T03:00:00Z"));
    assert_eq!(zone.day_of(us("2018-11-04T02:59:59Z")), Some(day("2018-11-03")));
}

#[test]
fn midnight_that_happens_twice_begins_at_the_first() {
    // Clocks in St. John's went from 00:01 back to 23:01 on 2010-11-07: the minute after midnight came twice.
    let zone = bundled_zone("America/St_Johns").unwrap();
    let start = zone.start_of(day("2010-11-07"));
    assert_eq!(start, us("2010-11-07T02:30:00Z"));
    assert_eq!(zone.day_of(start + 30 * 60_000_000), Some(day("2010-11-07")), "a day that has begun stays begun");
}

#[test]
fn a_skipped_day_is_empty() {
    // Samoa skipped 2011-12-30.
    let zone = bundled_zone("Pacific/Apia").unwrap();
    assert_eq!(zone.start_of(day("2011-12-30")), zone.start_of(day("2011-12-31")));
    assert_eq!(zone.day_of(us("2011-12-30T10:00:00Z")), Some(day("2011-12-31")));
    assert_eq!(zone.day_of(us("2011-12-30T09:59:59Z")), Some(day("2011-12-29")));
}

#[test]
fn wall_times_in_gaps_and_overlaps_follow_java_time() {
    let zone = bundled_zone("Europe/Berlin").unwrap();
    let wall = |text: &str| zone.instant_of(text.parse().unwrap());
    assert_eq!(wall("2026-03-29T02:30:00"), us("2026-03-29T03:30:00+02:00"));
    assert_eq!(wall("2026-10-25T02:30:00"), us("2026-10-25T02:30:00+02:00"));
    assert_eq!(wall("2026-07-01T12:00:00"), us("2026-07-01T12:00:00+02:00"));
}

#[test]
fn day_of_is_the_inverse_of_start_of_in_every_zone() {
    for name in bundled_names() {
        let zone = bundled_zone(name).unwrap();
        for number in (0..30_000).step_by(7).chain([Day::LAST.number()]) {
            let day = Day::from_number(number).unwrap();
            let start = zone.start_of(day);
            let empty = day.next().is_some_and(|next| zone.start_of(next) == start);
            if !empty {
                assert_eq!(zone.day_of(start), Some(day), "{name} {day}");
            }
            assert!(zone.day_of(start - 1) < Some(day), "{name} {day}");
        }
    }
}

#[test]
fn instants_outside_the_valid_years_have_no_day() {
    for zone in [Zone::utc(), bundled_zone("Asia/Tokyo").unwrap(), bundled_zone("America/New_York").unwrap()] {
        let first = zone.start_of(Day::FIRST);
        assert_eq!(zone.day_of(first), Some(Day::FIRST));
        assert_eq!(zone.day_of(first - 1), None);
        let end = zone.start_of(Day::LAST) + DAY_US;
        assert_eq!(zone.day_of(end - 1), Some(Day::LAST));
        assert_eq!(zone.day_of(end), None, "{}", zone.name());
        assert_eq!((zone.day_of(i64::MIN), zone.day_of(i64::MAX)), (None, None));
    }
}
