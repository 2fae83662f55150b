//! Values that are records. This is the only room that uses bincode.

mod batch;
mod codec;
mod records;

pub use batch::{BatchRecord, FileRecord, LeftOutRows, SourceRecord, ZoneUse};
pub use codec::Record;
pub(crate) use records::{BlockListRecord, DropDuplicates, Forgotten, IdsRecord, Purge, ZoneRulesRecord};
pub use records::{Horizon, StoreRecord, Totals, TypesRecord};
