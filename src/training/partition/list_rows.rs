//! Tells apart the lists of shuffled rows that have one customer and ranking id.
//!
//! The cells alone may leave open which rows belong together: of two lists with different items at two positions, say.
//! The order of the rows does not: a row's place in the partition follows from its key, and its key is a hash over the
//! whole list. So each list that the cells allow gives keys for its rows, and only the right one gives keys that stand
//! between those of the neighbouring rows in the file.
//!
//! 1. The rows of lists that the cells do tell apart have known keys. They bound the keys of all rows around them
//!    ([`KnownKeys`], [`Bounds`]).
//! 2. Of the lists that the cells allow, those stay whose keys are within the bounds of their rows.
//! 3. Lists are chosen that take each row once. There is at least one such choice, the right one. If there is no other,
//!    the lists are told apart with certainty; otherwise, or if there are too many lists to try, the rows are refused.

use super::choice::{Choice, Chosen, NUMBERED, Staying};
use super::known_keys::{Bounds, KnownKeys};
use super::row::PartitionRow;
use crate::error::Result;
use crate::exact::Held;
use crate::model::{CustomerId, Day, Element, Impression, Places};

/// The most lists that are tried for one customer and ranking id: two lists of sixteen elements, or three of ten, allow
/// as many. They take some ten milliseconds.
const TRIED_MAX: u64 = 1 << 16;

/// The most lists that may stay. The right ones do, and few others.
const STAYING_MAX: usize = 256;

/// The rows at one position that have the same element.
pub(super) struct Cell {
    pub element: Element,
    /// Where they stand in the partition.
    pub indices: Vec<u64>,
}

/// The rows of one customer and ranking id, position by position. Memory: 40 bytes for each row.
pub(super) struct ListRows {
    pub customer: i64,
    pub ranking_id: Option<String>,
    pub positions: Vec<Vec<Cell>>,
}

/// Different lists, each with how many equal ones there are.
pub(super) type Lists = Vec<(Vec<Element>, usize)>;

/// What was found out about lists.
pub(super) enum Told {
    /// The lists.
    Apart(Lists),
    /// More than one choice of lists is left, or too many are to be tried.
    Open,
    /// No lists have rows in this order.
    Impossible,
}

impl ListRows {
    /// Returns the rows of one customer and ranking id by their positions; `None` if they are not those of whole lists.
    pub(super) fn of(rows: &mut [PartitionRow]) -> Option<Self> {
        rows.sort_unstable_by_key(|row| (row.position, row.element, row.index));
        let first = rows.first()?;
        let (customer, ranking_id) = (first.customer, first.ranking_id.clone());
        let (mut positions, mut before): (Vec<Vec<Cell>>, _) = (Vec::new(), usize::MAX);
        for (position, rows) in (0..).zip(rows.chunk_by(|one, next| one.position == next.position)) {
            // Each list that has a position has the positions before it.
            if rows.first()?.position != position || rows.len() > before {
                return None;
            }
            before = rows.len();
            let cells = rows.chunk_by(|one, next| one.element == next.element).map(|rows| {
                Some(Cell { element: rows.first()?.element, indices: rows.iter().map(|row| row.index).collect() })
            });
            positions.push(cells.collect::<Option<_>>()?);
        }
        Some(ListRows { customer, ranking_id, positions })
    }

    /// Returns how many lists have this position; none where it lies behind the longest.
    fn lists_at(&self, position: usize) -> usize {
        self.positions.iter().skip(position).take(1).flatten().map(|cell| cell.indices.len()).sum()
    }

    /// Returns the lists, each with how many equal ones there are, if their cells tell them apart: wherever lists go on
    /// in different ways, all of them have the same beginning.
    pub(super) fn by_cells(&self) -> Option<Lists> {
        let (mut done, mut begun) = (Vec::new(), vec![(Vec::new(), self.lists_at(0))]);
        for (position, cells) in self.positions.iter().enumerate() {
            let ends = begun.iter().map(|(_, count)| count).sum::<usize>() - self.lists_at(position);
            match (begun.as_mut_slice(), cells.as_slice()) {
                ([(beginning, _)], cells) => {
                    if ends > 0 {
                        done.push((beginning.clone(), ends));
                    }
                    let longer = cells.iter().map(|cell| {
                        let mut elements = beginning.clone();
                        elements.push(cell.element);
                        (elements, cell.indices.len())
                    });
                    begun = longer.collect();
                }
                (begun, [cell]) if ends == 0 => begun.iter_mut().for_each(|(elements, _)| elements.push(cell.element)),
                _ => return None,
            }
        }
        done.append(&mut begun);
        Some(done)
    }

