//! Columns in memory that a worker process and the trainer's share, so that a batch passes from one to the other without
//! a copy, and the next one finds its memory again: new memory would cost more than the batch.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lookback::error::Error;
use lookback::output::{LendCells, LentCells};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::column::{Cells, Column, Integer};
use crate::errors::Raised;
use crate::shared_memory::{Lease, SharedMemory};

/// Smaller columns of histories have memory of their own, and pass with the other small ones in one piece.
const BYTES_MIN: usize = 64 << 10;

/// The boundaries on which the columns of one piece begin: those of cells of any type, and of cache lines.
const BOUNDARY: usize = 64;

/// Pieces of memory that are kept though nobody uses them.
const FREE_MAX: usize = 8;

/// Between two looks whether somebody has given memory back; the system makes it some 0.1 ms.
const LOOK: Duration = Duration::from_micros(50);

/// How many looks take as long as a MiB of new memory, whose pages the system clears and maps one by one: 1 ms where it
/// was measured.
const LOOKS_A_MIB: usize = 10;

/// The memory of a process's batches for others. It stays while batches are on their way, so it is to live as long as the
/// process.
///
/// Memory: that of the batches that are made or used in any process, and 8 columns more. The sizes of columns are
/// rounded up by at most a quarter.
#[derive(Default)]
pub(crate) struct SharedColumns {
    pieces: Mutex<Pieces>,
}

#[derive(Default)]
struct Pieces {
    memories: Vec<Arc<SharedMemory>>,
    /// Whether a batch was made: before that, all pieces in use are of the first one.
    has_batch: bool,
    /// How often somebody has looked for a piece to come back instead of making a new one, by the size of that.
    looks: BTreeMap<usize, usize>,
}

impl Pieces {
    /// Lends one of them, and gives those that are too many back to the system.
    fn lend(&mut self, memory: Arc<SharedMemory>) -> Lease {
        let lease = Lease::begin(memory);
        let mut surplus = self.memories.iter().filter(|memory| memory.is_free()).count().saturating_sub(FREE_MAX);
        self.memories.retain(|memory| {
            let is_surplus = surplus > 0 && memory.is_free();
            surplus -= usize::from(is_surplus);
            !is_surplus
        });
        lease
    }
}

/// The same in Python.
#[pyclass(frozen, module = "lookback._native")]
pub(crate) struct Lender(pub(crate) Arc<SharedColumns>);

#[pymethods]
impl Lender {
    #[new]
    fn new() -> Self {
        Lender(Arc::default())
    }
}

impl SharedColumns {
    fn lock(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends memory to a column. `None` if the column is small, or the system has no memory to share.
    fn lend<T>(&self, cells: usize) -> Option<Box<LentColumn>> {
        let bytes = cells.checked_mul(size_of::<T>()).filter(|bytes| *bytes >= BYTES_MIN)?;
        Some(Box::new(LentColumn { lease: self.lease(bytes)?, cells }))
    }

    /// Leases the smallest piece of memory that is free and large enough, or a new one. `None` if the system has no
    /// memory to share.
    ///
    /// A piece in use is waited for until all such waiting has taken as long as a new piece would: whoever takes batches
    /// as fast as they are made soon gives it back.
    fn lease(&self, bytes: usize) -> Option<Lease> {
        let size = bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(1));
        let price = (size >> 20).saturating_mul(LOOKS_A_MIB);
        loop {
            let mut pieces = self.lock();
            let large_enough = pieces.memories.iter().filter(|memory| memory.bytes() >= bytes);
            let (free, used): (Vec<_>, Vec<_>) = large_enough.partition(|memory| memory.is_free());
            let could_come = pieces.has_batch && used.iter().any(|memory| memory.bytes() / 2 <= bytes);
            if let Some(memory) = free.into_iter().min_by_key(|memory| memory.bytes()).cloned() {
                return Some(pieces.lend(memory));
            }
            let looks = pieces.looks.entry(size).or_default();
            if !could_come || *looks >= price {
                *looks = 0;
                let memory = Arc::new(SharedMemory::create(size).ok()?);
                pieces.memories.push(Arc::clone(&memory));
                return Some(pieces.lend(memory));
            }
            *looks += 1;
            drop(pieces);
            std::thread::sleep(LOOK);
        }
    }

    /// A batch is ready: its memory is going to come back.
    pub(crate) fn batch_is_made(&self) {
        self.lock().has_batch = true;
    }

    /// Returns the memory that begins there.
    fn find(&self, first: *mut c_void) -> Option<Arc<SharedMemory>> {
        self.lock().memories.iter().find(|memory| memory.content().cast() == first).cloned()
    }
}

impl LendCells for SharedColumns {
    fn int64(&self, cells: usize) -> Option<Box<dyn LentCells<i64>>> {
        Some(self.lend::<i64>(cells)?)
    }

    fn int32(&self, cells: usize) -> Option<Box<dyn LentCells<i32>>> {
        Some(self.lend::<i32>(cells)?)
    }

