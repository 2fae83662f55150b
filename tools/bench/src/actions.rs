//! The actions of a batch in memory.

use std::path::Path;

use lookback::error::Result;
use lookback::internals::history::newest_first;
use lookback::internals::input::{BadRows, QuarantineFolder, ReadAction, batch_files, read_actions};
use lookback::model::{Action, Day, Zone};
use lookback::resources::Resources;
use lookback::sources::Sources;

/// Gives all actions of a batch to `take`, in the order of its files; days are those of UTC, as in the stores measured
/// here.
pub fn each_action(root: &Path, batch: Day, mut take: impl FnMut(ReadAction)) -> Result<()> {
    let zone = Zone::utc();
    let mut bad = BadRows::new(QuarantineFolder::Actions, batch, None);
    let sources = Sources::default();
    for (source, file) in batch_files(&Resources::default().place(root)?, &sources, batch)? {
        read_actions(source, &file, &zone, &Resources::default(), &mut bad, |_, action| {
            take(action);
            Ok(())
        })?;
    }
    bad.finish()?;
    Ok(())
}

/// The deltas that a batch brings: of each customer and day the actions, newest first; by customer, newest day first,
/// as they go into a store.
pub fn deltas(root: &Path, batch: Day) -> Result<Vec<(Day, Vec<Action>)>> {
    let mut all = Vec::new();
    each_action(root, batch, |action| all.push(action))?;
    all.sort_by(|one, other| one.customer.cmp(&other.customer).then_with(|| newest_first(&one.action, &other.action)));
    let deltas = all.chunk_by(|one, other| (one.customer, one.day) == (other.customer, other.day));
    let deltas = deltas.filter_map(|delta| {
        let day = delta.first()?.day;
        Some((day, delta.iter().map(|read| read.action).collect()))
    });
    Ok(deltas.collect())
}
