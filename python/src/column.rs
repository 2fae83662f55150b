//! Columns of a batch as memory that numpy and torch can use without a copy.

use std::any::Any;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::ffi as python;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

/// The integer types of columns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Integer {
    Int64,
    Int32,
    Uint8,
}

impl Integer {
    pub(crate) const ALL: [Integer; 3] = [Integer::Int64, Integer::Int32, Integer::Uint8];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Integer::Int64 => "int64",
            Integer::Int32 => "int32",
            Integer::Uint8 => "uint8",
        }
    }

    pub(crate) fn bytes(self) -> usize {
        usize::from(self.dlpack().1) / 8
    }

    /// The type as numpy's array interface names it.
    fn letters(self) -> &'static str {
        match self {
            Integer::Int64 => "<i8",
            Integer::Int32 => "<i4",
            Integer::Uint8 => "|u1",
        }
    }

    /// Kind (0 signed, 1 unsigned) and bits, as DLPack has them.
    fn dlpack(self) -> (u8, u8) {
        match self {
            Integer::Int64 => (0, 64),
            Integer::Int32 => (0, 32),
            Integer::Uint8 => (1, 8),
        }
    }
}

/// Cells in memory: `rows` times `width` integers, the cells of a row one behind the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells {
    pub first: *mut c_void,
    pub integer: Integer,
    pub rows: usize,
    /// `None`: one cell a row, and the array has one dimension.
    pub width: Option<usize>,
}

impl Cells {
    pub(crate) fn dimensions(&self) -> Vec<usize> {
        std::iter::once(self.rows).chain(self.width).collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.integer.bytes().saturating_mul(self.rows).saturating_mul(self.width.unwrap_or(1))
    }
}

/// What memory belongs to.
pub(crate) type Owner = Arc<dyn Any + Send + Sync>;

/// A column of a batch. The memory is the owner's, and lives as long as anything that uses it.
#[pyclass(frozen, module = "lookback._native")]
pub(crate) struct Column {
    owner: Owner,
    cells: Cells,
}

// SAFETY: the pointer leads to memory that `owner` keeps, and is only passed on.
unsafe impl Send for Column {}
// SAFETY: as above; nothing here reads or writes the memory.
unsafe impl Sync for Column {}

impl Column {
    pub(crate) fn new(owner: Owner, cells: Cells) -> Self {
        Column { owner, cells }
    }
}

#[pymethods]
impl Column {
    #[getter]
    fn shape(&self) -> Vec<usize> {
        self.cells.dimensions()
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.cells.integer.name()
    }

    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", pyo3::types::PyTuple::new(py, self.cells.dimensions())?)?;
        interface.set_item("typestr", self.cells.integer.letters())?;
        interface.set_item("data", (self.cells.first as usize, false))?;
        Ok(interface)
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        (CPU, 0)
    }

    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<&Bound<'py, PyAny>>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The capsule is of the version that every consumer takes.
        let _ = (stream, max_version);
        if copy == Some(true) || dl_device.is_some_and(|device| device != (CPU, 0)) {
            return Err(PyValueError::new_err("a column lies in the memory of the CPU, and is not copied"));
        }
        let lengths: Vec<i64> = self.cells.dimensions().iter().map(|length| *length as i64).collect();
        let (kind, bits) = self.cells.integer.dlpack();
        let mut exported = Box::new(Exported {
            managed: DLManagedTensor {
                tensor: DLTensor {
                    data: self.cells.first,
                    device: DLDevice { kind: CPU, id: 0 },
                    dimensions: lengths.len() as i32,
                    integer: DLDataType { kind, bits, lanes: 1 },
                    shape: ptr::null_mut(),
                    strides: ptr::null_mut(),
                    byte_offset: 0,
                },
                context: ptr::null_mut(),
                deleter: Some(delete),
            },
            lengths,
            _owner: Arc::clone(&self.owner),
        });
        exported.managed.tensor.shape = exported.lengths.as_mut_ptr();
        let exported = Box::into_raw(exported);
        // SAFETY: `exported` begins with the managed tensor, which is what the name says, and the name is static.
        let capsule = unsafe { python::PyCapsule_New(exported.cast(), DLTENSOR.as_ptr(), Some(delete_capsule)) };
        // SAFETY: it is a new reference to a capsule, or null with an exception set.
        match unsafe { Bound::from_owned_ptr_or_err(py, capsule) } {
            Ok(capsule) => Ok(capsule.cast_into::<PyCapsule>()?),
            Err(error) => {
                // SAFETY: no capsule has taken it.
                drop(unsafe { Box::from_raw(exported) });
                Err(error)
            }
        }
    }
}

/// DLPack's number of the CPU's memory.
const CPU: i32 = 1;

/// The name of a capsule whose tensor nobody has taken.
const DLTENSOR: &std::ffi::CStr = c"dltensor";

// The structures of DLPack, version 0.8. Source: dmlc/dlpack, include/dlpack/dlpack.h.

#[repr(C)]
struct DLDevice {
    kind: i32,
    id: i32,
}

#[repr(C)]
struct DLDataType {
    kind: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct DLTensor {
    data: *mut c_void,
    device: DLDevice,
    dimensions: i32,
    integer: DLDataType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct DLManagedTensor {
    tensor: DLTensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut DLManagedTensor)>,
}

/// A tensor that was handed out, with what it rests on.
#[repr(C)]
struct Exported {
    managed: DLManagedTensor,
    lengths: Vec<i64>,
    _owner: Owner,
}

unsafe extern "C" fn delete(tensor: *mut DLManagedTensor) {
    // SAFETY: it is the beginning of an `Exported` in a box, and is deleted once.
    drop(unsafe { Box::from_raw(tensor.cast::<Exported>()) });
}

unsafe extern "C" fn delete_capsule(capsule: *mut python::PyObject) {
    // SAFETY: the capsule is the one that `__dlpack__` made; whoever took the tensor has renamed it.
    unsafe {
        if python::PyCapsule_IsValid(capsule, DLTENSOR.as_ptr()) == 1 {
            let tensor = python::PyCapsule_GetPointer(capsule, DLTENSOR.as_ptr());
            delete(tensor.cast());
        }
    }
}
