//! The rows of a customer as they should be, against those that come next.

use super::difference::{action_source, cell, differs, impression_source};
use super::group::{Case, RawImpression, Wanted};
use super::rows::{FoundRow, Rows};
use crate::error::{Error, Result};
use crate::files::ProducedRow;

/// What tells a row from its neighbours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Key<'a> {
    customer: i64,
    ranking_id: Option<&'a str>,
    position: i32,
    item: i64,
}

/// One row as it should be, but for the history.
#[derive(Clone, Copy)]
struct Expected<'a> {
    key: Key<'a>,
    label: i32,
    impression: &'a RawImpression,
}

/// The history of a customer as a row has it.
struct Padded {
    actions: Vec<i64>,
    action_types: Vec<i32>,
}

/// Compares rows one after the other and counts.
///
/// Memory: two padded histories, and the rows of the customer without theirs.
pub(super) struct Comparison<'a> {
    wanted: Wanted<'a>,
    dt: String,
    /// Rows compared.
    pub rows: u64,
    /// Cells compared, each element of the lists among them.
    pub cells: u64,
    /// The newest action in the rows of each part file.
    pub newest_us: Vec<Option<i64>>,
}

impl<'a> Comparison<'a> {
    pub fn new(wanted: Wanted<'a>, parts: usize) -> Self {
        Comparison { wanted, dt: wanted.dt.to_string(), rows: 0, cells: 0, newest_us: vec![None; parts] }
    }

    /// Compares all rows of a customer. `next` is the customer whose rows come behind, if that is known.
    pub fn customer(&mut self, customer: i64, case: &Case, next: Option<(i64, &Case)>, rows: &mut Rows) -> Result<()> {
        let history = self.padded(case);
        let expected: Vec<Expected<'_>> = expected_rows(customer, case).collect();
        let behind = next.and_then(|(customer, case)| expected_rows(customer, case).next());
        let following = expected.iter().skip(1).copied().map(Some).chain([behind]);
        for (expected, following) in expected.iter().zip(following) {
            self.row(case, expected, following.map(|row| row.key), &history, rows)?;
            rows.step();
        }
        Ok(())
    }

    fn row(
        &mut self,
        case: &Case,
        expected: &Expected<'_>,
        following: Option<Key<'_>>,
        history: &Padded,
        rows: &mut Rows,
    ) -> Result<()> {
        rows.look(3)?;
        let Some(FoundRow { part, row: found }) = rows.ahead(0) else { return Err(self.ends_early(expected)) };
        if let Some((column, is, says)) = self.first_difference(case, expected, history, found) {
            let found_keys = [0, 1, 2].map(|place| rows.ahead(place).map(|found| key_of(&found.row)));
            let misplaced = misplacement(expected.key, following, found_keys);
            return Err(differs(&cell(rows.path(*part), found.row, &column), &is, &format!("{says}{misplaced}")));
        }
        self.rows += 1;
        self.cells += 6 + 2 * history.actions.len() as u64;
        let newest = case.actions.first().map(|action| action.time_us);
        if let Some(of_part) = self.newest_us.get_mut(*part) {
            *of_part = (*of_part).max(newest);
        }
        Ok(())
    }

