//! What tests, benchmark and fuzz targets look at beside the facade, by its room. Nobody else may rest on it.

pub use crate::output::rows::zstd_frame;
pub use crate::store::sst::fuzz::sst_table;

pub mod format {
    //! Records and keys as bytes.
    pub use crate::format::{
        ACTIONS_MAX, BatchRecord, CustomerState, Delta, Entry, FIRST_LEAF, FORMAT_VERSION, FileRecord, Horizon, Key,
        Keyframe, LAYOUT_VERSION, Record, SourceRecord, StoreRecord, Totals, TouchedDay, TypesRecord, ZoneUse,
        decode_leaf, encode_delta, encode_keyframe, encode_leaf,
    };
}

pub mod history {
    //! Histories, and plans of their keyframes.
    pub use crate::history::{History, SinceKeyframe, newest_first, plan_keyframes};
}

pub mod input {
    //! Rows of input files.
    pub use crate::input::actions::{ReadAction, read_actions};
    pub use crate::input::bad_rows::{BadRows, QuarantineFolder};
    pub use crate::input::batch_files::batch_files;
    pub use crate::input::impressions::read_impressions;
    pub use crate::input::layout::{DayFile, day_files};
}

pub mod migrations {
    //! Steps of a migration.
    pub use crate::migrations::step::{Migration, Switch};
}

pub mod output {
    //! Partitions and their row groups.
    pub use crate::output::partition::Partition;
    pub use crate::output::rows::{RowGroup, RowSchema, RowSettings, RowWriter};
}

pub mod parallel {
    //! Jobs whose results are pulled.
    pub use crate::parallel::ReadAhead;
}

pub mod sort {
    //! The external sort.
    pub use crate::sort::Sorter;
}

pub mod storage {
    //! Fingerprints of files.
    pub use crate::storage::fingerprint::Fingerprint;
}

pub mod store {
    //! The database below a store, and its cursors.
    pub use crate::store::bulk::BulkLoad;
    pub use crate::store::cursor::Cursor;
    pub use crate::store::query::AsOf;
    pub use crate::store::raw::RawStore;
}

pub mod zoneinfo {
    //! The rules of time zones that the program brings.
    pub use crate::zoneinfo::{bundled_names, bundled_zone};
}
