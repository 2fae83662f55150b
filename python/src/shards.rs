//! In which shard a customer is.

use lookback::error::Error;
use lookback::model::{CustomerId, Shards, text_id};
use pyo3::prelude::*;

use crate::errors::Raised;

/// The id of a customer: a number, or text where the store's customers are text.
#[derive(FromPyObject)]
pub(crate) enum Id {
    Number(i64),
    Text(String),
}

/// Returns the shards of customers, of so many; 0 for a missing one.
#[pyfunction]
pub(crate) fn shards_of(py: Python<'_>, customers: Vec<Option<Id>>, number: u32) -> PyResult<Vec<u32>> {
    let shards = Shards::new(number).ok_or_else(|| Error::internal("a number of shards is a power of two"));
    let shards = shards.raised(py)?;
    let shard_of = |customer: &Id| {
        shards.of(match customer {
            Id::Number(number) => CustomerId(*number),
            Id::Text(text) => CustomerId(text_id(text)),
        })
    };
    Ok(customers.iter().map(|customer| customer.as_ref().map_or(0, shard_of)).collect())
}
