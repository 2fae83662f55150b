//! Compares the expected rows of a customer with the partition's next rows.

use super::difference::{cell, differs, impression_source};
use super::group::{Case, Wanted};
use super::padded::Padded;
use super::raw::{Place, RawImpression};
use super::rows::{FoundRow, Rows};
use crate::error::{Error, Result};
use crate::model::ExtraColumn;
use crate::output::ProducedRow;

/// What distinguishes a row from its neighbours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Key<'a> {
    pub customer: i64,
    pub ranking_id: Option<&'a str>,
    pub position: i32,
    pub item: i64,
}

/// An expected row, without its history.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub key: Key<'a>,
    pub label: i32,
    /// The position of its impression in the raw files.
    pub place: Place,
}

/// Compares rows one after the other and counts.
///
/// Memory: two padded histories, and the rows of the customer without theirs.
pub(super) struct Comparison<'a> {
    wanted: Wanted<'a>,
    dt: String,
    /// Rows compared.
    pub rows: u64,
    /// Cells compared, including each element of the lists.
    pub cells: u64,
    /// The newest action in the rows of each part file.
    pub newest_us: Vec<Option<i64>>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(wanted: Wanted<'a>, parts: usize) -> Self {
        Comparison { wanted, dt: wanted.dt.to_string(), rows: 0, cells: 0, newest_us: vec![None; parts] }
    }

    /// Compares all rows of a customer. `next` is the customer whose rows follow, if known.
    pub(super) fn customer(
        &mut self,
        customer: i64,
        case: &Case,
        next: Option<(i64, &Case)>,
        rows: &mut Rows<'_>,
    ) -> Result<()> {
        let history = Padded::of(case, &self.wanted)?;
        let expected: Vec<Expected<'_>> = expected_rows(customer, case).collect();
        let second = next.and_then(|(customer, case)| expected_rows(customer, case).next());
        let following = expected.iter().skip(1).copied().map(Some).chain([second]);
        for (expected, following) in expected.iter().zip(following) {
            self.shown(expected, following.map(|row| row.key), rows)?;
            if let Some(found) = rows.ahead(0) {
                self.history(case, &history, found, rows)?;
            }
            rows.step();
        }
        Ok(())
    }

    /// Compares the next row, without its history. `following` is the expected row after it, if known.
    pub(super) fn shown(
        &mut self,
        expected: &Expected<'_>,
        following: Option<Key<'_>>,
        rows: &mut Rows<'_>,
    ) -> Result<()> {
        rows.look(3)?;
        let Some(FoundRow { part, row: found }) = rows.ahead(0) else { return Err(self.ends_early(expected)) };
        if let Some((column, is, says)) = self.shown_difference(expected, found) {
            let found_keys = [0, 1, 2].map(|place| rows.ahead(place).map(|found| key_of(&found.row)));
            let misplaced = misplacement(expected.key, following, found_keys);
            return Err(differs(&cell(rows.path(*part)?, found.row, column), &is, &format!("{says}{misplaced}")));
        }
        self.rows += 1;
        self.cells += 5 + u64::from(self.wanted.columns.with.has(ExtraColumn::Dt));
        Ok(())
    }

    /// Compares the history of a row of this case's customer.
    pub(super) fn history(&mut self, case: &Case, history: &Padded, found: &FoundRow, rows: &Rows<'_>) -> Result<()> {
        let FoundRow { part, row } = found;
        if let Some((column, is, says)) = history.difference(case, row, &self.wanted) {
            return Err(differs(&cell(rows.path(*part)?, row.row, &column), &is, &says));
        }
        self.cells += history.cells();
        let newest = case.actions.first().map(|action| action.time_us);
        if let Some(of_part) = self.newest_us.get_mut(*part) {
            *of_part = (*of_part).max(newest);
        }
        Ok(())
    }

    /// Returns the first differing cell before the history: its column, its value, and the value in the raw files.
    fn shown_difference(&self, expected: &Expected<'_>, found: &ProducedRow) -> Option<(&'static str, String, String)> {
        let Expected { key, label, place } = expected;
        let dt = found.dt.as_ref().unwrap_or(&self.dt);
        if *dt == self.dt && key_of(found) == *key && found.label == *label {
            return None;
        }
        let name = |ranking_id: Option<&str>| ranking_id.map_or_else(|| "null".to_owned(), |name| format!("{name:?}"));
        let cells = [
            ("dt", dt.clone(), self.dt.clone()),
            ("customer_id", found.customer_id.to_string(), key.customer.to_string()),
            ("ranking_id", name(found.ranking_id.as_deref()), name(key.ranking_id)),
            ("impression_pos", found.impression_pos.to_string(), key.position.to_string()),
            ("impression_item_id", found.impression_item_id.to_string(), key.item.to_string()),
            ("label", found.label.to_string(), label.to_string()),
        ];
        let shown = || format!("(the impression in {})", impression_source(self.wanted.sources, *place));
        let mut differing = cells.into_iter().filter(|(_, is, says)| is != says);
        differing.next().map(|(column, is, says)| (column, is, format!("{says} {}", shown())))
    }

    fn ends_early(&self, expected: &Expected<'_>) -> Error {
        let source = impression_source(self.wanted.sources, expected.place);
        let Key { customer, position, .. } = expected.key;
        differs(
            &format!("the partition of {}", self.dt),
            &format!("at its end after {} audited rows", self.rows),
            &format!(
                "that a row of customer {customer} follows, with impression_pos {position} (the impression in {source})"
            ),
        )
    }
}

fn expected_rows(customer: i64, case: &Case) -> impl Iterator<Item = Expected<'_>> {
    case.impressions.iter().flat_map(move |impression| expected_rows_of(customer, impression))
}

/// Returns the rows of one impression, in the order of its list.
pub(super) fn expected_rows_of(customer: i64, impression: &RawImpression) -> impl Iterator<Item = Expected<'_>> {
    (0..).zip(&impression.elements).map(move |(position, (item, label))| {
        let ranking_id = impression.ranking_id.as_deref();
        Expected { key: Key { customer, ranking_id, position, item: *item }, label: *label, place: impression.place }
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

/// Returns how the rows seem to be misaligned, as the end of a sentence, judging by the next two expected rows and the
/// next three found.
fn misplacement(expected: Key<'_>, following: Option<Key<'_>>, found: [Option<Key<'_>>; 3]) -> &'static str {
    let [next, second, third] = found;
    if next == Some(expected) {
        return "";
    }
    match (next == following, second == Some(expected)) {
        (true, true) if third != following => "; this row and the next are swapped",
        (true, false) => "; the row that belongs here is missing",
        (_, true) => "; this row is one too many",
        (false, false) => "",
    }
}
