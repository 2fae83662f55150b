//! What the contract says, done the naive way: keep everything, sort everything, take the first ones.
//!
//! Written from the contract alone; it uses nothing of the program.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, TimeZone};
use chrono_tz::Tz;

use super::input::{RawAction, RawImpression};
use super::output::Row;

/// All batches, as they are now.
#[derive(Clone, Debug)]
pub struct Reference {
    pub tz: Tz,
    pub batches: BTreeMap<NaiveDate, Vec<RawAction>>,
    /// Whether histories hold equal actions once.
    pub drops: bool,
}

/// How rows are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub max_history: usize,
    pub lookback_days: Option<u32>,
    pub known_as_of: Option<NaiveDate>,
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl Reference {
    pub fn new(tz: Tz) -> Self {
        Reference { tz, batches: BTreeMap::new(), drops: false }
    }

    /// 00:00:00 of a day. The zones of the tests have no day without it.
    pub fn midnight(&self, day: NaiveDate) -> i64 {
        let midnight = self.tz.from_local_datetime(&day.and_hms_opt(0, 0, 0).unwrap());
        midnight.earliest().expect("midnight").timestamp_micros()
    }

    pub fn history(&self, customer: i64, dt: NaiveDate, question: &Question) -> Vec<RawAction> {
        let cut_off = self.midnight(dt);
        let from = question.lookback_days.map(|days| self.midnight(dt - Days::new(days.into())));
        let mut actions: Vec<RawAction> = self
            .batches
            .iter()
            .filter(|(batch, _)| question.known_as_of.is_none_or(|known| **batch <= known))
            .flat_map(|(_, actions)| actions)
            .filter(|action| action.customer == customer && action.time_us < cut_off)
            .filter(|action| from.is_none_or(|from| action.time_us >= from))
            .copied()
            .collect();
        actions.sort_by_key(|action| (-action.time_us, -i64::from(action.kind), -action.item));
        if self.drops {
            actions.dedup();
        }
        actions.truncate(question.max_history);
        actions
    }

    /// When the newest action was that is in any row of these impressions, as part files say it.
    pub fn newest_action(&self, dt: NaiveDate, impressions: &[RawImpression], question: &Question) -> Option<String> {
        let shown = impressions.iter().filter(|row| !row.elements.is_empty());
        let newest =
            shown.filter_map(|row| self.history(row.customer, dt, question).first().map(|action| action.time_us));
        newest.max().map(|time_us| {
            assert!(time_us < self.midnight(dt), "strictly before the cut-off");
            let time = chrono::DateTime::from_timestamp_micros(time_us).unwrap().naive_utc();
            format!("{}+00:00", time.format("%F %T.%6f"))
        })
    }

    /// How many rows of these impressions hold an action that a batch of the day or later brought. An action counts
    /// where fewer than `max_history` are strictly before it in the order of histories. Where equal actions are held
    /// once, the first batch that brought one brought it.
    pub fn rows_with_late(&self, dt: NaiveDate, impressions: &[RawImpression], question: &Question) -> usize {
        let has_late = |customer: i64| {
            let history = self.history(customer, dt, &Question { max_history: usize::MAX, ..*question });
            let key = |action: &RawAction| (-action.time_us, -i64::from(action.kind), -action.item);
            let late = self.batches.range(dt..);
            let mut late = late.filter(|(batch, _)| question.known_as_of.is_none_or(|known| **batch <= known));
            let was_known = |action: &RawAction| {
                self.drops && self.batches.range(..dt).any(|(_, actions)| actions.contains(action))
            };
            late.any(|(_, actions)| {
                let of_customer = actions.iter().filter(|action| action.customer == customer && !was_known(action));
                let mut held = of_customer.filter(|action| history.iter().any(|other| key(other) == key(action)));
                held.any(|action| {
                    history.iter().filter(|other| key(other) < key(action)).count() < question.max_history
                })
            })
        };
        impressions.iter().filter(|row| has_late(row.customer)).map(|row| row.elements.len()).sum()
    }

    pub fn rows(&self, dt: NaiveDate, impressions: &[RawImpression], question: &Question) -> Vec<Row> {
        let mut impressions: Vec<_> = impressions
            .iter()
            .map(|row| {
                let elements = row.elements.iter().map(|(item, order)| (*item, i32::from(*order == Some(true))));
                (row.customer, row.ranking_id.clone(), elements.collect::<Vec<_>>())
            })
            .collect();
        impressions.sort();
        let mut rows = Vec::new();
        for (customer, ranking_id, elements) in impressions {
            let history = self.history(customer, dt, question);
            for (position, (item, label)) in elements.into_iter().enumerate() {
                let mut actions = vec![0; question.max_history];
                let mut action_types = vec![0; question.max_history];
                for (place, action) in history.iter().enumerate() {
                    actions[place] = action.item;
                    action_types[place] = i32::from(action.kind);
                }
                rows.push(Row {
                    dt: dt.to_string(),
                    ranking_id: ranking_id.clone(),
                    customer_id: customer,
                    impression_pos: i32::try_from(position).unwrap(),
                    impression_item_id: item,
                    label,
                    actions,
                    action_types,
                    history_length: None,
                    action_ages: None,
                    action_times: None,
                });
            }
        }
        rows
    }

    /// The same rows with the columns that can be asked for: how many actions there are, how many days before the day
    /// each was, and when.
    pub fn rows_with_all(&self, dt: NaiveDate, impressions: &[RawImpression], question: &Question) -> Vec<Row> {
        let mut rows = self.rows(dt, impressions, question);
        for row in &mut rows {
            let history = self.history(row.customer_id, dt, question);
            let (mut ages, mut times) = (vec![0; question.max_history], vec![0; question.max_history]);
            for (place, action) in history.iter().enumerate() {
                let instant = chrono::DateTime::from_timestamp_micros(action.time_us).unwrap();
                let day = instant.with_timezone(&self.tz).date_naive();
                ages[place] = i32::try_from((dt - day).num_days()).unwrap();
                times[place] = action.time_us;
            }
            row.history_length = Some(i32::try_from(history.len()).unwrap());
            (row.action_ages, row.action_times) = (Some(ages), Some(times));
        }
        rows
    }
}
