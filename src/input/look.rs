//! Checks the first rows of a file as `ingest` or `produce` would, with the same code and the same messages.

use super::actions::read_first_actions;
use super::bad_rows::{BadRows, QuarantineFolder};
use super::day_reader::DayReader;
use super::impressions::{ReadImpressions, read_first_impressions};
use super::layout::DayFile;
use crate::error::{Error, Result};
use crate::model::{Day, Zone};
use crate::resources::Resources;
use crate::sources::{ActionSource, ImpressionSource, Int96};

/// How many rows of a file are checked.
const ROWS: usize = 1_000;

/// The result of checking a file.
#[derive(Debug)]
pub(crate) struct LookedAt {
    /// Its columns in file order, each with the name of its type; empty if the file cannot be opened.
    pub columns: Vec<(String, String)>,
    /// The error of reading the file, if any.
    pub problem: Option<Error>,
    /// For impressions, what the first rows lack.
    pub read: ReadImpressions,
}

/// Checks a file of actions of a batch. Memory: a thousand rows.
pub(crate) fn look_at_actions(source: &ActionSource, day_file: &DayFile, day: Day, resources: &Resources) -> LookedAt {
    let mut bad = BadRows::new(QuarantineFolder::Actions, day, None);
    look(day_file, source.int96, resources, || {
        read_first_actions(source, day_file, &Zone::utc(), resources, ROWS, &mut bad, |_, _, _, _| Ok(()))?;
        bad.finish().map(|_| ReadImpressions::default())
    })
}

/// Checks a file of impressions of a day. Memory: as for actions.
pub(crate) fn look_at_impressions(
    source: &ImpressionSource,
    day_file: &DayFile,
    day: Day,
    resources: &Resources,
) -> LookedAt {
    let mut bad = BadRows::new(QuarantineFolder::Impressions, day, None);
    look(day_file, None, resources, || {
        let read = read_first_impressions(source, day_file, resources, ROWS, &mut bad, |_, _, _, _| Ok(()))?;
        bad.finish().map(|_| read)
    })
}

fn look(
    day_file: &DayFile,
    int96: Option<Int96>,
    resources: &Resources,
    read: impl FnOnce() -> Result<ReadImpressions>,
) -> LookedAt {
    let opened = DayReader::open(day_file, int96, resources).and_then(|file| file.columns());
    let (columns, read) = match opened {
        Ok(columns) => (columns, read()),
        Err(problem) => (Vec::new(), Err(problem)),
    };
    match read {
        Ok(read) => LookedAt { columns, problem: None, read },
        Err(problem) => LookedAt { columns, problem: Some(problem), read: ReadImpressions::default() },
    }
}
