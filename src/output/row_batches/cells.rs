//! Columns of cells whose integer type can be chosen.

use std::ops::Range;

use super::memory::{Cell, Cells, LendCells};
use crate::error::Result;
use crate::exact::Held;
use crate::history::PackedItems;
use crate::model::{ItemType, TypeType};

/// The invariant that a writer or reader of a column keeps.
pub(super) const HAS_CELLS: &str = "a column of a batch has the cells of all its histories";

/// The invariant that whoever packs histories keeps.
const FITS: &str = "items fit the type asked for";

/// Items of histories, in the type asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ItemCells {
    /// As 64-bit integers.
    Int64(Cells<i64>),
    /// As 32-bit integers.
    Int32(Cells<i32>),
}

/// Action types of histories, in the type asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TypeCells {
    /// As 32-bit integers.
    Int32(Cells<i32>),
    /// As unsigned 8-bit integers.
    Uint8(Cells<u8>),
}

impl ItemCells {
    /// Returns so many cells of any content: see [`Cells::new`].
    pub(super) fn new(item_type: ItemType, cells: usize, used: Option<Self>, lender: Option<&dyn LendCells>) -> Self {
        match (item_type, used) {
            (ItemType::Int64, Some(ItemCells::Int64(used))) => ItemCells::Int64(Cells::new(cells, Some(used), lender)),
            (ItemType::Int64, _) => ItemCells::Int64(Cells::new(cells, None, lender)),
            (ItemType::Int32, Some(ItemCells::Int32(used))) => ItemCells::Int32(Cells::new(cells, Some(used), lender)),
            (ItemType::Int32, _) => ItemCells::Int32(Cells::new(cells, None, lender)),
        }
    }

    pub(super) fn clear(&mut self, cells: Range<usize>) -> Result<()> {
        match self {
            ItemCells::Int64(all) => clear(all, cells),
            ItemCells::Int32(all) => clear(all, cells),
        }
    }

    /// Writes items, which fit the type, from cell `at` on.
    pub(super) fn put(&mut self, at: usize, items: PackedItems<'_>) -> Result<()> {
        match (self, items) {
            (ItemCells::Int64(cells), PackedItems::Short(items)) => {
                let cells = part(cells, at, items.len())?.iter_mut().zip(items);
                cells.for_each(|(cell, item)| *cell = u32::from_le_bytes(*item).into());
            }
            (ItemCells::Int64(cells), PackedItems::Long(items)) => {
                let cells = part(cells, at, items.len())?.iter_mut().zip(items);
                cells.for_each(|(cell, item)| *cell = i64::from_le_bytes(*item));
            }
            (ItemCells::Int32(cells), PackedItems::Short(items)) => {
                let mut all = 0;
                for (cell, item) in part(cells, at, items.len())?.iter_mut().zip(items) {
                    *cell = i32::from_le_bytes(*item);
                    all |= *cell;
                }
                // An item of 32 bits is negative here.
                (all >= 0).then_some(()).held(FITS)?;
            }
            (ItemCells::Int32(_), PackedItems::Long(_)) => None.held(FITS)?,
        }
        Ok(())
    }

    pub(super) fn copy(&mut self, from: Range<usize>, to: usize) -> Result<()> {
        match self {
            ItemCells::Int64(cells) => copy(cells, from, to),
            ItemCells::Int32(cells) => copy(cells, from, to),
        }
    }

    pub(super) fn gather(&self, lists: &[Range<usize>], length: usize) -> Result<Self> {
        Ok(match self {
            ItemCells::Int64(cells) => ItemCells::Int64(gather(cells, lists, length)?),
            ItemCells::Int32(cells) => ItemCells::Int32(gather(cells, lists, length)?),
        })
    }

    /// Returns the number of cells.
    pub fn len(&self) -> usize {
        match self {
            ItemCells::Int64(cells) => cells.len(),
            ItemCells::Int32(cells) => cells.len(),
        }
    }

    /// Returns whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl TypeCells {
    /// Returns so many cells of any content: see [`Cells::new`].
    pub(super) fn new(type_type: TypeType, cells: usize, used: Option<Self>, lender: Option<&dyn LendCells>) -> Self {
        match (type_type, used) {
            (TypeType::Int32, Some(TypeCells::Int32(used))) => TypeCells::Int32(Cells::new(cells, Some(used), lender)),
            (TypeType::Int32, _) => TypeCells::Int32(Cells::new(cells, None, lender)),
            (TypeType::Uint8, Some(TypeCells::Uint8(used))) => TypeCells::Uint8(Cells::new(cells, Some(used), lender)),
            (TypeType::Uint8, _) => TypeCells::Uint8(Cells::new(cells, None, lender)),
        }
    }

    pub(super) fn clear(&mut self, cells: Range<usize>) -> Result<()> {
        match self {
            TypeCells::Int32(all) => clear(all, cells),
            TypeCells::Uint8(all) => clear(all, cells),
        }
    }

    /// Writes action types from cell `at` on.
    pub(super) fn put(&mut self, at: usize, types: &[u8]) -> Result<()> {
        match self {
            TypeCells::Int32(cells) => {
                part(cells, at, types.len())?.iter_mut().zip(types).for_each(|(cell, number)| *cell = (*number).into());
            }
            TypeCells::Uint8(cells) => part(cells, at, types.len())?.copy_from_slice(types),
        }
        Ok(())
    }

    pub(super) fn copy(&mut self, from: Range<usize>, to: usize) -> Result<()> {
        match self {
            TypeCells::Int32(cells) => copy(cells, from, to),
            TypeCells::Uint8(cells) => copy(cells, from, to),
        }
    }

    pub(super) fn gather(&self, lists: &[Range<usize>], length: usize) -> Result<Self> {
        Ok(match self {
            TypeCells::Int32(cells) => TypeCells::Int32(gather(cells, lists, length)?),
            TypeCells::Uint8(cells) => TypeCells::Uint8(gather(cells, lists, length)?),
        })
    }
}

/// Sets cells to zero.
pub(super) fn clear<T: Copy + Default>(all: &mut [T], cells: Range<usize>) -> Result<()> {
    all.get_mut(cells).held(HAS_CELLS)?.fill(T::default());
    Ok(())
}

/// Returns `length` cells from `at` on.
pub(super) fn part<T>(cells: &mut [T], at: usize, length: usize) -> Result<&mut [T]> {
    cells.get_mut(at..).and_then(|cells| cells.get_mut(..length)).held(HAS_CELLS)
}

/// Copies cells to cells behind them.
pub(super) fn copy<T: Copy>(cells: &mut [T], from: Range<usize>, to: usize) -> Result<()> {
    let (before, behind) = cells.split_at_mut_checked(to).held(HAS_CELLS)?;
    let from = before.get(from).held(HAS_CELLS)?;
    part(behind, 0, from.len())?.copy_from_slice(from);
    Ok(())
}

/// Returns lists of cells one behind the other, each padded with zeros to `length`.
pub(super) fn gather<T: Cell>(cells: &[T], lists: &[Range<usize>], length: usize) -> Result<Cells<T>> {
    let mut gathered = Cells::from(vec![T::default(); lists.len() * length]);
    for (place, list) in lists.iter().enumerate() {
        let list = cells.get(list.clone()).held(HAS_CELLS)?;
        part(&mut gathered, place * length, list.len())?.copy_from_slice(list);
    }
    Ok(gathered)
}
