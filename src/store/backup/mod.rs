//! Backups of a store: in a folder by RocksDB's backup engine, at a URL as [`crate::store::versions`].

mod folder;
mod restored;
mod url;

pub use folder::{Backup, Backups, check_backups};
pub use url::{MadeAtUrl, Retention, UrlBackups};
