//! Looking at a file without reading its rows: which columns it has, and whether it could be read.

use super::actions;
use super::impressions;
use super::layout::DayFile;
use super::parquet_file::ParquetFile;
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

/// Looks at a file of actions. Memory: what the file says of itself.
pub fn look_at_actions(source: &ActionSource, day_file: &DayFile) -> LookedAt {
    look(day_file, |file| {
        let names = actions::Names::of(source, |column| file.has(column));
        let batch = file.without_rows(&names.all())?;
        actions::TypedColumns::new(&batch, source, names, day_file, &Zone::utc()).map(drop)
    })
}

/// Looks at a file of impressions. Memory: what the file says of itself.
pub fn look_at_impressions(source: &ImpressionSource, day_file: &DayFile) -> LookedAt {
    look(day_file, |file| {
        let names = impressions::Names::of(source);
        let batch = file.without_rows(&names.top)?;
        impressions::TypedColumns::new(&batch, &names, &day_file.path).map(drop)
    })
}

fn look(day_file: &DayFile, check: impl FnOnce(&ParquetFile) -> Result<()>) -> LookedAt {
    match ParquetFile::open(day_file) {
        Ok(file) => LookedAt { columns: file.columns(), problem: check(&file).err() },
        Err(problem) => LookedAt { columns: Vec::new(), problem: Some(problem) },
    }
}
