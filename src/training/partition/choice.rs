//! Chooses, of the lists that some rows may be of, those that take each row once.

use crate::error::Result;
use crate::exact::Held;

/// The most steps of a search.
const STEPS_MAX: usize = 1 << 16;

/// The invariant of the numbers of cells.
pub(super) const NUMBERED: &str = "the cells of each position are numbered";

/// A list whose keys fit, by the number of its cell at each position, and how many copies of it fit.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Staying {
    pub cells: Vec<usize>,
    pub count: usize,
}

/// The search for lists that take each row once. It goes as deep as there are lists that stay.
pub(super) struct Choice<'a> {
    staying: &'a [Staying],
    /// How many rows of each cell are left.
    left: Vec<Vec<usize>>,
    /// How many copies there are of the lists before.
    chosen: Vec<usize>,
    found: Option<Vec<usize>>,
    /// Whether there are several choices, or too many steps.
    is_open: bool,
    steps: usize,
}

/// What there is to choose.
pub(super) enum Chosen {
    None,
    /// How many copies of each list there are.
    One(Vec<usize>),
    /// Several choices, or too many steps to tell.
    Several,
}

impl<'a> Choice<'a> {
    /// Chooses among these lists, which ascend; `left` are the numbers of rows of each cell.
    pub(super) fn only(staying: &'a [Staying], left: Vec<Vec<usize>>) -> Result<Chosen> {
        let mut choice = Choice { staying, left, chosen: Vec::new(), found: None, is_open: false, steps: 0 };
        choice.choose(0)?;
        Ok(match choice {
            Choice { is_open: true, .. } => Chosen::Several,
            Choice { found: Some(counts), .. } => Chosen::One(counts),
            Choice { found: None, .. } => Chosen::None,
        })
    }

    /// Chooses how many copies there are of list `number` and of those behind it.
    fn choose(&mut self, number: usize) -> Result<()> {
        self.steps += 1;
        self.is_open |= self.steps > STEPS_MAX;
        let list = self.staying.get(number);
        // Lists ascend, so no later one takes a first row that comes before that of this list.
        let first = list.and_then(|list| list.cells.first()).copied();
        let passed = self.left.iter().take(1).flat_map(|left| left.iter().take(first.unwrap_or(left.len())));
        if self.is_open || passed.sum::<usize>() > 0 {
            return Ok(());
        }
        let Some(list) = list else {
            if self.left.iter().flatten().sum::<usize>() == 0 {
                self.is_open |= self.found.replace(self.chosen.clone()).is_some();
            }
            return Ok(());
        };
        let mut most = list.count;
        for (left, cell) in self.left.iter().zip(&list.cells) {
            most = most.min(*left.get(*cell).held(NUMBERED)?);
        }
        for count in 0..=most {
            self.change(list, |left| left - count)?;
            self.chosen.push(count);
            self.choose(number + 1)?;
            self.chosen.pop();
            self.change(list, |left| left + count)?;
        }
        Ok(())
    }

    fn change(&mut self, list: &Staying, changed: impl Fn(usize) -> usize) -> Result<()> {
        for (left, cell) in self.left.iter_mut().zip(&list.cells) {
            let left = left.get_mut(*cell).held(NUMBERED)?;
            *left = changed(*left);
        }
        Ok(())
    }
}
