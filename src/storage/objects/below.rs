//! The objects below a URL.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::path::Path as Key;

use super::connect::connect;
use super::proxy::UsedProxy;
use super::requests::Requests;
use super::store::Store;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::text::Shown as _;

/// The objects below a URL. Paths of objects are the URL with their names behind it, as messages show them.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    pub(super) store: Arc<dyn Store>,
    pub(super) proxy: UsedProxy,
    pub(super) requests: Arc<Requests>,
    pub(super) cancel: Cancel,
    /// The URL, without a `/` at its end.
    pub(super) url: PathBuf,
    /// The names of all objects below the URL begin with this.
    pub(super) prefix: Key,
}

impl Objects {
    /// Connects to the store of a URL, with the credentials and settings in the environment. Fails if there are no
    /// credentials; makes no request otherwise.
    pub(crate) fn connect(url: &Path, requests: &Arc<Requests>, cancel: &Cancel) -> Result<Self> {
        let ((store, proxy), prefix) = connect(url, requests, cancel)?;
        let text = url.to_string_lossy();
        let url = PathBuf::from(text.trim_end_matches('/'));
        Ok(Objects { store, proxy, requests: Arc::clone(requests), cancel: cancel.clone(), url, prefix })
    }

    /// Returns the URL, without a `/` at its end.
    pub(crate) fn url(&self) -> &Path {
        &self.url
    }

    /// Returns the name of the object at `path`. Fails if the path is not below the URL, or no name that a store takes.
    pub(super) fn key(&self, path: &Path) -> Result<Key> {
        let names = path
            .strip_prefix(&self.url)
            .map_err(|_| Error::internal(format!("{} is not below {}", path.shown(), self.url.shown())))?;
        let name = names.to_string_lossy();
        let below = Key::parse(&*name).map_err(|error| {
            let what = format!("{} is no name that an object store takes ({error})", path.shown());
            Error::input(what, "rename it").caused_by(error)
        })?;
        Ok(if below.as_ref().is_empty() { self.prefix.clone() } else { join(&self.prefix, below.as_ref()) })
    }

    /// Returns the path of an object, as messages show it.
    pub(super) fn path_of(&self, key: &Key) -> PathBuf {
        let below = key.as_ref().strip_prefix(self.prefix.as_ref()).unwrap_or(key.as_ref());
        let below = below.trim_start_matches('/');
        if below.is_empty() { self.url.clone() } else { self.url.join(below) }
    }
}

/// Returns the name of an object below a prefix.
pub(super) fn join(prefix: &Key, below: &str) -> Key {
    prefix.parts().chain(Key::from(below).parts()).map(|part| part.as_ref().to_owned()).collect()
}
