//! The source of impressions.

use super::action_source::WithoutCustomer;
use super::mapping::{hash, put, put_ids};
use super::{CsvDialect, FileFormat, Pattern};
use crate::message::named;
use crate::model::Ids;

named! {
    /// What a row of the files is.
    #[derive(Default)]
    pub enum ImpressionLayout {
        /// A list of items.
        #[default]
        Lists = "lists",
        /// One item of a list: rows of a day that are equal in customer and ranking id are one list.
        Flat = "flat",
    }
    ALL
}

/// The pattern of the impressions and the names of their columns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImpressionSource {
    /// The pattern of the files of a day.
    pub pattern: Pattern,
    /// The format of the files; `None`: what each file's name or content tells.
    pub format: Option<FileFormat>,
    /// What a row is.
    pub layout: ImpressionLayout,
    /// The column of the caller's name for an impression.
    pub ranking_id: String,
    /// The column of the customer.
    pub customer_id: String,
    /// The column of the list; not in the flat layout.
    pub impressions: String,
    /// The field of the item in an element of the list; in the flat layout, its column.
    pub item_id: String,
    /// The field that says whether the item was ordered; in the flat layout, its column.
    pub is_order: String,
    /// The column that orders the items of a list, in the flat layout.
    pub position: String,
    /// What becomes of rows whose customer is null.
    pub without_customer: WithoutCustomer,
    /// How ids become numbers: as of the actions.
    pub ids: Ids,
    /// How its CSV files are written.
    pub csv: CsvDialect,
}

impl Default for ImpressionSource {
    fn default() -> Self {
        ImpressionSource {
            pattern: Pattern::hive("impressions"),
            format: None,
            layout: ImpressionLayout::default(),
            ranking_id: "ranking_id".to_owned(),
            customer_id: "customer_id".to_owned(),
            impressions: "impressions".to_owned(),
            item_id: "item_id".to_owned(),
            is_order: "is_order".to_owned(),
            position: "position".to_owned(),
            without_customer: WithoutCustomer::default(),
            ids: Ids::default(),
            csv: CsvDialect::default(),
        }
    }
}

impl ImpressionSource {
    /// Returns the configurable columns with their names in the files, in the order of the contract; of lists, the last
    /// two are fields of the elements.
    pub fn columns(&self) -> [(&'static str, &str); 5] {
        // Destructured, so that a new field does not compile until someone decides whether it belongs in the hash.
        let ImpressionSource {
            pattern: _,
            format: _,
            layout,
            ranking_id,
            customer_id,
            impressions,
            item_id,
            is_order,
            position,
            without_customer: _,
            ids: _,
            csv: _,
        } = self;
        let (ranking_id, customer_id) = (("ranking_id", ranking_id.as_str()), ("customer_id", customer_id.as_str()));
        let (item_id, is_order) = (("item_id", item_id.as_str()), ("is_order", is_order.as_str()));
        match layout {
            ImpressionLayout::Lists => [ranking_id, customer_id, ("impressions", impressions), item_id, is_order],
            ImpressionLayout::Flat => [ranking_id, customer_id, item_id, is_order, ("position", position)],
        }
    }

    /// Returns a hash over everything except the file that determines a row, as 32 hexadecimal digits; `None` for the
    /// columns and ids that apply without a configuration.
    pub(crate) fn mapping(&self) -> Option<String> {
        let bytes_of = |source: &ImpressionSource| {
            let mut bytes = Vec::new();
            source.columns().iter().for_each(|(_, name)| put(name, &mut bytes));
            // Only if given, so that the hashes of sources without these settings never change.
            let is_given = source.layout == ImpressionLayout::Flat;
            put_given("layout", source.layout.name(), is_given, &mut bytes);
            let is_given = source.without_customer == WithoutCustomer::LeaveOut;
            put_given("without_customer", source.without_customer.name(), is_given, &mut bytes);
            put_ids(source.ids, &mut bytes);
            source.csv.put(&mut bytes);
            bytes
        };
        let bytes = bytes_of(self);
        (bytes != bytes_of(&Self::default())).then(|| format!("{:032x}", u128::from_be_bytes(hash(&bytes))))
    }
}

fn put_given(key: &str, value: &str, is_given: bool, bytes: &mut Vec<u8>) {
    if is_given {
        put(key, bytes);
        put(value, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_columns_or_another_dialect_are_another_mapping() {
        let default = ImpressionSource::default();
        assert_eq!(ImpressionSource { pattern: Pattern::hive("shown"), ..default.clone() }.mapping(), None);
        let renamed = ImpressionSource { is_order: "bought".to_owned(), ..default.clone() };
        assert!(renamed.mapping().is_some_and(|mapping| mapping.len() == 32));
        let source = |change: fn(&mut ImpressionSource)| {
            let mut changed = default.clone();
            change(&mut changed);
            changed.mapping()
        };
        let mut mappings = vec![
            None,
            renamed.mapping(),
            source(|source| source.item_id = "bought".to_owned()),
            source(|source| source.without_customer = WithoutCustomer::LeaveOut),
            source(|source| source.ids.item_offset = 1),
            source(|source| source.csv.separator = Some(b';')),
            source(|source| source.layout = ImpressionLayout::Flat),
            source(|source| (source.layout, source.position) = (ImpressionLayout::Flat, "rank".to_owned())),
        ];
        let count = mappings.len();
        mappings.sort();
        mappings.dedup();
        assert_eq!(mappings.len(), count, "each change gives another");
        assert_eq!(source(|source| source.position = "rank".to_owned()), None, "lists have no such column");
    }
}