    /// Adds the keys of the rows that are known to be of one of these lists, which are all.
    pub(super) fn add_keys(
        &self,
        (seed, dt): (u64, Day),
        lists: &[(Vec<Element>, usize)],
        known: &mut KnownKeys,
    ) -> Result<()> {
        for (elements, _) in lists.iter().filter(|(_, count)| *count == 1) {
            let keys = Places::of(seed, dt, &self.impression(elements.clone()), 0);
            for ((position, cells), element) in (0..).zip(&self.positions).zip(elements) {
                if let Some(Cell { indices, .. }) = cells.iter().find(|cell| cell.element == *element)
                    && let [index] = indices.as_slice()
                {
                    known.add(*index, keys.row(position))?;
                }
            }
        }
        Ok(())
    }

    /// Finds the lists by the order of the rows in a partition of `dt` with this seed.
    pub(super) fn by_order(&self, (seed, dt): (u64, Day), bounds: &Bounds) -> Result<Told> {
        let Some(staying) = self.staying((seed, dt), bounds)? else { return Ok(Told::Open) };
        let left = self.positions.iter().map(|cells| cells.iter().map(|cell| cell.indices.len()).collect()).collect();
        match Choice::only(&staying, left)? {
            Chosen::Several => Ok(Told::Open),
            Chosen::None => Ok(Told::Impossible),
            Chosen::One(counts) => {
                let lists = staying.iter().zip(counts).filter(|(_, count)| *count > 0);
                let lists = lists.map(|(list, count)| {
                    let cells = self.cells(&list.cells)?;
                    Ok((cells.into_iter().map(|cell| cell.element).collect(), count))
                });
                Ok(Told::Apart(lists.collect::<Result<_>>()?))
            }
        }
    }

    fn impression(&self, elements: Vec<Element>) -> Impression {
        Impression { customer: CustomerId(self.customer), ranking_id: self.ranking_id.clone(), elements }
    }

    /// Returns the cells of a list, given by their numbers.
    fn cells(&self, numbers: &[usize]) -> Result<Vec<&Cell>> {
        let positions = self.positions.iter().zip(numbers);
        positions.map(|(cells, number)| cells.get(*number).held(NUMBERED)).collect()
    }

    /// Returns the lists whose keys the bounds allow, ascending; `None` if there are too many lists to try, or to stay.
    fn staying(&self, keyed_by: (u64, Day), bounds: &Bounds) -> Result<Option<Vec<Staying>>> {
        let (mut staying, mut tried) = (Vec::new(), 0_u64);
        for length in 1..=self.positions.len() {
            // Some list ends here.
            if self.lists_at(length - 1) == self.lists_at(length) {
                continue;
            }
            let counts = self.positions.iter().take(length).map(Vec::len);
            let lists = counts.clone().try_fold(1_u64, |all, count| all.checked_mul(count as u64));
            match lists.and_then(|lists| tried.checked_add(lists)) {
                Some(all) if all <= TRIED_MAX => tried = all,
                _ => return Ok(None),
            }
            let mut numbers = vec![0; length];
            loop {
                let count = self.copies(&numbers, keyed_by, bounds)?;
                if count > 0 {
                    staying.push(Staying { cells: numbers.clone(), count });
                }
                if staying.len() > STAYING_MAX {
                    return Ok(None);
                }
                // The next list: the first number that can be raised is, and those before it begin again.
                let mut raised = false;
                for (number, count) in numbers.iter_mut().zip(counts.clone()) {
                    raised = *number + 1 < count;
                    *number = if raised { *number + 1 } else { 0 };
                    if raised {
                        break;
                    }
                }
                if !raised {
                    break;
                }
            }
        }
        staying.sort_unstable();
        Ok(Some(staying))
    }

