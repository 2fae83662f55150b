//! A batch as Arrow, without copying its columns.

use std::iter::repeat_n;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Array, LargeListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{Field, Int64Type};

use super::batch::RowBatch;
use super::cells::{ItemCells, TypeCells};
use super::layout::Layout;
use super::writer::HistoryColumns;
use crate::error::Result;
use crate::exact::Held;
use crate::model::RowColumn;

/// The invariant that the columns of a batch fit each other.
const FITS: &str = "the columns of a batch fit each other";

impl RowBatch {
    /// Returns the batch as Arrow, with the names of the columns of a partition. Columns of histories are large lists;
    /// in layouts `dedup` and `jagged`, dictionaries of them, whose keys are `inverse`. Takes no memory beside the
    /// batch, but for ranking ids, cells that were lent and, unless jagged, 8 bytes for each history.
    pub fn into_arrow(self) -> Result<RecordBatch> {
        let RowBatch { impressions, labels, customer_ids, positions, ranking_ids, histories, inverse, .. } = self;
        let shape = histories.shape();
        let HistoryColumns { actions, action_types, history_lengths, action_ages, action_times, offsets, .. } =
            histories;
        let offsets = match shape.layout {
            Layout::Jagged => OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Layout::Padded | Layout::Dedup => {
                let histories = actions.len() / shape.max_history.max(1);
                OffsetBuffer::<i64>::from_lengths(repeat_n(shape.max_history, histories))
            }
        };
        let inverse = Int64Array::from(inverse);
        let of_rows = |histories: ArrayRef| -> Result<ArrayRef> {
            if shape.layout == Layout::Padded {
                return Ok(histories);
            }
            Ok(Arc::new(DictionaryArray::<Int64Type>::try_new(inverse.clone(), histories).held(FITS)?))
        };
        let lists = |cells: ArrayRef| -> Result<ArrayRef> {
            let element = Arc::new(Field::new("element", cells.data_type().clone(), false));
            of_rows(Arc::new(LargeListArray::try_new(element, offsets.clone(), cells, None).held(FITS)?))
        };
        let actions: ArrayRef = match actions {
            ItemCells::Int64(items) => Arc::new(Int64Array::from(items.into_vec())),
            ItemCells::Int32(items) => Arc::new(Int32Array::from(items.into_vec())),
        };
        let action_types: ArrayRef = match action_types {
            TypeCells::Int32(types) => Arc::new(Int32Array::from(types.into_vec())),
            TypeCells::Uint8(types) => Arc::new(UInt8Array::from(types.into_vec())),
        };
        let mut columns: Vec<(RowColumn, ArrayRef)> = Vec::new();
        if let Some(ranking_ids) = ranking_ids {
            columns.push((RowColumn::RankingId, Arc::new(StringArray::from(ranking_ids))));
        }
        columns.push((RowColumn::CustomerId, Arc::new(Int64Array::from(customer_ids))));
        columns.push((RowColumn::ImpressionPos, Arc::new(Int32Array::from(positions))));
        columns.push((RowColumn::ImpressionItemId, Arc::new(Int64Array::from(impressions))));
        columns.push((RowColumn::Label, Arc::new(Int32Array::from(labels))));
        columns.push((RowColumn::Actions, lists(actions)?));
        columns.push((RowColumn::ActionTypes, lists(action_types)?));
        if let Some(lengths) = history_lengths {
            columns.push((RowColumn::HistoryLength, of_rows(Arc::new(Int32Array::from(lengths)))?));
        }
        if let Some(ages) = action_ages {
            columns.push((RowColumn::ActionAges, lists(Arc::new(Int32Array::from(ages.into_vec())))?));
        }
        if let Some(times) = action_times {
            let times = TimestampMicrosecondArray::from(times.into_vec()).with_timezone("UTC");
            columns.push((RowColumn::ActionTimes, lists(Arc::new(times))?));
        }
        let columns = columns.into_iter().map(|(column, cells)| (column.name(), cells, column == RowColumn::RankingId));
        RecordBatch::try_from_iter_with_nullable(columns).held(FITS)
    }
}
