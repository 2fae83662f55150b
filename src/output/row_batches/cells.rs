//! Columns of cells whose integer type can be chosen.

use std::ops::Range;

use crate::error::Result;
use crate::exact::Held;
use crate::model::{ItemType, TypeType};

/// The invariant that a writer or reader of a column keeps.
pub(super) const HAS_CELLS: &str = "a column of a batch has the cells of all its histories";

/// Items of histories, in the type asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ItemCells {
    /// As 64-bit integers.
    Int64(Vec<i64>),
    /// As 32-bit integers.
    Int32(Vec<i32>),
}

/// Action types of histories, in the type asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TypeCells {
    /// As 32-bit integers.
    Int32(Vec<i32>),
    /// As unsigned 8-bit integers.
    Uint8(Vec<u8>),
}

impl ItemCells {
    pub(super) fn zeros(item_type: ItemType, cells: usize) -> Self {
        match item_type {
            ItemType::Int64 => ItemCells::Int64(vec![0; cells]),
            ItemType::Int32 => ItemCells::Int32(vec![0; cells]),
        }
    }

    /// Writes items, which fit the type, from cell `at` on.
    pub(super) fn put(&mut self, at: usize, items: &[i64]) -> Result<()> {
        match self {
            ItemCells::Int64(cells) => part(cells, at, items.len())?.copy_from_slice(items),
            ItemCells::Int32(cells) => {
                for (cell, item) in part(cells, at, items.len())?.iter_mut().zip(items) {
                    *cell = i32::try_from(*item).held("items fit the type asked for")?;
                }
            }
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
    pub(super) fn zeros(type_type: TypeType, cells: usize) -> Self {
        match type_type {
            TypeType::Int32 => TypeCells::Int32(vec![0; cells]),
            TypeType::Uint8 => TypeCells::Uint8(vec![0; cells]),
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
pub(super) fn gather<T: Copy + Default>(cells: &[T], lists: &[Range<usize>], length: usize) -> Result<Vec<T>> {
    let mut gathered = vec![T::default(); lists.len() * length];
    for (place, list) in lists.iter().enumerate() {
        let list = cells.get(list.clone()).held(HAS_CELLS)?;
        part(&mut gathered, place * length, list.len())?.copy_from_slice(list);
    }
    Ok(gathered)
}
