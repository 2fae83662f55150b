//! The source of impressions.

use super::Pattern;
use super::action_source::{hash, put};

/// The pattern of the impressions and the names of their columns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImpressionSource {
    /// The pattern of the files of a day.
    pub pattern: Pattern,
    /// The column of the caller's name for an impression.
    pub ranking_id: String,
    /// The column of the customer.
    pub customer_id: String,
    /// The column of the list.
    pub impressions: String,
    /// The field of the item in an element of the list.
    pub item_id: String,
    /// The field that says whether the item was ordered.
    pub is_order: String,
}

impl Default for ImpressionSource {
    fn default() -> Self {
        ImpressionSource {
            pattern: Pattern::hive("impressions"),
            ranking_id: "ranking_id".to_owned(),
            customer_id: "customer_id".to_owned(),
            impressions: "impressions".to_owned(),
            item_id: "item_id".to_owned(),
            is_order: "is_order".to_owned(),
        }
    }
}

impl ImpressionSource {
    /// Returns the configurable columns with their names in the files, in the order of the contract; the last two are
    /// fields of the list's elements.
    pub fn columns(&self) -> [(&'static str, &str); 5] {
        // Destructured, so that a new field does not compile until someone decides whether it belongs in the hash.
        let ImpressionSource { pattern: _, ranking_id, customer_id, impressions, item_id, is_order } = self;
        [
            ("ranking_id", ranking_id),
            ("customer_id", customer_id),
            ("impressions", impressions),
            ("item_id", item_id),
            ("is_order", is_order),
        ]
    }

    /// Returns a hash over everything except the file that determines a row, as 32 hexadecimal digits; `None` for the
    /// columns that apply without a configuration.
    pub(crate) fn mapping(&self) -> Option<String> {
        let bytes_of = |source: &ImpressionSource| {
            let mut bytes = Vec::new();
            source.columns().iter().for_each(|(_, name)| put(name, &mut bytes));
            bytes
        };
        let bytes = bytes_of(self);
        (bytes != bytes_of(&Self::default())).then(|| format!("{:032x}", u128::from_be_bytes(hash(&bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_columns_are_another_mapping() {
        let default = ImpressionSource::default();
        assert_eq!(ImpressionSource { pattern: Pattern::hive("shown"), ..default.clone() }.mapping(), None);
        let renamed = ImpressionSource { is_order: "bought".to_owned(), ..default.clone() };
        assert!(renamed.mapping().is_some_and(|mapping| mapping.len() == 32));
        assert_ne!(renamed.mapping(), ImpressionSource { item_id: "bought".to_owned(), ..default }.mapping());
    }
}
