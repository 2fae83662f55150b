//! Texts that have the number of another.

use super::id_count::IdCount;
use crate::error::{Error, Result};
use crate::input::Written;
use crate::model::IdKind;
use crate::text::count;

/// The most collisions that a message names. Among ten million texts one in 200,000 vocabularies has any.
const NAMED: u64 = 100;

/// The pairs of texts with one number that were met. Memory: 100 pairs.
#[derive(Default)]
pub(super) struct Collisions {
    count: u64,
    named: Vec<String>,
}

impl Collisions {
    /// Adds two texts with one number.
    pub(super) fn add<T: Written>(&mut self, one: IdCount<T>, other: IdCount<T>) {
        self.count += 1;
        if self.count <= NAMED {
            let id = one.id;
            let texts = one.written.text().zip(other.written.text());
            self.named.extend(texts.map(|(one, other)| format!("{one:?} and {other:?} are both {id}")));
        }
    }

    /// Fails if there are any.
    pub(super) fn refuse(self, of: IdKind) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let more = match self.count.checked_sub(NAMED) {
            None | Some(0) => String::new(),
            Some(more) => format!(", and {} more", count(more)),
        };
        let (of, named) = (of.name(), self.named.join(", "));
        Err(Error::input(
            format!("{of} of different texts have one number: {named}{more}"),
            "write one of the two as another text in all files, since rows and histories cannot tell them apart",
        ))
    }
}