    /// The first cell that differs: its column, what it is, and what the raw files say.
    fn first_difference(
        &self,
        case: &Case,
        expected: &Expected<'_>,
        history: &Padded,
        found: &ProducedRow,
    ) -> Option<(String, String, String)> {
        let Expected { key, label, impression } = expected;
        let same_lists = found.actions == history.actions && found.action_types == history.action_types;
        if found.dt == self.dt && key_of(found) == *key && found.label == *label && same_lists {
            return None;
        }
        let name = |ranking_id: Option<&str>| ranking_id.map_or_else(|| "null".to_owned(), |name| format!("{name:?}"));
        let cells = [
            ("dt", found.dt.clone(), self.dt.clone()),
            ("customer_id", found.customer_id.to_string(), key.customer.to_string()),
            ("ranking_id", name(found.ranking_id.as_deref()), name(key.ranking_id)),
            ("impression_pos", found.impression_pos.to_string(), key.position.to_string()),
            ("impression_item_id", found.impression_item_id.to_string(), key.item.to_string()),
            ("label", found.label.to_string(), label.to_string()),
        ];
        let shown = || format!("(the impression in {})", impression_source(self.wanted.sources, impression.place));
        for (column, is, says) in cells {
            if is != says {
                return Some((column.to_owned(), is, format!("{says} {}", shown())));
            }
        }
        let lengths = [("actions", found.actions.len()), ("action_types", found.action_types.len())];
        for (column, length) in lengths {
            if length != history.actions.len() {
                let is = format!("a list of {length}");
                return Some((column.to_owned(), is, format!("a list of {}", history.actions.len())));
            }
        }
        let items = found.actions.iter().zip(&history.actions);
        if let Some(place) = items.clone().position(|(is, says)| is != says) {
            let (is, says) = items.clone().nth(place)?;
            return Some(self.element(case, "actions", place, is.to_string(), says.to_string()));
        }
        let types = found.action_types.iter().zip(&history.action_types);
        let place = types.clone().position(|(is, says)| is != says)?;
        let (is, says) = types.clone().nth(place)?;
        Some(self.element(case, "action_types", place, is.to_string(), says.to_string()))
    }

    /// A place in a list, from 1, and the action that belongs there.
    fn element(&self, case: &Case, column: &str, place: usize, is: String, says: String) -> (String, String, String) {
        let source = match case.actions.get(place) {
            Some(action) => {
                let Wanted { sources, types, zone, .. } = self.wanted;
                format!("{says}, {}", action_source(sources, types, action, zone))
            }
            None => format!("{says}, the padding behind {} actions", case.actions.len()),
        };
        (format!("{column} place {}", place + 1), is, source)
    }

    fn padded(&self, case: &Case) -> Padded {
        let mut actions: Vec<i64> = case.actions.iter().map(|action| action.item).collect();
        let mut action_types: Vec<i32> = case.actions.iter().map(|action| i32::from(action.kind)).collect();
        actions.resize(self.wanted.max_history, 0);
        action_types.resize(self.wanted.max_history, 0);
        Padded { actions, action_types }
    }

    fn ends_early(&self, expected: &Expected<'_>) -> Error {
        let source = impression_source(self.wanted.sources, expected.impression.place);
        let Key { customer, position, .. } = expected.key;
        differs(
            &format!("the partition of {}", self.dt),
            &format!("at its end after {} audited rows", self.rows),
            &format!(
                "that a row of customer {customer} comes, with impression_pos {position} (the impression in {source})"
            ),
        )
    }
}

fn expected_rows(customer: i64, case: &Case) -> impl Iterator<Item = Expected<'_>> {
    case.impressions.iter().flat_map(move |impression| {
        (0..).zip(&impression.elements).map(move |(position, (item, label))| {
            let ranking_id = impression.ranking_id.as_deref();
            Expected { key: Key { customer, ranking_id, position, item: *item }, label: *label, impression }
        })
    })
}

fn key_of(row: &ProducedRow) -> Key<'_> {
    Key {
        customer: row.customer_id,
        ranking_id: row.ranking_id.as_deref(),
        position: row.impression_pos,
        item: row.impression_item_id,
    }
}

/// How the rows seem to have come out of step, as the end of a sentence: told by the next two that should come and the next three that do.
fn misplacement(expected: Key<'_>, following: Option<Key<'_>>, found: [Option<Key<'_>>; 3]) -> &'static str {
    let [next, behind, third] = found;
    if next == Some(expected) {
        return "";
    }
    match (next == following, behind == Some(expected)) {
        (true, true) if third != following => "; this row and the next stand in each other's place",
        (true, false) => "; the row that belongs here is missing",
        (_, true) => "; a row too many stands here",
        (false, false) => "",
    }
}
