//! The expected padded history of a row, and its first difference from the history found.

use super::difference::action_source;
use super::group::{Case, Wanted};
use crate::error::Result;
use crate::exact::Held;
use crate::model::{ExtraColumn, display_utc};
use crate::output::ProducedRow;

/// The history of a customer as in a row, computed from the raw actions.
///
/// Memory: 12 bytes an action, 4 more with ages, 8 more with times.
pub(super) struct Padded {
    actions: Vec<i64>,
    action_types: Vec<i32>,
    length: Option<i32>,
    ages: Option<Vec<i32>>,
    times: Option<Vec<i64>>,
}

/// A cell that differs: its column and position, its value, and the value in the raw files.
type Difference = (String, String, String);

/// How a list differs from the expected list.
enum Differing {
    /// Its length differs: this is the length found.
    Length(usize),
    /// The first element that differs: its position, the value found, and the value expected.
    Element(usize, String, String),
}

impl Padded {
    /// Returns the history of a customer, with the columns that the rows have.
    pub(super) fn of(case: &Case, wanted: &Wanted<'_>) -> Result<Self> {
        let has = |column| wanted.columns.with.has(column);
        let age = |time_us: i64| {
            let day = wanted.zone.day_of(time_us).held("an action that counts is on a valid day")?;
            Ok(wanted.dt.number() - day.number())
        };
        let padding = wanted.max_history.saturating_sub(case.actions.len());
        let zeros = || std::iter::repeat_n(0, padding);
        let actions = || case.actions.iter();
        let small_zeros = || zeros().map(|_: i64| 0_i32);
        let length = i32::try_from(case.actions.len()).held("the length of a history fits its column")?;
        let ages =
            || actions().map(|action| age(action.time_us)).chain(small_zeros().map(Ok)).collect::<Result<Vec<i32>>>();
        Ok(Padded {
            actions: actions().map(|action| action.item).chain(zeros()).collect(),
            action_types: actions().map(|action| i32::from(action.kind)).chain(small_zeros()).collect(),
            length: has(ExtraColumn::HistoryLength).then_some(length),
            ages: has(ExtraColumn::ActionAges).then(ages).transpose()?,
            times: has(ExtraColumn::ActionTimes)
                .then(|| actions().map(|action| action.time_us).chain(zeros()).collect()),
        })
    }

    /// Returns the number of cells, each element of the lists one.
    pub(super) fn cells(&self) -> u64 {
        let lists = 2 + u64::from(self.ages.is_some()) + u64::from(self.times.is_some());
        lists * self.actions.len() as u64 + u64::from(self.length.is_some())
    }

    /// Returns the first cell in which a row of the customer differs.
    pub(super) fn difference(&self, case: &Case, found: &ProducedRow, wanted: &Wanted<'_>) -> Option<Difference> {
        let Padded { actions, action_types, length, ages, times } = self;
        let name = |column: &str, differs: Option<Differing>| Some(self.named(case, wanted, column, differs?));
        let length_differs = || {
            let text = |length: Option<i32>| length.map_or_else(|| "missing".to_owned(), |length| length.to_string());
            let says = format!("{}, the number of the customer's actions", text(*length));
            (*length != found.history_length).then(|| ("history_length".to_owned(), text(found.history_length), says))
        };
        name("actions", differing(&found.actions, actions, i64::to_string))
            .or_else(|| name("action_types", differing(&found.action_types, action_types, i32::to_string)))
            .or_else(length_differs)
            .or_else(|| name("action_ages", differing(or_none(&found.action_ages), or_none(ages), i32::to_string)))
            .or_else(|| {
                let time = |time_us: &i64| display_utc(*time_us);
                name("action_times", differing(or_none(&found.action_times), or_none(times), time))
            })
    }

    /// Returns the sentence's parts: a position in a list, from 1, and the action expected there.
    fn named(&self, case: &Case, wanted: &Wanted<'_>, column: &str, differs: Differing) -> Difference {
        let (place, is, says) = match differs {
            Differing::Length(length) => {
                let says = format!("a list of {}", self.actions.len());
                return (column.to_owned(), format!("a list of {length}"), says);
            }
            Differing::Element(place, is, says) => (place, is, says),
        };
        let source = match case.actions.get(place) {
            Some(action) => format!("{says}, {}", action_source(wanted.sources, wanted.types, action, wanted.zone)),
            None => format!("{says}, the padding after {} actions", case.actions.len()),
        };
        (format!("{column} place {}", place + 1), is, source)
    }
}

fn or_none<T>(list: &Option<Vec<T>>) -> &[T] {
    list.as_deref().unwrap_or_default()
}

fn differing<T: PartialEq>(found: &[T], expected: &[T], text: impl Fn(&T) -> String) -> Option<Differing> {
    if found == expected {
        return None;
    }
    if found.len() != expected.len() {
        return Some(Differing::Length(found.len()));
    }
    let mut pairs = found.iter().zip(expected).enumerate();
    let (place, (is, says)) = pairs.find(|(_, (is, says))| is != says)?;
    Some(Differing::Element(place, text(is), text(says)))
}
