//! The rows of a day, put aside.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::impressions::Impressions;
use super::used_batches::Columns;
use crate::model::{Day, RowColumns, RowOrder};
use crate::output::RowSettings;
use crate::produce::HistorySpool;
use crate::resources::Resources;

/// What all epochs of a day share.
pub(super) struct DayRows {
    pub settings: DaySettings,
    pub max_rows_per_customer: Option<NonZeroUsize>,
    pub impressions: Impressions,
    pub histories: HistorySpool,
    /// Customers with a row.
    pub customers: u64,
    /// The most actions of a history.
    pub longest: u32,
    /// The actions of all histories, each once.
    pub actions: u64,
    pub resources: Resources,
    /// Memory of batches of earlier epochs.
    pub used: Columns,
}

/// The settings of rows that their epochs and batches need.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct DaySettings {
    pub dt: Day,
    pub max_history: usize,
    pub columns: RowColumns,
    pub order: RowOrder,
}

impl From<RowSettings> for DaySettings {
    fn from(settings: RowSettings) -> Self {
        let RowSettings { dt, max_history, columns, order, .. } = settings;
        DaySettings { dt, max_history, columns, order }
    }
}
