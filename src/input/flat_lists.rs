//! The flat layout of impressions: single items, which rows equal in customer and ranking id make lists of.

use super::written::Written;
use crate::error::{Error, Result};
use crate::message::message;
use crate::model::{CustomerId, Element, Impression};
use crate::resources::Resources;
use crate::sort::{Fields, Record, Sorted, Sorter, put_text};

/// An item of a list. The derived order puts the items of a list one behind the other in their order in the list: by
/// position, those without one last, then by item and label. So equal records have no order that shows.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct FlatRow<T = ()> {
    customer: CustomerId,
    ranking_id: Option<String>,
    /// What the customer is written as, if that must be kept.
    written: T,
    has_no_position: bool,
    position: i64,
    element: Element,
}

impl<T: Written> FlatRow<T> {
    /// Returns the items of a row that was read, of which there is one in the flat layout.
    pub(crate) fn of(impression: Impression, position: Option<i64>, written: T) -> impl Iterator<Item = FlatRow<T>> {
        let Impression { customer, ranking_id, elements } = impression;
        let row = move |element| FlatRow {
            customer,
            ranking_id: ranking_id.clone(),
            written: written.clone(),
            has_no_position: position.is_none(),
            position: position.unwrap_or(0),
            element,
        };
        elements.into_iter().map(row)
    }
}

/// The lists of a day in the order of customers and ranking ids, each with what its customer is written as.
///
/// Memory: that of [`Sorted`], and one list, which takes at most a 16th of the memory limit: a longer one is refused.
pub(crate) struct FlatLists<T: Written = ()> {
    rows: Sorted<FlatRow<T>>,
    next: Option<FlatRow<T>>,
    elements_max: usize,
}

impl<T: Written> FlatLists<T> {
    /// Sorts the rows of all files of a day.
    pub(crate) fn of(sorter: Sorter<FlatRow<T>>, resources: &Resources) -> Result<Self> {
        let mut rows = sorter.finish()?;
        let next = rows.next().transpose()?;
        let elements_max = (resources.page_bytes() / std::mem::size_of::<Element>()).max(1);
        Ok(FlatLists { rows, next, elements_max })
    }

    fn list(&mut self, first: FlatRow<T>) -> Result<(Impression, T)> {
        let FlatRow { customer, ranking_id, written, element, .. } = first;
        let mut elements = vec![element];
        self.next = self.rows.next().transpose()?;
        // Null equals no other.
        let is_of_list = |row: &mut FlatRow<T>| {
            ranking_id.is_some() && (row.customer, &row.ranking_id, &row.written) == (customer, &ranking_id, &written)
        };
        while let Some(row) = self.next.take_if(is_of_list) {
            if elements.len() == self.elements_max {
                return Err(too_long(customer, ranking_id.as_deref().unwrap_or_default(), self.elements_max));
            }
            elements.push(row.element);
            self.next = self.rows.next().transpose()?;
        }
        Ok((Impression { customer, ranking_id, elements }, written))
    }
}

impl<T: Written> Iterator for FlatLists<T> {
    type Item = Result<(Impression, T)>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.next.take()?;
        Some(self.list(first))
    }
}

fn too_long(customer: CustomerId, ranking_id: &str, most: usize) -> Error {
    let ranking_id: String = ranking_id.chars().take(60).collect();
    Error::input(
        format!("the impression {ranking_id:?} of customer {} has more than {most} items", customer.0),
        message![
            "name as ranking_id, in columns of [impressions], a column whose values tell the lists apart; or raise ",
            MemoryLimit
        ],
    )
}

