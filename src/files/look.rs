//! Looking at a file without reading its rows: which columns it has, and whether it could be read.

use super::actions;
use super::day_reader::DayReader;
use super::impressions;
use super::layout::DayFile;
use crate::error::{Error, Result};
use crate::model::Zone;
use crate::sources::{ActionSource, ImpressionSource};

/// What a look at a file has shown.
#[derive(Debug)]
pub struct LookedAt {
    /// Its columns, each with the name of its type, in its own order; none where it cannot be opened.
    pub columns: Vec<(String, String)>,
    /// Why its rows could not be read: what reading it would say.
    pub problem: Option<Error>,
}

/// Looks at a file of actions. Memory: what the file says of itself; of a text file, its first row.
pub fn look_at_actions(source: &ActionSource, day_file: &DayFile) -> LookedAt {
    look(day_file, |file| {
        let names = actions::Names::of(source, &file)?;
        match file.first(&names.wanted())? {
            Some(batch) => actions::TypedColumns::new(&batch, source, names, day_file, &Zone::utc()).map(drop),
            None => Ok(()),
        }
    })
}

/// Looks at a file of impressions. Memory: as for actions.
pub fn look_at_impressions(source: &ImpressionSource, day_file: &DayFile) -> LookedAt {
    look(day_file, |file| {
        let names = impressions::Names::of(source);
        match file.first(&names.wanted())? {
            Some(batch) => impressions::TypedColumns::new(&batch, &names, &day_file.path).map(drop),
            None => Ok(()),
        }
    })
}

fn look(day_file: &DayFile, check: impl FnOnce(DayReader) -> Result<()>) -> LookedAt {
    let opened = DayReader::open(day_file).and_then(|file| Ok((file.columns()?, file)));
    match opened {
        Ok((columns, file)) => LookedAt { columns, problem: check(file).err() },
        Err(problem) => LookedAt { columns: Vec::new(), problem: Some(problem) },
    }
}
