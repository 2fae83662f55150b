//! A day on its way to other processes of the machine, so that one prepares it for all of them.
//!
//! The bytes of both spools pass as they are. What is known of them besides passes as JSON, between processes of one
//! version only: it is no format that anything keeps.

use std::num::NonZeroUsize;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::day_rows::{DayRows, DaySettings};
use super::impressions::{Block, Impressions};
use super::training_day::TrainingDay;
use crate::error::{Error, Result};
use crate::produce::{HistorySpool, ProduceSummary};
use crate::resources::{Resources, Spool, SpoolContent};

/// What a prepared day consists of.
pub struct DayParts<'a> {
    /// What is known of the day.
    pub about: Vec<u8>,
    /// Its histories.
    pub histories: SpoolContent<'a>,
    /// Its impressions.
    pub impressions: SpoolContent<'a>,
}

#[derive(Deserialize, Serialize)]
struct About<'a> {
    settings: DaySettings,
    max_rows_per_customer: Option<NonZeroUsize>,
    customers: u64,
    longest: u32,
    actions: u64,
    blocks: Vec<Block>,
    summary: ProduceSummary,
    fingerprint: &'a str,
}

impl TrainingDay {
    /// Returns the parts of the day, from which another process makes it again.
    pub fn parts(&self) -> Result<DayParts<'_>> {
        let DayRows {
            settings,
            max_rows_per_customer,
            ref impressions,
            ref histories,
            customers,
            longest,
            actions,
            resources: _,
            used: _,
        } = *self.rows;
        let about = About {
            settings,
            max_rows_per_customer,
            customers,
            longest,
            actions,
            blocks: impressions.blocks.clone(),
            summary: (*self.summary).clone(),
            fingerprint: &self.fingerprint,
        };
        let about = serde_json::to_vec(&about).map_err(|error| changed().caused_by(error))?;
        Ok(DayParts { about, histories: histories.content(), impressions: impressions.content() })
    }

    /// Returns the day whose parts these are, with resources for its epochs and batches.
    pub fn of_parts(about: &[u8], histories: Spool, impressions: Spool, resources: Resources) -> Result<Self> {
        let About { settings, max_rows_per_customer, customers, longest, actions, blocks, summary, fingerprint } =
            serde_json::from_slice(about).map_err(|error| changed().caused_by(error))?;
        let rows = DayRows {
            settings,
            max_rows_per_customer,
            impressions: Impressions::of_blocks(impressions, blocks),
            histories: HistorySpool::new(histories),
            customers,
            longest,
            actions,
            resources,
            used: Arc::default(),
        };
        Ok(TrainingDay { rows: Arc::new(rows), summary: Arc::new(summary), fingerprint: fingerprint.into() })
    }
}

fn changed() -> Error {
    Error::internal("what is known of a prepared day has changed on its way to another process")
}
