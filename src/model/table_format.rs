//! What kind of table an output is, beside the partitions in it.

use crate::message::named;

named! {
    /// A table format: a log beside the partitions, by which readers see each partition replaced in one step.
    pub enum TableFormat {
        /// Delta Lake.
        Delta = "delta",
    }
}
