//! Working on all cores and taking what comes of it in order.

use crate::error::Result;

/// Has work done turn by turn: while one turn is worked on, what came of the turn before is taken, in order. `next` gives the turns; an empty one is the
/// last.
///
/// Memory: one turn, and what came of two.
pub(super) fn in_turns<S, D: Send>(
    mut next: impl FnMut() -> Result<Vec<S>>,
    mut work: impl FnMut(Vec<S>) -> Result<Vec<D>> + Send,
    mut take: impl FnMut(D) -> Result<()> + Send,
) -> Result<()>
where
    S: Send,
{
    let mut finished: Vec<D> = Vec::new();
    loop {
        let turn = next()?;
        let is_last = turn.is_empty();
        let before = std::mem::take(&mut finished);
        let (taken, done) = rayon::join(|| before.into_iter().try_for_each(&mut take), || work(turn));
        taken?;
        finished = done?;
        if is_last {
            return Ok(());
        }
    }
}
