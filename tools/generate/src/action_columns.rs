//! Actions as the columns of the three tables that they are written to.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::action::{Action, Kind};
use crate::table::Columns;

/// How many sizes an item is sold in: `simple_id` is an item in a size. lookback does not read it.
const SIZES: i64 = 12;

/// Collects actions of one kind as columns.
#[derive(Debug)]
pub struct ActionColumns {
    schema: SchemaRef,
    kind: Kind,
    customers: Vec<i64>,
    items: Vec<i64>,
    times: Vec<i64>,
}

impl ActionColumns {
    /// Columns of the table of `kind`, every one nullable, as the tools that usually write such tables leave them.
    pub fn new(kind: Kind) -> Self {
        let id = |name: &str| Field::new(name, DataType::Int64, true);
        let time = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
        let fields = match kind {
            Kind::Click => vec![id("customer_id"), id("item_id"), time("click_time")],
            Kind::AddToCart | Kind::Order => {
                vec![id("customer_id"), id("config_id"), id("simple_id"), time("occurred_at")]
            }
        };
        Self {
            schema: Arc::new(Schema::new(fields)),
            kind,
            customers: Vec::new(),
            items: Vec::new(),
            times: Vec::new(),
        }
    }
}

impl Columns for ActionColumns {
    type Row = Action;

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn push(&mut self, action: &Action) {
        self.customers.push(action.customer);
        self.items.push(action.item);
        self.times.push(action.time);
    }

    fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        // A customer has a size, so that an exact repeat of an action repeats this column too.
        let sizes = self.items.iter().zip(&self.customers).map(|(item, customer)| item * 100 + customer % SIZES);
        let sizes: Option<ArrayRef> = match self.kind {
            Kind::Click => None,
            Kind::AddToCart | Kind::Order => Some(Arc::new(Int64Array::from_iter_values(sizes))),
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.customers))),
            Arc::new(Int64Array::from(std::mem::take(&mut self.items))),
        ];
        columns.extend(sizes);
        columns.push(Arc::new(TimestampMicrosecondArray::from(std::mem::take(&mut self.times)).with_timezone("UTC")));
        RecordBatch::try_new(self.schema(), columns)
    }
}
