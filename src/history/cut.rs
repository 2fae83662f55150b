//! Leaving out what is too old.

use crate::model::Action;

/// The part of a history at or after `from_us` (microseconds since 1970-01-01 UTC). `history` is newest first.
pub fn since(history: &[Action], from_us: i64) -> &[Action] {
    let kept = history.partition_point(|action| action.time_us >= from_us);
    history.get(..kept).unwrap_or(history)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionType;

    #[test]
    fn the_boundary_itself_is_kept() {
        let history: Vec<Action> =
            [9, 5, 5, 4].map(|time_us| Action { time_us, item_id: 1, action_type: ActionType::ORDER }).into();
        let kept = |from_us| since(&history, from_us).len();
        assert_eq!((kept(10), kept(9), kept(5), kept(4), kept(0)), (0, 1, 3, 4, 4));
    }
}
