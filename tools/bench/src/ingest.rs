//! Part `ingest`: the newest batch into a copy of the store without it, then the compaction that has become due.

use std::fs;

use lookback::error::{Error, Result};
use lookback::ingest::Ingester;
use lookback::progress::Silent;
use lookback::text::{count, counted};

use crate::clock::Spent;
use crate::input::Input;
use crate::rounds::Rounds;
use crate::stores::{Stores, copy, ingest};
use crate::table::Line;

/// Each round has a fresh copy, made untimed. Compaction begins beside the ingest, so part of its CPU time may be in
/// the first line.
pub fn measure(input: &Input, stores: &Stores, rounds: Rounds) -> Result<Vec<Line>> {
    let folder = stores.work().join("copy");
    let (mut ingests, mut settles, mut summary) = (Vec::new(), Vec::new(), None);
    for _ in rounds.each() {
        let mut ingester = Ingester::open(&copy(&stores.before, &folder)?, &Silent)?;
        let (spent, of_round) = Spent::on(|| ingest(&mut ingester, &stores.resources, &input.root, input.newest))?;
        ingests.push(spent);
        let settle = || {
            ingester.finish_compaction(&Silent)?;
            Ok(())
        };
        settles.push(Spent::on(settle)?.0);
        summary = Some(of_round);
        drop(ingester);
        fs::remove_dir_all(&folder).map_err(|error| Error::io("remove", &folder, error))?;
    }
    let Some(summary) = summary else { return Ok(Vec::new()) };
    let what = format!(
        "{} actions ({} late) of {} customers ({} new) into {} batches, {} keyframes, {}",
        count(summary.actions),
        count(summary.late),
        count(summary.customers),
        count(summary.new_customers),
        input.earlier.len(),
        count(summary.keyframes),
        counted(stores.resources.threads() as u64, "thread")
    );
    Ok(vec![
        Line::timed("ingest", what, &ingests, &[(summary.actions, "actions")]),
        Line::timed("settle", "the compaction still due after it".to_owned(), &settles, &[]),
    ])
}
