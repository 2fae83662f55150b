//! Selects the action types that a page names.

use crate::model::{TypeCounts, TypeTable};
use crate::text::counted;

/// The maximum number of types that are named; the counts of all others are summed.
pub(super) const TYPES_MAX: usize = 12;

/// The types that a page names, and the number of others that it sums.
#[derive(Clone, Debug)]
pub struct ShownTypes {
    /// Numbers and names, numbers ascending.
    named: Vec<(u8, String)>,
    /// The numbers of the others, ascending.
    others: Vec<u8>,
}

impl ShownTypes {
    /// Selects from the types of a table and any other types counted. If there are more than a dozen, the dozen with
    /// the most actions are named; of equal ones, those with the lower numbers.
    pub(super) fn of(actions: &TypeCounts, types: &TypeTable) -> Self {
        let mut numbers: Vec<u8> = types.iter().map(|(number, _)| number).collect();
        numbers.extend(actions.iter().map(|(number, _)| number));
        numbers.sort_unstable();
        numbers.dedup();
        numbers.sort_by_key(|number| std::cmp::Reverse(actions.of(*number)));
        let mut others = numbers.split_off(numbers.len().min(TYPES_MAX));
        numbers.sort_unstable();
        others.sort_unstable();
        ShownTypes { named: numbers.into_iter().map(|number| (number, types.name(number))).collect(), others }
    }

    /// Iterates over the names of the named types, in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(_, name)| name.as_str())
    }

    /// Returns the number of the other types.
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// Returns the label of the other types, if any: `others (243 types)`.
    pub(super) fn others_in_words(&self) -> Option<String> {
        (!self.others.is_empty()).then(|| format!("others ({})", counted(self.others.len() as u64, "type")))
    }

    /// Returns the counts of the named types, followed by the sum of the others, if any.
    pub(super) fn counts(&self, actions: &TypeCounts) -> Vec<u64> {
        let named = self.named.iter().map(|(number, _)| actions.of(*number));
        let others = self.others.iter().map(|number| actions.of(*number)).fold(0, u64::saturating_add);
        named.chain((!self.others.is_empty()).then_some(others)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_dozen_is_named_and_no_action_is_lost() {
        let table = |count: u8| TypeTable::new((1..=count).map(|number| (number, format!("t{number}")))).unwrap();
        // Types from 10 on have more actions; 1 to 9 have equal counts, and so have types from 20 on.
        let actions: TypeCounts = (1..=30).map(|number: u8| (number, u64::from(number).clamp(10, 20))).collect();
        let few = ShownTypes::of(&actions, &table(12));
        assert_eq!((few.named.len(), few.others()), (12, 18), "what is counted and not in the table is there too");
        let shown = ShownTypes::of(&actions, &table(30));
        let named: Vec<u8> = shown.named.iter().map(|(number, _)| *number).collect();
        assert_eq!(named, (19..=30).collect::<Vec<u8>>());
        assert_eq!(shown.others_in_words().as_deref(), Some("others (18 types)"));
        assert_eq!(shown.counts(&actions).iter().sum::<u64>(), actions.sum());
        let equal: TypeCounts = (1..=30).map(|number| (number, 7)).collect();
        assert_eq!(ShownTypes::of(&equal, &table(30)).names().collect::<Vec<_>>()[11], "t12");
        let all = ShownTypes::of(&TypeCounts::default(), &table(12));
        assert_eq!((all.others(), all.others_in_words(), all.counts(&equal).len()), (0, None, 12));
    }
}
