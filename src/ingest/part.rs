//! The part of a batch that is of one shard, which a task has by itself: what it may have, and what is judged of all
//! parts together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::far::FarActions;
use super::options::IngestOptions;
use super::outlines::missing_sources;
use super::run::{Ingester, no_files};
use super::summary::IngestSummary;
use crate::error::{Error, Result};
use crate::model::Shard;
use crate::progress::Progress;
use crate::text::counted;

/// What is judged of a whole batch, and not of the part of a shard.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct OfWhole {
    far: FarActions,
    /// The sources that have a row.
    with_rows: BTreeSet<String>,
    /// The sources that all recent batches of the shard have.
    expected: BTreeSet<String>,
}

impl OfWhole {
    /// Adds what the part of another shard says.
    pub(crate) fn add(&mut self, other: OfWhole) {
        self.far.add(other.far);
        self.with_rows.extend(other.with_rows);
        self.expected.extend(other.expected);
    }

    /// Fails if the batch is unlike others, as [`super::BatchReader::read`] does for one that it reads whole.
    pub(crate) fn refuse(&self, options: &IngestOptions) -> Result<()> {
        if !options.allow_far_actions {
            self.far.refuse_most(options.dt)?;
        }
        if self.with_rows.is_empty() {
            return if options.allow_empty { Ok(()) } else { Err(no_files(options)) };
        }
        let missing = self.expected.difference(&self.with_rows).cloned();
        let missing: BTreeMap<_, _> = missing.map(|source| (source, vec![options.dt])).collect();
        if missing.is_empty() || options.allow_missing_source { Ok(()) } else { Err(missing_sources(&missing)) }
    }
}

impl Ingester {
    /// Ingests the part of a batch that is of a shard into the shard's store, as [`Ingester::ingest`] does. Fails if an
    /// action is of a customer of another shard. Returns the counts, and what is to be judged of the whole batch, which
    /// has not been judged here.
    ///
    /// Memory: that of [`Ingester::ingest`].
    pub(crate) fn ingest_part(
        &mut self,
        shard: Shard,
        options: &IngestOptions,
        progress: &dyn Progress,
    ) -> Result<(IngestSummary, OfWhole)> {
        self.check_day(options.dt)?;
        let options = options.clone().allow_far_actions(true).allow_missing_source(true).allow_empty(true);
        let (admission, _) = self.admission()?;
        let batch = self.reader()?.admitting(admission.of_shard(shard)).read(&options, progress)?;
        refuse_others(batch.left_out.of_other_shards, "action", shard)?;
        let expected = self.outlines.expected_on(options.dt);
        let whole = OfWhole { far: batch.far.clone(), with_rows: batch.with_rows.clone(), expected };
        Ok((self.load(batch, progress)?, whole))
    }
}

/// Fails if rows were of customers of other shards.
pub(crate) fn refuse_others(number: u64, row: &str, shard: Shard) -> Result<()> {
    if number == 0 {
        return Ok(());
    }
    let Shard { of, number: own } = shard;
    Err(Error::input(
        format!("the task of shard {own} was given {} of customers of other shards", counted(number, row)),
        format!(
            "give it the rows for which pmod(xxhash64(cast(customer_id as bigint)), {}) is {own}, and no others",
            of.number()
        ),
    ))
}
