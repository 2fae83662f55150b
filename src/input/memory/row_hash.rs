//! The fingerprint of rows, whatever their order and however they are cut into batches.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use xxhash_rust::xxh3::xxh3_128;

use crate::format::Hasher;
use crate::storage::Fingerprint;

/// Begins the hash, so that another way to hash rows can never give the same.
const KIND: &[u8] = b"rows 1";

/// Hashes rows: the sum of their hashes, each XXH3-128 of the row in Arrow's row format.
pub(super) struct RowHash {
    converter: RowConverter,
    rows: u64,
    bytes: u64,
    sum: u128,
}

impl RowHash {
    /// Returns the hash of no rows.
    pub(super) fn new(schema: &Schema) -> Result<Self, ArrowError> {
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone()));
        Ok(RowHash { converter: RowConverter::new(fields.collect())?, rows: 0, bytes: 0, sum: 0 })
    }

    /// Adds rows. Memory: the rows once more.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        for row in &self.converter.convert_columns(batch.columns())? {
            let row: &[u8] = row.as_ref();
            self.rows += 1;
            self.bytes += row.len() as u64;
            self.sum = self.sum.wrapping_add(xxh3_128(row));
        }
        Ok(())
    }

    /// Returns the fingerprint of the rows and of the names and types of their columns. Its size is that of the rows in
    /// Arrow's row format.
    pub(super) fn fingerprint(&self, schema: &Schema) -> Fingerprint {
        let mut hasher = Hasher::new();
        hasher.add(KIND);
        for field in schema.fields() {
            hasher.add(field.name().as_bytes());
            hasher.add(field.data_type().to_string().as_bytes());
        }
        hasher.add(&self.rows.to_le_bytes());
        hasher.add(&self.sum.to_le_bytes());
        Fingerprint::of_rows(self.bytes, hasher.digest())
    }
}
