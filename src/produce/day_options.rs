//! What a produce and a training have in common of their options.

use std::path::Path;

use super::choice::RowChoice;
use crate::input::Input;
use crate::model::{Day, Shard};
use crate::resources::Resources;
use crate::sources::ImpressionSource;

/// What determines the rows of a day, of the options of whoever asks for them.
#[derive(Clone, Copy)]
pub(crate) struct DayOptions<'a> {
    pub input: &'a Input,
    pub impressions: &'a ImpressionSource,
    pub dt: Day,
    pub rows: RowChoice,
    pub known_as_of: Option<Day>,
    /// Whose impressions are read; all without one.
    pub shard: Option<Shard>,
    /// Whether batches may be missing, and whether actions may be pruned.
    pub allowed: (bool, bool),
    pub quarantine: Option<&'a Path>,
    pub resources: &'a Resources,
}