    /// Returns how many equal lists of these cells the bounds allow. Where there are some, there are the first copies.
    fn copies(&self, numbers: &[usize], (seed, dt): (u64, Day), bounds: &Bounds) -> Result<usize> {
        let cells = self.cells(numbers)?;
        let impression = self.impression(cells.iter().map(|cell| cell.element).collect());
        let most = cells.iter().map(|cell| cell.indices.len()).min().held("a list has an element")?;
        for copy in 0..most {
            let keys = Places::of(seed, dt, &impression, copy as u64);
            for (position, cell) in (0..).zip(&cells) {
                let (key, mut is_allowed) = (keys.row(position), false);
                for index in &cell.indices {
                    is_allowed |= bounds.allow(*index, key)?;
                }
                if !is_allowed {
                    return Ok(copy);
                }
            }
        }
        Ok(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED_AND_DAY: u64 = 11;

    /// The rows of these lists, shuffled; each list with its number of equal ones before it.
    fn shuffled(lists: &[Impression]) -> Vec<PartitionRow> {
        let (seed, dt) = keyed_by();
        let mut rows = Vec::new();
        for (number, list) in lists.iter().enumerate() {
            let copy = lists[..number].iter().filter(|other| *other == list).count() as u64;
            let keys = Places::of(seed, dt, list, copy);
            rows.extend((0..).zip(&list.elements).map(|(position, element)| {
                let (customer, ranking_id) = (list.customer.0, list.ranking_id.clone());
                let row =
                    PartitionRow { customer, ranking_id, index: 0, position, element: *element, history: [0; 16] };
                (keys.row(position), row)
            }));
        }
        rows.sort();
        (0..).zip(rows).map(|(index, (_, row))| PartitionRow { index, ..row }).collect()
    }

    fn keyed_by() -> (u64, Day) {
        (SEED_AND_DAY, Day::from_number(20_000).unwrap())
    }

    /// What is told of the lists of each customer, and how many were told by the order.
    fn told(mut rows: Vec<PartitionRow>) -> (Vec<Impression>, usize, usize) {
        let mut known = KnownKeys::new(rows.len() as u64);
        rows.sort();
        let (mut told, mut open) = (Vec::new(), Vec::new());
        let mut add = |lists: &ListRows, apart: Lists| {
            for (elements, count) in apart {
                told.extend(std::iter::repeat_n(lists.impression(elements), count));
            }
        };
        for rows in rows.chunk_by_mut(|one, next| one.customer == next.customer) {
            let lists = ListRows::of(rows).unwrap();
            match lists.by_cells() {
                Some(apart) => {
                    lists.add_keys(keyed_by(), &apart, &mut known).unwrap();
                    add(&lists, apart);
                }
                None => open.push(lists),
            }
        }
        let (bounds, mut by_order, mut left) = (known.bounds(), 0, 0);
        for lists in &open {
            match lists.by_order(keyed_by(), &bounds).unwrap() {
                Told::Apart(apart) => {
                    add(lists, apart);
                    by_order += 1;
                }
                Told::Open => left += 1,
                Told::Impossible => panic!("the right lists are possible"),
            }
        }
        told.sort();
        (told, by_order, left)
    }

    fn impression(customer: i64, items: &[i64]) -> Impression {
        let elements = items.iter().map(|item_id| Element { item_id: *item_id, label: 0 }).collect();
        Impression { customer: CustomerId(customer), ranking_id: None, elements }
    }

    #[test]
    fn lists_of_ten_are_told_apart() {
        let items = |from: i64| (from..from + 10).collect::<Vec<i64>>();
        let mut lists: Vec<Impression> = (0..300).map(|customer| impression(customer, &items(1))).collect();
        lists.extend((0..3).map(|number| impression(1_000, &items(100 * number))));
        lists.extend((0..2).map(|number| impression(1_001, &items(50 * number))));
        lists.extend([impression(1_002, &[1, 2, 3]), impression(1_002, &[4, 5]), impression(1_002, &[4, 5])]);
        lists.sort();
        assert_eq!(told(shuffled(&lists)), (lists, 3, 0));
    }

    #[test]
    fn what_is_left_open_is_said() {
        let items = |from: i64| (from..from + 10).collect::<Vec<i64>>();
        // Too many to try, and no row around whose key is known.
        let many: Vec<Impression> = (0..4).map(|number| impression(1, &items(100 * number))).collect();
        assert_eq!(told(shuffled(&many)).2, 1);
        let two: Vec<Impression> = (0..2).map(|number| impression(1, &[number, number])).collect();
        assert_eq!(told(shuffled(&two)).2, 1);
    }

    #[test]
    fn rows_of_no_list_are_impossible() {
        let mut lists: Vec<Impression> = (0..300).map(|customer| impression(customer, &[1, 2])).collect();
        lists.extend([impression(1_000, &[1, 2]), impression(1_000, &[3, 4])]);
        let (mut known, mut rows) = (KnownKeys::new(604), shuffled(&lists));
        rows.sort();
        for rows in rows.chunk_by_mut(|one, next| one.customer == next.customer) {
            let lists = ListRows::of(rows).unwrap();
            if let Some(apart) = lists.by_cells() {
                lists.add_keys(keyed_by(), &apart, &mut known).unwrap();
            }
        }
        let bounds = known.bounds();
        let (one, other) = (rows[600].index, rows[603].index);
        (rows[600].index, rows[603].index) = (other, one);
        let two = ListRows::of(&mut rows[600..]).unwrap();
        assert!(matches!(two.by_order(keyed_by(), &bounds).unwrap(), Told::Impossible));
        // Rows that are not those of whole lists.
        rows[600].position = 7;
        assert!(ListRows::of(&mut rows[600..]).is_none());
    }

    proptest! {
        /// Lists by chance: what is told is right, and nearly all is told.
        #[test]
        fn lists_are_told_apart_rightly_or_not_at_all(
            lists in proptest::collection::vec((0..40_i64, proptest::collection::vec(0..3_i64, 1..5)), 1..120),
        ) {
            let mut lists: Vec<Impression> = lists.iter().map(|(customer, items)| impression(*customer, items)).collect();
            lists.sort();
            let (told, _, left) = told(shuffled(&lists));
            if left == 0 {
                prop_assert_eq!(told, lists);
            } else {
                // Each list that is told is one of the right ones.
                let mut rest = lists.clone();
                for one in told {
                    let at = rest.iter().position(|other| *other == one);
                    prop_assert!(at.is_some(), "{:?}", one);
                    rest.remove(at.unwrap());
                }
            }
        }
    }
}