impl<T: Written> Record for FlatRow<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let FlatRow { customer, ranking_id, written, has_no_position, position, element } = self;
        let Element { item_id, label } = element;
        bytes.extend_from_slice(&customer.0.to_le_bytes());
        bytes.push(u8::from(*has_no_position));
        bytes.extend_from_slice(&position.to_le_bytes());
        bytes.extend_from_slice(&item_id.to_le_bytes());
        bytes.extend_from_slice(&label.to_le_bytes());
        put_text(ranking_id.as_deref(), bytes);
        written.put(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let row = FlatRow {
            customer: CustomerId(i64::from_le_bytes(fields.take()?)),
            has_no_position: fields.flag()?,
            position: i64::from_le_bytes(fields.take()?),
            element: Element { item_id: i64::from_le_bytes(fields.take()?), label: i32::from_le_bytes(fields.take()?) },
            ranking_id: fields.text()?,
            written: T::take(&mut fields)?,
        };
        fields.end(row)
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() * 5 / 4 + self.ranking_id.as_ref().map_or(0, String::capacity) + self.written.len()
    }

    fn sort_key(&self) -> u64 {
        (self.customer.0 ^ i64::MIN).cast_unsigned()
    }

    /// The first bytes of the ranking id.
    fn low_sort_key(&self) -> u64 {
        let bytes = self.ranking_id.as_deref().unwrap_or_default().as_bytes().iter().chain(std::iter::repeat(&0));
        bytes.take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resources::Scratch;

    fn row() -> impl Strategy<Value = FlatRow<Box<str>>> {
        let ranking_id = proptest::option::of("[a\u{0}z]{0,9}");
        let position = proptest::option::of(-1..3_i64);
        (-2..2_i64, ranking_id, "[xy]?", position, 1..4_i64, 0..2_i32).prop_map(
            |(customer, ranking_id, written, position, item_id, label)| FlatRow {
                customer: CustomerId(customer),
                ranking_id,
                written: written.into(),
                has_no_position: position.is_none(),
                position: position.unwrap_or(0),
                element: Element { item_id, label },
            },
        )
    }

    proptest! {
        #[test]
        fn lists_are_those_of_a_plain_grouping(rows in proptest::collection::vec(row(), 0..120), budget in 1..9_000_usize) {
            let folder = tempfile::tempdir().unwrap();
            let resources = Resources::default();
            let mut sorter = Sorter::new(budget, Scratch::new(folder.path().join("s")), &resources);
            for row in &rows {
                let mut bytes = Vec::new();
                row.encode(&mut bytes);
                let decoded = FlatRow::decode(&bytes);
                prop_assert_eq!(decoded.as_ref(), Some(row));
                sorter.push(row.clone()).unwrap();
            }
            let lists: Vec<_> = FlatLists::of(sorter, &resources).unwrap().map(Result::unwrap).collect();
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            let mut expected: Vec<(Impression, Box<str>)> = Vec::new();
            for FlatRow { customer, ranking_id, written, element, .. } in sorted {
                let of_list = |(last, text): &(Impression, Box<str>)| {
                    let is_same = (last.customer, &last.ranking_id, text) == (customer, &ranking_id, &written);
                    is_same && ranking_id.is_some()
                };
                match expected.last_mut().filter(|last| of_list(last)) {
                    Some((last, _)) => last.elements.push(element),
                    None => expected.push((Impression { customer, ranking_id, elements: vec![element] }, written)),
                }
            }
            prop_assert_eq!(lists, expected);
        }
    }

    #[test]
    fn a_list_that_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let resources = Resources::default().with_memory(16 * 16 * 3);
        let lists = |count: i64| {
            let mut sorter = Sorter::new(1 << 20, Scratch::new(folder.path().join("s")), &resources);
            for item_id in 1..=count {
                let (customer, element) = (CustomerId(7), Element { item_id, label: 0 });
                let ranking_id = Some("r".to_owned());
                let impression = Impression { customer, ranking_id, elements: vec![element] };
                FlatRow::of(impression, None, ()).for_each(|row| sorter.push(row).unwrap());
            }
            FlatLists::of(sorter, &resources).unwrap().collect::<Result<Vec<_>>>()
        };
        assert_eq!(lists(3).unwrap().len(), 1);
        let error = lists(4).unwrap_err().to_string();
        assert!(
            error.starts_with("the impression \"r\" of customer 7 has more than 3 items; name as ranking_id"),
            "{error}"
        );
    }
}
