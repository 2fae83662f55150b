//! What is asked of the client of an object store.

use object_store::ObjectStore;
use object_store::multipart::MultipartStore;

/// A store that takes objects whole and in parts.
pub(super) trait Store: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Store for T {}
