//! The format of files, where a configuration gives it.

use crate::message::named;

named! {
    /// The format of the rows of a file.
    pub enum FileFormat {
        /// `parquet`
        Parquet = "parquet",
        /// `csv`
        Csv = "csv",
        /// `json`: JSON lines.
        Json = "json",
    }
    ALL
}
