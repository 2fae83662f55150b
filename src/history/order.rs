//! The order of actions.

use std::cmp::Ordering;

use crate::model::Action;

/// Compares actions: newest first; at equal times the higher action type first, then the higher item id. The order is
/// total: actions that compare equal are identical. Source: SPEC, "Meaning".
pub fn newest_first(one: &Action, other: &Action) -> Ordering {
    let key = |action: &Action| (action.time_us, action.action_type, action.item_id);
    key(other).cmp(&key(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionType;

    #[test]
    fn time_then_type_then_item() {
        let action = |time_us, action_type, item_id| Action { time_us, item_id, action_type };
        let mut actions = [
            action(1, ActionType::ORDER, 9),
            action(2, ActionType::CLICK, 5),
            action(2, ActionType::ADD_TO_CART, 4),
            action(2, ActionType::CLICK, 6),
            action(2, ActionType::CLICK, -7),
        ];
        actions.sort_by(newest_first);
        let items: Vec<i64> = actions.iter().map(|action| action.item_id).collect();
        assert_eq!(items, [4, 6, 5, -7, 9]);
    }
}
