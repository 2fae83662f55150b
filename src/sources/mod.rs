//! Floor 2, what there is to read: which files a day has, what their columns are called, and what an action's type
//! follows from. Plain values; no I/O. Where they are typed is [`crate::config`]; without a configuration they are
//! [`Sources::default`].
//!
//! A source is told from another by its name. What becomes of its rows follows from its [`ActionSource::mapping`],
//! which a batch remembers: where it has changed, so has the batch.

mod action_source;
mod impression_source;
mod pattern;

use std::path::PathBuf;

use crate::model::TypeTable;

pub use action_source::{ActionSource, BUILT_IN, Int96, Mapping, TimeUnit, TypeRule, source_rank};
pub use impression_source::ImpressionSource;
pub use pattern::{Component, Glob, Pattern};

/// Everything that is read of an input root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sources {
    /// The types that the actions have.
    pub types: TypeTable,
    /// In the order of [`source_rank`]; no name twice, at least one and at most [`SOURCES_MAX`].
    pub actions: Vec<ActionSource>,
    /// The impressions.
    pub impressions: ImpressionSource,
    /// The file that says so; `None` without a configuration.
    pub file: Option<PathBuf>,
}

/// The most sources of actions; a batch numbers them in one byte.
pub const SOURCES_MAX: usize = 100;

impl Default for Sources {
    /// Clicks, add-to-carts, orders and impressions in Hive layout, as the contract has them.
    fn default() -> Self {
        Sources {
            types: TypeTable::default(),
            actions: BUILT_IN.iter().filter_map(|name| ActionSource::built_in(name)).collect(),
            impressions: ImpressionSource::default(),
            file: None,
        }
    }
}

impl Sources {
    /// The source with this name.
    pub fn named(&self, name: &str) -> Option<&ActionSource> {
        self.actions.iter().find(|source| source.name == name)
    }
}
