//! Columns in memory that a worker process and the trainer's share, so that a batch passes from one to the other without
//! a copy, and the next one finds its memory again: new memory would cost more than the batch.

use std::ffi::c_void;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lookback::error::Error;
use lookback::output::{LendCells, LentCells};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::column::{Cells, Column, Integer, Owner};
use crate::errors::Raised;
use crate::shared_memory::{Lease, SharedMemory};

/// Smaller columns have memory of their own, which is quicker than to share it.
const BYTES_MIN: usize = 64 << 10;

/// Pieces of memory that are kept though nobody uses them.
const FREE_MAX: usize = 8;

/// The memory of a process's batches for others. It stays while batches are on their way, so it is to live as long as the
/// process.
///
/// Memory: that of the batches that are made or used in any process, and 8 columns more. The sizes of columns are
/// rounded up by at most a quarter.
#[derive(Default)]
pub(crate) struct SharedColumns {
    memories: Mutex<Vec<Arc<SharedMemory>>>,
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
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<SharedMemory>>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the smallest piece of memory that is free and large enough, or a new one. `None` if the column is small, or
    /// the system has no memory to share.
    fn lend<T>(&self, cells: usize) -> Option<Box<LentColumn>> {
        let bytes = cells.checked_mul(size_of::<T>()).filter(|bytes| *bytes >= BYTES_MIN)?;
        let mut memories = self.lock();
        let fits = |memory: &&Arc<SharedMemory>| memory.bytes() >= bytes && memory.is_free();
        let lease = match memories.iter().filter(fits).min_by_key(|memory| memory.bytes()) {
            Some(memory) => Lease::begin(Arc::clone(memory)),
            None => {
                let step = bytes.next_power_of_two() / 8;
                let memory = Arc::new(SharedMemory::create(bytes.next_multiple_of(step)).ok()?);
                memories.push(Arc::clone(&memory));
                Lease::begin(memory)
            }
        };
        let mut surplus = memories.iter().filter(|memory| memory.is_free()).count().saturating_sub(FREE_MAX);
        memories.retain(|memory| {
            let is_surplus = surplus > 0 && memory.is_free();
            surplus -= usize::from(is_surplus);
            !is_surplus
        });
        Some(Box::new(LentColumn { lease, cells }))
    }

    /// Returns the memory that begins there.
    fn find(&self, first: *mut c_void) -> Option<Arc<SharedMemory>> {
        self.lock().iter().find(|memory| memory.content().cast() == first).cloned()
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

/// A column on its way to another process: the type of its cells, its shape, and its content: the number of a process
/// with that of a descriptor of it, behind which the memory is; or bytes.
pub(crate) type SentColumn = (&'static str, Vec<usize>, Py<PyAny>);

/// Returns a column on its way; its memory is taken for whoever receives it.
pub(crate) fn sent(py: Python<'_>, lender: Option<&SharedColumns>, cells: &Cells) -> PyResult<SentColumn> {
    let content = match lender.and_then(|lender| lender.find(cells.first)?.send()) {
        Some(number) => (std::process::id(), number).into_pyobject(py)?.into_any().unbind(),
        None => {
            // SAFETY: the batch whose column it is has so many bytes there; the caller holds it.
            let bytes = unsafe { std::slice::from_raw_parts(cells.first.cast::<u8>().cast_const(), cells.bytes()) };
            PyBytes::new(py, bytes).into_any().unbind()
        }
    };
    Ok((cells.integer.name(), cells.dimensions(), content))
}

/// Returns a column that another process has sent, which may be received once.
#[pyfunction]
pub(crate) fn receive(
    py: Python<'_>,
    integer: &str,
    shape: Vec<usize>,
    content: &Bound<'_, PyAny>,
) -> PyResult<Column> {
    let integer = Integer::ALL.into_iter().find(|known| known.name() == integer);
    let (Some(integer), [rows, width @ ..]) = (integer, &shape[..]) else {
        return Err(PyValueError::new_err("this is no column that was sent"));
    };
    let mut cells = Cells { first: std::ptr::null_mut(), integer, rows: *rows, width: width.first().copied() };
    let (owner, bytes): (Owner, usize) = match content.cast::<PyBytes>() {
        Ok(bytes) => {
            let bytes = bytes.as_bytes();
            // In words, so that cells of any type lie on their boundaries.
            let mut words: Vec<u64> = bytes.chunks(8).map(word).collect();
            cells.first = words.as_mut_ptr().cast();
            (Arc::new(words), bytes.len())
        }
        Err(_) => {
            let (process, number) = content.extract::<(u32, i32)>()?;
            let opened = py.detach(|| SharedMemory::open(process, number));
            let memory = opened.map_err(|error| {
                let place = PathBuf::from(format!("/proc/{process}/fd/{number}"));
                Error::io("read a worker's memory at", &place, error)
            });
            let lease = Lease::sent(Arc::new(memory.raised(py)?));
            cells.first = lease.memory().content().cast();
            let bytes = lease.memory().bytes();
            (Arc::new(lease), bytes)
        }
    };
    if bytes < cells.bytes() {
        return Err(PyValueError::new_err("this is no column that was sent"));
    }
    Ok(Column::new(owner, cells))
}

fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_ne_bytes(word)
}