    fn uint8(&self, cells: usize) -> Option<Box<dyn LentCells<u8>>> {
        Some(self.lend::<u8>(cells)?)
    }
}

/// A column while its batch is made and used in this process.
struct LentColumn {
    lease: Lease,
    cells: usize,
}

macro_rules! lent_cells {
    ($($integer:ty)*) => { $(
        impl LentCells<$integer> for LentColumn {
            fn cells(&self) -> &[$integer] {
                // SAFETY: the memory has room for so many cells, as it was lent for this type; it begins on a page's
                // boundary, any bytes are integers, and nobody else has it while it is lent.
                unsafe { std::slice::from_raw_parts(self.lease.memory().content().cast(), self.cells) }
            }

            fn cells_mut(&mut self) -> &mut [$integer] {
                // SAFETY: as above.
                unsafe { std::slice::from_raw_parts_mut(self.lease.memory().content().cast(), self.cells) }
            }
        }
    )* };
}

lent_cells!(i64 i32 u8);

/// A column on its way to another process: the type of its cells; its shape; and where its memory is.
pub(crate) type SentColumn<Name = &'static str> = (Name, Vec<usize>, MemoryPlace);

/// The number of a process, that of a descriptor of it, and the offset in the memory behind that.
type MemoryPlace = (u32, i32, usize);

impl SharedColumns {
    /// Returns the columns of a batch, which another process takes once, all together, in pieces of memory that are in
    /// use until it has dropped them. Small columns are copied into one piece. A column for which the system has no
    /// memory to share is left out.
    pub(crate) fn send(&self, columns: &[(&'static str, Cells)]) -> Vec<(&'static str, SentColumn)> {
        let mut places: Vec<(Option<Arc<SharedMemory>>, usize)> = Vec::new();
        let (mut small, mut bytes) = (Vec::new(), 0);
        for (_, cells) in columns {
            let memory = self.find(cells.first);
            if memory.is_none() {
                small.push((bytes, cells));
            }
            places.push((memory.clone(), if memory.is_some() { 0 } else { bytes }));
            if memory.is_none() {
                bytes += cells.bytes().next_multiple_of(BOUNDARY);
            }
        }
        let lease = self.lease(bytes);
        if let Some(lease) = &lease {
            for (offset, cells) in small {
                // SAFETY: the batch whose column it is has so many bytes there, and the caller holds it; the piece has
                // room for all of them, and is of this function alone.
                unsafe {
                    let to = lease.memory().content().add(offset);
                    to.copy_from_nonoverlapping(cells.first.cast::<u8>().cast_const(), cells.bytes());
                }
            }
        }
        let mut sent: BTreeMap<*mut u8, Option<i32>> = BTreeMap::new();
        let mut place = |memory: &SharedMemory| *sent.entry(memory.content()).or_insert_with(|| memory.send());
        let columns = columns.iter().zip(&places).filter_map(|((name, cells), (memory, offset))| {
            let memory = memory.as_deref().or(lease.as_ref().map(Lease::memory))?;
            Some((*name, (cells.integer.name(), cells.dimensions(), (std::process::id(), place(memory)?, *offset))))
        });
        columns.collect()
    }
}

/// Returns the columns of a batch that another process has sent, which may be received once.
#[pyfunction]
pub(crate) fn receive(py: Python<'_>, columns: Vec<SentColumn<String>>) -> PyResult<Vec<Column>> {
    let mut leases: BTreeMap<(u32, i32), Arc<Lease>> = BTreeMap::new();
    let mut received = Vec::new();
    for (integer, shape, (process, number, offset)) in columns {
        let lease = match leases.entry((process, number)) {
            Entry::Occupied(lease) => Arc::clone(lease.get()),
            Entry::Vacant(lease) => {
                let opened = py.detach(|| SharedMemory::open(process, number));
                let memory = opened.map_err(|error| {
                    let place = PathBuf::from(format!("/proc/{process}/fd/{number}"));
                    Error::io("read a worker's memory at", &place, error)
                });
                Arc::clone(lease.insert(Arc::new(Lease::sent(Arc::new(memory.raised(py)?)))))
            }
        };
        let integer = Integer::ALL.into_iter().find(|known| known.name() == integer);
        let (Some(integer), [rows, width @ ..]) = (integer, &shape[..]) else { return Err(unknown()) };
        let mut cells = Cells { first: ptr::null_mut(), integer, rows: *rows, width: width.first().copied() };
        if !offset.is_multiple_of(BOUNDARY) || lease.memory().bytes() < offset.saturating_add(cells.bytes()) {
            return Err(unknown());
        }
        // SAFETY: the memory has so many bytes and more.
        cells.first = unsafe { lease.memory().content().add(offset) }.cast();
        received.push(Column::new(lease, cells));
    }
    Ok(received)
}

fn unknown() -> PyErr {
    PyValueError::new_err("this is no column that was sent")
}
