//! Which days stand out: one rule for all figures.

use super::Day;
use crate::text::percent;

/// A day is compared with this many earlier days that have a figure.
pub(crate) const DAYS_BEFORE: usize = 7;

/// How many scaled median absolute deviations a day must be away from the median.
const DEVIATIONS: f64 = 5.0;

/// Scales the median absolute deviation of normally distributed numbers to their standard deviation.
const MAD_SCALE: f64 = 1.482_6;

/// The fraction of the median by which a day must differ from the median.
const MEDIAN_FRACTION: f64 = 0.2;

/// How many of the earlier days must differ from the day in the same direction, each by a tenth of the median or more.
/// One less than all, so that one unusual day does not hide the next, and two weekend days among the earlier days keep
/// the next weekend from being marked.
const ON_THE_OTHER_SIDE: usize = DAYS_BEFORE - 1;

/// The rule in words, for the page.
#[cfg(feature = "report")]
pub(crate) const RULE: &str = "A day is marked if its figure is further from the median of the seven days before it (those that have the figure) than five times \
    their median absolute deviation (times 1.4826, as for a standard deviation), further than a fifth of that median, and above or below at least six of the \
    seven by more than a tenth of the median. A share must also differ by at least half a percentage point. The first seven days are never marked.";

/// A day that deviates strongly from the days before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Anomaly {
    /// The day.
    pub day: Day,
    /// Its figure.
    pub value: f64,
    /// The median of the seven days before.
    pub median: f64,
}

impl Anomaly {
    /// Describes the anomaly: `actions 812,345, 62.5 % above the median of the seven batches before (500,000)`. The
    /// arguments name the figure and what it belongs to; `in_words` formats a value. A ratio differs by percentage
    /// points, any other figure by a part of the median.
    pub(crate) fn description(
        &self,
        (name, things): (&str, &str),
        is_ratio: bool,
        in_words: impl Fn(f64) -> String,
    ) -> String {
        let Anomaly { value, median, .. } = *self;
        let side = if value > median { "above" } else { "below" };
        let difference = (value - median).abs();
        let by = match is_ratio {
            true => format!("{:.2} percentage points", difference * 100.0),
            false if median > 0.0 => percent(difference / median),
            false => in_words(difference),
        };
        let (value, median) = (in_words(value), in_words(median));
        format!("{name} {value}, {by} {side} the median of the seven {things} before ({median})")
    }
}

/// Returns the days of an ascending series that deviate strongly from the seven days before each. A difference below
/// `least` never counts. The result depends on the series alone.
pub(crate) fn anomaly(series: &[(Day, f64)], least: f64) -> Vec<Anomaly> {
    let windows = series.windows(DAYS_BEFORE + 1);
    let anomalies = windows.filter_map(|window| {
        let ((day, value), before) = window.split_last()?;
        let before: Vec<f64> = before.iter().map(|(_, value)| *value).collect();
        let median = deviates(*value, &before, least)?;
        Some(Anomaly { day: *day, value: *value, median })
    });
    anomalies.collect()
}

/// Returns the median of the earlier values if the value deviates from them.
fn deviates(value: f64, before: &[f64], least: f64) -> Option<f64> {
    let middle = median(before.to_vec())?;
    let deviation = median(before.iter().map(|one| (one - middle).abs()).collect())?;
    let distance = (value - middle).abs();
    let is_far =
        distance > DEVIATIONS * MAD_SCALE * deviation && distance > MEDIAN_FRACTION * middle.abs() && distance >= least;
    let margin = middle.abs() / 10.0;
    let above = before.iter().filter(|one| value > *one + margin).count();
    let below = before.iter().filter(|one| value < *one - margin).count();
    (is_far && above.max(below) >= ON_THE_OTHER_SIDE).then_some(middle)
}

/// Returns the middle value; of an even number of values, the lower of the middle two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(values: &[f64], least: f64) -> Vec<usize> {
        let day = |number: usize| Day::from_number(i32::try_from(number).unwrap()).unwrap();
        let series: Vec<_> = values.iter().enumerate().map(|(place, value)| (day(place), *value)).collect();
        let anomalies = anomaly(&series, least);
        assert!(anomalies.iter().all(|anomaly| series.contains(&(anomaly.day, anomaly.value))));
        anomalies.iter().map(|anomaly| usize::try_from(anomaly.day.number()).unwrap()).collect()
    }

    #[test]
    fn a_day_that_deviates_strongly_is_marked_and_does_not_hide_the_next() {
        let even = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0];
        let with = |more: &[f64]| [&even[..], more].concat();
        assert_eq!(marked(&with(&[119.0]), 0.0), [] as [usize; 0], "within a fifth");
        assert_eq!(marked(&with(&[121.0]), 0.0), [7]);
        assert_eq!(marked(&with(&[79.0]), 0.0), [7]);
        assert_eq!(marked(&with(&[500.0, 100.0, 500.0]), 0.0), [7, 9]);
        assert_eq!(marked(&with(&[0.0]), 0.0), [7], "nothing at all");
        assert_eq!(marked(&even[1..], 0.0), [] as [usize; 0], "too few days before");
    }

    #[test]
    fn days_that_differ_much_anyway_and_weekends_are_not_marked() {
        assert_eq!(marked(&[50.0, 150.0, 80.0, 120.0, 60.0, 140.0, 100.0, 190.0], 0.0), [] as [usize; 0]);
        let week = [100.0, 100.0, 100.0, 100.0, 100.0, 60.0, 60.0];
        assert_eq!(marked(&week.repeat(4), 0.0), [] as [usize; 0]);
        // A working day with a weekend's figure deviates no more than a weekend does; an empty weekend deviates.
        let mut weeks = week.repeat(3);
        weeks[19] = 0.0;
        assert_eq!(marked(&weeks, 0.0), [19]);
    }

    #[test]
    fn a_share_must_differ_by_what_counts() {
        let mut shares = vec![0.001; 7];
        shares.push(0.004);
        assert_eq!(marked(&shares, 0.005), [] as [usize; 0]);
        assert_eq!(marked(&shares, 0.0), [7]);
    }
}
