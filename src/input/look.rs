//! Checks the first rows of a file as `ingest` or `produce` would, with the same code and the same messages.

use super::actions::read_first_actions;
use super::bad_rows::{BadRows, QuarantineFolder};
use super::day_reader::DayReader;
use super::impressions::{ReadImpressions, read_first_impressions};
use super::layout::DayFile;
use super::read_options::ReadOptions;
use super::wanted::Wanted;
use crate::error::{Error, Result};
use crate::model::{Day, Zone};
use crate::resources::Resources;
use crate::sources::{ActionSource, ImpressionLayout, ImpressionSource};

/// How many rows of a file are checked.
const ROWS: usize = 1_000;

/// The result of checking a file.
#[derive(Debug)]
pub(crate) struct LookedAt {
    /// Its columns in file order, and the wanted ones inside of them, each with the name of its type; empty if the file
    /// cannot be opened.
    pub columns: Vec<(String, String)>,
    /// The error of reading the file, if any.
    pub problem: Option<Error>,
    /// For impressions, what the first rows lack.
    pub read: ReadImpressions,
}

/// Checks a file of actions of a batch. Memory: a thousand rows.
pub(crate) fn look_at_actions(source: &ActionSource, day_file: &DayFile, day: Day, resources: &Resources) -> LookedAt {
    let mut bad = BadRows::new(QuarantineFolder::Actions, day, None);
    let named: Vec<&str> = source.columns().into_iter().map(|(_, name)| name).collect();
    look(day_file, source.into(), &named, resources, || {
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
    let is_flat = source.layout == ImpressionLayout::Flat;
    let columns = source.columns();
    // The last two of lists are fields of the elements.
    let named: Vec<&str> = columns.iter().take(if is_flat { 5 } else { 3 }).map(|(_, name)| *name).collect();
    look(day_file, source.into(), &named, resources, || {
        let read = read_first_impressions(source, day_file, resources, ROWS, &mut bad, |_, _, _, _| Ok(()))?;
        bad.finish().map(|_| read)
    })
}

fn look(
    day_file: &DayFile,
    options: ReadOptions<'_>,
    named: &[&str],
    resources: &Resources,
    read: impl FnOnce() -> Result<ReadImpressions>,
) -> LookedAt {
    let opened = DayReader::open(day_file, options, resources).and_then(|file| columns(&file, named));
    let (columns, read) = match opened {
        Ok(columns) => (columns, read()),
        Err(problem) => (Vec::new(), Err(problem)),
    };
    match read {
        Ok(read) => LookedAt { columns, problem: None, read },
        Err(problem) => LookedAt { columns, problem: Some(problem), read: ReadImpressions::default() },
    }
}

/// Returns the columns of a file, then those of `named` that are in structs, objects and lists.
fn columns(file: &DayReader, named: &[&str]) -> Result<Vec<(String, String)>> {
    let mut columns = file.columns()?;
    for name in named {
        if name.contains('.') && columns.iter().all(|(column, _)| column != name) && file.has(name)? {
            let typed = file.typed(&[Wanted::Text(name)])?;
            let found = typed.and_then(|batch| Some(batch.column_by_name(name)?.data_type().to_string()));
            columns.push(((*name).to_owned(), found.unwrap_or_else(|| "text".to_owned())));
        }
    }
    Ok(columns)
}
