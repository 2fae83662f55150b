//! Parquet on the way in: one file read as record batches of chosen columns, within bounds that are looked at before
//! anything is decoded.

mod batch_rows;
pub(crate) mod error;
pub(crate) mod file;
mod footer;
pub(crate) mod guard;
mod list_length;
pub(crate) mod metadata;
mod page_header;
mod thrift;
