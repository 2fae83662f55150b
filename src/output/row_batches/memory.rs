//! The memory of a column's cells: its own, or lent by the caller.

use std::fmt::{self, Debug, Formatter};
use std::ops::{Deref, DerefMut};

/// Lends memory to the columns of histories of batches, such as memory that processes share.
pub trait LendCells: Send + Sync {
    /// Lends so many cells of any content; `None`, and the column has memory of its own.
    fn int64(&self, cells: usize) -> Option<Box<dyn LentCells<i64>>>;
    /// As `int64`.
    fn int32(&self, cells: usize) -> Option<Box<dyn LentCells<i32>>>;
    /// As `int64`.
    fn uint8(&self, cells: usize) -> Option<Box<dyn LentCells<u8>>>;
}

/// Cells that are lent until this is dropped.
pub trait LentCells<T>: Send + Sync {
    /// Returns the cells: always the same ones.
    fn cells(&self) -> &[T];
    /// Returns the cells, to write them.
    fn cells_mut(&mut self) -> &mut [T];
}

/// A type of cells, each of which is lent by a function of its own.
pub trait Cell: Copy + Default {
    /// Lends so many cells of this type.
    fn lent(lender: &dyn LendCells, cells: usize) -> Option<Box<dyn LentCells<Self>>>;
}

impl Cell for i64 {
    fn lent(lender: &dyn LendCells, cells: usize) -> Option<Box<dyn LentCells<Self>>> {
        lender.int64(cells)
    }
}

impl Cell for i32 {
    fn lent(lender: &dyn LendCells, cells: usize) -> Option<Box<dyn LentCells<Self>>> {
        lender.int32(cells)
    }
}

impl Cell for u8 {
    fn lent(lender: &dyn LendCells, cells: usize) -> Option<Box<dyn LentCells<Self>>> {
        lender.uint8(cells)
    }
}

/// The cells of a column. A clone has memory of its own.
pub struct Cells<T>(Memory<T>);

enum Memory<T> {
    Own(Vec<T>),
    Lent(Box<dyn LentCells<T>>),
}

impl<T: Cell> Cells<T> {
    /// Returns so many cells of any content: lent ones if there is a lender who has them, otherwise in the memory of
    /// `used` where that suffices.
    pub(super) fn new(cells: usize, used: Option<Self>, lender: Option<&dyn LendCells>) -> Self {
        if let Some(lent) = lender.and_then(|lender| T::lent(lender, cells)) {
            assert_eq!(lent.cells().len(), cells, "a lender lends as many cells as it is asked for");
            return Cells(Memory::Lent(lent));
        }
        match used.map(|used| used.0) {
            Some(Memory::Own(mut used)) if used.capacity() >= cells => {
                used.resize(cells, T::default());
                used.into()
            }
            _ => {
                // The next batch may be somewhat larger. What nobody writes takes no memory.
                let mut own = vec![T::default(); cells + cells / 4];
                own.truncate(cells);
                own.into()
            }
        }
    }
}

impl<T: Clone> Cells<T> {
    /// Returns the cells: without a copy unless they are lent.
    pub fn into_vec(self) -> Vec<T> {
        match self.0 {
            Memory::Own(cells) => cells,
            Memory::Lent(lent) => lent.cells().to_vec(),
        }
    }
}

impl<T> From<Vec<T>> for Cells<T> {
    fn from(cells: Vec<T>) -> Self {
        Cells(Memory::Own(cells))
    }
}

impl<T> Deref for Cells<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Memory::Own(cells) => cells,
            Memory::Lent(lent) => lent.cells(),
        }
    }
}

impl<T> DerefMut for Cells<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Memory::Own(cells) => cells,
            Memory::Lent(lent) => lent.cells_mut(),
        }
    }
}

impl<T: Clone> Clone for Cells<T> {
    fn clone(&self) -> Self {
        self.to_vec().into()
    }
}

impl<T: Debug> Debug for Cells<T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: PartialEq> PartialEq for Cells<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Cells<T> {}
