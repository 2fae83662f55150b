//! The columns of histories of a batch, written history by history.

use std::ops::Range;

use super::cells::{ItemCells, TypeCells, clear, copy, gather, part};
use super::layout::{BatchShape, Layout};
use super::memory::{Cells, LendCells};
use crate::error::Result;
use crate::exact::Held;
use crate::history::PackedHistory;
use crate::model::{Day, ExtraColumn};

/// The histories of a batch: a column each of items, types, and what else was asked for. Each column has as many cells
/// as the layout says.
///
/// Memory: the cells of all columns, from the beginning on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryColumns {
    shape: BatchShape,
    /// Items, newest first; 0 is padding.
    pub actions: ItemCells,
    /// Numbers of the action types; 0 is padding.
    pub action_types: TypeCells,
    /// The length of each history, if asked for.
    pub history_lengths: Option<Vec<i32>>,
    /// The age of each action in days, if asked for.
    pub action_ages: Option<Cells<i32>>,
    /// The time of each action in microseconds since 1970-01-01 UTC, if asked for.
    pub action_times: Option<Cells<i64>>,
    /// Jagged: where each history begins among the actions, and where the last one ends. Otherwise empty.
    pub offsets: Vec<i64>,
    /// The cells of the history written last, without its padding.
    last: Range<usize>,
    /// The cell at which the next history begins.
    next: usize,
    /// Whether cells can hold what was there before.
    is_used: bool,
}

impl HistoryColumns {
    /// Returns columns for `histories` histories with `actions` actions altogether, which are still to be put. They
    /// take the memory of the `lender`, or else that of `used` columns, which saves the system from clearing new
    /// memory: most of the time of a padded batch.
    pub(crate) fn new(
        shape: BatchShape,
        histories: usize,
        actions: usize,
        used: Option<HistoryColumns>,
        lender: Option<&dyn LendCells>,
    ) -> Self {
        let is_jagged = shape.layout == Layout::Jagged;
        let cells = if is_jagged { actions } else { histories * shape.max_history };
        let with = |column| shape.columns.with.has(column);
        let is_used = used.is_some() || lender.is_some();
        let (actions, action_types, ages, times) = match used {
            Some(used) => (Some(used.actions), Some(used.action_types), used.action_ages, used.action_times),
            None => (None, None, None, None),
        };
        HistoryColumns {
            shape,
            actions: ItemCells::new(shape.columns.item_type, cells, actions, lender),
            action_types: TypeCells::new(shape.columns.type_type, cells, action_types, lender),
            history_lengths: with(ExtraColumn::HistoryLength).then(|| Vec::with_capacity(histories)),
            action_ages: with(ExtraColumn::ActionAges).then(|| Cells::new(cells, ages, lender)),
            action_times: with(ExtraColumn::ActionTimes).then(|| Cells::new(cells, times, lender)),
            offsets: if is_jagged { vec![0] } else { Vec::new() },
            last: 0..0,
            next: 0,
            is_used,
        }
    }

    /// Writes the next history, of a row of `dt`. It has at most `max_history` actions, whose items fit their type,
    /// with the details that the columns need.
    pub(crate) fn put(&mut self, dt: Day, history: &PackedHistory<'_>) -> Result<()> {
        let (at, actions) = (self.next, history.types.len());
        self.actions.put(at, history.items)?;
        self.action_types.put(at, history.types)?;
        if let Some(ages) = &mut self.action_ages {
            let mut at = at;
            for (day, actions) in history.days() {
                part(ages, at, actions)?.fill(dt.number() - day.number());
                at += actions;
            }
        }
        if let Some(times) = &mut self.action_times {
            part(times, at, actions)?.iter_mut().zip(history.times_us()).for_each(|(cell, time_us)| *cell = time_us);
        }
        self.end(at..at + actions)
    }

    /// Writes the history written last once more.
    pub(crate) fn repeat(&mut self) -> Result<()> {
        let (from, at) = (self.last.clone(), self.next);
        self.actions.copy(from.clone(), at)?;
        self.action_types.copy(from.clone(), at)?;
        self.action_ages.iter_mut().try_for_each(|ages| copy(ages, from.clone(), at))?;
        self.action_times.iter_mut().try_for_each(|times| copy(times, from.clone(), at))?;
        self.end(at..at + from.len())
    }

    /// Ends writing, so that columns of equal histories are equal.
    pub(crate) fn finish(self) -> Self {
        HistoryColumns { last: 0..0, next: 0, is_used: false, ..self }
    }

    fn end(&mut self, cells: Range<usize>) -> Result<()> {
        if let Some(lengths) = &mut self.history_lengths {
            lengths.push(i32::try_from(cells.len()).held("the length of a history fits its column")?);
        }
        if self.shape.layout == Layout::Jagged {
            self.offsets.push(i64::try_from(cells.end).held("the actions of a batch fit in memory")?);
            self.next = cells.end;
        } else {
            self.next = cells.start + self.shape.max_history;
            if self.is_used {
                let padding = cells.end..self.next;
                self.actions.clear(padding.clone())?;
                self.action_types.clear(padding.clone())?;
                self.action_ages.iter_mut().try_for_each(|ages| clear(ages, padding.clone()))?;
                self.action_times.iter_mut().try_for_each(|times| clear(times, padding.clone()))?;
            }
        }
        self.last = cells;
        Ok(())
    }

    /// Returns the padded histories of rows, each given by the number of its history.
    pub(super) fn padded(&self, rows: impl Iterator<Item = usize>) -> Result<Self> {
        let shape = BatchShape { layout: Layout::Padded, ..self.shape };
        let length = shape.max_history;
        let cell = |history: usize| -> Result<usize> {
            usize::try_from(*self.offsets.get(history).held("each history has an offset")?)
                .held("offsets ascend from 0")
        };
        let range = |history: usize| match self.shape.layout {
            Layout::Jagged => Ok(cell(history)?..cell(history + 1)?),
            Layout::Padded | Layout::Dedup => Ok(history * length..(history + 1) * length),
        };
        let rows: Vec<usize> = rows.collect();
        let lists: Vec<Range<usize>> = rows.iter().map(|history| range(*history)).collect::<Result<_>>()?;
        let lengths = self.history_lengths.as_ref().map(|lengths| {
            let of_row = |history: &usize| lengths.get(*history).copied().held("each history has a length");
            rows.iter().map(of_row).collect::<Result<Vec<i32>>>()
        });
        Ok(HistoryColumns {
            shape,
            actions: self.actions.gather(&lists, length)?,
            action_types: self.action_types.gather(&lists, length)?,
            history_lengths: lengths.transpose()?,
            action_ages: self.action_ages.as_ref().map(|ages| gather(ages, &lists, length)).transpose()?,
            action_times: self.action_times.as_ref().map(|times| gather(times, &lists, length)).transpose()?,
            offsets: Vec::new(),
            last: 0..0,
            next: 0,
            is_used: false,
        })
    }

    /// How the histories lie.
    pub fn shape(&self) -> BatchShape {
        self.shape
    }
}
