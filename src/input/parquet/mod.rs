//! Parquet on the way in: reads one file as record batches of chosen columns, and checks the sizes it announces against
//! bounds before it decodes anything.

mod batch_rows;
pub(crate) mod error;
pub(crate) mod file;
mod footer;
pub(crate) mod guard;
mod list_length;
pub(crate) mod metadata;
mod page_header;
mod thrift;
mod uuid_columns;
